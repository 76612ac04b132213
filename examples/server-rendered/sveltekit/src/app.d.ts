import type { Authentication } from "tokenpair";

declare global {
  namespace App {
    interface Locals {
      /** Who sent the request. Only routes in `(users)` have it. */
      auth: Authentication;
    }
  }
}

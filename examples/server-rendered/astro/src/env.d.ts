declare namespace App {
  interface Locals {
    /** Who sent the request. Only protected pages have it. */
    auth: import("tokenpair").Authentication;
  }
}

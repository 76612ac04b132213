import type { NewUser } from "../core/store/users.ts";

/** The fields that are given when a user's row is inserted. */
export type UserFields = Omit<NewUser, "id" | "usernameKey"> & { readonly usernameKey: string | null };

/** The fields of a row for a user of the application's own table. The row is needed only for the epoch. */
export const externalUser: UserFields = Object.freeze({
  username: "",
  usernameKey: null,
  email: null,
  role: null,
  passwordHash: null,
});

import type { NewUser } from "../core/store/users.ts";

/** The fields of a user's row that are given when it is inserted. */
export type UserFields = Omit<NewUser, "id" | "usernameKey"> & { readonly usernameKey: string | null };

/** The fields of a user of the application's own table. Here the row only carries the epoch. */
export const externalUser: UserFields = Object.freeze({
  username: "",
  usernameKey: null,
  email: null,
  isStaff: false,
  passwordHash: null,
});

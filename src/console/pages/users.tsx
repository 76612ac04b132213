import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Page, StaffUser } from "../../staff/api.ts";
import { useMe } from "../data/context.ts";
import { useSearch } from "../data/use-search.ts";
import { useStaff } from "../data/use-staff.ts";
import { toUserPath } from "../parts/entry-text.tsx";
import { ChoiceFilter, Filters, TextFilter } from "../parts/filters.tsx";
import { Head } from "../parts/head.tsx";
import { quoteName, toName } from "../parts/names.ts";
import { NoMatch } from "../parts/no-match.tsx";
import { Pager } from "../parts/pager.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { Loaded } from "../parts/states.tsx";
import { Tag } from "../parts/tag.tsx";
import { Age, Day } from "../parts/time.tsx";
import { BulkBar } from "./users-bulk.tsx";
import { CreateUserButton } from "./users-create.tsx";
import { UserMenu } from "./users-menu.tsx";

/** The page that lists the users. */
export function UsersPage(): ReactNode {
  const search = useSearch();
  const me = useMe();
  const [, navigate] = useLocation();
  const [text, state, role] = [search.get("search"), search.get("is_active"), search.get("role")];
  const query = useStaff<Page<StaffUser>>("users/", {
    search: text,
    is_active: state,
    role,
    cursor: search.get("cursor"),
  });
  const [only] = query.data?.results ?? [];
  return (
    <>
      <Head title="Users">{me.permissions.includes("users.write") ? <CreateUserButton /> : null}</Head>
      <Filters label="Users">
        <TextFilter
          search={search}
          name="search"
          label="Search"
          type="search"
          isWide
          placeholder="Name or email begins with…"
          onEnter={() => {
            const isOne = query.data?.results.length === 1 && !query.isFetching && text !== "";
            if (isOne && only !== undefined) navigate(toUserPath(only.id));
          }}
        />
        <ChoiceFilter
          search={search}
          name="is_active"
          label="State"
          choices={[
            ["", "Any"],
            ["true", "Active"],
            ["false", "Disabled"],
          ]}
        />
        <ChoiceFilter
          search={search}
          name="role"
          label="Role"
          choices={[
            ["", "Any"],
            ["none", "None"],
            ["viewer", "Viewer"],
            ["support", "Support"],
            ["admin", "Admin"],
          ]}
        />
      </Filters>
      <Loaded query={query}>
        {(page) =>
          page.results.length === 0 ? (
            <div className="card flush">
              <NoMatch
                title={text === "" ? "No user matches." : `No name or email address begins with “${text}”.`}
                search={search}
                filters={["search", "is_active", "role"]}
              >
                {text === "" ? null : (
                  <p className="quiet">
                    The search looks at beginnings only, so that it stays fast with millions of users.
                  </p>
                )}
              </NoMatch>
            </div>
          ) : (
            <UserTable key={page.results[0]?.id} page={page} isBusy={query.isPlaceholderData} />
          )
        }
      </Loaded>
    </>
  );
}

function UserTable({ page, isBusy }: { readonly page: Page<StaffUser>; readonly isBusy: boolean }): ReactNode {
  const search = useSearch();
  const me = useMe();
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const mayPick = me.permissions.some((permission) => permission !== "read");
  const users = page.results.filter(({ id }) => id !== me.id);
  const chosen = users.filter(({ id }) => picked.has(id));
  const isAll = chosen.length > 0 && chosen.length === users.length;
  const pick = (id: string, isOn: boolean) =>
    setPicked((before) => new Set(isOn ? [...before, id] : [...before].filter((one) => one !== id)));
  return (
    <div className="card flush" aria-busy={isBusy}>
      <Scroll label="Users">
        <table className="cards">
          <caption className="vh">Users</caption>
          <thead>
            <tr>
              {mayPick ? (
                <th scope="col" className="pick">
                  <label>
                    <input
                      type="checkbox"
                      aria-label="Select all on this page"
                      checked={isAll}
                      onChange={({ target }) => setPicked(new Set(target.checked ? users.map(({ id }) => id) : []))}
                    />
                  </label>
                </th>
              ) : null}
              <th scope="col">User</th>
              <th scope="col">State</th>
              <th scope="col">Role</th>
              <th scope="col">Last login</th>
              <th scope="col">Created</th>
              <th scope="col">
                <span className="vh">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {page.results.map((user) => (
              <tr key={user.id} className={picked.has(user.id) ? "picked" : undefined}>
                {mayPick ? (
                  <td className="pick">
                    {user.id === me.id ? null : (
                      <label>
                        <input
                          type="checkbox"
                          aria-label={`Select ${quoteName(toName(user))}`}
                          checked={picked.has(user.id)}
                          onChange={({ target }) => pick(user.id, target.checked)}
                        />
                      </label>
                    )}
                  </td>
                ) : null}
                <th scope="row">
                  <Link href={toUserPath(user.id)} dir="auto">
                    {toName(user)}
                  </Link>
                  {user.id === me.id ? (
                    <>
                      {" "}
                      <Tag tone="mine">this is you</Tag>
                    </>
                  ) : null}
                  {user.email === null ? null : (
                    <>
                      <br />
                      <span className="quiet">{user.email}</span>
                    </>
                  )}
                </th>
                <td className={user.is_active ? "usual" : undefined}>
                  {user.is_active ? <span className="quiet">active</span> : <Tag>disabled</Tag>}
                </td>
                <td data-l="Role" className={user.role === null ? "usual" : undefined}>
                  {user.role === null ? <span className="quiet">–</span> : <Tag tone="mine">{user.role}</Tag>}
                </td>
                <td data-l="Last login">{user.last_login_at === null ? "never" : <Age at={user.last_login_at} />}</td>
                <td data-l="Created" className="nowrap">
                  <Day at={user.created_at} />
                </td>
                <td className="n more">
                  <UserMenu user={user} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {chosen.length === 0 ? null : <BulkBar users={chosen} clear={() => setPicked(new Set())} />}
      <Pager page={page} search={search} noun="user" />
    </div>
  );
}

import type { ReactNode } from "react";
import type { StaffKey } from "../../staff/api.ts";
import { useMe, useParts } from "../data/context.ts";
import { useStaff } from "../data/use-staff.ts";
import { useChange } from "../parts/change.ts";
import { Head } from "../parts/head.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Tag, type Tone } from "../parts/tag.tsx";
import { DateTime, Until, useTime, ZoneSwitch } from "../parts/time.tsx";

const states: Readonly<Record<StaffKey["state"], readonly [string, Tone]>> = {
  published: ["published, waits", "plain"],
  signing: ["signs", "good"],
  verifying: ["only verifies", "caution"],
  retired: ["retired", "plain"],
  secret: ["for refresh tokens", "plain"],
};

/** The page that lists the signing keys. */
export function KeysPage(): ReactNode {
  const { api } = useParts();
  const me = useMe();
  const ask = useChange();
  const query = useStaff<{ readonly results: readonly StaffKey[] }>("keys/", {}, { every: 15 });
  const mayWrite = me.permissions.includes("keys.write");
  // Keys in the settings have no times.
  const isManaged = query.data?.results.every(({ made_at: madeAt }) => madeAt !== null) ?? false;
  return (
    <>
      <Head title="Keys">
        {mayWrite && isManaged ? (
          <button
            type="button"
            className="primary"
            onClick={() =>
              ask({
                title: "Rotate the signing key?",
                consequences: [
                  "A new key is published. It signs once every node has it.",
                  "The current key then only verifies. No user is logged out.",
                ],
                submit: "Rotate",
                needsConfirmation: true,
                async run({ reason }) {
                  await api.send("POST", "keys/rotate/", { reason });
                  return { title: "A new key is published." };
                },
              })
            }
          >
            Rotate…
          </button>
        ) : null}
      </Head>
      <Loaded query={query}>
        {({ results }) => <KeyTable keys={results} mayWrite={mayWrite} isManaged={isManaged} />}
      </Loaded>
      <p className="quiet">
        {query.data === undefined || isManaged
          ? ""
          : "These keys are in the server's settings. Change them there. Only keys in the database can be rotated here: see the setting keyEncryptionKey. "}
        The key that signs makes new access tokens. A key that only verifies is kept until the last token that it signed
        has expired. The private part of a key is never shown or sent.
      </p>
      {isManaged ? <ZoneSwitch /> : null}
    </>
  );
}

interface KeyProps {
  readonly mayWrite: boolean;
  /** Whether the keys are in the database, with their times. */
  readonly isManaged: boolean;
}

function KeyTable({ keys, mayWrite, isManaged }: KeyProps & { readonly keys: readonly StaffKey[] }): ReactNode {
  if (keys.length === 0) {
    return (
      <div className="card flush">
        <Empty title="The database has no signing keys." />
      </div>
    );
  }
  return (
    <div className="card flush">
      <Scroll label="Signing keys">
        <table className="cards">
          <caption className="vh">Signing keys</caption>
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Algorithm</th>
              <th scope="col">State</th>
              {isManaged ? (
                <>
                  <th scope="col">Created</th>
                  <th scope="col">Signs from</th>
                  <th scope="col">Tokens until</th>
                  <th scope="col">
                    <span className="vh">Actions</span>
                  </th>
                </>
              ) : null}
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <KeyRow key={key.kid} signingKey={key} mayWrite={mayWrite} isManaged={isManaged} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}

function KeyRow({ signingKey, mayWrite, isManaged }: KeyProps & { readonly signingKey: StaffKey }): ReactNode {
  const { kid, alg, state, made_at: madeAt, signs_from: signsFrom, last_token_expires_at: lastExpiry } = signingKey;
  const { now } = useTime();
  const [text, tone] = states[state];
  return (
    <tr>
      <th scope="row" className="id">
        {kid}
      </th>
      <td data-l="Algorithm">{alg}</td>
      <td>
        <Tag tone={tone}>{text}</Tag>
      </td>
      {isManaged ? (
        <>
          {" "}
          <td data-l="Created">{madeAt === null ? "–" : <DateTime at={madeAt} />}</td>
          <td data-l="Signs from">{signsFrom === null ? "–" : <DateTime at={signsFrom} />}</td>
          <td data-l="Tokens until">
            {lastExpiry === null ? (
              "–"
            ) : lastExpiry > now ? (
              <>
                in <Until at={lastExpiry} />
              </>
            ) : (
              "over"
            )}
          </td>
          <td className="n">
            {mayWrite && (state === "verifying" || state === "published") ? (
              <RetireButton signingKey={signingKey} />
            ) : null}
          </td>
        </>
      ) : null}
    </tr>
  );
}

function RetireButton({ signingKey: { kid, state } }: { readonly signingKey: StaffKey }): ReactNode {
  const { api } = useParts();
  const ask = useChange();
  const isPublished = state === "published";
  return (
    <button
      type="button"
      className="small danger"
      aria-label={`${isPublished ? "Withdraw" : "Retire"} the key ${kid}`}
      onClick={() =>
        ask({
          title: `${isPublished ? "Withdraw" : "Retire"} the key ${kid}?`,
          consequences: [
            isPublished
              ? "It will never sign. No user is logged out."
              : "Access tokens that it signed are refused. Their users stay logged in if they can refresh.",
          ],
          submit: isPublished ? "Withdraw key" : "Retire key",
          isDangerous: true,
          needsConfirmation: true,
          async run({ reason }) {
            // Without `now`, it would verify until its last token has expired, as it does anyway.
            const body = isPublished ? { reason } : { reason, now: true };
            await api.send("POST", `keys/${encodeURIComponent(kid)}/retire/`, body);
            return { title: `The key ${kid} is ${isPublished ? "withdrawn" : "retired"}.` };
          },
        })
      }
    >
      {isPublished ? "Withdraw…" : "Retire…"}
    </button>
  );
}

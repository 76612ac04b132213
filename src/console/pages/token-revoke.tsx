import type { ReactNode } from "react";
import type { Revoked } from "../../staff/api.ts";
import { useParts } from "../data/context.ts";
import { toConfirmationText, useChange } from "../parts/change.ts";

/** The button that revokes one access token, for example one that was found in a log. For admins: nothing says whose token it is. */
export function RevokeTokenButton(): ReactNode {
  const { api } = useParts();
  const ask = useChange();
  const open = () =>
    ask({
      title: "Revoke one access token?",
      consequences: [
        "The token stops working on every node, within a second. Its session continues, and gets another one.",
        "To log a device out, revoke its session instead.",
      ],
      submit: "Revoke token",
      isDangerous: true,
      needsConfirmation: true,
      fields: [{ name: "jti", label: "Token id", hint: "The claim jti. Not the token itself." }],
      async run({ jti, reason }) {
        const { confirmed } = await api.send<Revoked>("POST", "tokens/revoke/", { jti, reason });
        return { title: "The access token is revoked.", ...toConfirmationText(confirmed) };
      },
    });
  return (
    <button type="button" onClick={open}>
      Revoke a token…
    </button>
  );
}

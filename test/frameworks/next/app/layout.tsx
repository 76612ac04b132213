import type { ReactNode } from "react";
import { initialSession } from "../lib/auth";
import { Session } from "../lib/session";

export default async function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Session initial={await initialSession()}>{children}</Session>
      </body>
    </html>
  );
}

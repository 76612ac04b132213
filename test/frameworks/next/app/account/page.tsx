import Link from "next/link";
import { countInstances, requireUser } from "../../lib/auth";
import { Greeting } from "../greeting";
import { SaveForm } from "./save-form";

export default async function Account() {
  const { userId } = await requireUser({ next: "/account" });
  return (
    <main>
      <h1>Account</h1>
      <p id="server" data-instances={countInstances()}>{`user ${userId}`}</p>
      <Greeting />
      <SaveForm />
      {[1, 2, 3].map((page) => (
        <Link key={page} href={`/account/${page}`}>{`Page ${page}`}</Link>
      ))}
    </main>
  );
}

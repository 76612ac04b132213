import Link from "next/link";
import { currentUser } from "../lib/auth";
import { Greeting } from "./greeting";

export default async function Home() {
  const user = await currentUser();
  return (
    <main>
      <h1>Home</h1>
      <p id="server">{user === null ? "guest" : `user ${user.userId}`}</p>
      <Greeting />
      <Link href="/account">Account</Link>
    </main>
  );
}

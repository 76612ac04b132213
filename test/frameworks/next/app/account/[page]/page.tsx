import Link from "next/link";
import { requireUser } from "../../../lib/auth";

export default async function Page({ params }: { params: Promise<{ page: string }> }) {
  const { page } = await params;
  const { userId } = await requireUser({ next: `/account/${page}` });
  return (
    <main>
      <h1>{`Page ${page}`}</h1>
      <p id="server">{`user ${userId}`}</p>
      <Link href="/account">Account</Link>
      <Link href={`/account/${Number(page) + 1}`}>Next</Link>
    </main>
  );
}

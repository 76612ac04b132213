import { requireUser } from "../../lib/auth";

export default async function Account() {
  const { userId } = await requireUser({ next: "/account" });
  return <h1>{`Account of user ${userId}`}</h1>;
}

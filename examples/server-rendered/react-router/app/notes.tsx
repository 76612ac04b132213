import { type ActionFunctionArgs, Form, Link, type LoaderFunctionArgs, useLoaderData } from "react-router";
import { client } from "./client.ts";
import { userContext } from "./users.tsx";

const notes = new Map<string, string[]>();

export function loader({ context }: LoaderFunctionArgs) {
  const { userId } = context.get(userContext);
  return { userId, notes: notes.get(userId) ?? [] };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const { userId } = context.get(userContext);
  const form = await request.formData();
  notes.set(userId, [...(notes.get(userId) ?? []), String(form.get("note"))]);
  return null;
}

export default function Notes() {
  const { userId, notes } = useLoaderData<typeof loader>();
  async function logOut() {
    // Without a network, the user stays logged in.
    await client.logout().then(
      () => window.location.assign("/"),
      (error) => window.alert(error.message),
    );
  }
  return (
    <>
      <h1>{`Notes of ${userId}`}</h1>
      <ul>
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      <Form method="post">
        <input name="note" aria-label="Note" required />
        <button type="submit">Add</button>
      </Form>
      <Link to="/">Home</Link>
      <button type="button" onClick={logOut}>
        Log out
      </button>
    </>
  );
}

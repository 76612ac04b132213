/** The templates of the examples. A real application uses its template engine. */

/** Text that is HTML already. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const escapeText = (text: string) => text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const toHtml = (value: unknown): string =>
  Array.isArray(value) ? value.map(toHtml).join("") : value instanceof Html ? value.text : escapeText(String(value));

/** Escapes every value that isn't HTML itself. */
const html = (parts: TemplateStringsArray, ...values: readonly unknown[]): Html =>
  new Html(String.raw({ raw: parts }, ...values.map(toHtml)));

const page = (title: string, body: Html): string =>
  html`<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}`.text;

/** The login page. `next` and `error` come from the query; the server checks `next` when it redirects. */
export const loginPage = (login: { readonly token: string; readonly next: unknown; readonly error: unknown }): string =>
  page(
    "Log in",
    html`${login.error === undefined ? "" : html`<p role="alert">That didn't work. Try again.</p>`}
<form method="post" action="/api/auth/login/">
  <input type="hidden" name="csrfmiddlewaretoken" value="${login.token}">
  <input type="hidden" name="next" value="${login.next ?? "/notes"}">
  <input type="hidden" name="failed" value="/login">
  <label>Username <input name="username" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Log in</button>
</form>`,
  );

/** A page for users only, with a form that works without scripts. */
export const notesPage = (notes: readonly string[]): string =>
  page(
    "Notes",
    html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>
<form method="post" action="/notes"><label>Note <input name="note" required></label> <button>Add</button></form>
<form method="post" action="/logout"><button>Log out</button></form>`,
  );

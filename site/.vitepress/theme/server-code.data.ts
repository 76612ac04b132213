/** The code on the home page, highlighted when the site is built. */
import { createMarkdownRenderer } from "vitepress";

const code = `\`\`\`ts
const auth = createAuth({ store, signingKey });
await auth.ready();

app.use(authRoutes(auth)); // login, refresh, logout

app.get("/orders", requireUser(auth), (req, res) => {
  res.json(ordersOf(req.auth.userId));
});

// later: log the user out on every device
const { confirmed } =
  await auth.sessions.revokeAllForUser(userId);
// confirmed: no node accepts the tokens any more
\`\`\``;

/** The highlighted code. */
export declare const data: string;

export default {
  async load(): Promise<string> {
    const { markdown } = (globalThis as unknown as { VITEPRESS_CONFIG: { markdown: object } }).VITEPRESS_CONFIG;
    const renderer = await createMarkdownRenderer(".", markdown);
    return renderer.renderAsync(code);
  },
};

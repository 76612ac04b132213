/**
 * The script of the page, which refreshes the session as the browser's client does: with the same lock, the same idempotency
 * key in `localStorage` and the same record. So a response that the client has lost is repeated with the client's key.
 *
 * - `data-seen` has the end of the CSRF token that the server got. If the cookie differs, another tab has refreshed meanwhile.
 * - A response that is late is given up after ten seconds, later after twenty and so on: its repetition has the same key.
 * - After a refresh, the page reloads, at most three times in a row: then the browser doesn't keep the cookies.
 * - If the session has ended, the page leads to the login page. It also does so after three refusals: the browser has lost the
 *   refresh cookie, for example because the path of the endpoints was changed.
 * - The answer to a form doesn't reload, because that would send the form again without asking.
 *
 * `npm run build` minifies the text in dist (scripts/minify-page.ts): browsers wait for every byte of it.
 */
export const pageSource: string = `
(async () => {
  const { auth, cookie, header, login, seen, form } = document.body.dataset;
  const { origin, pathname, search, hash } = location;
  const [text, line] = document.querySelectorAll("p");
  const link = line.firstChild;
  const name = "tokenpair cookie " + origin + auth;
  const keys = {};
  const random = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const sleep = (time) => new Promise((wake) => { setTimeout(wake, time); ononline = wake; });
  const say = (words) => { text.textContent = words; document.body.className = "on"; };
  const reload = () => {
    if (form) {
      link.textContent = "Back to the form";
      link.href = "#";
      link.onclick = (event) => { event.preventDefault(); history.back(); };
      return say("Your login had expired, so the form was not sent. Go back and send it again.");
    }
    const again = (performance.getEntriesByType("navigation")[0]?.type ?? "reload") === "reload";
    let count = 0;
    try {
      const [n, at] = (sessionStorage.getItem(name) ?? "").split(" ");
      if (again && Date.now() - at < 6e4) count = +n;
      sessionStorage.setItem(name, count + 1 + " " + Date.now());
    } catch { count = again ? 3 : 0; }
    if (count > 2) return say("You could not be logged in automatically. Allow cookies, or log in again.");
    location.reload();
  };
  const attempt = async (locked, n) => {
    const token = ("; " + document.cookie).split("; " + cookie + "=")[1]?.split(";")[0] ?? "";
    const end = token.slice(-16);
    if (end !== seen) return reload();
    const read = () => {
      try {
        const stored = localStorage.getItem(name + "#attempt") ?? "";
        return stored.slice(22) === " " + end && stored.slice(0, 22);
      } catch {}
    };
    let key = read() || keys[end];
    if (!key) {
      key = random().replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
      try { localStorage.setItem(name + "#attempt", key + " " + end); } catch {}
      if (!locked) await sleep(30);
      key = read() || key;
    }
    keys[end] = key;
    const sent = Date.now();
    const { status, headers, json } = await fetch(auth + "/refresh/", {
      method: "POST",
      mode: "same-origin",
      headers: { [header]: token, "Idempotency-Key": key },
      signal: AbortSignal.timeout(Math.min(60, 10 * 2 ** n) * 1e3),
    }).then(async (response) => ({ status: response.status, headers: response.headers, json: response.ok && await response.json() }));
    if (json) {
      const { access_expires_in: full, refresh_expires_in: refreshLifetime, session } = json;
      const at = Date.now();
      const lifetime = Math.max(full - (at - sent) / 1e3, full / 2);
      try { localStorage.setItem(name, JSON.stringify({ at, lifetime, refreshLifetime, sessionId: session.id })); } catch {}
      return reload();
    }
    if (headers.get("Session-Ended") === "true" || (n > 1 && status > 399 && status < 405)) return location.replace(link.href);
    return Number(headers.get("Retry-After")) || 0;
  };
  if (!form && !/^\\/([\\/\\\\]|%(25)*(2f|5c))/i.test(pathname)) link.href = login + encodeURIComponent(pathname + search + hash);
  onpageshow = (event) => { if (event.persisted && !form) location.reload(); };
  for (let n = 0; ; n++) {
    let delay = 0;
    try {
      let running;
      await navigator.locks?.request(name, { signal: AbortSignal.timeout(2e3) }, () => (running = attempt(true, n))).catch(() => {});
      delay = await (running ?? attempt(false, n));
    } catch {}
    if (delay === undefined) return;
    say("Trying again…");
    await sleep(delay * 1e3 + Math.random() * Math.min(60, 2 ** n) * 1e3);
  }
})();
`;

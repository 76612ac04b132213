import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { createClient } from "../client/index.ts";
import { createClock } from "./data/clock.ts";
import { PartsContext } from "./data/context.ts";
import { createLive } from "./data/live.ts";
import { readSettings } from "./data/settings.ts";
import { createStaffApi } from "./data/staff-api.ts";
import { isTransient } from "./data/staff-error.ts";
import { App } from "./frame/app.tsx";
import "../page/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/lists.css";

const root = document.getElementById("console");
if (root === null) throw new Error("index.html has no #console");

const settings = readSettings(document.documentElement.dataset);
const { authPath, csrfCookie, csrfHeaderName, adminPath, basePath } = settings;
const client = createClient({ authPath, csrfCookie, ...(csrfHeaderName && { csrfHeader: csrfHeaderName }) });
const api = createStaffApi(client, adminPath);
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always",
      staleTime: 2_000,
      retry: (count, error) => count < 2 && isTransient(error),
    },
    mutations: { networkMode: "always" },
  },
});
const live = createLive({
  api,
  // Asks the server why: the session was revoked, or the user has no role any more.
  onClosed() {
    void client.refresh();
    void queries.invalidateQueries({ queryKey: ["me/"] });
  },
});

// The server can be reached again.
live.onState(() => {
  if (live.state() === "live") void queries.refetchQueries({ predicate: ({ state }) => state.status === "error" });
});

createRoot(root).render(
  <StrictMode>
    <PartsContext value={{ settings, client, api, clock: createClock(), live }}>
      <QueryClientProvider client={queries}>
        <Router base={basePath}>
          <App />
        </Router>
      </QueryClientProvider>
    </PartsContext>
  </StrictMode>,
);

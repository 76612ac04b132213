import { index, layout, type RouteConfig, route } from "@react-router/dev/routes";

export default [
  index("home.tsx"),
  route("login", "login.tsx"),
  layout("users.tsx", [route("notes", "notes.tsx")]), // every route in here is for users only
] satisfies RouteConfig;

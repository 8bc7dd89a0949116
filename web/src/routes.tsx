import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { Lost, PageFailed } from "./pages/Lost";
import { sessionState } from "./session/session";
import { knowSession } from "./session/signing";
import { Shell } from "./shell/Shell";

const root = createRootRoute({ component: Outlet, errorComponent: PageFailed, notFoundComponent: Lost });

/** Only paths of our own are gone on to after signing in, never another site's. */
function ownPath(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : "/";
}

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search: Record<string, unknown>) => ({ next: ownPath(search["next"]) }),
  component: lazyRouteComponent(() => import("./pages/SignIn")),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/SetUp")),
});

/** Pages for those who are signed in. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  beforeLoad: async ({ location }) => {
    await knowSession();
    if (sessionState().kind === "out") throw redirect({ to: "/login", search: { next: location.href } });
  },
});

const home = createRoute({
  getParentRoute: () => inside,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/Overview")),
});

const about = createRoute({
  getParentRoute: () => inside,
  path: "/about",
  component: lazyRouteComponent(() => import("./pages/About")),
});

const risk = createRoute({
  getParentRoute: () => inside,
  path: "/risk",
  component: lazyRouteComponent(() => import("./pages/Risk")),
});

const connections = createRoute({
  getParentRoute: () => inside,
  path: "/connections",
  component: lazyRouteComponent(() => import("./pages/Connections")),
});

const users = createRoute({
  getParentRoute: () => inside,
  path: "/users",
  component: lazyRouteComponent(() => import("./pages/Users")),
});

const notifications = createRoute({
  getParentRoute: () => inside,
  path: "/notifications",
  component: lazyRouteComponent(() => import("./pages/Notifications")),
});

const settings = createRoute({
  getParentRoute: () => inside,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/Settings")),
});

const orders = createRoute({
  getParentRoute: () => inside,
  path: "/orders",
  component: lazyRouteComponent(() => import("./pages/Orders")),
});

const portfolio = createRoute({
  getParentRoute: () => inside,
  path: "/portfolio",
  component: lazyRouteComponent(() => import("./pages/Portfolio")),
});

const strategies = createRoute({
  getParentRoute: () => inside,
  path: "/strategies",
  component: lazyRouteComponent(() => import("./pages/Strategies")),
});

const TABS = ["problems", "preview", "log", "code"] as const;
const BARS = [60, 120, 250, 500] as const;

const builder = createRoute({
  getParentRoute: () => inside,
  path: "/strategies/$id",
  validateSearch: (search: Record<string, unknown>) => ({
    tab: TABS.find((one) => one === search["tab"]) ?? "problems",
    symbol: typeof search["symbol"] === "string" ? search["symbol"] : "",
    bars: BARS.find((one) => one === search["bars"]) ?? 120,
  }),
  component: lazyRouteComponent(() => import("./pages/Builder")),
});

const backtests = createRoute({
  getParentRoute: () => inside,
  path: "/backtests",
  component: lazyRouteComponent(() => import("./pages/Backtests")),
});

const report = createRoute({
  getParentRoute: () => inside,
  path: "/backtests/$backtestId",
  component: lazyRouteComponent(() => import("./pages/Report")),
});

const operator = createRoute({
  getParentRoute: () => inside,
  path: "/operator",
  component: lazyRouteComponent(() => import("./pages/Operator")),
});

const markets = createRoute({
  getParentRoute: () => inside,
  path: "/markets",
  component: lazyRouteComponent(() => import("./pages/Markets")),
});

const lost = createRoute({ getParentRoute: () => inside, path: "$", component: Lost });

export const router = createRouter({
  routeTree: root.addChildren([login, setup, inside.addChildren([
    home,
    about,
    strategies,
    builder,
    backtests,
    report,
    risk,
    connections,
    users,
    notifications,
    settings,
    operator,
    markets,
    orders,
    portfolio,
    lost,
  ])]),
  defaultErrorComponent: PageFailed,
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

import {
  Bell,
  Briefcase,
  CandlestickChart,
  FlaskConical,
  Info,
  LayoutDashboard,
  ListOrdered,
  type LucideIcon,
  Plug,
  ServerCog,
  Settings,
  ShieldAlert,
  Users,
  Workflow,
} from "lucide-react";

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
  /** The letter that leads there after `g`. */
  key?: string;
  /** Whether it is shown on a phone, where one looks and does not act. */
  isOnPhone?: boolean;
}

export interface PlaceGroup {
  label: string;
  places: readonly Place[];
}

/** The places of the platform, in the order of the day; those with a page stand in the navigation. */
export const NAVIGATION: readonly PlaceGroup[] = [
  {
    label: "Work",
    places: [
      { to: "/", label: "Overview", icon: LayoutDashboard, key: "o", isOnPhone: true },
      { to: "/strategies", label: "Strategies", icon: Workflow, key: "s" },
      { to: "/backtests", label: "Backtests", icon: FlaskConical, key: "b" },
      { to: "/markets", label: "Markets", icon: CandlestickChart, key: "m" },
    ],
  },
  {
    label: "Trade",
    places: [
      { to: "/orders", label: "Orders", icon: ListOrdered, key: "r", isOnPhone: true },
      { to: "/portfolio", label: "Portfolio", icon: Briefcase, key: "p", isOnPhone: true },
      { to: "/risk", label: "Risk", icon: ShieldAlert, key: "k" },
      { to: "/connections", label: "Connections", icon: Plug, key: "c" },
    ],
  },
  {
    label: "System",
    places: [
      { to: "/notifications", label: "Notifications", icon: Bell, key: "n" },
      { to: "/operator", label: "Operator", icon: ServerCog, key: "x" },
      { to: "/users", label: "Users", icon: Users },
      { to: "/settings", label: "Settings", icon: Settings },
      { to: "/about", label: "About", icon: Info },
    ],
  },
];

/** The groups with those of their places that have a page. */
export function placesOf(paths: Readonly<Record<string, unknown>>): PlaceGroup[] {
  return NAVIGATION.map((group) => ({ ...group, places: group.places.filter(({ to }) => to in paths) })).filter(
    (group) => group.places.length > 0,
  );
}

import { Activity, type LucideIcon } from "lucide-react";

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
}

export interface PlaceGroup {
  label: string;
  places: readonly Place[];
}

/** The pages there are, in the order of the day. */
export const NAVIGATION: readonly PlaceGroup[] = [
  { label: "System", places: [{ to: "/about", label: "About", icon: Activity }] },
];

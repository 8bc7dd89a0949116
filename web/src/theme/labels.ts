import type { Density, Preset } from "./preferences";

/** What choices of the look are called. */
export const SCHEMES = ["dark", "light", "auto"] as const;
export const SCHEME_LABEL = { dark: "Dark", light: "Light", auto: "As the system" } as const;
export const PRESET_LABEL: Record<Preset, string> = {
  default: "Teal up, vermilion down",
  strong: "Blue up, orange down",
  classic: "Green up, red down",
  "red-up": "Red up, green down",
};
export const DENSITY_LABEL: Record<Density, string> = { compact: "Compact rows", comfortable: "Comfortable rows" };

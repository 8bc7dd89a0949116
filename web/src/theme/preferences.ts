/** What a person prefers of the look; kept in this browser, and nothing else is. */

export const PRESETS = ["default", "strong", "classic", "red-up"] as const;
export const DENSITIES = ["compact", "comfortable"] as const;
export type Preset = (typeof PRESETS)[number];
export type Density = (typeof DENSITIES)[number];

export interface Preferences {
  preset: Preset;
  density: Density;
}

const KEY = "alphintra.look";
const USUAL: Preferences = { preset: "default", density: "compact" };

/** What was kept, or the usual where it is absent or not ours. */
export function readPreferences(kept: string | null): Preferences {
  try {
    const found = (JSON.parse(kept ?? "{}") ?? {}) as Partial<Preferences>;
    return {
      preset: PRESETS.find((one) => one === found.preset) ?? USUAL.preset,
      density: DENSITIES.find((one) => one === found.density) ?? USUAL.density,
    };
  } catch {
    return USUAL;
  }
}

export function storedPreferences(): Preferences {
  return readPreferences(localStorage.getItem(KEY));
}

export function applyPreferences(chosen: Preferences): void {
  localStorage.setItem(KEY, JSON.stringify(chosen));
  document.documentElement.dataset["preset"] = chosen.preset;
  document.documentElement.dataset["density"] = chosen.density;
}

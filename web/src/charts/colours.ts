import type { Ink } from "./layers";

/** The colours of the page as they are now: canvases cannot read them from the style sheet by themselves. */
export interface Colours {
  ink: Record<Ink, string>;
  text: string;
  line: string;
  ground: string;
  faint: string;
}

export function coloursNow(): Colours {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: { accent: token("accent"), dim: token("faint"), up: token("up"), down: token("down"), warn: token("warn") },
    text: token("dim"),
    line: token("line"),
    ground: token("bg1"),
    faint: token("faint"),
  };
}

/** Call back whenever theme or preset change; returns how to stop. */
export function onColours(changed: () => void): () => void {
  const watch = new MutationObserver(changed);
  watch.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme", "data-preset"] });
  return () => watch.disconnect();
}

/** A colour of six hexadecimal digits, made see-through. */
export function faded(colour: string, share: number): string {
  return `${colour}${Math.round(share * 255).toString(16).padStart(2, "0")}`;
}

/** What has arrived on the channels of the stream: pure, so that gaps, repetitions and disorder can be tried. */

export interface Frame {
  ch: string;
  seq: number;
  ts: string;
  data: unknown;
}

/** The number of the last frame of each channel that is listened to. */
export type Heard = Readonly<Record<string, number>>;

export type Step =
  /** The next frame: to be told. */
  | { kind: "next"; heard: Heard }
  /** Frames before it are missing: to be told, and what the channel changes is to be read anew. */
  | { kind: "gap"; heard: Heard }
  /** A repetition, one that comes late, or one of a channel nobody listens to. */
  | { kind: "ignored"; heard: Heard };

/** What a frame means after those that were heard. */
export function step(heard: Heard, { ch, seq }: Pick<Frame, "ch" | "seq">): Step {
  const last = heard[ch];
  if (last === undefined || seq <= last) return { kind: "ignored", heard };
  return { kind: seq === last + 1 ? "next" : "gap", heard: { ...heard, [ch]: seq } };
}

/** Channels are listened to now, each from a number on. */
export function subscribed(heard: Heard, counts: Heard): Heard {
  return { ...heard, ...counts };
}

/** Channels are not listened to any more. */
export function unsubscribed(heard: Heard, channels: readonly string[]): Heard {
  return Object.fromEntries(Object.entries(heard).filter(([channel]) => !channels.includes(channel)));
}

/** Whether missing frames of a channel matter: a price is replaced by the next one anyway. */
export function isQuotes(channel: string): boolean {
  return channel.startsWith("quotes:");
}

export type Message =
  | { kind: "frame"; frame: Frame }
  | { kind: "subscribed"; counts: Heard }
  | { kind: "refused"; code: string; detail: string; channel: string }
  | { kind: "beat" }
  | { kind: "unknown" };

/** What the server says; what cannot be understood is unknown. */
export function read(text: unknown): Message {
  try {
    const said = JSON.parse(String(text)) as Record<string, unknown>;
    if (typeof said["ch"] === "string" && typeof said["seq"] === "number") {
      return { kind: "frame", frame: { ch: said["ch"], seq: said["seq"], ts: String(said["ts"]), data: said["data"] } };
    }
    if (said["op"] === "subscribed") return { kind: "subscribed", counts: said["channels"] as Heard };
    if (said["op"] === "refused") {
      const [code, detail, channel] = [said["code"], said["detail"], said["channel"]].map(String) as [string, string, string];
      return { kind: "refused", code, detail, channel };
    }
    return { kind: said["op"] === "beat" ? "beat" : "unknown" };
  } catch {
    return { kind: "unknown" };
  }
}

const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 15_000;

/** How long to wait before the nth attempt in a row, so that not all pages come back at once; `chance` is 0 to 1. */
export function waitBefore(attempt: number, chance: number): number {
  const most = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** attempt);
  return Math.max(WAIT_MIN_MS, most * (0.5 + chance / 2));
}

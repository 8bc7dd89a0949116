/** The one socket of this tab: it connects when somebody listens, comes back when it is lost, and says how old it is. */

import { answered, api } from "../api/client";
import { type Frame, type Heard, isQuotes, read, step, subscribed, unsubscribed, waitBefore } from "./channels";

export type Listener = {
  onFrame?: ((frame: Frame) => void) | undefined;
  /** Frames may have been missed, or the socket is new: what the channel changes is to be read anew. */
  onGap?: (() => void) | undefined;
};

export type StreamState = "idle" | "connecting" | "open" | "lost";

export interface StreamView {
  state: StreamState;
  /** When the server was last heard, in milliseconds since 1970. */
  heardAt: number;
}

const SESSION_OVER = 4401;
const LINGER_MS = 5_000;
const SILENT_MS = 20_000;

const listeners = new Map<string, Set<Listener>>();
const watchers = new Set<() => void>();
let view: StreamView = { state: "idle", heardAt: 0 };
let socket: WebSocket | null = null;
let heard: Heard = {};
let attempt = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;
let leaving: ReturnType<typeof setTimeout> | undefined;

function become(state: StreamState, heardAt = view.heardAt): void {
  if (view.state === state && view.heardAt === heardAt) return;
  view = { state, heardAt };
  for (const watcher of watchers) watcher();
}

export function streamView(): StreamView {
  return view;
}

export function watchStream(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function wanted(): string[] {
  return [...listeners.keys()].filter((channel) => !(document.hidden && isQuotes(channel)));
}

function say(op: "subscribe" | "unsubscribe", channels: readonly string[]): void {
  if (socket?.readyState === WebSocket.OPEN && channels.length > 0) socket.send(JSON.stringify({ op, channels }));
}

/** Listen to a channel until the returned function is called. */
export function listen(channel: string, listener: Listener): () => void {
  clearTimeout(leaving);
  const others = listeners.get(channel);
  if (others === undefined) {
    listeners.set(channel, new Set([listener]));
    say("subscribe", wanted().filter((one) => one === channel));
  } else {
    others.add(listener);
  }
  if (socket === null && waiting === undefined) void connect();
  return () => leave(channel, listener);
}

function leave(channel: string, listener: Listener): void {
  const all = listeners.get(channel);
  all?.delete(listener);
  if (all?.size !== 0) return;
  listeners.delete(channel);
  heard = unsubscribed(heard, [channel]);
  say("unsubscribe", [channel]);
  if (listeners.size === 0) leaving = setTimeout(close, LINGER_MS);
}

function close(): void {
  clearTimeout(waiting);
  waiting = undefined;
  const old = socket;
  socket = null;
  old?.close();
  become("idle");
}

function connect(): void {
  waiting = undefined;
  if (listeners.size === 0) return;
  become("connecting");
  const own = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/stream`);
  socket = own;
  heard = {};
  own.onopen = () => say("subscribe", wanted());
  own.onmessage = (event) => {
    if (socket === own) hear(event.data);
  };
  own.onclose = (event) => {
    if (socket === own) void lost(event.code);
  };
}

async function lost(code: number): Promise<void> {
  socket = null;
  become("lost");
  // Asking goes on with a session that may be gone on with; where it may not, the page asks who is there.
  if (code === SESSION_OVER) await answered(api.GET("/api/v1/session")).catch(() => undefined);
  if (listeners.size > 0 && waiting === undefined && socket === null) {
    waiting = setTimeout(connect, waitBefore(attempt, Math.random()));
    attempt += 1;
  }
}

function hear(text: unknown): void {
  become("open", Date.now());
  const message = read(text);
  if (message.kind === "subscribed") {
    attempt = 0;
    heard = subscribed(heard, message.counts);
    for (const channel of Object.keys(message.counts)) tell(channel, (one) => one.onGap?.());
  } else if (message.kind === "frame") {
    const next = step(heard, message.frame);
    heard = next.heard;
    if (next.kind === "ignored") return;
    tell(message.frame.ch, (one) => one.onFrame?.(message.frame));
    if (next.kind === "gap" && !isQuotes(message.frame.ch)) tell(message.frame.ch, (one) => one.onGap?.());
  }
}

function tell(channel: string, how: (listener: Listener) => void): void {
  for (const listener of [...(listeners.get(channel) ?? [])]) how(listener);
}

/** A tab nobody looks at needs no prices; one that is looked at again takes them up, and looks whether the socket lives. */
function onVisibility(): void {
  const quotes = [...listeners.keys()].filter(isQuotes);
  say(document.hidden ? "unsubscribe" : "subscribe", quotes);
  if (document.hidden) heard = unsubscribed(heard, quotes);
  else if (view.state === "lost") again();
}

function again(): void {
  clearTimeout(waiting);
  attempt = 0;
  connect();
}

/** A socket that says nothing any more is dead though nobody told us. */
function onTick(): void {
  if (view.state === "open" && Date.now() - view.heardAt > SILENT_MS) {
    const old = socket;
    socket = null;
    old?.close();
    void lost(0);
  }
}

if (typeof document !== "undefined") {
  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("online", () => view.state === "lost" && again());
  setInterval(onTick, 5_000);
}

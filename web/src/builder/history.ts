/** What was, is and was taken back. */

export const STEPS_MAX = 100;

export interface History<T> {
  past: readonly T[];
  present: T;
  future: readonly T[];
  /** Changes under the same mark one after another are one step: a word typed, a node dragged. */
  mark: string;
}

export function begun<T>(present: T): History<T> {
  return { past: [], present, future: [], mark: "" };
}

export function changed<T>(history: History<T>, present: T, mark = ""): History<T> {
  if (present === history.present) return history;
  if (mark !== "" && mark === history.mark) return { ...history, present, future: [] };
  return { past: [...history.past, history.present].slice(-STEPS_MAX), present, future: [], mark };
}

/** The next change is a step of its own, whatever its mark. */
export function settled<T>(history: History<T>): History<T> {
  return history.mark === "" ? history : { ...history, mark: "" };
}

export function undone<T>(history: History<T>): History<T> {
  const present = history.past.at(-1);
  if (present === undefined) return history;
  return { past: history.past.slice(0, -1), present, future: [history.present, ...history.future], mark: "" };
}

export function redone<T>(history: History<T>): History<T> {
  const [present, ...future] = history.future;
  if (present === undefined) return history;
  return { past: [...history.past, history.present].slice(-STEPS_MAX), present, future, mark: "" };
}

import { breachesOf } from "./reach";
import type { AccessView } from "../api/schema";

/** Said on every operator page while a border is broken. */
export function Banner({ access }: { access: AccessView | undefined }) {
  const breaches = access === undefined ? [] : breachesOf(access);
  if (breaches.length === 0) return null;
  return (
    <div className="breach" role="alert">
      <strong>{breaches.length === 1 ? "A border between services is broken" : `${breaches.length} borders between services are broken`}</strong>
      <span>{breaches.join(" · ")}</span>
    </div>
  );
}

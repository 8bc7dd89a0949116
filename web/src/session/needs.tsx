/** What a role may not do, said where it would be done. */

import type { ReactNode } from "react";
import { mayAdminister, mayTrade, useRole } from "./session";

type Need = "trade" | "administer";

const WHO: Record<Need, string> = { trade: "owner, operator or trader", administer: "owner or operator" };

/** Why this person may not; empty where they may. For the title of a disabled button. */
export function useMissing(need: Need): string {
  const role = useRole();
  const may = need === "trade" ? mayTrade(role) : mayAdminister(role);
  return may ? "" : `This needs the role ${WHO[need]}; yours is ${role === "" ? "none" : role}`;
}

/** What stands in the place of what only others see. */
export function Needs({ need, what, children }: { need: Need; what: string; children: ReactNode }) {
  const missing = useMissing(need);
  if (missing === "") return children;
  return (
    <div className="state">
      <p>
        <strong>{what} are not shown.</strong>
      </p>
      <p>{missing}.</p>
    </div>
  );
}

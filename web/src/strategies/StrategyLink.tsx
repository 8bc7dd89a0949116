import { Link } from "@tanstack/react-router";

/** A strategy that trades, by name: leads to what it decided and why. */
export function StrategyLink({ deploymentId, name }: { deploymentId: string; name: string }) {
  return (
    <Link to={"/strategies" as string} search={{ deployment: deploymentId } as never}>
      {name}
    </Link>
  );
}

import { Link } from "@tanstack/react-router";
import type { AssessmentView } from "../api/schema";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { type Column, DataTable } from "../tables/DataTable";
import { useControls, useRefused } from "./queries";

/** Orders that were refused, each with every code found. */
export function Breaches({ accountId }: { accountId: string }) {
  const refused = useRefused(accountId);
  const controls = useControls();
  const nameOf = (rule: string) => controls.data?.controls.find((one) => one.rule === rule)?.name ?? rule;
  const columns: Column<AssessmentView>[] = [
    { id: "at", head: "Refused", value: (one) => moment(one.decided_at) },
    {
      id: "order",
      head: "Order",
      value: (one) => one.order_id,
      cell: (one) => (
        <Link to={"/orders" as never} search={{ order: one.order_id } as never} className="mono">
          {one.order_id.slice(-8)}
        </Link>
      ),
    },
    {
      id: "codes",
      head: "Codes",
      value: (one) => one.findings.map((each) => each.code).join(" "),
      cell: (one) => (
        <span className="codes">
          {one.findings.map((each, index) => (
            <span className="code" key={`${each.code} ${index}`} title={`${each.rule} ${nameOf(each.rule)}: ${each.detail}`}>
              {each.rule} {each.code}
            </span>
          ))}
        </span>
      ),
    },
    { id: "limit", head: "Limit", value: (one) => one.findings[0]?.limit ?? "", isNumeric: true },
    { id: "observed", head: "Observed", value: (one) => one.findings[0]?.observed ?? "", isNumeric: true },
    {
      id: "why",
      head: "First reason",
      value: (one) => one.findings[0]?.detail ?? "",
      cell: (one) => (
        <span className="cut" title={one.findings[0]?.detail}>
          {one.findings[0]?.detail}
        </span>
      ),
    },
    { id: "version", head: "Limits", value: (one) => one.limit_version, isNumeric: true },
  ];
  return (
    <Pane title="Refused orders" isFlush facts="newest 500; the first code is the one named first">
      <Asked query={refused} what="Refused orders">
        {(found) => <DataTable name="Refused orders" rows={found} columns={columns} keyOf={(one) => one.decision_id} order="-at" empty={<Empty>No order of this account was refused.</Empty>} />}
      </Asked>
    </Pane>
  );
}

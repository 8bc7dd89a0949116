import { Button, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { BreakView } from "../api/schema";
import { Reasoned } from "../forms/Reasoned";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useMissing } from "../session/needs";
import { who } from "../session/who";
import { useUrlChoice } from "../shell/urlState";
import { type Column, DataTable } from "../tables/DataTable";
import { renew, useBreaks } from "./queries";

interface Asking {
  found: BreakView;
  isAdopted: boolean;
}

/** Differences between the venue and the books, each closed by what a person found out. */
export function Breaks({ accountId, name }: { accountId: string; name: string }) {
  const [which, show] = useUrlChoice("breaks", ["open", "all"], "open");
  const breaks = useBreaks(accountId, which === "all");
  const missing = useMissing("trade");
  const [asked, ask] = useState<Asking | null>(null);
  const [isDropped, drop] = useState(false);
  const send = async (reason: string) => {
    if (asked === null) return;
    const path = { params: { path: { break_id: asked.found.break_id } } };
    if (asked.isAdopted) await answered(api.POST("/api/v1/breaks/{break_id}/adopt", { ...path, body: { reason } }));
    else await answered(api.POST("/api/v1/breaks/{break_id}/resolve", { ...path, body: { resolution: reason, drop_order: isDropped } }));
    await renew();
  };
  const columns: Column<BreakView>[] = [
    { id: "found", head: "Found", value: (one) => moment(one.found_at) },
    { id: "code", head: "Code", value: (one) => one.code, cell: (one) => <span className="code">{one.code}</span> },
    { id: "symbol", head: "Symbol", value: (one) => one.symbol },
    { id: "detail", head: "What differs", value: (one) => one.detail },
    { id: "state", head: "State", value: (one) => one.status, cell: (one) => (one.resolved_at === null ? <span className="warn">open</span> : <span title={one.resolution}>{`${who(one.resolved_by)}, ${moment(one.resolved_at)}`}</span>) },
  ];
  return (
    <Pane
      title="Breaks"
      isFlush
      columns={7}
      facts={name}
      actions={<SegmentedControl size="xs" aria-label="Which breaks" data={[{ value: "open", label: "Open" }, { value: "all", label: "All" }]} value={which} onChange={(next) => show(next as "open" | "all")} />}
    >
      <Asked query={breaks} what="Breaks">
        {(found) => (
          <DataTable
            name="Breaks"
            rows={found}
            columns={columns}
            keyOf={(one) => one.break_id}
            order="-found"
            empty={<Empty>Venue and books agree.</Empty>}
            actions={(one) =>
              one.resolved_at === null && (
                <span className="row">
                  <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => ask({ found: one, isAdopted: false })}>
                    Resolve
                  </Button>
                  {one.code === "EXTERNAL_ORDER" && (
                    <Button variant="default" disabled={missing !== ""} title={missing} onClick={() => ask({ found: one, isAdopted: true })}>
                      Adopt
                    </Button>
                  )}
                </span>
              )
            }
          />
        )}
      </Asked>
      <Reasoned
        opened={asked !== null}
        title={asked?.isAdopted === true ? "Adopt the execution" : "Resolve the break"}
        verb={asked?.isAdopted === true ? "Adopt" : "Resolve"}
        label={asked?.isAdopted === true ? "Reason" : "What you found out"}
        isDangerous
        onConfirm={send}
        onClose={() => ask(null)}
      >
        <p>{asked?.isAdopted === true ? "It is booked: position, cash and ledger follow." : "Closes the break; it moves no book."}</p>
        {asked?.isAdopted === false && asked.found.order_id !== null && (
          <label className="row">
            <input type="checkbox" checked={isDropped} onChange={(event) => drop(event.currentTarget.checked)} /> I looked: the venue does not have the order; end it here
          </label>
        )}
      </Reasoned>
    </Pane>
  );
}

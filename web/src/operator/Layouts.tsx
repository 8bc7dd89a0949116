import type { LayoutClaimView, LayoutsView } from "../api/schema";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Empty } from "../panes/states";
import { useUrlText } from "../shell/urlState";
import { type Column, DataTable } from "../tables/DataTable";
import { Looked } from "./Looked";
import { useLayouts } from "./queries";

/** As the command line writes them; the whole word stands in the evidence. */
const WORDS: Readonly<Record<string, string>> = { "does not hold": "no", "holds under a condition": "if" };
const TONES: Readonly<Record<string, string>> = { "does not hold": "danger", "holds under a condition": "warn", "not measured": "dim" };

function columnsOf(layouts: readonly string[]): readonly Column<LayoutClaimView>[] {
  return [
    { id: "number", head: "#", value: (row) => row.number, isNumeric: true },
    { id: "claim", head: "Claim", value: (row) => row.claim, cell: (row) => <span className="claim">{row.claim}</span> },
    ...layouts.map((layout) => ({
      id: layout,
      head: layout,
      value: (row: LayoutClaimView) => row.verdicts.find((one) => one.layout === layout)?.word ?? null,
      cell: (row: LayoutClaimView) => <Verdict row={row} layout={layout} />,
    })),
  ];
}

function Verdict({ row, layout }: { row: LayoutClaimView; layout: string }) {
  const found = row.verdicts.find((one) => one.layout === layout);
  if (found === undefined) return null;
  return (
    <span title={`${found.word}: ${found.evidence}`}>
      <span className={TONES[found.word] ?? ""}>{WORDS[found.word] ?? found.word}</span>
      {found.brief !== "-" && <span className="dim"> · {found.brief}</span>}
    </span>
  );
}

/** What the layouts give, as it was measured and kept. */
export function Layouts() {
  const query = useLayouts();
  const [number, choose] = useUrlText("claim");
  return (
    <>
      <Looked title={query.data ? `Layouts, ${query.data.layout} in force` : "Layouts"} query={query} what="The assessment">
        {(found) =>
          found.made_at === null ? (
            <Empty>
              No assessment is kept in this home. <code>alphintra db assess --all --quick</code> makes one in about a minute, on servers of its own.
            </Empty>
          ) : (
            <>
              <p className="operator-line">
                {found.is_quick ? "Quick run" : "Full run"} of {moment(found.made_at)} with {found.rows} orders on {found.machine}. Anew:{" "}
                <code>{found.reproduce}</code>
              </p>
              <DataTable
                name="Claims"
                rows={found.claims}
                columns={columnsOf(found.layouts)}
                keyOf={(row) => String(row.number)}
                onOpen={(row) => choose(String(row.number))}
              />
            </>
          )
        }
      </Looked>
      <Evidence found={query.data} number={number} />
    </>
  );
}

function Evidence({ found, number }: { found: LayoutsView | undefined; number: string }) {
  const row = found?.claims.find((one) => String(one.number) === number);
  if (row === undefined) return null;
  return (
    <Pane title={`Evidence of claim ${row.number}`} facts={row.claim}>
      <dl className="facts">
        <dt>Measured</dt>
        <dd>{row.measured}</dd>
        <dt>Rule</dt>
        <dd>{row.rule}</dd>
        {row.verdicts.map((one) => (
          <Said key={one.layout} name={one.layout} text={`${one.word}: ${one.evidence}${one.condition === "" ? "" : `; condition: ${one.condition}`}`} />
        ))}
      </dl>
    </Pane>
  );
}

function Said({ name, text }: { name: string; text: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </>
  );
}

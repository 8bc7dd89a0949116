import { MultiSelect, Select, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import "./backtests.css";
import { useDatasets, useStrategies } from "./queries";
import type { Terms } from "./terms";

function useTemplates() {
  return useQuery({ queryKey: ["templates"], queryFn: async () => (await answered(api.GET("/api/v1/templates"))).templates });
}

/** The graph of what is chosen, and of a template the ranges it was made to be searched in. */
export function useChosen(strategy: string) {
  const { data: templates = [] } = useTemplates();
  const [kind, id = ""] = strategy.split(":");
  const version = useQuery({
    queryKey: ["workflow-version", id],
    enabled: kind === "version",
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => answered(api.GET("/api/v1/workflow-versions/{version_id}", { params: { path: { version_id: id } } })),
  });
  return kind === "template" ? templates.find((one) => one.name === id)?.graph : version.data?.graph;
}

/** The version to run: one there is, or the first of a strategy that is made from the template now. */
export function useVersion() {
  const queries = useQueryClient();
  const { data: templates = [] } = useTemplates();
  return async (strategy: string): Promise<string> => {
    const [kind, id = ""] = strategy.split(":");
    if (kind === "version") return id;
    const name = templates.find((one) => one.name === id)?.title ?? id;
    const made = await answered(api.POST("/api/v1/workflows", { body: { name, template: id, graph: null, note: "", timeframe: null } as never }));
    await queries.invalidateQueries({ queryKey: ["workflows"] });
    return made.version_id;
  };
}

interface TermsFieldsProps {
  terms: Terms;
  onChange: (terms: Terms) => void;
}

/** Strategy, symbols, range and costs of a run. */
export function TermsFields({ terms, onChange }: TermsFieldsProps) {
  const { data: strategies = [] } = useStrategies();
  const { data: templates = [] } = useTemplates();
  const { data: datasets = [] } = useDatasets();
  const graph = useChosen(terms.strategy) as { timeframe?: string } | null | undefined;
  const fitting = datasets.filter((one) => graph?.timeframe === undefined || one.timeframe === graph.timeframe);
  const text = (key: "start" | "end" | "cash" | "feeBps" | "feePerShare" | "slippageBps", label: string, type = "text") => (
    <TextInput
      label={label}
      type={type}
      {...(type === "text" ? { inputMode: "decimal" as const } : {})}
      value={terms[key]}
      onChange={(event) => onChange({ ...terms, [key]: event.currentTarget.value })}
    />
  );
  return (
    <>
      <Select
        label="Strategy"
        placeholder="Choose one"
        searchable
        required
        value={terms.strategy || null}
        data={[
          {
            group: "Strategies",
            items: strategies
              .filter((one) => one.archived_at === null)
              .map((one) => ({ value: `version:${one.version_id}`, label: `${one.name}, version ${one.version}` })),
          },
          { group: "Templates", items: templates.map((one) => ({ value: `template:${one.name}`, label: one.title })) },
        ]}
        onChange={(strategy) => onChange({ ...terms, strategy: strategy ?? "", symbols: [] })}
      />
      <MultiSelect
        label="Symbols"
        size="xs"
        description={graph?.timeframe === undefined ? "Several share the cash; their order settles ties." : `With ${graph.timeframe} bars. Several share the cash.`}
        placeholder={terms.symbols.length === 0 ? "Choose one or more" : ""}
        searchable
        data={fitting.map((one) => one.symbol)}
        value={terms.symbols}
        onChange={(symbols) => onChange({ ...terms, symbols })}
      />
      <div className="drawer-row">
        {text("start", "From", "date")}
        {text("end", "Until before", "date")}
      </div>
      <div className="drawer-row">
        {text("cash", "Starting cash")}
        {text("slippageBps", "Slippage, bps")}
      </div>
      <div className="drawer-row">
        {text("feeBps", "Commission, bps")}
        {text("feePerShare", "Fee a share")}
      </div>
    </>
  );
}

import { Button, Drawer, FileInput, SegmentedControl, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { answered, api } from "../api/client";
import { useSending } from "../forms/useSending";
import { percent } from "../format/numbers";
import "../backtests/backtests.css";
import { DATASETS, DOWNLOADS, isPending, useImport } from "./queries";

const WAYS = [
  { value: "file", label: "From a file" },
  { value: "source", label: "From a public source" },
];
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** Brings bars into the catalogue: from a file of one's own, or downloaded. */
export function AddBars({ onClose }: { onClose: () => void }) {
  const [way, choose] = useState("file");
  return (
    <Drawer opened onClose={onClose} position="right" size={460} title="Add bars" transitionProps={{ duration: 0 }} closeButtonProps={{ "aria-label": "Close" }}>
      <div className="drawer-form">
        <SegmentedControl aria-label="Where the bars are from" data={WAYS} value={way} onChange={choose} />
        {way === "file" ? <FileForm /> : <SourceForm onClose={onClose} />}
      </div>
    </Drawer>
  );
}

function useTexts<K extends string>(usual: Record<K, string>) {
  const [texts, write] = useState(usual);
  const field = (key: K, label: string, more: { description?: string; required?: boolean; type?: string } = {}) => (
    <TextInput label={label} value={texts[key]} onChange={(event) => write({ ...texts, [key]: event.currentTarget.value })} {...more} />
  );
  return { texts, field };
}

function FileForm() {
  const [file, take] = useState<File | null>(null);
  const { texts, field } = useTexts({ symbol: "", source: "upload", timeframe: "", zone: "", licence: "" });
  const [importId, follow] = useState("");
  const { send, isSending, failure } = useSending(async () => {
    if (file === null) return;
    const query = { filename: file.name, source: texts.source, ...filled({ symbol: texts.symbol, timeframe: texts.timeframe, zone: texts.zone, licence: texts.licence }) };
    const started = await answered(
      api.POST("/api/v1/datasets", {
        params: { query },
        body: file as never,
        bodySerializer: (body: unknown) => body as Blob,
        headers: { "Content-Type": "application/octet-stream" },
      }),
    );
    follow(started.import_id);
  });
  const missing = file === null ? "Choose a file" : file.size > FILE_BYTES_MAX ? "The file is larger than 64 MiB: split it" : "";
  return (
    <form className="drawer-form" onSubmit={submitting(send)}>
      <FileInput
        label="File"
        description="CSV, plain, gzip or zip; JSON arrays; Parquet; at most 64 MiB"
        placeholder="Choose a file"
        accept=".csv,.gz,.zip,.json,.parquet"
        required
        size="xs"
        value={file}
        onChange={take}
      />
      <div className="drawer-row">
        {field("symbol", "Symbol", { description: "Where the file has no column for it" })}
        {field("timeframe", "Interval", { description: "Where the file cannot show it: 1d" })}
      </div>
      <div className="drawer-row">
        {field("source", "Source", { description: "Where the data is from", required: true })}
        {field("zone", "Zone", { description: "Of times without one: UTC" })}
      </div>
      {field("licence", "Licence", { description: "Terms of the data, or attribution" })}
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <Button type="submit" loading={isSending} disabled={missing !== ""} title={missing}>
        Import file
      </Button>
      {missing !== "" && <p className="dim">{missing}.</p>}
      {importId !== "" && <ImportState importId={importId} />}
    </form>
  );
}

function ImportState({ importId }: { importId: string }) {
  const { data, error } = useImport(importId);
  const queries = useQueryClient();
  const status = data?.status;
  useEffect(() => void (status === "finished" && queries.invalidateQueries({ queryKey: [...DATASETS] })), [queries, status]);
  if (error !== null) return <p className="danger">{error.message}</p>;
  if (data === undefined || isPending(data)) {
    return (
      <p role="status" className="run-progress">
        <progress value={data?.progress ?? 0} aria-label="Progress of the import" /> Importing, {percent(data?.progress ?? 0, { digits: 0 })}
      </p>
    );
  }
  if (data.status === "failed") {
    return (
      <p role="status" className="danger">
        {data.error} <code>{data.error_code}</code>
      </p>
    );
  }
  return <p role="status">Imported: {data.dataset_ids.length} {data.dataset_ids.length === 1 ? "symbol" : "symbols"}.</p>;
}

function SourceForm({ onClose }: { onClose: () => void }) {
  const { texts, field } = useTexts({ source: "ccxt:kraken", symbol: "BTC/USD", timeframe: "1d", start: "", end: "" });
  const queries = useQueryClient();
  const { send, isSending, failure } = useSending(async () => {
    const at = (day: string) => (day === "" ? null : `${day}T00:00:00Z`);
    const { source, symbol, timeframe, start, end } = texts;
    await answered(api.POST("/api/v1/downloads", { body: { source, symbol, timeframe, start: at(start), end: at(end), licence: "" } }));
    await queries.invalidateQueries({ queryKey: [...DOWNLOADS] });
    onClose();
  });
  return (
    <form className="drawer-form" onSubmit={submitting(send)}>
      {field("source", "Source", { description: "alpaca, or ccxt: and the id of an exchange", required: true })}
      <div className="drawer-row">
        {field("symbol", "Symbol", { required: true })}
        {field("timeframe", "Interval", { required: true })}
      </div>
      <div className="drawer-row">
        {field("start", "From", { type: "date" })}
        {field("end", "Until before", { type: "date" })}
      </div>
      <p className="dim">Without a beginning it goes on where the bars of that source end, without an end until now.</p>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <Button type="submit" loading={isSending}>
        Download
      </Button>
    </form>
  );
}

function submitting(send: () => Promise<boolean>) {
  return (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
}

/** Those that say something. */
function filled<T extends Record<string, string>>(texts: T): Partial<T> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")) as Partial<T>;
}

import { Button, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api } from "../api/client";
import { moment } from "../format/times";
import { Asked } from "../panes/states";
import { baseOf, readVersion } from "./asking";
import { useBench, useDrawing } from "./context";
import { differences } from "./difference";
import { readGraph } from "./graph";
import { graphOf, isUnsaved } from "./store";
import "./dialogs.css";

/** All versions: who saved them, when, and what they said; how each differs from what is drawn; back to any of them. */
export function VersionsDialog({ onClose }: { onClose: () => void }) {
  const { workflow, store, keeper, isReadOnly } = useBench();
  const id = workflow.workflow_id;
  const [chosen, choose] = useState<{ version: number; versionId: string } | null>(null);
  const [failure, fail] = useState("");
  const base = useDrawing((state) => state.base.version);
  const unsaved = useDrawing(isUnsaved);
  const history = useQuery({
    queryKey: ["versions", id, base],
    queryFn: () => answered(api.GET("/api/v1/workflows/{workflow_id}/versions", { params: { path: { workflow_id: id }, query: { limit: 100 } } })),
  });

  const restore = async (version: number) => {
    fail("");
    try {
      if (unsaved) await keeper.keep();
      const params = { path: { workflow_id: id, version } };
      const body = { base_version: store.getState().base.version, note: `Version ${version} again` };
      const made = await answered(api.POST("/api/v1/workflows/{workflow_id}/versions/{version}/restore", { params, body }));
      const next = baseOf(await readVersion(made.version_id));
      store.getState().take(next.graph, next);
      store.getState().tell(`Version ${version} is back as version ${made.version}; undo shows what was there.`);
      onClose();
    } catch (error) {
      fail(error instanceof Error ? error.message : "it could not be restored");
    }
  };

  return (
    <Modal opened onClose={onClose} title="Versions" size={760}>
      {failure !== "" && (
        <p role="alert" className="danger">
          {failure}
        </p>
      )}
      <Asked query={history} what="The versions" height={200}>
        {({ versions }) => (
          <div className="versions">
            <table className="table">
              <thead>
                <tr>
                  <th className="num">Version</th>
                  <th>Saved</th>
                  <th>By</th>
                  <th>Note</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {versions.map((one) => (
                  <tr key={one.version_id} className={chosen?.version === one.version ? "is-chosen" : ""}>
                    <td className="num">{one.version}</td>
                    <td className="mono">{moment(one.created_at)}</td>
                    <td>{one.created_by_email}</td>
                    <td className="wrap">{one.note}</td>
                    <td className="row-actions">
                      <Button variant="subtle" size="compact-xs" onClick={() => choose({ version: one.version, versionId: one.version_id })}>
                        Compare
                      </Button>
                      <Button
                        variant="subtle"
                        size="compact-xs"
                        disabled={isReadOnly || (one.version === base && !unsaved)}
                        title={one.version === base ? "This is the newest version" : `Saves version ${one.version} again as the newest`}
                        onClick={() => void restore(one.version)}
                      >
                        Restore
                      </Button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Asked>
      {chosen !== null && <Compared version={chosen.version} versionId={chosen.versionId} />}
    </Modal>
  );
}

function Compared({ version, versionId }: { version: number; versionId: string }) {
  const graph = useDrawing(graphOf);
  const found = useQuery({ queryKey: ["version", versionId], queryFn: () => readVersion(versionId), staleTime: Number.POSITIVE_INFINITY });
  return (
    <section className="compared" aria-label={`Version ${version} compared`}>
      <h3>From version {version} to what is drawn now</h3>
      <Asked query={found} what={`Version ${version}`} height={60}>
        {(data) => <Differences lines={differences(readGraph(data.graph), graph)} />}
      </Asked>
    </section>
  );
}

export function Differences({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return <p className="dim">They are the same.</p>;
  return (
    <ul className="differences">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

import { Button, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { moment } from "../format/times";
import { Asked } from "../panes/states";
import { readDraft, readNewest } from "./asking";
import { useBench, useDraftState } from "./context";
import { differences } from "./difference";
import { type Graph, readGraph } from "./graph";
import { type Base, graphOf } from "./store";
import { Differences } from "./VersionsDialog";

interface Theirs {
  graph: Graph;
  base: Base;
  revision: number;
  when: string;
}

/** Two windows drew at the same strategy, or somebody saved meanwhile: a person chooses, and sees between what. */
export function ConflictDialog() {
  const draft = useDraftState();
  return draft.kind === "conflict" ? <Choose of={draft.of} /> : null;
}

function Choose({ of }: { of: "draft" | "version" }) {
  const { workflow, store, keeper } = useBench();
  const id = workflow.workflow_id;
  const [mine] = useState(() => graphOf(store.getState()));
  const theirs = useQuery({
    queryKey: ["theirs", id, of],
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    queryFn: async (): Promise<Theirs> => {
      const [base, draft] = await Promise.all([readNewest(id), readDraft(id)]);
      if (of === "draft" && draft.revision > 0) {
        return { graph: readGraph(draft.graph), base: { ...base, version: draft.base_version }, revision: draft.revision, when: draft.updated_at ?? "" };
      }
      return { graph: base.graph, base, revision: draft.revision, when: "" };
    },
  });
  const isDraft = of === "draft" && (theirs.data?.when ?? "") !== "";
  const what = isDraft ? "the other window's draft" : `version ${theirs.data?.base.version ?? ""}`;

  const keepMine = async (found: Theirs) => {
    store.getState().stored(isDraft ? found.base : { ...found.base });
    await keeper.resolve(found.revision);
    store.getState().tell(`You went on with your own drawing over ${what}.`, { tone: "warn" });
  };
  const takeTheirs = async (found: Theirs) => {
    await keeper.resolve(isDraft ? found.revision : 0, { graph: found.graph, base: found.base });
    store.getState().tell(`You took ${what}; undo shows your own drawing.`, { tone: "warn" });
  };

  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={of === "draft" ? "This strategy was changed in another window" : "Somebody saved a version meanwhile"}
      size={620}
    >
      <Asked query={theirs} what="What changed" height={160}>
        {(found) => (
          <div className="conflict">
            <p>
              {isDraft
                ? `Another window of yours kept a draft at ${moment(found.when)}. Nothing of yours is lost: choose what to go on with.`
                : `Version ${found.base.version} is newer than what you began from. Nothing of yours is lost: choose what to go on with.`}
            </p>
            <h3>What your drawing changes against {what}</h3>
            <Differences lines={differences(found.graph, mine)} />
            <div className="dialog-actions">
              <Button variant="default" onClick={() => void takeTheirs(found)}>
                Take {what}
              </Button>
              <Button onClick={() => void keepMine(found)}>Go on with mine</Button>
            </div>
          </div>
        )}
      </Asked>
    </Modal>
  );
}

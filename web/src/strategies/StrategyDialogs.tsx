import { answered, api } from "../api/client";
import { ShareDialog } from "../builder/ShareDialog";
import { Confirm } from "../forms/Confirm";
import { changed, freeName } from "./asking";
import { DeployDialog } from "./DeployDialog";
import { NameDialog } from "./NameDialog";
import type { Standing } from "./standing";
import type { Ask } from "./StrategyTable";

interface DialogsProps {
  ask: Ask;
  of: Standing;
  names: readonly string[];
  onClose: () => void;
}

/** What is asked before something is done with a strategy. */
export function StrategyDialogs({ ask, of, names, onClose }: DialogsProps) {
  const { workflow, running } = of;
  const path = { workflow_id: workflow.workflow_id };
  if (ask === "paper" || ask === "live") return <DeployDialog workflow={workflow} isLive={ask === "live"} onClose={onClose} />;
  if (ask === "share") return <ShareDialog workflowId={workflow.workflow_id} onClose={onClose} />;
  if (ask === "rename") {
    const rename = async (name: string) => {
      await answered(api.POST("/api/v1/workflows/{workflow_id}/rename", { params: { path }, body: { name } }));
      await changed();
    };
    return <NameDialog title={`Rename ${workflow.name}`} name={workflow.name} verb="Rename" onDone={rename} onClose={onClose} />;
  }
  if (ask === "duplicate") {
    const duplicate = async (name: string) => {
      const params = { path: { version_id: workflow.version_id } };
      await answered(api.POST("/api/v1/workflow-versions/{version_id}/duplicate", { params, body: { name } }));
      await changed();
    };
    return <NameDialog title={`Duplicate ${workflow.name}`} name={freeName(`${workflow.name} copy`, names)} verb="Duplicate" onDone={duplicate} onClose={onClose} />;
  }
  const isArchived = workflow.archived_at != null;
  const asked =
    ask === "stop"
      ? {
          title: `Stop ${running.length} ${running.length === 1 ? "deployment" : "deployments"} of ${workflow.name}`,
          consequence: `On ${running.map((one) => one.symbol).join(", ")}: no new orders. What is held stays where it is, and is yours to close.`,
          verb: "Stop",
          work: async () => {
            for (const one of running) {
              await answered(api.POST("/api/v1/deployments/{deployment_id}/stop", { params: { path: { deployment_id: one.deployment_id } } }));
            }
          },
        }
      : {
          title: isArchived ? `Take ${workflow.name} out of the archive` : `Archive ${workflow.name}`,
          consequence: isArchived ? "It can be changed and run again." : "It is kept and can be taken out again; until then it is neither changed nor run. What trades goes on.",
          verb: isArchived ? "Take out" : "Archive",
          work: () =>
            isArchived
              ? answered(api.POST("/api/v1/workflows/{workflow_id}/unarchive", { params: { path } }))
              : answered(api.POST("/api/v1/workflows/{workflow_id}/archive", { params: { path } })),
        };
  return (
    <Confirm
      opened
      title={asked.title}
      consequence={asked.consequence}
      verb={asked.verb}
      isDangerous={ask === "stop"}
      onConfirm={async () => {
        await asked.work();
        await changed();
      }}
      onClose={onClose}
    />
  );
}

import { Button, Menu } from "@mantine/core";
import { Download, GitCompare, History, Share2, Upload } from "lucide-react";
import { useRef, useState } from "react";
import { answered, api } from "../api/client";
import { useBench } from "./context";
import { importedGraph, saveFile } from "./documents";
import { ShareDialog } from "./ShareDialog";
import { VersionsDialog } from "./VersionsDialog";

/** Versions, and ways in and out of here. */
export function VersionMenu() {
  const { workflow, store, isReadOnly } = useBench();
  const [opened, open] = useState<"" | "versions" | "share">("");
  const file = useRef<HTMLInputElement>(null);
  const isOwner = (workflow.permissions ?? []).includes("owner");
  const { tell, change, refuse } = store.getState();

  const exported = async () => {
    try {
      const { version, versionId } = store.getState().base;
      const params = { path: { version_id: versionId } };
      const { document } = await answered(api.GET("/api/v1/workflow-versions/{version_id}/export", { params }));
      saveFile(`${workflow.name} v${version}.json`, JSON.stringify(document, null, 2));
      tell(`Version ${version} was exported.`);
    } catch (error) {
      refuse(error instanceof Error ? error.message : "it could not be exported");
    }
  };

  const imported = async (chosen: File | undefined) => {
    if (chosen === undefined) return;
    const found = importedGraph(await chosen.text());
    if (typeof found === "string") refuse(`${chosen.name}: ${found}`);
    else {
      change(() => found);
      tell(`${chosen.name} was put on the canvas; undo takes it back.`);
    }
  };

  return (
    <>
      <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <Button variant="default" leftSection={<History size={14} aria-hidden />}>
            Versions
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<GitCompare size={14} aria-hidden />} onClick={() => open("versions")}>
            Versions and differences
          </Menu.Item>
          <Menu.Item leftSection={<Download size={14} aria-hidden />} onClick={() => void exported()}>
            Export this version
          </Menu.Item>
          <Menu.Item leftSection={<Upload size={14} aria-hidden />} disabled={isReadOnly} onClick={() => file.current?.click()}>
            Import a file onto the canvas
          </Menu.Item>
          <Menu.Item leftSection={<Share2 size={14} aria-hidden />} disabled={!isOwner} onClick={() => open("share")}>
            {isOwner ? "Share" : "Share (its owner may)"}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <input
        ref={file}
        type="file"
        accept=".json,application/json"
        aria-label="File to import"
        hidden
        onChange={(event) => {
          void imported(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
      {opened === "versions" && <VersionsDialog onClose={() => open("")} />}
      {opened === "share" && <ShareDialog workflowId={workflow.workflow_id} onClose={() => open("")} />}
    </>
  );
}

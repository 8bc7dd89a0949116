import { Button, Modal, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import { day } from "../format/times";
import { Asked, Empty } from "../panes/states";
import "./dialogs.css";

const PERMISSIONS = [
  { value: "view", label: "look at it" },
  { value: "execute", label: "run it" },
  { value: "edit", label: "change it" },
];
const ROLES = ["owner", "operator", "trader", "viewer"];

/** Who else may look at a strategy, run it or change it. */
export function ShareDialog({ workflowId, onClose }: { workflowId: string; onClose: () => void }) {
  const params = { path: { workflow_id: workflowId } };
  const [who, name] = useState("");
  const [permission, permit] = useState("view");
  const [until, limit] = useState("");
  const [failure, fail] = useState("");
  const shares = useQuery({
    queryKey: ["shares", workflowId],
    queryFn: () => answered(api.GET("/api/v1/workflows/{workflow_id}/shares", { params })),
  });
  const done = async (work: Promise<unknown>) => {
    fail("");
    try {
      await work;
      name("");
    } catch (error) {
      fail(error instanceof Error ? error.message : "this did not work");
    }
    await shares.refetch();
  };
  const share = (event: FormEvent) => {
    event.preventDefault();
    const whom = ROLES.includes(who.trim()) ? { role: who.trim(), user: null } : { role: null, user: who.trim() };
    const expires_at = until === "" ? null : `${until}T00:00:00Z`;
    void done(answered(api.POST("/api/v1/workflows/{workflow_id}/shares", { params, body: { ...whom, permission, expires_at } })));
  };
  const revoke = (grant: string) =>
    void done(answered(api.DELETE("/api/v1/workflow-shares/{grant_id}", { params: { path: { grant_id: grant } } })));
  return (
    <Modal opened onClose={onClose} title="Share" size={620}>
      <form className="share-form" onSubmit={share}>
        <TextInput label="With (e-mail, or a role)" value={who} required data-autofocus onChange={(event) => name(event.currentTarget.value)} />
        <Select label="They may" data={PERMISSIONS} value={permission} w={110} onChange={(next) => next !== null && permit(next)} />
        <TextInput label="Until" type="date" value={until} onChange={(event) => limit(event.currentTarget.value)} />
        <Button type="submit" disabled={who.trim() === ""} title={who.trim() === "" ? "Say with whom" : undefined}>
          Share
        </Button>
      </form>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <Asked query={shares} what="Who it is shared with" isEmpty={(data) => data.shares.length === 0} empty={<Empty>Only you may see it.</Empty>}>
        {(data) => (
          <table className="table">
            <thead>
              <tr>
                <th>With</th>
                <th>They may</th>
                <th>Until</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {data.shares.map((one) => (
                <tr key={one.grant_id} className={one.is_expired ? "dim" : ""}>
                  <td>{one.role === null ? one.email : `everybody who is ${one.role}`}</td>
                  <td>{PERMISSIONS.find((each) => each.value === one.permission)?.label ?? one.permission}</td>
                  <td>{one.expires_at === null ? "revoked" : day(one.expires_at)}</td>
                  <td className="row-actions">
                    <Button variant="subtle" size="compact-xs" onClick={() => revoke(one.grant_id)}>
                      Revoke
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
    </Modal>
  );
}

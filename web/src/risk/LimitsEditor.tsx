import { Button, Checkbox, Drawer, Select, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { answered, api } from "../api/client";
import { ApiProblem } from "../api/problems";
import type { LimitDocView, LimitsView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { Diff } from "./Diff";
import { bodyOf, changesOf, type Fields, fieldsOf, inWords, isYesNo } from "./limits";
import { renew } from "./queries";

interface EditorProps {
  accountId: string;
  limits: LimitsView;
  docs: readonly LimitDocView[];
  onClose: () => void;
}

/** A whole limit set: what differs is shown before it is sent, what lets more pass is confirmed once more. */
export function LimitsEditor({ accountId, limits, docs, onClose }: EditorProps) {
  const before = useMemo(() => fieldsOf(limits), [limits]);
  const [fields, write] = useState<Fields>(before);
  const [reason, why] = useState("");
  const [isConfirmed, confirm] = useState(false);
  const [takesTwo, two] = useState(false);
  const changes = changesOf(before, fields);
  const isLooser = changes.some((one) => one.isLooser);
  const path = { params: { path: { account_id: accountId } } };
  const setting = useSending(async () => {
    try {
      await answered(api.PUT("/api/v1/accounts/{account_id}/limits", { ...path, body: bodyOf(fields, limits.version, reason) }));
    } catch (error) {
      if (error instanceof ApiProblem && error.code === "LIMITS_TWO_PEOPLE") two(true);
      throw error;
    }
    await renew();
    onClose();
  });
  const proposing = useSending(async () => {
    await answered(api.POST("/api/v1/accounts/{account_id}/limit-proposals", { ...path, body: bodyOf(fields, limits.version, reason) }));
    await renew();
    onClose();
  });
  const missing =
    changes.length === 0 ? "Change a limit first" : reason.trim() === "" ? "Say why first" : isLooser && !isConfirmed ? "Confirm what lets more pass first" : "";
  const change = (name: string, text: string) => write({ ...fields, [name]: text });
  return (
    <Drawer opened onClose={onClose} position="right" size={760} title={`Edit limits, version ${limits.version}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className="confirm"
        onSubmit={(event) => {
          event.preventDefault();
          if (missing === "") void setting.send();
        }}
      >
        <div className="form-grid">
          {docs
            .filter((one) => one.limit in fields)
            .map((one) => (
              <Field key={one.limit} doc={one} value={fields[one.limit] ?? ""} onChange={(text) => change(one.limit, text)} />
            ))}
        </div>
        <Diff changes={changes} />
        <TextInput label="Reason" maxLength={500} value={reason} onChange={(event) => why(event.currentTarget.value)} />
        {isLooser && (
          <Checkbox size="xs" label="Let more pass than before, as marked" checked={isConfirmed} onChange={(event) => confirm(event.currentTarget.checked)} />
        )}
        <p role="alert" className="danger form-failure">
          {setting.failure || proposing.failure}
        </p>
        <div className="confirm-actions">
          <Button variant="default" onClick={onClose}>
            Back
          </Button>
          <Button
            variant={takesTwo ? "filled" : "default"}
            loading={proposing.isSending}
            disabled={missing !== ""}
            title={missing}
            onClick={() => void proposing.send()}
          >
            Propose to a second person
          </Button>
          <Button type="submit" className={isLooser ? "is-danger" : ""} loading={setting.isSending} disabled={missing !== "" || takesTwo} title={takesTwo ? "These limits take two people" : missing}>
            {isLooser ? "Loosen limits" : "Set limits"}
          </Button>
        </div>
      </form>
    </Drawer>
  );
}

function Field({ doc, value, onChange }: { doc: LimitDocView; value: string; onChange: (text: string) => void }) {
  const label = `${inWords(doc.limit)} (${doc.rule})`;
  if (isYesNo(doc.limit)) {
    return <Select label={label} title={doc.meaning} data={["no", "yes"]} value={value} onChange={(next) => onChange(next ?? value)} />;
  }
  const isList = doc.limit.endsWith("_allowed");
  return (
    <TextInput
      className={isList ? "form-wide" : ""}
      label={label}
      title={doc.meaning}
      placeholder={isList ? "all" : "not set"}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

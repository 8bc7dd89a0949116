import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answered, api } from "../api/client";
import { ApiProblem } from "../api/problems";
import type { SharedLimitView } from "../api/schema";
import { useSending } from "../forms/useSending";
import { moment } from "../format/times";
import { Asked } from "../panes/states";
import { who } from "../session/who";
import { renew, RISK } from "./queries";

const NONE: SharedLimitView = { scope: "firm", owner_id: null, version: 0, credit_max: null, four_eyes_above: null, credit_warn_pct: "80", set_by: "", set_at: "" };

/** The firm's shared limits; none were set where there is no version. */
function useShared() {
  return useQuery({
    queryKey: [RISK, "shared"],
    queryFn: async () => {
      try {
        return await answered(api.GET("/api/v1/risk/shared-limits"));
      } catch (error) {
        if (error instanceof ApiProblem && error.code === "SHARED_LIMIT_NOT_FOUND") return NONE;
        throw error;
      }
    },
  });
}

/** The credit all accounts of the firm share, and from which order value limits take two people. */
export function SharedLimits() {
  const shared = useShared();
  return (
    <Asked query={shared} what="Shared limits">
      {(data) => <SharedForm key={data.version} shared={data} />}
    </Asked>
  );
}

function SharedForm({ shared }: { shared: SharedLimitView }) {
  const [credit, setCredit] = useState(shared.credit_max ?? "");
  const [above, setAbove] = useState(shared.four_eyes_above ?? "");
  const [warn, setWarn] = useState(shared.credit_warn_pct);
  const { send, isSending, failure } = useSending(async () => {
    const body = {
      scope: "firm",
      owner_id: null,
      credit_max: credit.trim() === "" ? null : credit.trim(),
      four_eyes_above: above.trim() === "" ? null : above.trim(),
      credit_warn_pct: warn.trim(),
      base_version: shared.version,
    };
    await answered(api.PUT("/api/v1/risk/shared-limits", { body }));
    await renew();
  });
  return (
    <form
      className="confirm"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div className="form-grid">
        <TextInput label="Credit of the firm (R10)" placeholder="not limited" value={credit} onChange={(event) => setCredit(event.currentTarget.value)} />
        <TextInput label="Warn at, % of it" value={warn} onChange={(event) => setWarn(event.currentTarget.value)} />
        <TextInput label="Two people above (R33)" placeholder="one person suffices" value={above} onChange={(event) => setAbove(event.currentTarget.value)} />
      </div>
      <p className="dim">{shared.version === 0 ? "Never set." : `Version ${shared.version}, ${who(shared.set_by)}, ${moment(shared.set_at)}.`}</p>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button type="submit" loading={isSending}>
          Set shared limits
        </Button>
      </div>
    </form>
  );
}

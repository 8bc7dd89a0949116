import { Button } from "@mantine/core";
import { useState } from "react";
import { answered, api } from "../api/client";
import type { OpenSessionView } from "../api/schema";
import { Confirm } from "../forms/Confirm";
import { moment } from "../format/times";
import { Pane } from "../panes/Pane";
import { Asked, Empty } from "../panes/states";
import { useSessionState } from "../session/session";
import { renew, useSessions } from "./queries";

/** The sessions of one person, each of which can be ended. */
export function Sessions({ userId, email, isOwn }: { userId: string; email: string; isOwn: boolean }) {
  const sessions = useSessions(userId, isOwn);
  const state = useSessionState();
  const here = state.kind === "in" ? state.session.session_id : "";
  const [ended, end] = useState<OpenSessionView | null>(null);
  const send = async () => {
    if (ended === null) return;
    await answered(api.DELETE("/api/v1/sessions/{session_id}", { params: { path: { session_id: ended.session_id } } }));
    await renew();
  };
  return (
    <Pane title={isOwn ? "Your sessions" : "Sessions"} isFlush facts={email}>
      <Asked query={sessions} what="Sessions" isEmpty={(found) => found.length === 0} empty={<Empty>Nobody is signed in as this person.</Empty>}>
        {(found) => (
          <table className="table">
            <thead>
              <tr>
                <th>Signed in</th>
                <th>Last used</th>
                <th>From</th>
                <th>Ends</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <tr key={one.session_id}>
                  <td>{moment(one.signed_in_at)}</td>
                  <td>{moment(one.last_at)}</td>
                  <td className="mono">{one.address}</td>
                  <td>{moment(one.expires_at)}</td>
                  <td className="num">
                    {one.session_id === here ? (
                      <span className="dim">this one</span>
                    ) : (
                      <Button variant="default" onClick={() => end(one)}>
                        End
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Asked>
      <Confirm opened={ended !== null} title="End the session" consequence={`Whoever uses it, from ${ended?.address ?? ""}, has to sign in again.`} verb="End session" onConfirm={send} onClose={() => end(null)} />
    </Pane>
  );
}

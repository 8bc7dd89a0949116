import "@mantine/core/styles/Checkbox.layer.css";
import { Button } from "@mantine/core";
import { useState } from "react";
import { Keys } from "../people/Keys";
import { NewPerson, People } from "../people/People";
import "../people/people.css";
import { useUsers } from "../people/queries";
import { Sessions } from "../people/Sessions";
import "../risk/risk.css";
import { Pane } from "../panes/Pane";
import { useMissing, Needs } from "../session/needs";
import { useRole, useSessionState } from "../session/session";
import { useUrlText } from "../shell/urlState";

/** People, their roles, sessions and keys; whoever runs nothing here sees their own. */
export default function Users() {
  const state = useSessionState();
  const role = useRole();
  const governs = useMissing("administer") === "";
  const own = state.kind === "in" || state.kind === "expired" ? state.session.user_id : "";
  const [chosen, choose] = useUrlText("person");
  const [isRegistering, register] = useState(false);
  const users = useUsers(governs);
  const person = users.data?.find((one) => one.user_id === chosen);
  const userId = person?.user_id ?? own;
  const isOwn = userId === own;
  const email = person?.email ?? users.data?.find((one) => one.user_id === own)?.email ?? "";
  return (
    <div className="page">
      <div className="page-title">
        <h1>Users</h1>
        <span className="dim">your role is {role}</span>
        {governs && (
          <span className="page-actions">
            <Button onClick={() => register(true)}>Register somebody</Button>
          </span>
        )}
      </div>
      {governs ? (
        <>
          <People opened={userId} onOpen={choose} />
          <NewPerson opened={isRegistering} onClose={() => register(false)} />
        </>
      ) : (
        <Pane title="People">
          <Needs need="administer" what="Other people">
            {null}
          </Needs>
        </Pane>
      )}
      {userId !== "" && (
        <>
          <Sessions key={`s ${userId}`} userId={userId} email={email} isOwn={isOwn} />
          <Keys key={`k ${userId}`} userId={userId} email={email} role={person?.role ?? role} isOwn={isOwn} />
        </>
      )}
    </div>
  );
}

import { Pane } from "../panes/Pane";
import { Factor } from "../settings/Factor";
import { Look } from "../settings/Look";
import { Profile } from "../settings/Profile";

/** What is a person's own: who they are, how things look, how they sign in. */
export default function Settings() {
  return (
    <div className="page">
      <div className="page-title">
        <h1>Settings</h1>
      </div>
      <Profile />
      <Look />
      <Factor />
      <Pane title="Elsewhere" columns={6}>
        <div className="prose">
          <p>
            <a href="/notifications?tab=rules">What leaves by e-mail and webhook, and quiet hours</a>
          </p>
          <p>
            <a href="/users">API keys and sessions</a>
          </p>
        </div>
      </Pane>
    </div>
  );
}

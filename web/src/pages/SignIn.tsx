import { useNavigate, useSearch } from "@tanstack/react-router";
import { SignInForm } from "../session/SignInForm";
import "../shell/shell.css";
import "../session/session.css";

/** The door, for those who have no session. */
export default function SignIn() {
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/login" });
  return (
    <main className="door">
      <div className="door-box">
        <div className="shell-mark">
          <img src="/favicon.svg" alt="" width={24} height={24} />
          Alphintra
        </div>
        <h1>Sign in</h1>
        <SignInForm onDone={() => void navigate({ to: next })} />
        <p className="dim">
          First start? Open the one-time link that <code>alphintra up</code> printed.
        </p>
      </div>
    </main>
  );
}

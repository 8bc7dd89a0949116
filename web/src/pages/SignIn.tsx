import { useNavigate, useSearch } from "@tanstack/react-router";
import { Door } from "../session/Door";
import { SignInForm } from "../session/SignInForm";

/** The door, for those who have no session. */
export default function SignIn() {
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/login" });
  return (
    <Door>
      <h1>Sign in</h1>
      <SignInForm onDone={() => void navigate({ to: next })} />
      <p className="dim">
        First start? Open the one-time link that <code>alphintra up</code> printed.
      </p>
    </Door>
  );
}

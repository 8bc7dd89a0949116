import { Button, PasswordInput, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import { Door } from "../session/Door";
import { signIn } from "../session/signing";

/** The token of the one-time link, taken out of the address at once: it stays out of history and of what is shared. */
function takenToken(): string {
  const token = new URLSearchParams(location.search).get("token") ?? "";
  if (token !== "") history.replaceState(history.state, "", location.pathname);
  return token;
}

let token: string | null = null;

/** The first start: whoever holds the one-time link becomes the owner. */
export default function SetUp() {
  token ??= takenToken();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");
  const [failure, tell] = useState("");
  const [isSending, sending] = useState(false);
  const navigate = useNavigate();
  const isDifferent = repeated !== "" && repeated !== password;

  async function submit(event: FormEvent) {
    event.preventDefault();
    sending(true);
    tell("");
    try {
      await answered(api.POST("/api/v1/setup/owner", { body: { token: token ?? "", email, password } }));
      await signIn({ email, password, code: "" });
      await navigate({ to: "/", search: { first: true } as never });
    } catch (error) {
      tell(error instanceof Error ? error.message : "this did not work");
    }
    sending(false);
  }

  return (
    <Door>
      <h1>Create the owner of this installation</h1>
      {token === "" ? (
        <>
          <p>
            This needs the one-time link that <code>alphintra up</code> prints while there is no owner. Start the platform
            again, or run it in a terminal, and open the link from there.
          </p>
          <p>
            There is an owner already? <Link to="/login" search={{ next: "/" }}>Sign in</Link>.
          </p>
        </>
      ) : (
        <form className="form" onSubmit={(event) => void submit(event)}>
          <p className="dim">The link that brought you here works once.</p>
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            required
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            description="At least 8 characters; four unrelated words are better."
            autoComplete="new-password"
            required
            minLength={8}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password again"
            autoComplete="new-password"
            required
            error={isDifferent ? "This is not the same" : undefined}
            value={repeated}
            onChange={(event) => setRepeated(event.currentTarget.value)}
          />
          <Button type="submit" loading={isSending} disabled={isDifferent} title={isDifferent ? "The passwords differ" : ""}>
            Create owner
          </Button>
          <p role="alert" className="danger form-failure">
            {failure}
          </p>
        </form>
      )}
    </Door>
  );
}

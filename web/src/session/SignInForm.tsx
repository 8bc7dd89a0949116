import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { ApiProblem } from "../api/problems";
import { signIn } from "./signing";

const ASKS_CODE = new Set(["OTP_REQUIRED", "OTP_INVALID", "OTP_USED"]);

/** E-mail and password; a code once it is asked for. */
export function SignInForm({ onDone }: { onDone: () => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [isCodeAsked, askCode] = useState(false);
  const [failure, tell] = useState("");
  const [isSending, sending] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    sending(true);
    tell("");
    try {
      await signIn({ email, password, code: code.trim() });
      onDone();
    } catch (error) {
      const isCode = error instanceof ApiProblem && ASKS_CODE.has(error.code);
      if (isCode) askCode(true);
      if (!(isCode && !isCodeAsked)) tell(error instanceof Error ? error.message : "this did not work");
    }
    sending(false);
  }

  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="username"
        required
        data-autofocus
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      {isCodeAsked && (
        <TextInput
          label="Code of your authenticator app, or a recovery code"
          autoComplete="one-time-code"
          required
          autoFocus
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
      )}
      <Button type="submit" loading={isSending}>
        Sign in
      </Button>
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
    </form>
  );
}

import { Button, Modal, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import { ApiProblem } from "../api/problems";
import { useSending } from "../forms/useSending";
import { proved, useIsProofAsked } from "./proving";
import { signedIn } from "./session";

/** Asks for the password, or for a code where there is a second factor, before what a stolen session must not do. */
export function ProofDialog() {
  const isAsked = useIsProofAsked();
  return (
    <Modal opened={isAsked} onClose={() => proved(false)} title="Prove that it is you" size={380} zIndex={400} closeButtonProps={{ "aria-label": "Close" }}>
      <Proof />
    </Modal>
  );
}

function Proof() {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [isCodeAsked, askCode] = useState(false);
  const { send, isSending, failure } = useSending(async () => {
    try {
      signedIn(await answered(api.POST("/api/v1/session/step-up", { body: { password, code: code.trim() } })));
    } catch (error) {
      if (!isCodeAsked && error instanceof ApiProblem && error.code === "OTP_REQUIRED") {
        askCode(true);
        return;
      }
      throw error;
    }
    proved(true);
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  return (
    <form className="form" onSubmit={submit}>
      <p>This needs a proof of the last five minutes.</p>
      {isCodeAsked ? (
        <TextInput label="Code of your authenticator app, or a recovery code" autoComplete="one-time-code" required data-autofocus value={code} onChange={(event) => setCode(event.currentTarget.value)} />
      ) : (
        <PasswordInput label="Password" autoComplete="current-password" required data-autofocus value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
      )}
      <p role="alert" className="danger form-failure">
        {failure}
      </p>
      <div className="confirm-actions">
        <Button variant="default" onClick={() => proved(false)}>
          Back
        </Button>
        <Button type="submit" loading={isSending}>
          Go on
        </Button>
      </div>
    </form>
  );
}

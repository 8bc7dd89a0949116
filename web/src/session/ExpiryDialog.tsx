import { Modal } from "@mantine/core";
import { SignInForm } from "./SignInForm";
import { useSessionState } from "./session";
import "./session.css";

const nothing = () => undefined;

/** Asks who is there again, over a page whose session ended: nothing that was typed is lost. */
export function ExpiryDialog() {
  const isExpired = useSessionState().kind === "expired";
  return (
    <Modal
      opened={isExpired}
      onClose={nothing}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Your session has ended"
      size={380}
    >
      <p className="dim" style={{ marginBottom: 12 }}>
        Sign in again: what you typed is still there. Trading goes on without you.
      </p>
      <SignInForm onDone={nothing} />
    </Modal>
  );
}

import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { SignInForm } from "./SignInForm";
import { useSessionState } from "./session";
import "./session.css";

const LOOK_EVERY_MS = 60_000;
const nothing = () => undefined;

/** Look now and then, and when somebody comes back to the page, whether the session is still there. */
function useWatchedSession(isWatched: boolean): void {
  useQuery({
    queryKey: ["session"],
    queryFn: () => answered(api.GET("/api/v1/session")),
    enabled: isWatched,
    refetchInterval: LOOK_EVERY_MS,
    refetchOnWindowFocus: "always",
  });
}

/** Asks who is there again, over a page whose session ended: nothing that was typed is lost. */
export function ExpiryDialog() {
  const isExpired = useSessionState().kind === "expired";
  useWatchedSession(!isExpired);
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

import { Button, Modal } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { useBench, useDrawing } from "./context";
import { isUnsaved } from "./store";
import "./dialogs.css";

/** Asks before a page is left on which something is in no version. The draft stays; a version is made only on purpose. */
export function LeaveDialog({ path }: { path: string }) {
  const { store, keeper } = useBench();
  const isValid = useDrawing((state) => (state.examined?.problems.length ?? 1) === 0);
  const version = useDrawing((state) => state.base.version);
  const blocker = useBlocker({
    shouldBlockFn: ({ next }) => next.pathname !== path && isUnsaved(store.getState()),
    enableBeforeUnload: () => !keeper.isSafe(),
    withResolver: true,
  });
  if (blocker.status !== "blocked") return null;
  const save = async () => {
    try {
      await keeper.save();
      blocker.proceed();
    } catch {
      blocker.reset();
    }
  };
  const leave = async () => {
    await keeper.keep();
    blocker.proceed();
  };
  return (
    <Modal opened onClose={blocker.reset} title="Leave without saving a version?" size={460}>
      <p>What you changed since version {version} is in no version yet. Your draft is kept and opens here again.</p>
      <div className="dialog-actions">
        <Button variant="default" onClick={blocker.reset} data-autofocus>
          Stay
        </Button>
        <Button variant="default" onClick={() => void leave()}>
          Leave, keep the draft
        </Button>
        <Button disabled={!isValid} title={isValid ? undefined : "It has problems: they keep it from being a version"} onClick={() => void save()}>
          Save version and leave
        </Button>
      </div>
    </Modal>
  );
}

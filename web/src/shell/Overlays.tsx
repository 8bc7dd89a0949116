import { lazy, Suspense } from "react";
import { close, useOpened } from "./commands";

const Palette = lazy(() => import("./Palette"));
const StopDialog = lazy(() => import("./StopDialog"));
const KeyList = lazy(() => import("./KeyList"));

/** What opens over any page; each is fetched when it is first asked for. */
export function Overlays() {
  const opened = useOpened();
  return (
    <Suspense fallback={null}>
      {opened === "palette" && <Palette onClose={close} />}
      {opened === "stop" && <StopDialog onClose={close} />}
      {opened === "keys" && <KeyList onClose={close} />}
    </Suspense>
  );
}

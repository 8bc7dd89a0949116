import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { isWriting } from "../tables/useTableKeys";
import { open } from "./commands";
import { placesOf } from "./navigation";

const CHORD_MS = 1500;

/** The keys that work on every page. Letters are letters where somebody writes or is asked something. */
export function useShellKeys(): void {
  const router = useRouter();
  useEffect(() => {
    let began = 0; // when `g` was pressed
    const places = placesOf(router.routesByPath).flatMap((group) => group.places);
    const hear = (event: KeyboardEvent) => {
      const isCommand = event.ctrlKey || event.metaKey;
      if (isCommand && event.shiftKey && event.code === "Period") open("stop");
      else if (isCommand && event.key.toLowerCase() === "k" && !event.shiftKey) open("palette");
      else if (isCommand || event.altKey || isWriting(event.target) || document.querySelector("[role=dialog]") !== null) return;
      else if (event.key === "?") open("keys");
      else if (event.key === "g") began = event.timeStamp;
      else {
        const place = event.timeStamp - began < CHORD_MS ? places.find(({ key }) => key === event.key) : undefined;
        began = 0;
        if (place === undefined) return;
        void router.navigate({ to: place.to });
        event.stopImmediatePropagation(); // `g k` does not also move in a table
      }
      event.preventDefault();
    };
    window.addEventListener("keydown", hear, { capture: true });
    return () => window.removeEventListener("keydown", hear, { capture: true });
  }, [router]);
}

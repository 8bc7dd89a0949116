import { type RefObject, useEffect } from "react";

/** Whether somebody writes: then letters are letters. */
export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** `/` goes to the filter, `j` and `k` down and up the rows, `Esc` out of them. Of several tables on a page, the first hears. */
export function useTableKeys(box: RefObject<HTMLElement | null>, filter: RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      const here = box.current;
      if (here === null || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
      if (document.querySelector("[role=dialog]") !== null || !isMeant(here)) return;
      const rows = [...here.querySelectorAll<HTMLElement>("[data-row]")];
      const at = rows.findIndex((row) => row === document.activeElement);
      if (event.key === "/") filter.current?.focus();
      else if (event.key === "j") rows[Math.min(at + 1, rows.length - 1)]?.focus();
      else if (event.key === "k") rows[Math.max(at - 1, 0)]?.focus();
      else if (event.key === "Escape" && at >= 0) rows[at]?.blur();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, [box, filter]);
}

/** The table somebody is in, else the first of the page. */
function isMeant(box: HTMLElement): boolean {
  const inside = document.activeElement?.closest(".table-box") ?? document.querySelector(".table-box");
  return inside === box;
}

import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** A link to another page by its address, where that is known only while the page runs. */
export function Way({ to, children, className }: { to: string; children: ReactNode; className?: string }) {
  const router = useRouter();
  return (
    <a
      href={to}
      className={className}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        router.history.push(to);
      }}
    >
      {children}
    </a>
  );
}

import type { ReactNode } from "react";
import "../shell/shell.css";
import "./session.css";

/** What people meet who have no session: a box with the platform's name. */
export function Door({ children }: { children: ReactNode }) {
  return (
    <main className="door">
      <div className="door-box">
        <div className="shell-mark">
          <img src="/favicon.svg" alt="" width={24} height={24} />
          Alphintra
        </div>
        {children}
      </div>
    </main>
  );
}

import { Outlet } from "@tanstack/react-router";
import { ExpiryDialog } from "../session/ExpiryDialog";
import { ProofDialog } from "../session/ProofDialog";
import { Footer } from "./Footer";
import { Header } from "./Header";
import { useShellKeys } from "./keys";
import { OfflineBar } from "./OfflineBar";
import { Overlays } from "./Overlays";
import { Sidebar } from "./Sidebar";
import "./shell.css";

/** What stands around every page. */
export function Shell() {
  useShellKeys();
  return (
    <div className="shell">
      <a className="shell-skip" href="#page">
        To the page
      </a>
      <Header />
      <Sidebar />
      <main className="shell-main" id="page" tabIndex={-1}>
        <OfflineBar />
        <Outlet />
      </main>
      <Footer />
      <Overlays />
      <ExpiryDialog />
      <ProofDialog />
    </div>
  );
}

import { Outlet } from "@tanstack/react-router";
import { ExpiryDialog } from "../session/ExpiryDialog";
import { ProofDialog } from "../session/ProofDialog";
import { Footer } from "./Footer";
import { Header } from "./Header";
import { Sidebar } from "./Sidebar";
import "./shell.css";

/** What stands around every page. */
export function Shell() {
  return (
    <div className="shell">
      <a className="shell-skip" href="#page">
        To the page
      </a>
      <Header />
      <Sidebar />
      <main className="shell-main" id="page" tabIndex={-1}>
        <Outlet />
      </main>
      <Footer />
      <ExpiryDialog />
      <ProofDialog />
    </div>
  );
}

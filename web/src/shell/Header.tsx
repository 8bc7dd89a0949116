import { ActionIcon, Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Keyboard, OctagonX, Search } from "lucide-react";
import { useOffline } from "../api/reach";
import { kindOf, useAccount } from "../session/account";
import { mayTrade, useRole } from "../session/session";
import { UserMenu } from "../session/UserMenu";
import { AccountChoice } from "./AccountChoice";
import { open } from "./commands";
import { LookMenu } from "./LookMenu";
import { MessageBell } from "./MessageBell";

export function Header() {
  const { account } = useAccount();
  const isLive = account !== undefined && kindOf(account) === "LIVE";
  return (
    <header className={`shell-header ${isLive ? "is-live" : ""}`}>
      <Link to="/" className="shell-mark" aria-label="Alphintra">
        <img src="/favicon.svg" alt="" width={20} height={20} />
        <span>Alphintra</span>
      </Link>
      <AccountChoice />
      <button type="button" className="shell-search not-on-phone" onClick={() => open("palette")}>
        <Search size={14} aria-hidden />
        <span>Search</span>
        <kbd>Ctrl K</kbd>
      </button>
      <div className="shell-right">
        <StopButton />
        <span className="not-on-phone shell-right">
          <MessageBell />
          <ActionIcon variant="subtle" color="gray" size={28} aria-label="Keys" title="Keys  ?" onClick={() => open("keys")}>
            <Keyboard size={16} />
          </ActionIcon>
          <LookMenu />
        </span>
        <UserMenu />
      </div>
    </header>
  );
}

function StopButton() {
  const isAllowed = mayTrade(useRole());
  const offline = useOffline();
  const why = isAllowed ? offline : "Your role is viewer: a trader, the operator or the owner can stop trading";
  return (
    <Button
      className="is-danger shell-stop"
      aria-label="Stop all trading"
      leftSection={<OctagonX size={14} aria-hidden />}
      disabled={why !== ""}
      title={why === "" ? "Ctrl Shift ." : why}
      onClick={() => open("stop")}
    >
      Stop<span className="not-on-phone">&nbsp;all trading</span>
    </Button>
  );
}

import { Link } from "@tanstack/react-router";
import { UserMenu } from "../session/UserMenu";
import { LookMenu } from "./LookMenu";

export function Header() {
  return (
    <header className="shell-header">
      <Link to="/" className="shell-mark">
        <img src="/favicon.svg" alt="" width={20} height={20} />
        Alphintra
      </Link>
      <div className="shell-right">
        <LookMenu />
        <UserMenu />
      </div>
    </header>
  );
}

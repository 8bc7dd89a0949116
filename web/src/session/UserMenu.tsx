import { Button, Menu } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { LogOut, User } from "lucide-react";
import { useRole } from "./session";
import { signOut } from "./signing";

export function UserMenu() {
  const role = useRole();
  const navigate = useNavigate();
  const name = role === "" ? "Account" : role.charAt(0).toUpperCase() + role.slice(1);
  const leave = async () => {
    await signOut();
    await navigate({ to: "/login", search: { next: "/" } });
  };
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Button variant="subtle" color="gray" aria-label={name} leftSection={<User size={16} aria-hidden />}>
          <span className="not-on-phone">{name}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<LogOut size={14} aria-hidden />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

import { ActionIcon, Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Bell } from "lucide-react";
import { useState } from "react";
import { answered, api } from "../api/client";
import { ago, moment } from "../format/times";

const EVERY_MS = 15_000;
const OPEN_MS = 2_000; // who looks waits for what is on its way
const SHOWN = 6;

/** What one was told and has not read. */
export function MessageBell() {
  const navigate = useNavigate();
  const [isOpen, open] = useState(false);
  const { data, refetch } = useQuery({
    queryKey: ["messages", "unread"],
    queryFn: () => answered(api.GET("/api/v1/messages", { params: { query: { unread_only: true, limit: SHOWN } } })),
    refetchInterval: isOpen ? OPEN_MS : EVERY_MS,
  });
  const unread = data?.unread ?? 0;
  const go = () => void navigate({ to: "/notifications" as string });
  return (
    <Menu position="bottom-end" width={340} transitionProps={{ duration: 0 }} opened={isOpen} onChange={open} onOpen={() => void refetch()}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={28} aria-label={`Messages, ${unread} unread`} className="shell-bell">
          <Bell size={16} />
          {unread > 0 && <span className="shell-count">{unread > 99 ? "99+" : unread}</span>}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{unread === 0 ? "Nothing unread" : `${unread} unread`}</Menu.Label>
        {data?.messages.map((one) => (
          <Menu.Item key={one.message_id} onClick={go}>
            <span className={one.severity === "info" ? "" : "warn"}>{one.title}</span>
            <span className="dim" title={moment(one.created_at)}>
              {" "}
              {ago(one.created_at, Date.now())}
            </span>
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={go}>All notifications</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

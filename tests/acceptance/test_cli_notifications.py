"""Notifications by command line: a person's channels, rules, quiet hours and inbox, and the operator's keys."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fixtures.platform import Platform


class Taking(BaseHTTPRequestHandler):
    """A webhook that answers well."""

    def do_POST(self) -> None:
        """Take a call."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library asks for it
        """Say nothing."""


def test_a_channel_is_added_tested_ruled_and_removed(private_platform: Callable[..., Platform]) -> None:
    platform = private_platform(settings='webhook_networks = "127.0.0.0/8"\n')
    person = platform.person("trader")

    def run(*words: str, status: int = 0) -> Any:  # noqa: ANN401 - JSON
        done = platform.run(*words, "--json")
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout) if status == 0 else done.stderr

    done = platform.run("login", "--email", person.email, "--password-stdin", text=person.password)
    assert done.returncode == 0, done.stderr
    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        assert run("notification", "add-webhook", "desk", url)["secret"].startswith("whsec_")
        assert "URL_FORBIDDEN" in run("notification", "add-webhook", "inside", "https://10.0.0.1/", status=2)
        assert "MAIL_NOT_SET" in run("notification", "add-email", "mail", "ada@example.org", status=2)
        assert run("notification", "test", "desk")["state"] == "delivered"
        rotated = platform.run("notification", "rotate-keys", "--json")
        assert json.loads(rotated.stdout) == {"version": 2, "rewrapped": 1}
        assert run("notification", "test", "desk")["state"] == "delivered"
    finally:
        server.shutdown()
        server.server_close()
    assert run("notification", "rule", "desk", "fills", "info")["rules"]["fills"] == "info"
    hours = run("notification", "quiet", "--from", "22:00", "--to", "07:00", "--zone", "Europe/Berlin")
    assert (hours["quiet_from"], hours["quiet_to"], hours["time_zone"]) == ("22:00", "07:00", "Europe/Berlin")
    assert run("notification", "mute", "--hours", "2")["muted_until"] is not None
    assert run("notification", "mute", "--off")["muted_until"] is None
    assert [one["purpose"] for one in run("notification", "sendings")["sendings"]] == ["test", "test"]
    assert [one["name"] for one in run("notification", "channels")["channels"]] == ["desk"]
    for command in (("list",), ("channels",), ("sendings",), ("quiet",)):
        assert platform.run("notification", *command).returncode == 0
    assert run("notification", "remove", "desk", "--yes")["status"] == "removed"
    assert run("notification", "channels")["channels"] == []

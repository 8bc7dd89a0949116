"""Reporting in a home: what the commands say and leave behind, and what a later start makes of it."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.cli import installation
from alphintra.cli.main import main
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.reporting.switch import switched
from alphintra.dataplane.reporting.timing import fill_report
from alphintra.dataplane.reporting_grants import reported
from alphintra.dataplane.server import admin_connection
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.layout import carry_reporting, record_layout
from alphintra.runtime.provision import CONTROL_FILE, ProvisionOrder
from alphintra.runtime.settings import ProcessLayout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alphintra.dataplane.server import Server

LAYOUT = reported(choose_layout(LayoutChoice(name=LayoutName.CENTRAL)))
ROLE = "alphintra_central_reporter"


@pytest.fixture
def home(private_postgres: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return a home whose services were provisioned on a server that runs, with some orders in it."""
    server = private_postgres()
    home = Home.open(tmp_path / "home")
    asyncio.run(provision(server, layout=LAYOUT, passwords=role_password(home)))
    asyncio.run(fill_report((server,), layout=LAYOUT, orders=40))
    order = ProvisionOrder(instances=(server,), layout=LAYOUT, nats_url="", port=8400, processes=ProcessLayout.DEFAULT)
    record_layout(home, LAYOUT)
    (home.run / CONTROL_FILE).write_bytes(msgspec.json.encode(order))
    tests = {name.removeprefix("ALPHINTRA_") for name in os.environ if name.startswith("ALPHINTRA_TEST_")}
    monkeypatch.setattr(installation, "_OWN", frozenset(tests))
    monkeypatch.setenv("ALPHINTRA_HOME", str(home.path))
    monkeypatch.setenv("ALPHINTRA_DATABASE_ADMIN_URL", server.admin_url)
    return home


async def create_role(server: Server) -> None:
    async with admin_connection(server) as connection:
        await connection.execute(f"create role {ROLE}")


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["db", *arguments]) == status
    shown = capsys.readouterr()
    return shown.out if status == 0 else shown.err


def test_reporting_is_turned_on_kept_used_and_turned_off(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    secret = home.secret_path(f"pg-{ROLE}")
    assert "reporting is off" in said(capsys, "reporting", "status")
    assert "error REPORTING_OFF" in said(capsys, "report", "orders", status=2)
    assert not secret.exists()

    # What an enabling leaves that is killed after its first statement: the record, and a role.
    record_layout(home, switched(LAYOUT, on=True))
    asyncio.run(create_role(provisioned_order(home).instances[0]))
    assert "reporting is on" in said(capsys, "reporting", "enable")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert all(placement.is_reported for placement in carry_reporting(home, LAYOUT)), "a later start keeps it"
    rows = json.loads(said(capsys, "report", "orders", "--all", "--json"))
    assert len(rows) == 40
    assert rows[0]["qty"] == "40.000000000"
    assert (rows[0]["status"], rows[0]["findings"], rows[0]["workflow"]) == ("denied", ["RISK_QTY_MAX"], None)
    shown = said(capsys, "report", "orders", "-n", "1")
    assert "RISK_QTY_MAX" in shown
    assert "order_denied" in shown
    assert "0 ended otherwise than declared" in said(capsys, "reporting", "status", "--probe")

    assert "reporting is off" in said(capsys, "reporting", "disable")
    assert not secret.exists()
    assert not any(placement.is_reported for placement in carry_reporting(home, LAYOUT))
    assert json.loads(said(capsys, "reporting", "status", "--json"))["roles"][0]["exists"] is False
    assert "error ID_FORMAT" in said(capsys, "report", "orders", "--account", "mine", status=2)

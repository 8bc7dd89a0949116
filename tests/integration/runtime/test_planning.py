"""`db plan` and `db apply` on a PostgreSQL of one's own, as the command line does them."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.cli import installation
from alphintra.cli.main import main
from alphintra.dataplane import server as server_module
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.home import Home
from alphintra.runtime.planning import apply_plan, given_target
from alphintra.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alphintra.dataplane.server import Server

MUTATION = "grant select on trading_schema.orders to user_service_user"


@pytest.fixture
def home_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a home that is not there yet."""
    path = tmp_path / "home"
    tests = {name.removeprefix("ALPHINTRA_") for name in os.environ if name.startswith("ALPHINTRA_TEST_")}
    monkeypatch.setattr(installation, "_OWN", frozenset(tests))
    monkeypatch.setenv("ALPHINTRA_HOME", str(path))
    return path


def asked(server: Server, database: str, sql: str) -> Any:  # noqa: ANN401 - a column may be of any type
    async def ask() -> Any:  # noqa: ANN401 - as above
        async with admin_connection(server, database=database) as connection:
            return await connection.fetchval(sql)

    return asyncio.run(ask())


def planned(server: Server, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = main(["db", "plan", "--url", server.admin_url, "--json", *options])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, found


def last_error(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize("version", [18, pytest.param(15, marks=pytest.mark.slow)])
def test_a_server_of_ones_own_is_planned_applied_and_then_equal(
    private_postgres: Callable[..., Server], home_path: Path, capsys: pytest.CaptureFixture[str], version: int
) -> None:
    server = private_postgres(version=version)
    status, found = planned(server, capsys, "--layout", "central")
    assert status == 1
    assert found["destructive"] == 0
    steps = found["instances"][0]["steps"]
    assert {"sql", "purpose", "database", "destructive"} == set(steps[0])
    assert len(found["instances"][0]["migrations"]) > 8
    assert found["instances"][0]["unmanaged"] == []
    assert not home_path.exists(), "a plan writes nothing"
    assert asked(server, "postgres", "select count(*) from pg_roles where rolname like 'trading%'") == 0
    apply = ["db", "apply", "--url", server.admin_url, "--layout", "central"]
    assert main(apply) == 2
    assert last_error(capsys).startswith("error CONFIRM_REQUIRED: ")
    assert not home_path.exists()
    assert main([*apply, "--yes"]) == 0
    assert "no difference from the declaration" in last_error(capsys)
    assert planned(server, capsys) == (0, planned(server, capsys)[1]), "the home tells the layout by now"
    assert main([*apply, "--yes"]) == 0
    assert last_error(capsys) == "nothing to do"
    assert main(["db", "apply", "--url", server.admin_url, "--layout", "hybrid", "--yes"]) == 2
    assert last_error(capsys).startswith("error LAYOUT_CHANGED: ")


@pytest.mark.slow
def test_what_takes_something_away_is_marked_and_refused_and_what_nobody_declared_is_left_alone(
    private_postgres: Callable[..., Server], home_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = private_postgres()
    apply = ["db", "apply", "--url", server.admin_url, "--yes"]
    assert main(apply) == 0
    for statement in (
        MUTATION,
        "create table trading_schema.notes (id int)",
        "alter table trading_schema.notes owner to trading_owner",
    ):
        asked(server, "alphintra_trading", statement)
    status, found = planned(server, capsys)
    assert (status, found["destructive"]) == (1, 1)
    assert found["instances"][0]["unmanaged"] == ["alphintra_trading: table trading_schema.notes is not declared"]
    assert main(["db", "plan", "--url", server.admin_url]) == 1
    assert '! REVOKE SELECT ON TABLE "trading_schema"."orders" FROM "user_service_user"' in capsys.readouterr().out
    is_there = "select has_table_privilege('user_service_user', 'trading_schema.orders', 'SELECT')"
    assert main(apply) == 2
    assert last_error(capsys).startswith("error PLAN_DESTRUCTIVE: ")
    assert asked(server, "alphintra_trading", is_there)
    target = given_target(server.admin_url, load_settings(home_path, environ={}), home=Home.existing(home_path))
    with pytest.raises(AlphintraError) as refused:  # also where it came after the plan was shown
        asyncio.run(apply_plan(target, allows_destructive=False))
    assert refused.value.code == "PLAN_DESTRUCTIVE"
    assert asked(server, "alphintra_trading", is_there)


def test_bad_input_is_one_line_status_2_and_nothing_written(
    private_postgres: Callable[..., Server],
    home_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = private_postgres()
    wrong = f"postgresql://postgres:hidden@{server.host}:{server.port}/postgres"
    for command in ("plan", "apply"):
        for url, code in (
            ("hidden", "AUDIT_URL"),
            ("postgresql://admin:hidden@127.0.0.1:1/postgres", "TOPOLOGY_CONNECT"),
            (wrong, "TOPOLOGY_CONNECT"),
        ):
            assert main(["db", command, "--url", url]) == 2, (command, url)
            line = last_error(capsys)
            assert line.startswith(f"error {code}: "), line
            assert "hidden" not in line
        assert main(["db", command, "--url", server.admin_url, "--layout", "consolidated"]) == 2
        assert last_error(capsys).startswith("error LAYOUT_NOT_ACCEPTED: ")
        assert main(["db", command, "--url", server.admin_url, "--layout", "sideways"]) == 2
        assert last_error(capsys).startswith("error USAGE: ")
    with monkeypatch.context() as patched:
        patched.setattr(server_module, "VERSION_MIN", 990000)
        assert main(["db", "plan", "--url", server.admin_url]) == 2
        assert last_error(capsys).startswith("error PG_VERSION: ")
    monkeypatch.setenv("ALPHINTRA_PLACEMENT", "isolated")
    assert main(["db", "plan", "--url", server.admin_url]) == 2
    assert last_error(capsys).startswith("error LAYOUT_INSTANCE: ")
    assert main(["db", "plan"]) == 2
    assert last_error(capsys).startswith("error HOME_MISSING: ")
    assert not home_path.exists()

"""Wrong input on a real machine: one line naming what is wrong and how to mend it, status 2, nothing written."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from typing import TYPE_CHECKING

import pytest

from alphintra.dataplane.server import admin_connection
from alphintra.runtime.home import Home
from fixtures.installation import ordinary_account

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.dataplane.server import Server
    from fixtures.installation import Installation, Outcome

STARTS = (("up",), ("up", "--detach"), ("demo",))


def refusal(outcome: Outcome) -> str:
    """Return the code of a refusal that is one line on standard error, with status 2."""
    assert outcome.status == 2, outcome.err
    assert outcome.out == ""
    told = re.fullmatch(r"error ([A-Z0-9_]+): [^\n]{20,}\n", outcome.err)
    assert told is not None, outcome.err
    return told[1]


def refused(installation: Installation, *arguments: str, **environ: str) -> tuple[str, str]:
    """Return code and text of the refusal of a command that has left the installation's folder as it was."""
    before = installation.tree()
    outcome = installation.run(*arguments, **environ)
    code = refusal(outcome)
    assert installation.tree() == before
    assert installation.living() == []
    return code, outcome.err


@pytest.fixture
def ordinary(fresh_installation: Callable[..., Installation]) -> Installation:
    """One of a user whom the file system may refuse something."""
    return fresh_installation(account=ordinary_account())


@pytest.mark.parametrize("start", STARTS, ids=" ".join)
def test_port_in_use_is_named(installation: Installation, start: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", installation.port)):
        code, text = refused(installation, *start)
    assert code == "PORT_IN_USE"
    assert str(installation.port) in text
    assert "ALPHINTRA_PORT" in text
    assert not installation.home.exists()


def test_port_of_an_embedded_server_in_use_is_named(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, text = refused(installation, "up", nats_port=str(taken.getsockname()[1]))
    assert code == "PORT_IN_USE"
    assert "ALPHINTRA_NATS_PORT" in text


@pytest.mark.parametrize("start", STARTS, ids=" ".join)
def test_file_in_place_of_the_home_is_named(installation: Installation, start: tuple[str, ...]) -> None:
    installation.home.write_text("not a folder")
    code, text = refused(installation, *start)
    assert code == "HOME_NOT_A_FOLDER"
    assert str(installation.home) in text
    assert installation.home.read_text() == "not a folder"


def test_folder_with_other_files_is_left_alone(installation: Installation) -> None:
    installation.home.mkdir()
    (installation.home / "thesis.tex").write_text("mine")
    code, text = refused(installation, "up")
    assert code == "HOME_NOT_OURS"
    assert "thesis.tex" in text


@pytest.mark.parametrize("mode", [0o000, 0o500], ids=["unreadable", "read-only"])
@pytest.mark.parametrize("is_used", [False, True], ids=["new", "used before"])
@pytest.mark.parametrize("start", STARTS, ids=" ".join)
def test_closed_home_is_named_with_the_way_out(
    ordinary: Installation, start: tuple[str, ...], *, mode: int, is_used: bool
) -> None:
    _make_home(ordinary, is_used=is_used)
    ordinary.home.chmod(mode)
    code, text = refused(ordinary, *start)
    assert code in {"HOME_UNREADABLE", "HOME_NOT_WRITABLE"}
    assert str(ordinary.home) in text
    assert ordinary.home.stat().st_mode & 0o777 == mode


def test_home_that_cannot_be_made_is_named(ordinary: Installation) -> None:
    closed = ordinary.root / "closed"
    closed.mkdir(mode=0o555)
    code, text = refused(ordinary, "up", home=str(closed / "home"))
    assert code in {"HOME_UNREADABLE", "HOME_NOT_WRITABLE"}
    assert "ALPHINTRA_HOME" in text
    assert list(closed.iterdir()) == []


def test_secret_that_others_can_read_is_named(installation: Installation) -> None:
    secret = Home.open(installation.home).secret_path("pg-risk_service_user")
    secret.write_text("x" * 43)
    secret.chmod(0o644)
    code, text = refused(installation, "up")
    assert code == "SECRET_MODE"
    assert f"chmod 600 {secret}" in text


@pytest.mark.parametrize(
    ("line", "code", "hint"),
    [
        ("prot = 8400", "CONFIG_UNKNOWN", "did you mean port"),
        ("port = 70000", "CONFIG_RANGE", "65535"),
        ('port = "8400"', "CONFIG_TYPE", "without quotes"),
        ('processes = "many"', "CONFIG_VALUE", "per-service"),
        ("port = ", "CONFIG_SYNTAX", "alphintra.toml"),
        ('database_admin_url = "postgresql://admin:hunter2@db/x"', "SECRET_INLINE", "${VARIABLE}"),
    ],
)
def test_wrong_setting_is_named_and_no_secret_shown(
    installation: Installation, line: str, code: str, hint: str
) -> None:
    Home.open(installation.home).settings_file.write_text(f"{line}\n")
    found, text = refused(installation, "up")
    assert found == code
    assert hint in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("arguments", "variables", "code"),
    [
        (("up", "--port", "0"), {}, "USAGE"),
        (("up", "--prot", "8400"), {}, "USAGE"),
        (("up", "--processes", "many"), {}, "USAGE"),
        (("upp",), {}, "USAGE"),
        (("up",), {"port": "eighty"}, "CONFIG_TYPE"),
        (("up",), {"prot": "8400"}, "CONFIG_UNKNOWN"),
        (("up",), {"home": "relative/home"}, "CONFIG_VALUE"),
        (("up",), {"crash_at": "trading.committed:soon"}, "CRASH_AT"),
        (("up",), {"database_admin_url": "mysql://root@db/x"}, "CONFIG_VALUE"),
        (("up",), {"database_admin_url": "postgresql://root:hunter2@127.0.0.1:1/x"}, "SERVER_UNREACHABLE"),
        (("up",), {"nats_url": "nats://127.0.0.1:1"}, "SERVER_UNREACHABLE"),
        (("demo",), {"database_admin_url": "postgresql://root:hunter2@127.0.0.1:1/x"}, "SERVER_UNREACHABLE"),
        (("up",), {"layout": "hybird"}, "CONFIG_VALUE"),
        (("up",), {"layout": "consolidated"}, "LAYOUT_NOT_ACCEPTED"),
        (("up",), {"layout": "hybrid", "shared_role": "true"}, "LAYOUT_ROLE"),
        (("up",), {"shared_role": "yes"}, "CONFIG_TYPE"),
        (("up",), {"placement": "spread"}, "CONFIG_VALUE"),
    ],
)
def test_wrong_flag_or_variable_is_named(
    installation: Installation, arguments: tuple[str, ...], variables: dict[str, str], code: str
) -> None:
    found, text = refused(installation, *arguments, **variables)
    assert found == code
    assert "hunter2" not in text
    assert not installation.home.exists()


@pytest.mark.parametrize(
    ("table", "code", "hint"),
    [
        ('[databases]\nalphintra_central = "alphintra_main"', "LAYOUT_NAME", "alphintra_trading"),
        ('[databases]\nalphintra_trading = "alphintra_risk"', "LAYOUT_DUPLICATE", "alphintra_risk"),
        ('[databases]\nalphintra_trading = "Trading"', "LAYOUT_NAME", "lower-case"),
        ('[schemas]\ntrading = "risk_schema"', "LAYOUT_DUPLICATE", "risk_schema"),
        ('[roles]\ntrading = "pg_monitor"', "LAYOUT_NAME", "pg_"),
        ('[roles]\ntrading = "risk_service_user"', "LAYOUT_DUPLICATE", "risk_service_user"),
        ('[instances]\nalphintra_nowhere = "far"', "LAYOUT_NAME", "alphintra_nowhere"),
        ('[admin_urls]\nmain = "postgresql://admin:hunter2@db/x"', "SECRET_INLINE", "${VARIABLE}"),
        ("[databases]\nalphintra_trading = 7", "CONFIG_TYPE", "databases.alphintra_trading"),
    ],
)
def test_wrong_layout_is_named(installation: Installation, table: str, code: str, hint: str) -> None:
    Home.open(installation.home).settings_file.write_text(f"{table}\n")
    found, text = refused(installation, "up")
    assert found == code
    assert hint in text
    assert "hunter2" not in text
    assert not (installation.home / "layout.json").exists()


@pytest.mark.parametrize(
    ("role", "password", "code"), [("operator", "wrong", "TOPOLOGY_CONNECT"), ("plain", "right", "TOPOLOGY_RIGHTS")]
)
def test_administrator_who_may_not_is_refused_before_anything_is_written(
    installation: Installation, private_postgres: Callable[..., Server], role: str, password: str, code: str
) -> None:
    server = private_postgres(samerole=False)
    asyncio.run(_make_roles(server))
    url = f"postgresql://{role}:{password}@127.0.0.1:{server.port}/postgres"
    found, text = refused(installation, "up", database_admin_url=url)
    assert found == code
    assert "ALPHINTRA_DATABASE_ADMIN_URL" in text or "CREATEROLE" in text
    assert f":{password}@" not in text
    assert not installation.home.exists()


async def _make_roles(server: Server) -> None:
    async with admin_connection(server) as connection:
        await connection.execute("create role operator login createrole createdb password 'right'")
        await connection.execute("create role plain login password 'right'")


def _make_home(installation: Installation, *, is_used: bool) -> None:
    installation.home.mkdir(mode=0o700)
    if is_used:
        (installation.home / "home.id").write_text("0123456789ab\n")
    if installation.account is not None:
        for path in (installation.home, *installation.home.iterdir()):
            os.chown(path, installation.account.uid, installation.account.gid)

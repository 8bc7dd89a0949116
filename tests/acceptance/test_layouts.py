"""The platform in other shapes: data layouts, a process per service, servers that already run, an ordinary user."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from alphintra.cli.client import ApiClient, wait_for
from alphintra.manifest import SERVICES
from alphintra.runtime.credentials import operator_token
from alphintra.runtime.home import Home
from alphintra.runtime.layout import recorded_layout
from alphintra.runtime.platform import bus_configuration
from alphintra.runtime.programs import nats_program
from fixtures.demonstration import require_sound
from fixtures.installation import free_port, ordinary_account, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alphintra.dataplane.server import Server
    from fixtures.installation import Installation

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

PRICES = "symbol,date,open,high,low,close,volume\n" + "".join(
    f"LAY,2015-01-{day:02},10.00,11.00,9.00,10.50,1000\n" for day in (5, 6, 7, 8, 9, 12, 13)
)


def test_process_per_service_serves_orders_and_knows_its_own_secrets_alone(
    fresh_installation: Callable[..., Installation],
) -> None:
    installation = fresh_installation(processes="per-service")
    started = installation.run("up", "--detach")
    assert started.status == 0, started.err
    assert set(installation.processes()) == {*SERVICES, "worker", "edge", "audit", "postgres", "nats", "provision"}
    with ApiClient(installation.base_url) as api:
        health = api.get("/health")
    assert {each["service"]: (each["status"], each["database"]) for each in health["services"]} == {
        service: ("ok", f"alphintra_{service}") for service in SERVICES
    }
    assert _buy_ten(installation) == ("filled", "10")
    assert _secrets_by_process(installation) == {
        **{service: {f"pg-{service}_service_user", f"nats-{service}.nk"} for service in SERVICES},
        "auth": {"pg-auth_service_user", "nats-auth.nk", "auth-jwt.seed"},
        "risk": {"pg-risk_service_user", "nats-risk.nk", "risk-approval.seed"},
        "broker": {"pg-broker_service_user", "nats-broker.nk", "broker-connections.keys"},
        "notification": {"pg-notification_service_user", "nats-notification.nk", "notification-channels.keys"},
        "worker": {"pg-strategy_service_user", "nats-strategy.nk"},
        "edge": {"nats-edge.nk"},
    }
    assert _secrets_in_environments(installation) == set()


def test_servers_that_already_run_are_used_with_a_role_that_is_no_superuser(
    installation: Installation, private_postgres: Callable[..., Server], outside_nats: Callable[[str], str]
) -> None:
    server = private_postgres(samerole=False)
    password = secrets.token_urlsafe(12)
    asyncio.run(_make_operator(server, password))
    demo = installation.run(
        "demo",
        "--json",
        database_admin_url=f"postgresql://operator:{password}@127.0.0.1:{server.port}/postgres",
        nats_url=outside_nats(bus_configuration(Home.open(installation.home))),
    )
    require_sound(demo)
    assert set(installation.processes()) == {"provision", "core", "relay", "worker", "audit"}
    assert list((installation.home / "postgres").iterdir()) == list((installation.home / "nats").iterdir()) == []
    assert password not in "".join(log.read_text(errors="replace") for log in (installation.home / "logs").iterdir())


@pytest.mark.parametrize(
    ("settings", "databases", "allowed"),
    [
        pytest.param({"layout": "hybrid"}, 3, 8, marks=pytest.mark.slow),
        pytest.param({"layout": "central"}, 1, 8, marks=pytest.mark.slow),
        pytest.param({"layout": "central", "shared_role": "true"}, 1, 64, marks=pytest.mark.slow),
        pytest.param({"layout": "consolidated", "accept_consolidated": "true"}, 1, 64, marks=pytest.mark.slow),
        pytest.param({"placement": "isolated"}, 8, 8, marks=pytest.mark.slow),
        pytest.param({"layout": "hybrid", "placement": "isolated"}, 3, 8, marks=pytest.mark.slow),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None,
)
def test_every_layout_runs_the_main_job_with_the_same_services(
    installation: Installation, settings: dict[str, str], databases: int, allowed: int
) -> None:
    demo = installation.run("demo", "--json", **settings)
    require_sound(demo)
    matrix = demo.document["facts"]["access"]["database"]
    assert sum(is_allowed for _, _, is_allowed in matrix) == allowed
    assert len({item["database"] for item in json.loads((installation.home / "layout.json").read_text())}) == databases


def test_a_home_is_not_started_in_another_layout(installation: Installation) -> None:
    started = installation.run("up", "--detach", "--layout", "hybrid")
    assert started.status == 0, started.err
    assert installation.run("down").status == 0
    again = installation.run("up", "--detach")  # says nothing of a layout: the home has one
    assert again.status == 0, again.err
    assert len({item.database for item in recorded_layout(Home.existing(installation.home))}) == 3
    assert installation.run("down").status == 0
    before = installation.tree()
    refused = installation.run("up", layout="central")
    assert refused.status == 2
    assert refused.err.startswith(
        "error LAYOUT_CHANGED: the data of auth lies in alphintra_platform.auth_schema on main"
    )
    assert installation.tree() == before


def test_ordinary_user_runs_everything(fresh_installation: Callable[..., Installation]) -> None:
    installation = fresh_installation(account=ordinary_account())
    require_sound(installation.run("demo", "--json"))
    owners = {path.lstat().st_uid for path in (installation.home, *installation.home.rglob("*"))}
    assert owners == {installation.root.stat().st_uid}


@pytest.fixture
def outside_nats(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Start a NATS server as an operator would who includes our configuration in their own; return its URL."""
    started: list[subprocess.Popen[bytes]] = []

    def start(included: str) -> str:
        port = free_port()
        (tmp_path / "alphintra.conf").write_text(included)
        own = f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{tmp_path}/store", sync_interval: always }}\n'
        (tmp_path / "nats.conf").write_text(own + "include ./alphintra.conf\n")
        with (tmp_path / "nats.log").open("wb") as log:
            argv = [str(nats_program(None)), "--config", str(tmp_path / "nats.conf")]
            started.append(subprocess.Popen(argv, cwd=tmp_path, stdout=log, stderr=log))  # noqa: S603 - ours
        wait_until(lambda: "Server is ready" in (tmp_path / "nats.log").read_text(), "a NATS server")
        return f"nats://127.0.0.1:{port}"

    yield start
    for process in started:
        process.terminate()
        process.wait()


async def _make_operator(server: Server, password: str) -> None:
    connection = await asyncpg.connect(server.admin_url)
    try:
        await connection.execute(f"create role operator login createrole createdb password '{password}'")
    finally:
        await connection.close()


def _buy_ten(installation: Installation) -> tuple[str, str]:
    """Let a new person buy ten shares on a replay; return how the order ended and how much of it was filled."""
    email, password = "layout@alphintra.example", secrets.token_urlsafe(12)
    with ApiClient(installation.base_url, operator_token(Home.existing(installation.home))) as operator:
        operator.post("/users", {"email": email, "password": password, "role": "trader"})
    with ApiClient(installation.base_url) as anyone:
        token = anyone.post("/auth/login", {"email": email, "password": password})["access_token"]
    with ApiClient(installation.base_url, token) as api:
        upload = api.upload("/datasets", PRICES.encode(), filename="prices.csv", source="made up")
        imported = _await_end(api, f"/imports/{upload['import_id']}")
        assert imported["status"] == "finished", imported
        feed = api.post("/feeds", {"name": "layout", "symbols": ["LAY"], "interval_ms": 0})
        wait_for("the feed", lambda: api.get(f"/feeds/{feed['feed_id']}"), lambda found: found["status"] != "preparing")
        opened = api.post("/accounts", {"name": "layout", "starting_cash": "1000", "feed_id": feed["feed_id"]})
        path = f"/accounts/{opened['account_id']}"
        wait_for("the account", lambda: api.get(path), lambda found: found["status"] == "active")
        terms = {"symbol": "LAY", "side": "buy", "qty": "10", "type": "market"}
        order = api.place({"account_id": opened["account_id"], **terms})
        order_path = f"/orders/{order['order_id']}"
        wait_for("the venue", lambda: api.get(order_path), lambda found: found["status"] != "pending_new")
        api.post(f"/feeds/{feed['feed_id']}/resume", {})
        ended = _await_end(api, order_path)
        return ended["status"], ended["filled_qty"]


def _await_end(api: ApiClient, path: str) -> Any:  # noqa: ANN401 - JSON
    over = {"finished", "failed", "filled", "rejected", "canceled", "expired"}
    return wait_for(path, lambda: api.get(path), lambda found: found["status"] in over)


def _secrets_of(installation: Installation) -> dict[str, str]:
    return {path.name: path.read_text() for path in Home.existing(installation.home).secrets.iterdir()}


def _secrets_by_process(installation: Installation) -> dict[str, set[str]]:
    """Return which secrets of the home stand in each process's credentials file, public keys aside."""
    known = {name: text for name, text in _secrets_of(installation).items() if not name.endswith(".pub")}
    found: dict[str, set[str]] = {}
    for path in (installation.home / "run").glob("credentials-*.json"):
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text()
        assert json.loads(text)["name"] == path.stem.removeprefix("credentials-")
        found[path.stem.removeprefix("credentials-")] = {name for name, value in known.items() if value in text}
    return found


def _secrets_in_environments(installation: Installation) -> set[str]:
    """Return which secrets stand in the environment or the arguments of any process of the installation."""
    seen = b"".join(
        Path(f"/proc/{pid}/{part}").read_bytes() for pid in installation.living() for part in ("environ", "cmdline")
    )
    return {name for name, value in _secrets_of(installation).items() if value.encode() in seen}

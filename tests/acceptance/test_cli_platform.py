"""Starting, looking at and stopping a platform from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from alphintra.cli.welcome import SAMPLE_FEED
from alphintra.runtime.home import Home
from fixtures.installation import COMMAND_TIMEOUT_S
from fixtures.platform import Platform

SERVICES = {"auth", "broker", "nocode", "notification", "risk", "strategy", "trading", "user"}


def test_status_tells_of_eight_healthy_services_with_their_own_databases(platform: Platform) -> None:
    shown = platform.run("status", "--json")
    assert shown.returncode == 0
    found = json.loads(shown.stdout)
    assert found["state"]["ports"]["http"] == platform.port
    assert {"postgres", "nats"} < {process["name"] for process in found["state"]["processes"]}
    services = found["health"]["services"]
    assert {each["service"]: each["database"] for each in services} == {each: f"alphintra_{each}" for each in SERVICES}
    assert {each["status"] for each in services} == {"ok"}
    assert found["memory_kib"]["supervisor"] > 0


def test_status_for_people_stays_within_100_columns(platform: Platform) -> None:
    lines = platform.run("status").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert sum("_service_user" in line for line in lines) == len(SERVICES)


def test_a_second_start_of_the_same_home_is_refused(platform: Platform) -> None:
    refused = platform.run("up", "--detach")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error ALREADY_RUNNING: ")


def test_a_port_in_use_is_one_line_and_no_platform(platform: Platform, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for options in ((), ("--detach",)):
        refused = platform.run("up", *options, environ={"ALPHINTRA_HOME": str(home)})
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"error PORT_IN_USE: port {platform.port} ")
        assert refused.stderr.count("\n") == 1
        assert not home.exists()


def test_commands_say_that_the_platform_does_not_run(platform: Platform, tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home").path
    shown = platform.run("status", environ={"ALPHINTRA_HOME": str(home)})
    assert (shown.returncode, shown.stdout) == (1, "not running; it was never started in this home\n")
    for command in (("down",), ("data", "list"), ("db", "verify"), ("db", "plan"), ("user", "list")):
        refused = platform.run(*command, environ={"ALPHINTRA_HOME": str(home)})
        assert refused.returncode == 1
        assert refused.stderr.startswith("error NOT_RUNNING: ")
        assert refused.stderr.count("\n") == 1


def test_logs_are_shown_and_unknown_ones_listed(platform: Platform) -> None:
    shown = platform.run("logs", "-n", "3")
    assert shown.returncode == 0
    assert [json.loads(line)["event"].partition(".")[0] for line in shown.stdout.splitlines()] == ["supervisor"] * 3
    refused = platform.run("logs", "nope")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error LOG_UNKNOWN: ")
    assert "postgres" in refused.stderr


def test_a_reader_that_goes_away_ends_the_command_with_141(platform: Platform) -> None:
    for command in (("db", "verify"), ("data", "list"), ("status", "--json"), ("--help",)):
        reading, writing = os.pipe()
        os.close(reading)
        argv = [sys.executable, "-m", "alphintra", *command]
        ended = subprocess.run(  # noqa: S603 - our own program
            argv,
            stdout=writing,
            stderr=subprocess.PIPE,
            env=platform.environ(),
            check=False,
            timeout=COMMAND_TIMEOUT_S,
        )
        os.close(writing)
        assert (command, ended.returncode, ended.stderr) == (command, 141, b"")


def test_the_borders_are_attacked_and_hold(platform: Platform) -> None:
    shown = platform.run("db", "verify", "--json")
    assert shown.returncode == 0
    found = json.loads(shown.stdout)
    assert found["is_isolated"]
    assert [(each["kind"], each["allowed"], each["denied"]) for each in found["matrices"]] == [
        ("database", 8, 56),
        ("bus", 8, 56),
    ]
    assert all(len(cell["probes"]) > 0 for each in found["matrices"] for cell in each["cells"])
    table = platform.run("db", "verify").stdout
    assert table.count("8 allow, 56 deny; every try ended as declared") == 2
    assert max(map(len, table.splitlines())) <= 100


def test_a_fresh_installation_differs_in_nothing_from_the_manifest(platform: Platform) -> None:
    shown = platform.run("db", "plan", "--json")
    assert shown.returncode == 0
    found = json.loads(shown.stdout)
    assert found["differences"] == 0


def test_sample_data_comes_once_and_outlives_a_kill(private_platform: Callable[..., Platform]) -> None:
    platform = private_platform("--sample")
    assert sample_of(platform) == (5, [SAMPLE_FEED])
    os.kill(supervisor_of(platform), signal.SIGKILL)
    killed = platform.run("status", "--json")
    assert killed.returncode == 1
    assert json.loads(killed.stdout)["was_killed"]
    again = platform.run("up", "--detach", "--sample")
    assert again.returncode == 0, again.stderr
    assert "/setup?token=" in again.stdout
    assert sample_of(platform) == (5, [SAMPLE_FEED])
    assert platform.run("down").returncode == 0
    assert json.loads(platform.run("status", "--json").stdout)["is_running"] is False


def test_ctrl_c_stops_in_order_and_says_so(private_platform: Callable[..., Platform]) -> None:
    platform = private_platform()
    with platform.operator() as api:
        token = api.post("/setup/token")["token"]
        api.post("/setup/owner", {"token": token, "email": "o@alphintra.example", "password": "a made-up passphrase"})
    assert platform.run("down").returncode == 0
    argv = [sys.executable, "-m", "alphintra", "up"]
    with subprocess.Popen(  # noqa: S603 - our own program
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=platform.environ(), text=True
    ) as child:
        assert child.stdout is not None
        said = [next(line for line in child.stdout if "stop with Ctrl-C" in line)]
        child.send_signal(signal.SIGINT)
        said += child.stdout.read().splitlines()
        assert child.wait(timeout=COMMAND_TIMEOUT_S) == 0
    assert said[-2:] == ["stopping in order (Ctrl-C again: at once)", "stopped"]
    assert not any("/setup" in line for line in said)


def sample_of(platform: Platform) -> tuple[int, list[str]]:
    with platform.operator() as api:
        datasets, feeds = api.get("/datasets")["datasets"], api.get("/feeds")["feeds"]
    return len(datasets), [feed["name"] for feed in feeds]


def supervisor_of(platform: Platform) -> int:
    return int(json.loads(platform.run("status", "--json").stdout)["state"]["pid"])

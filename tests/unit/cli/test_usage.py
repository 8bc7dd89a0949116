"""Wrong command lines end in one line, exit status 2 and nothing done."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from alphintra.cli.main import cli, main
from alphintra.kernel.errors import AlphintraError, Kind

Run = Callable[..., Any]

ORDER = ("order", "buy", "AAPL")
UUID = "01a2050a-1c50-72ce-a20b-ed5b75921c9e"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("stauts",), "USAGE", "Did you mean 'status'?"),
        (("up", "--prot", "8400"), "USAGE", "Did you mean '--port'?"),
        (("up", "--port", "0"), "USAGE", "1<=x<=65535"),
        (("up", "--port", "70000"), "USAGE", "1<=x<=65535"),
        (("up", "--port", "web"), "USAGE", "not a valid integer"),
        (("up", "--processes", "many"), "USAGE", "per-service"),
        (("user", "create", "--email", "a@b.example", "--role", "king"), "USAGE", "viewer"),
        (("user", "create", "--role", "trader"), "USAGE", "--email"),
        (("order", "buy"), "USAGE", "SYMBOL"),
        ((*ORDER, "-5", "--account", UUID), "QTY_NOT_POSITIVE", "-5"),
        ((*ORDER, "-.5", "--account", UUID), "QTY_NOT_POSITIVE", "-."),
        ((*ORDER, "0", "--account", UUID), "QTY_NOT_POSITIVE", "QTY"),
        ((*ORDER, "nan", "--account", UUID), "NUMBER_NOT_FINITE", "QTY"),
        ((*ORDER, "1", "--account", UUID, "--limit", "1e3"), "NUMBER_FORMAT", "--limit"),
        ((*ORDER, "1", "--account", UUID, "--tif", "ever"), "USAGE", "gtc"),
        (("backtest", "run", "--symbol", "AAPL"), "STRATEGY_SOURCE", "--workflow"),
        (("backtest", "run", "--symbol", "AAPL", "--workflow", "a", "--template", "b"), "STRATEGY_SOURCE", "one of"),
        (
            ("backtest", "run", "--symbol", "A", "--template", "b", "--start", "2011-01-01", "--end", "2010-01-01"),
            "RANGE",
            "--end",
        ),
        (("strategy", "create", "--name", "x"), "STRATEGY_SOURCE", "--template"),
        (("risk", "kill", "--reason", "x", "--yes"), "KILL_SCOPE", "never means all"),
        (("risk", "kill", "--scope", "", "--reason", "x", "--yes"), "USAGE", "--scope"),
        (("risk", "kill", "--scope", "account", "--reason", "x", "--yes"), "KILL_SCOPE", "--account"),
        (("risk", "kill", "--scope", "firm", "--account", UUID, "--reason", "x", "--yes"), "KILL_SCOPE", "firm"),
        (("risk", "limits", "set", "--account", UUID), "LIMITS_NONE", "at least one"),
        (("strategy", "stop", "it", "--yes"), "ID_FORMAT", "DEPLOYMENT"),
        (("order", "show", "it"), "ID_FORMAT", "ORDER"),
        (("backtest", "show", "it"), "ID_FORMAT", "BACKTEST"),
        (("data", "import", "absent.csv"), "FILE_NOT_FOUND", "absent.csv"),
        (("status",), "HOME_MISSING", "alphintra up"),
        (("down",), "HOME_MISSING", "alphintra up"),
        (("account", "list"), "HOME_MISSING", "alphintra up"),
    ],
)
def test_wrong_input_is_one_line_with_its_code(
    run: Run, home: Path, arguments: tuple[str, ...], code: str, said: str
) -> None:
    ended = run(*arguments)
    assert ended.status == 2
    assert ended.output == ""
    assert ended.errors.startswith(f"error {code}: ")
    assert ended.errors.count("\n") == 1
    assert said in ended.errors
    assert not home.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("risk", "kill", "--scope", "firm", "--reason", "x"),
        ("risk", "release", "--scope", "account", "--account", UUID, "--reason", "x"),
        ("strategy", "stop", UUID),
        ("user", "api-key", "revoke", "AK1"),
    ],
)
def test_what_cannot_be_taken_back_is_confirmed_and_nobody_can_be_asked_here(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    ended = run(*arguments)
    assert ended.status == 2
    assert ended.errors.startswith("error CONFIRM_REQUIRED: ")
    assert "--yes" in ended.errors


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("ALPHINTRA_PROT", "8400", "CONFIG_UNKNOWN"),
        ("ALPHINTRA_PORT", "1e3", "CONFIG_TYPE"),
        ("ALPHINTRA_PORT", "99999", "CONFIG_RANGE"),
        ("ALPHINTRA_HOME", "relative", "CONFIG_VALUE"),
        ("ALPHINTRA_PROCESSES", "no", "CONFIG_VALUE"),
    ],
)
def test_wrong_settings_are_refused_before_anything_starts(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: str
) -> None:
    monkeypatch.setenv(variable, value)
    ended = run("up")
    assert ended.status == 2
    assert ended.errors.startswith(f"error {code}: ")
    assert not home.exists()


def test_api_key_variables_are_no_misspelt_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHINTRA_API_KEY_ID", "AK")
    monkeypatch.setenv("ALPHINTRA_API_SECRET", "secret")
    assert run("status").errors.startswith("error HOME_MISSING: ")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Kind.INVALID, 2),
        (Kind.UNAUTHENTICATED, 2),
        (Kind.FORBIDDEN, 2),
        (Kind.NOT_FOUND, 2),
        (Kind.CONFLICT, 2),
        (Kind.LIMITED, 1),
        (Kind.UNAVAILABLE, 1),
        (Kind.BUG, 1),
    ],
)
def test_exit_status_tells_wrong_input_from_what_failed(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: Kind, status: int
) -> None:
    def fail(**_: object) -> int:
        raise AlphintraError("SOME_CODE", "two\nlines", kind=kind)

    monkeypatch.setattr(cli.commands["status"], "callback", fail)
    ended = run("status")
    assert ended.status == status
    assert ended.errors == "error SOME_CODE: two lines\n"


def test_an_interrupted_command_ends_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.commands["status"], "callback", interrupted)
    assert run("status").status == 130


def test_a_fault_of_ours_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> int:
        raise LookupError("lost")

    monkeypatch.setattr(cli.commands["status"], "callback", fail)
    ended = run("status")
    assert ended.status == 1
    assert ended.errors.startswith("error INTERNAL: LookupError: lost")
    assert ended.errors.count("\n") == 1


def test_a_group_without_command_shows_its_help_and_fails(run: Run) -> None:
    ended = run("order")
    assert ended.status == 2
    assert "cancel" in ended.errors


def test_help_names_every_command(run: Run) -> None:
    shown = run("--help").output
    assert [name for name in cli.commands if f"\n  {name} " not in shown] == []


def test_every_command_that_reads_speaks_json_and_every_command_explains_itself() -> None:
    reading = {"list", "show", "status", "templates", "deployments", "decisions", "verify", "plan", "demo"}
    found = dict(commands(cli, ()))
    silent = [name for name, each in found.items() if name[-1] in reading and not has_json(each)]
    unexplained = [name for name, each in found.items() if not each.help]
    assert len(found) > 35
    assert silent == []
    assert unexplained == []


def test_main_takes_the_program_s_own_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["alphintra", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("alphintra 0.")


def commands(group: click.Group, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name), command


def has_json(command: click.Command) -> bool:
    return any("--json" in option.opts for option in command.params)

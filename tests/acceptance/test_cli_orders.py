"""Groups, replacements, histories, worth and cash over the command line, on the shared platform."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.cli.client import wait_for
from alphintra.cli.main import main
from fixtures.paper import open_paper_account

if TYPE_CHECKING:
    from fixtures.platform import Person, Platform


class Shell:
    """Calls commands in this process as one person, and reads what they print."""

    def __init__(self, person: Person, capsys: pytest.CaptureFixture[str]) -> None:
        self.person = person
        self._capsys = capsys

    def text(self, *arguments: str, status: int = 0) -> str:
        """Run a command and return what it printed."""
        self._capsys.readouterr()
        ended = main(arguments)
        told = self._capsys.readouterr()
        assert ended == status, told.err
        return told.out if status == 0 else told.err

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Run a command with --json and return what it printed."""
        return json.loads(self.text(*arguments, "--json"))

    def until(self, order_id: str, status: str) -> Any:  # noqa: ANN401 - JSON
        """Wait until an order has the status."""
        path = f"/orders/{order_id}"
        return wait_for("the order", lambda: self.person.api.get(path), lambda found: found["status"] == status)


@pytest.fixture
def shell(platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    person = platform.person("trader")
    open_paper_account(person, symbol="SHELL")
    for name in [name for name in os.environ if name.startswith("ALPHINTRA_")]:
        monkeypatch.delenv(name)
    for name, value in platform.environ(**person.key).items():
        monkeypatch.setenv(name, value)
    return Shell(person, capsys)


def test_a_group_is_placed_shown_replaced_and_cancelled(shell: Shell) -> None:
    account = ("--account", "Paper")
    exits = ("--take-profit", "20", "--stop-loss", "5")
    placed = shell.json("order", "buy", "SHELL", "2", *account, "--limit", "8", "--tif", "gtc", *exits)
    assert (placed["order_class"], [leg["status"] for leg in placed["legs"]]) == ("bracket", ["held", "held"])
    shell.until(placed["order_id"], "new")
    listed = shell.json("order", "list", *account, "--status", "open")["orders"]
    assert {order["order_id"] for order in listed} == {
        placed["order_id"],
        *(leg["order_id"] for leg in placed["legs"]),
    }
    simple = shell.json("order", "buy", "SHELL", "1", *account, "--limit", "7", "--tif", "gtc", "--key", "once")
    again = shell.json("order", "buy", "SHELL", "1", *account, "--limit", "7", "--tif", "gtc", "--key", "once")
    assert again["order_id"] == simple["order_id"]
    shell.until(simple["order_id"], "new")
    replaced = shell.json("order", "replace", simple["order_id"], "--limit", "7.50", "--qty", "3")
    assert (replaced["replaces"], replaced["qty"], replaced["limit_price"]) == (simple["order_id"], "3", "7.5")
    shell.until(replaced["order_id"], "new")
    assert shell.until(simple["order_id"], "replaced")["replaced_by"] == replaced["order_id"]
    kinds = [each["kind"] for each in shell.json("order", "history", simple["order_id"])["events"]]
    assert kinds[0] == "submitted"
    assert kinds[-1] == "replaced"
    canceled = shell.json("order", "cancel-all", *account)["orders"]
    assert {order["order_id"] for order in canceled} >= {placed["order_id"], replaced["order_id"]}
    for order_id in (placed["order_id"], replaced["order_id"]):
        shell.until(order_id, "canceled")
    told = shell.text("order", "replace", replaced["order_id"], "--qty", "4", status=2)
    assert told.startswith("error ORDER_TERMINAL: ")
    assert shell.text("order", "close", *account, "--symbol", "SHELL", status=2).startswith("error POSITION_NOT_FOUND")


def test_cash_is_booked_once_and_worth_and_activities_tell_of_it(shell: Shell) -> None:
    account = ("--account", "Paper")
    for _ in range(2):
        booked = shell.json("portfolio", "cash", *account, "--key", "gift", "deposit", "250")
        assert booked["net_amount"] == "250"
    found = shell.json("portfolio", "activities", *account)["activities"]
    assert [(each["kind"], each["net_amount"]) for each in found] == [("deposit", "250")]
    worth = shell.json("portfolio", "show", *account)
    assert (worth["summary"]["cash"], worth["summary"]["equity"], worth["summary"]["profit"]) == ("1250", "1250", "0")
    assert [book["book_id"] for book in worth["books"]] == [None]
    assert shell.json("portfolio", "history", *account)["base_value"] == "1000"
    short = shell.text("portfolio", "cash", *account, "withdrawal", "9999", status=2)
    assert short.startswith("error CASH_SHORT: ")
    for command in (("portfolio", "show"), ("portfolio", "activities"), ("portfolio", "history"), ("order", "list")):
        assert max(map(len, shell.text(*command, *account).splitlines()), default=0) <= 100

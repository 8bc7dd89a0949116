"""What must be true after the demonstration, read from each service's own data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from alphintra.cli.client import wait_for
from alphintra.cli.demo.steps import STARTING_CASH, Stage, total
from alphintra.cli.fills import cash_of, signed_qty
from alphintra.dataplane.matrix import AccessMatrix
from alphintra.kernel.money import plain

__all__ = ["verify_access", "verify_books", "verify_health", "verify_messages", "verify_parity"]

SERVICES = 8
_PAGE = 1000
_MESSAGES = 200


def verify_health(stage: Stage) -> None:
    """Eight services answer, each from the database and under the role that the layout gives it."""
    health = wait_for("eight healthy services", lambda: stage.api.get("/health"), lambda found: found["status"] == "ok")
    services = health["services"]
    owner = "all services"
    stage.journal.check("services healthy", owner, expected=SERVICES, found=sum(s["status"] == "ok" for s in services))
    databases = {item.service: item.database for item in stage.layout}
    found = {s["service"]: s["database"] for s in services}
    stage.journal.check(f"{len(set(databases.values()))} databases", owner, expected=databases, found=found)
    roles = {item.service: item.service_role for item in stage.layout}
    stage.journal.check("each under its role", owner, expected=roles, found={s["service"]: s["role"] for s in services})


def verify_parity(stage: Stage, backtest: Mapping[str, Any], deployment: Mapping[str, Any]) -> None:
    """Paper trading did what the backtest said: the same fills on the same days at the same prices."""
    executions = _executions(stage, deployment["account_id"])
    own = [item for item in executions if item["book_id"] == deployment["deployment_id"]]
    paper = [_fill(item["executed_at"], item) for item in own]
    result = backtest["result"]
    report = json.loads(result) if isinstance(result, str) else result
    simulated = [_fill(item["ts"], item) for item in report["fills"]]
    stage.journal.check("paper fills equal the backtest's", "trading", expected=simulated, found=paper)
    stage.journal.check("the strategy traded", "trading", expected=True, found=bool(paper))
    current = stage.api.get(f"/deployments/{deployment['deployment_id']}")
    last = report["equity"][-1]["equity"]
    expected = plain(Decimal(str(last)))
    stage.journal.check(
        "deployment's equity equals the backtest's",
        "strategy",
        expected=expected,
        found=plain(Decimal(current["equity"])),
    )
    stage.journal.facts["fills"] = paper


def verify_books(stage: Stage, account_id: str) -> None:
    """Orders, executions, positions, cash and ledger agree, in trading, broker and risk."""
    api, journal = stage.api, stage.journal
    executions = _executions(stage, account_id)
    account = api.get(f"/accounts/{account_id}")
    positions = api.get(f"/accounts/{account_id}/positions")["positions"]
    flow = sum((cash_of(item) for item in executions), Decimal(STARTING_CASH))
    journal.check("cash = start and the sum of fills", "trading", expected=plain(flow), found=account["cash"])
    held = {
        symbol: plain(sum((signed_qty(item) for item in executions if item["symbol"] == symbol), Decimal(0)))
        for symbol in sorted({item["symbol"] for item in executions})
    }
    booked = {symbol: total([p for p in positions if p["symbol"] == symbol], "qty") for symbol in held}
    journal.check("positions = sum of fills", "trading", expected=_shown(held), found=_shown(booked))
    ledger = api.get(f"/accounts/{account_id}/ledger")
    journal.check("double entry adds up", "trading", expected="0", found=ledger["total"])
    journal.check(
        "executions are unique", "trading", expected=len(executions), found=len({e["execution_id"] for e in executions})
    )
    orders = api.get("/orders", account_id=account_id, limit=_PAGE)["orders"]
    filled = total(orders, "filled_qty")
    states = {status: sum(o["status"] == status for o in orders) for status in sorted({o["status"] for o in orders})}
    expected_states = {"canceled": 1, "denied": 2, "filled": len(executions)}
    journal.check("every order has ended as it should", "trading", expected=expected_states, found=states)
    journal.check("orders' filled quantity = executions", "trading", expected=total(executions, "qty"), found=filled)
    venue = api.get(f"/accounts/{account_id}/venue-orders", limit=_PAGE)["orders"]
    journal.check("venue filled what was booked", "broker", expected=filled, found=total(venue, "filled_qty"))
    sent = [order for order in orders if order["status"] != "denied"]
    journal.check("venue has each order once", "broker", expected=len(sent), found=len(venue))
    _verify_risk(stage, account_id, held)
    journal.facts["positions"] = [p for p in positions if Decimal(p["qty"])]
    journal.facts["account"] = account
    journal.facts["orders"] = states


def _verify_risk(stage: Stage, account_id: str, held: Mapping[str, Decimal]) -> None:
    def fetch() -> dict[str, Any]:
        found: dict[str, Any] = stage.api.get(f"/accounts/{account_id}/risk")
        return found

    def exposure(found: Mapping[str, Any]) -> dict[str, Decimal]:
        known = {item["symbol"]: plain(Decimal(item["position_qty"])) for item in found["exposures"]}
        return {symbol: known.get(symbol, Decimal(0)) for symbol in held}

    settled = wait_for(
        "risk's exposure", fetch, lambda found: exposure(found) == held and found["reserved_cash"] == "0"
    )
    stage.journal.check("exposure = positions", "risk", expected=_shown(held), found=_shown(exposure(settled)))
    stage.journal.check("nothing stays reserved", "risk", expected="0", found=settled["reserved_cash"])


def verify_messages(stage: Stage, account_id: str) -> None:
    """The user was told of every fill, every refusal and every canceled order of the account, once."""
    orders = stage.api.get("/orders", account_id=account_id, limit=_PAGE)["orders"]
    told_as = {"denied": "order_denied", "canceled": "order_canceled"}
    due = sorted(
        [("fill_booked", f"execution:{item['execution_id']}") for item in _executions(stage, account_id)]
        + [(told_as[o["status"]], f"order:{o['order_id']}") for o in orders if o["status"] in told_as]
    )
    subjects = {subject for _, subject in due}

    def fetch() -> list[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = stage.api.get("/messages", limit=_MESSAGES)["messages"]
        return [message for message in found if message["subject"] in subjects]

    messages = wait_for("the messages", fetch, lambda found: len(found) >= len(due))
    told = sorted((message["kind"], message["subject"]) for message in messages)
    for kind in ("fill_booked", "order_denied", "order_canceled"):
        expected, found = ([subject for each, subject in rows if each == kind] for rows in (due, told))
        stage.journal.check(f"one message for each {kind}", "notification", expected=expected, found=found)
    stage.journal.facts["message"] = next((m["body"] for m in messages if m["kind"] == "fill_booked"), "")


def verify_access(stage: Stage, databases: AccessMatrix, bus: AccessMatrix) -> None:
    """Every credential was tried on everything: what the layout keeps apart was refused, and nothing drifted."""
    journal = stage.journal
    shared = sum(user.shares_role_with(target) for user in stage.layout for target in stage.layout)
    for matrix, allowed in ((databases, shared), (bus, SERVICES)):
        owner = f"{matrix.kind} probes"
        journal.check("allowed pairs", owner, expected=allowed, found=matrix.allowed_count)
        journal.check("denied pairs", owner, expected=SERVICES**2 - allowed, found=matrix.denied_count)
        journal.check("faults", owner, expected=(), found=matrix.faults)
    journal.facts["access"] = {
        matrix.kind: [[cell.user, cell.target, cell.is_allowed] for cell in matrix.cells] for matrix in (databases, bus)
    }


def _executions(stage: Stage, account_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.api.get(f"/accounts/{account_id}/executions", limit=_PAGE)["executions"]
    return found


def _shown(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{qty:f} {symbol}" for symbol, qty in sorted(amounts.items()))


def _fill(ts: str, item: Mapping[str, Any]) -> tuple[str, str, str, str]:
    qty, price = plain(Decimal(str(item["qty"]))), plain(Decimal(str(item["price"])))
    return ts[:10], item["side"], str(qty), str(price)

"""The summary of the demonstration, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from alphintra.cli.demo.journal import Check, Journal

__all__ = ["print_summary"]

WIDTH_MAX = 110
TEXT_MAX = 30


def print_summary(journal: Journal) -> None:
    """Print what was done, what was checked and the verdict."""
    console = Console(highlight=False, width=min(Console().width, WIDTH_MAX))
    facts = journal.facts
    console.print()
    _print_trading(console, facts)
    _print_access(console, facts.get("access", {}))
    _print_checks(console, journal.checks)
    verdict = "[green]every step verified[/]" if journal.is_ok else "[red]NOT everything is as expected[/]"
    console.print(f"{len(journal.checks)} checks, {verdict}, {facts.get('seconds')} s")


def _print_trading(console: Console, facts: Mapping[str, Any]) -> None:
    metrics = facts.get("backtest", {})
    table = Table(
        title="Backtest and paper trading (EMA 20/50 crossover, AAPL, replayed real prices)", title_justify="left"
    )
    for column in ("day", "side", "shares", "price"):
        table.add_column(column, justify="right" if column in {"shares", "price"} else "left")
    for day, side, qty, price in facts.get("fills", ()):
        table.add_row(day, side, qty, price)
    console.print(table)
    account = facts.get("account", {})
    lines = (
        ("backtest return", _percent(metrics.get("total_return"))),
        ("backtest Sharpe ratio", _number(metrics.get("sharpe"))),
        ("backtest maximum drawdown", _percent(metrics.get("max_drawdown"), sign="")),
        ("paper cash", f"{_money(account.get('cash'))} {account.get('currency', '')}"),
        ("paper realised profit", _money(account.get("realized_pnl"))),
        (
            "open positions",
            ", ".join(f"{p['qty']} {p['symbol']} at {p['avg_price']}" for p in facts.get("positions", ())),
        ),
        ("orders by state", ", ".join(f"{count} {state}" for state, count in facts.get("orders", {}).items())),
        ("refused order", "{code}: {reason}".format(**facts.get("refused", {"code": "-", "reason": "-"}))),
        ("a notification", facts.get("message", "")),
    )
    for name, text in lines:
        console.print(f"  [bold]{name:<26}[/] {text}")
    console.print()


def _print_access(console: Console, access: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    for kind, cells in access.items():
        names = sorted({cell[0] for cell in cells})
        allowed = {(user, target) for user, target, is_allowed in cells if is_allowed}
        table = _table(f"Access just probed, {kind}: credential of the row, {kind} of the column")
        table.add_column("")
        for name in names:
            table.add_column(name[:8], justify="center")
        for user in names:
            marks = ["[green]allow[/]" if (user, target) in allowed else "deny" for target in names]
            table.add_row(user, *marks)
        console.print(table)


def _print_checks(console: Console, checks: Sequence[Check]) -> None:
    table = _table("Checks, each in the owning service's data")
    table.add_column("", no_wrap=True)
    table.add_column("what", no_wrap=True, overflow="ellipsis")
    table.add_column("owner", no_wrap=True)
    table.add_column("found", no_wrap=True, overflow="ellipsis")
    for check in checks:
        mark = "[green]ok[/]" if check.is_ok else "[red]NO[/]"
        table.add_row(mark, check.what, check.owner, escape(check.found[:TEXT_MAX]))
    console.print(table)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _percent(value: float | None, *, sign: str = "+") -> str:
    return "-" if value is None else f"{value:{sign}.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _money(value: str | None) -> str:
    return "-" if value is None else f"{Decimal(value):,.2f}"

"""The risk of a book on a terminal: figures in tables, what they mean in sentences, and what could not be measured."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_fields, print_json, print_table

__all__ = ["report", "sentences"]

_METHODS = {
    "historical": "historical",
    "parametric": "parametric (normal)",
    "cornish_fisher": "parametric (Cornish-Fisher)",
    "monte_carlo": "Monte Carlo",
}


@click.command("report")
@click.option("--account", required=True, help="Account, by id or, of the person logged in, by name.")
@click.option("--benchmark", default="", help="Symbol of the account's feed that beta is taken against.")
@click.option("--keep", is_flag=True, help="Keep the report, beside those kept every hour.")
@AS_JSON
def report(*, account: str, benchmark: str, keep: bool, as_json: bool) -> int:
    """Measure an account's book: exposure, value at risk, drawdown, concentration, beta, stress."""
    from alphintra.cli import naming, session

    with session.anyone() as api:
        ident = naming.account_id(api, account)
        found = api.get("/risk/report", account_id=ident, benchmark=benchmark or None)
        kept = api.post("/risk/reports", {"account_id": ident}) if keep else None
    if as_json:
        print_json(found)
        return 0
    _print(found)
    if kept is not None:
        click.echo(f"\nkept as {kept['metric_id']}")
    return 0


def sentences(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield in plain words what the figures of a report mean; what is not there, nothing is said of."""
    tails = {(one["method"], one["confidence"]): one for one in found["tails"]}
    worst = tails.get(("historical", "0.99")) or tails.get(("historical", "0.95"))
    if worst is not None:
        days = "hundred" if worst["confidence"] == "0.99" else "twenty"
        yield (
            f"On the worst day in {days} this book would have lost {amount(worst['var'])} or more, and "
            f"{amount(worst['es'])} on average of such days."
        )
    if found["leverage"] is not None:
        yield f"It moves {amount(found['leverage'])} of price for each unit of equity."
    if found["effective_positions"] is not None:
        yield f"It is as concentrated as {amount(found['effective_positions'])} equal positions."
    fallen = found["drawdown"]
    if fallen is not None:
        now, ever = _percent(fallen["current"]), _percent(fallen["deepest"])
        yield f"Equity is {now} below its peak; at its worst it was {ever} below one."
    if found["beta"] is not None:
        yield f"When {found['benchmark']} moves by 1 %, each unit held moves by {amount(found['beta'])} %."
    tried = found["backtest"]
    if tried is not None:
        verdict = "is not borne out: read it with care" if tried["is_rejected"] else "is borne out"
        yield (
            f"Its 99 % value at risk was exceeded on {tried['exceptions']} of {tried['days']} past days, "
            f"{amount(tried['expected'])} were to be expected: it {verdict}."
        )


def _print(found: Mapping[str, Any]) -> None:
    print_fields(
        {
            "account": found["account_id"],
            "newest mark (UTC)": moment(found["as_of"]),
            "cash": amount(found["cash"]),
            "equity": amount(found["equity"]),
            "gross exposure": amount(found["gross"]),
            "net exposure": amount(found["net"]),
            "days of history": found["history_days"],
        }
    )
    _table(
        "Positions",
        ("symbol", "class", "quantity", "price", "value", "share"),
        [
            (
                one["symbol"],
                one["asset_class"],
                amount(one["qty"]),
                amount(one["price"]),
                amount(one["value"]),
                _percent(one["share"]),
            )
            for one in found["symbols"]
        ],
    )
    for title, groups in (("Asset classes", found["classes"]), ("Books", found["books"])):
        _table(
            title,
            ("name", "gross", "net"),
            [(one["name"], amount(one["gross"]), amount(one["net"])) for one in groups],
        )
    _table(
        "Loss of one day",
        ("method", "confidence", "value at risk", "expected shortfall"),
        [
            (_METHODS[one["method"]], _percent(one["confidence"]), amount(one["var"]), amount(one["es"]))
            for one in found["tails"]
        ],
    )
    _table(
        "Stress",
        ("scenario", "profit or loss", "of equity", "as"),
        [(one["name"], amount(one["pnl"]), _percent(one["share"]), one["source"]) for one in found["stress"]],
    )
    said = [*sentences(found), *(f"Not measured ({one['code']}): {one['detail']}." for one in found["missing"])]
    if said:
        click.echo("\n" + "\n".join(said))


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        click.echo()
        print_table(columns, rows, title=title)


def _percent(text: str | None) -> str:
    return "" if text is None else f"{Decimal(text) * 100:.2f} %".replace(".00 %", " %")

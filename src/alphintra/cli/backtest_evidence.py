"""What a backtest is worth as evidence: whether it comes to the same again, and whether it is to be believed."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from textwrap import fill

import click

from alphintra.cli.backtests import await_backtest, backtest
from alphintra.cli.output import AS_JSON, WIDTH_MAX, print_fields, print_json, print_table
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]


@backtest.command("repeat")
@click.argument("backtest")
@AS_JSON
def repeat(*, backtest: str, as_json: bool) -> int:
    """Run a finished BACKTEST again and say whether it comes to the same; status 1 where it does not.

    Strategy, bars, range, terms and limits are those of then; the engine is that of now.
    """
    from alphintra.cli import naming, session

    ident = naming.as_uuid(backtest, pointer="BACKTEST")
    with session.person() as api:
        started = api.post(f"/backtests/{ident}/repeat")
        ended = await_backtest(api, started["backtest_id"], f"backtesting {started['symbol']} again")
        if ended["status"] != "finished":
            detail = ended["error"] or f"the repetition is {ended['status']}"
            raise AlphintraError(ended["error_code"] or "BACKTEST_CANCELED", detail)
        found = api.get(f"/backtests/{ident}/compare/{ended['backtest_id']}")
    if as_json:
        print_json({**found, "backtest_id": ident, "repeated_as": ended["backtest_id"]})
        return 0 if found["is_equal"] else 1
    print_fields(
        {
            "backtest": ident,
            "repeated as": ended["backtest_id"],
            "the same run": "yes" if found["is_same_run"] else "no",
            "the same result": f"yes, {ended['result_hash']}" if found["is_equal"] else "no",
        }
    )
    for sentence in found["differences"]:
        click.echo(fill(sentence, WIDTH_MAX, subsequent_indent="  "))
    return 0 if found["is_equal"] else 1


@backtest.command("verdict")
@click.argument("backtest")
@AS_JSON
def verdict(*, backtest: str, as_json: bool) -> int:
    """Judge a finished BACKTEST by every run of its strategy: green, amber or red, and why."""
    from alphintra.cli import naming, session

    ident = naming.as_uuid(backtest, pointer="BACKTEST")
    with session.person() as api:
        found = api.get(f"/backtests/{ident}/verdict")
    if as_json:
        print_json(found)
        return 0
    deflated = found["deflated_sharpe"]
    print_fields(
        {
            "backtest": found["backtest_id"],
            "verdict": found["colour"],
            "different runs": found["trials"],
            "Sharpe ratio a day that luck alone would show": f"{found['expected_best']:.4f}",
            "deflated Sharpe ratio": "-" if deflated is None else f"{deflated:.3f}",
            "looks at locked bars": found["unlocks"],
        }
    )
    print_table(("what", "colour", "why"), [(each["code"], each["colour"], each["text"]) for each in found["reasons"]])
    return 0


COMMANDS: tuple[click.Command, ...] = (backtest,)  # the same group, with what this module adds to it

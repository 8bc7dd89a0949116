"""What holds for more than one account: credit of a user or the firm, and the specifications of symbols."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from typing import Any

import click

from alphintra.cli.output import AS_JSON, amount, moment, print_fields, print_json
from alphintra.cli.parameters import DAY, POSITIVE, SYMBOL
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]

_TERMS = (
    "tick",
    "lot",
    "qty_min",
    "qty_max",
    "multiplier",
    "expires_at",
    "sector",
    "asset_class",
    "collar_pct",
    "collar_abs",
    "is_shortable",
    "is_halted",
)
_LIFTED = {"sector": "", "asset_class": "", "multiplier": None, "is_shortable": True, "is_halted": False}


_SHARED = {"credit_max": "credit, most", "four_eyes_above": "two people above"}
_USER = click.option(
    "--user", type=click.UUID, help="Person whose accounts share the credit; without it the firm is meant."
)


@click.group("shared")
def shared() -> None:
    """What the accounts of a user, or of the firm, share: credit, and when limits take two people."""


@shared.command("show")
@_USER
@AS_JSON
def show_shared(*, user: Any, as_json: bool) -> int:  # noqa: ANN401 - a UUID
    """Show the shared limits in force."""
    from alphintra.cli import session

    with session.operator() as api:
        found = api.get("/risk/shared-limits", owner_id=user)
    _print_shared(found, as_json=as_json)
    return 0


@shared.command("set")
@_USER
@click.option("--credit-max", type=POSITIVE, help="Most money at stake in positions and open orders of all of them.")
@click.option("--four-eyes-above", type=POSITIVE, help="Order amount above which wider limits take two people.")
@click.option("--credit-warn-pct", type=POSITIVE, help="Share of the credit to be warned at, percent.")
@click.option("--without", multiple=True, type=click.Choice(list(_SHARED)), help="Take one of these off again.")
@AS_JSON
def set_shared(*, user: Any, without: tuple[str, ...], as_json: bool, **chosen: str | None) -> int:  # noqa: ANN401 - a UUID
    """Set shared limits; what is not named stays, and what changes is told."""
    from alphintra.cli import session

    named: dict[str, str | None] = {name: value for name, value in chosen.items() if value is not None}
    if not named and not without:
        raise AlphintraError("SHARED_LIMITS_NONE", "name at least one limit, such as --credit-max 100000")
    if both := sorted(named.keys() & set(without)):
        option = f"--{both[0].replace('_', '-')}"
        raise AlphintraError("SHARED_LIMITS_BOTH", f"{both[0]} is both set and taken off", pointer=option)
    with session.operator() as api:
        try:
            kept = api.get("/risk/shared-limits", owner_id=user)
        except AlphintraError as error:
            if error.code != "SHARED_LIMIT_NOT_FOUND":
                raise
            kept = {**dict.fromkeys(_SHARED), "credit_warn_pct": "80", "version": 0}
        wanted = {name: kept[name] for name in (*_SHARED, "credit_warn_pct")} | named | dict.fromkeys(without)
        whose = {"scope": "firm"} if user is None else {"scope": "user", "owner_id": str(user)}
        found = api.put("/risk/shared-limits", {**whose, **wanted, "base_version": kept["version"]})
    _print_shared(found, as_json=as_json)
    if not as_json:
        for name, told in _SHARED.items():
            before, after = _or_none(kept[name]), _or_none(found[name])
            click.echo(f"{told}: {before} -> {after}" if before != after else f"{told}: stays {after}")
    return 0


def _print_shared(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "scope": "firm" if found["owner_id"] is None else f"user {found['owner_id']}",
            "version": found["version"],
            **{told: _or_none(found[name]) for name, told in _SHARED.items()},
            "warned at, percent": amount(found["credit_warn_pct"]),
            "set by": found["set_by"],
            "set (UTC)": moment(found["set_at"]),
        }
    )


@click.group("instruments")
def instruments() -> None:
    """Specifications of symbols: tick, lot, quantities, collar, class, halts."""


@instruments.command("show")
@click.argument("symbol", type=SYMBOL)
@AS_JSON
def show_instrument(*, symbol: str, as_json: bool) -> int:
    """Show the specification of a symbol in force."""
    from alphintra.cli import session

    with session.anyone() as api:
        _print(api.get(f"/risk/instruments/{symbol}"), as_json=as_json)
    return 0


@instruments.command("set")
@click.argument("symbol", type=SYMBOL)
@click.option("--tick", type=POSITIVE, help="Step of prices.")
@click.option("--lot", type=POSITIVE, help="Step of quantities.")
@click.option("--qty-min", type=POSITIVE, help="Least quantity of an order.")
@click.option("--qty-max", type=POSITIVE, help="Most quantity of an order.")
@click.option("--multiplier", type=POSITIVE, help="What one unit is worth in units of the price.")
@click.option("--expires-at", type=DAY, help="From when on it is not traded any more.")
@click.option("--sector", help="Class for limits of exposure.")
@click.option("--asset-class", help="Another class for them.")
@click.option("--collar-pct", type=POSITIVE, help="How far limit prices may lie from the market, percent.")
@click.option("--collar-abs", type=POSITIVE, help="The same in price units.")
@click.option("--shortable/--not-shortable", "is_shortable", default=None, help="Whether it can be borrowed.")
@click.option("--halted/--not-halted", "is_halted", default=None, help="Whether trading in it is halted.")
@click.option("--without", multiple=True, type=click.Choice(_TERMS), help="Take one of these off again.")
@AS_JSON
def set_instrument(*, symbol: str, without: tuple[str, ...], as_json: bool, **chosen: Any) -> int:  # noqa: ANN401 - any term
    """Put a specification into force from the next order on; what is not named stays."""
    from alphintra.cli import session

    named = {name: value for name, value in chosen.items() if value is not None}
    if not named and not without:
        raise AlphintraError("INSTRUMENT_NONE", "name at least one term, such as --tick 0.01")
    with session.operator() as api:
        try:
            kept = api.get(f"/risk/instruments/{symbol}")
        except AlphintraError as error:
            if error.code != "INSTRUMENT_NOT_FOUND":
                raise
            kept = {}
        body = {name: kept[name] for name in _TERMS if name in kept} | named
        body |= {name: _LIFTED.get(name) for name in without}
        _print(api.put(f"/risk/instruments/{symbol}", body), as_json=as_json)
    return 0


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    terms = {name: found[name] for name in _TERMS if found[name] not in (None, "")}
    print_fields({"symbol": found["symbol"], "version": found["version"], **terms})


def _or_none(value: str | None) -> str:
    return "not limited" if value is None else str(amount(value))


COMMANDS: tuple[click.Command, ...] = (shared, instruments)

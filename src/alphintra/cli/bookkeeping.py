"""Do the books of an account add up? Worked out anew from what the API shows, not by the code that keeps them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alphintra.cli.fills import signed_qty

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Books", "Rule", "rules"]

_ZERO: Final = Decimal(0)
_SIDES: Final = (("buy", "reserved_buy_qty"), ("sell", "reserved_sell_qty"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the API shows of one account, each as answered.

    Attributes:
        account: the account.
        activities: all of them, executions among them.
        positions: by book and symbol.
        lots: those that are open.
        books: the books, the unassigned rest among them.
        ledger_total: the sum over all its ledger entries.
        open_orders: its orders that have not ended.
        risk: what risk holds for it.
    """

    account: Mapping[str, Any]
    activities: Sequence[Mapping[str, Any]]
    positions: Sequence[Mapping[str, Any]]
    lots: Sequence[Mapping[str, Any]]
    books: Sequence[Mapping[str, Any]]
    ledger_total: Decimal
    open_orders: Sequence[Mapping[str, Any]]
    risk: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold, and what breaks it; nothing if it holds."""

    name: str
    broken: tuple[str, ...]


def rules(books: Books) -> tuple[Rule, ...]:
    """Return every rule with what breaks it."""
    held = _by_symbol(books.positions)
    return (
        Rule("ledger adds up to zero", _unequal("ledger", "its entries", books.ledger_total, "they make", _ZERO)),
        Rule("cash = start and all activities", _cash(books)),
        Rule("cash of the books = cash", _cash_of_books(books)),
        Rule("position = fills and splits", _differences("fills and splits make", _moved(books.activities), held)),
        Rule("position = open lots", _lots(books)),
        Rule("risk's position = position", _differences("risk has", _risk_positions(books), held)),
        Rule("reservations = open orders", _reservations(books)),
    )


def _unequal(what: str, source: str, found: Decimal, verb: str, wanted: Decimal) -> tuple[str, ...]:
    return () if found == wanted else (f"{what}: {source} say {found:f}, {verb} {wanted:f}",)


def _cash(books: Books) -> tuple[str, ...]:
    start = Decimal(books.account["starting_cash"])
    flow = sum((Decimal(each["net_amount"]) for each in books.activities), start)
    return _unequal("cash", "the account", Decimal(books.account["cash"]), "start and activities make", flow)


def _cash_of_books(books: Books) -> tuple[str, ...]:
    in_books = sum((Decimal(each["cash"]) for each in books.books), _ZERO)
    return _unequal("cash", "the account", Decimal(books.account["cash"]), "its books have", in_books)


def _moved(activities: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Return what fills and splits make of each symbol; a transfer moves between books of the same account."""
    moved: dict[str, Decimal] = {}
    for each in activities:
        change = signed_qty(each) if each["kind"] == "fill" else Decimal(each["qty"])
        if each["kind"] in {"fill", "split"}:
            moved[each["symbol"]] = moved.get(each["symbol"], _ZERO) + change
    return moved


def _by_symbol(rows: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in rows:
        found[each["symbol"]] = found.get(each["symbol"], _ZERO) + Decimal(each["qty"])
    return found


def _lots(books: Books) -> tuple[str, ...]:
    def by_place(rows: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
        return _by_symbol(
            {"symbol": f"{each['symbol']} of book {each['book_id'] or 'unassigned'}", "qty": each["qty"]}
            for each in rows
        )

    return _differences("its lots make", by_place(books.lots), by_place(books.positions))


def _risk_positions(books: Books) -> dict[str, Decimal]:
    return {each["symbol"]: Decimal(each["position_qty"]) for each in books.risk["exposures"]}


def _differences(said: str, found: Mapping[str, Decimal], held: Mapping[str, Decimal]) -> tuple[str, ...]:
    return tuple(
        f"{symbol}: {said} {found.get(symbol, _ZERO):f}, the position is {held.get(symbol, _ZERO):f}"
        for symbol in sorted(found.keys() | held.keys())
        if found.get(symbol, _ZERO) != held.get(symbol, _ZERO)
    )


def _reservations(books: Books) -> tuple[str, ...]:
    """Compare what risk holds back with what is open.

    To the last share where all orders of a symbol and side are plain ones for a quantity; orders for an amount of
    money, exits and replacements hold back the worst case, of which only whether there is one is compared.
    """
    broken = []
    for exposure in books.risk["exposures"]:
        for side, field in _SIDES:
            reserved = Decimal(exposure[field])
            own = [each for each in books.open_orders if (each["symbol"], each["side"]) == (exposure["symbol"], side)]
            where = f"{side} {exposure['symbol']}"
            if not own and reserved:
                broken.append(f"{where}: {reserved:f} is held back and nothing is open")
            elif own and all(_is_plain(each) for each in own):
                left = sum((Decimal(each["qty"]) - Decimal(each["filled_qty"]) for each in own), _ZERO)
                broken += _unequal(where, "reservations", reserved, "open orders have left", left)
    cash = Decimal(books.risk["reserved_cash"])
    if cash and not books.open_orders:
        broken.append(f"cash: {cash:f} is held back and nothing is open")
    known = {each["symbol"] for each in books.risk["exposures"]}
    broken += [
        f"{each['side']} {each['symbol']}: order {each['order_id']} is open and nothing is held back"
        for each in books.open_orders
        if each["symbol"] not in known and _is_plain(each)
    ]
    return tuple(broken)


def _is_plain(order: Mapping[str, Any]) -> bool:
    is_whole = order["qty"] is not None and order["order_class"] == "simple" and not order["reduce_only"]
    return is_whole and order["replaces"] is None and order["replaced_by"] is None

"""What a strategy written in Python is: the protocol that a package's entry point keeps (docs/python-strategies.md).

An algorithm is told one closed bar at a time, with what it holds, and answers with at most one order. All it may
remember lies in ``state``, which is plain data: whoever stops between two bars goes on exactly there. It reads no
clock and draws no chance but from ``Moment.seed``; the same bars then bring the same orders everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any, ClassVar, Final, Protocol

import msgspec

from alphintra.engine.graph.nodes.orders import PARAMETERS_MAX
from alphintra.engine.graph.params import ParamKind, ParamSpec, is_text_clean, normalise
from alphintra.engine.graph.wire import ParamValue
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side

__all__ = [
    "ENTRY_POINTS",
    "OWN_PARAMETERS",
    "Algorithm",
    "Answer",
    "MarketOrder",
    "Moment",
    "ParamKind",
    "Parameter",
    "Side",
    "bound",
    "require_answer",
]

ENTRY_POINTS: Final = "alphintra.strategies"
"""Group of entry points in which packages name their algorithms."""
OWN_PARAMETERS: Final = ("algorithm", "package", "release", "content_hash", "warm_up", "seed")
"""Parameters of the node that stands for an algorithm; its own have other names."""
VALUES_MAX: Final = 64
_NAME_CHARS: Final = 64
_DIGITS: Final = 9
_HUNDRED: Final = Decimal(100)
_WIDE: Final = Context(prec=60)

Parameter = ParamSpec
"""A parameter: name, kind, default, range or choices, and one sentence. Decimals are written as text."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A close, and the strategy's book as of it.

    Args:
        symbol: traded.
        ts: when the bar closed, aware UTC.
        open: first price of the bar, split-adjusted.
        high: its highest price.
        low: its lowest price.
        close: its last price.
        volume: traded quantity.
        qty: what is held, below zero for a short position; fills of this bar included.
        avg_price: weighted-average price it was entered at, zero when flat.
        cash: free.
        equity: cash plus the position at this close.
        is_order_working: whether an order still waits; what is asked for meanwhile is not placed.
        is_warming_up: whether the bar is shown for its numbers only; what is asked for is not placed.
        bars_seen: bars shown before this one.
        seed: whole number that follows from the strategy's seed and the bar; the only source of chance.
    """

    symbol: str
    ts: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    qty: Decimal
    avg_price: Decimal
    cash: Decimal
    equity: Decimal
    is_order_working: bool
    is_warming_up: bool
    bars_seen: int
    seed: int

    def lots(self, percent: Decimal, *, lot: Decimal = Decimal(1)) -> Decimal:
        """Return whole lots worth so many percent of equity at this close, rounded down."""
        budget = _WIDE.divide(_WIDE.multiply(max(self.equity, Decimal(0)), percent), _HUNDRED)
        return _WIDE.divide(budget, _WIDE.multiply(self.close, lot)).to_integral_value(rounding=ROUND_FLOOR) * lot


class MarketOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order for the next bar's open.

    Exits come with an order that opens a position from flat: they work from its fill on, and the first that executes
    ends the others. Such a position is closed whole or not at all.

    Args:
        side: buy or sell.
        qty: above zero, at most nine decimals.
        tag: label on the order and its trade, at most 64 characters.
        stop_price: closes the position where the price goes against it.
        trail_percent: as a stop that follows the best price, in percent of it; not together with ``stop_price``.
        take_profit: closes the position with a profit.
    """

    side: Side
    qty: Decimal
    tag: str = ""
    stop_price: Decimal | None = None
    trail_percent: Decimal | None = None
    take_profit: Decimal | None = None

    @property
    def has_exits(self) -> bool:
        """Tell whether exits come with it."""
        return not (self.stop_price is self.trail_percent is self.take_profit is None)


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an algorithm makes of a close.

    Args:
        order: what it asks for.
        values: what it saw, by name: numbers, truths, or None for unknown. They stand in the record of the bar, where
            people read why it traded or did not.
    """

    order: MarketOrder | None = None
    values: dict[str, float | bool | None] = {}


class Algorithm(Protocol):
    """What an entry point in the group ``alphintra.strategies`` names: a class.

    It is made anew for every bar, so that nothing but ``state`` is remembered.
    """

    parameters: ClassVar[tuple[ParamSpec, ...]]
    """What a person may set, each with a default."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Take the parameters: int, float, Decimal, bool or str, by kind."""

    def warm_up(self) -> int:
        """Return how many bars it must have seen before it may order."""

    def begin(self) -> dict[str, Any]:
        """Return the state before the first bar: dictionaries with text as keys, lists, texts, numbers, truths."""

    def on_bar(self, moment: Moment, state: dict[str, Any]) -> Answer | None:
        """Change ``state``, and answer; None asks for nothing."""


def bound(specs: tuple[ParamSpec, ...], params: Mapping[str, ParamValue]) -> dict[str, Any]:
    """Return the values an algorithm is made with.

    Raises:
        AlphintraError: ALGORITHM_PARAMETER for one that is not declared, is missing or lies outside of its range.
    """
    names = [spec.name for spec in specs]
    unsuited = [name for name in names if name in OWN_PARAMETERS or names.count(name) > 1]
    if unsuited or len(names) > PARAMETERS_MAX or any(spec.default is None for spec in specs):
        message = (
            f"the algorithm declares {', '.join(names)[:200]}: at most {PARAMETERS_MAX} names, each once and with a "
            f"default, and none of {', '.join(OWN_PARAMETERS)}"
        )
        raise AlphintraError("ALGORITHM_PARAMETER", message)
    unknown = sorted(set(params) - set(names))
    if unknown:
        message = f"the algorithm has no parameter {unknown[0][:64]!r}; it has {', '.join(sorted(names)) or 'none'}"
        raise AlphintraError("ALGORITHM_PARAMETER", message)
    try:
        return {spec.name: _value(spec, params) for spec in specs}
    except AlphintraError as error:
        raise AlphintraError("ALGORITHM_PARAMETER", error.detail) from error


def require_answer(answer: Answer) -> Answer:
    """Check what an algorithm answers. Raises ALGORITHM_ANSWER."""
    if len(answer.values) > VALUES_MAX:
        raise _bad_answer(f"it shows {len(answer.values)} values, at most {VALUES_MAX} are kept")
    for name, value in answer.values.items():
        if not 0 < len(name) <= _NAME_CHARS or not is_text_clean(name):
            raise _bad_answer(f"a value is called {name[:_NAME_CHARS]!r}: use 1 to {_NAME_CHARS} printable characters")
        if isinstance(value, float) and not math.isfinite(value):
            raise _bad_answer(f"the value {name} is {value}: answer None for what is unknown")
    if answer.order is not None:
        _require_order(answer.order)
    return answer


def _require_order(order: MarketOrder) -> None:
    amounts = {
        "qty": order.qty,
        "stop_price": order.stop_price,
        "trail_percent": order.trail_percent,
        "take_profit": order.take_profit,
    }
    for name, amount in amounts.items():
        if amount is None:
            continue
        exponent = amount.as_tuple().exponent
        if not isinstance(exponent, int) or amount <= 0 or exponent < -_DIGITS:
            raise _bad_answer(f"{name} is {amount}: it must be above zero, with at most {_DIGITS} decimals")
    if order.stop_price is not None and order.trail_percent is not None:
        raise _bad_answer("an order brings one stop: set stop_price or trail_percent")
    if order.trail_percent is not None and order.trail_percent >= _HUNDRED:
        raise _bad_answer(f"trail_percent is {order.trail_percent}: it must be below 100")
    if len(order.tag) > _NAME_CHARS or not is_text_clean(order.tag):
        raise _bad_answer(f"the tag must have at most {_NAME_CHARS} printable characters")


def _value(spec: ParamSpec, params: Mapping[str, ParamValue]) -> Any:  # noqa: ANN401 - what its kind says
    value = normalise(spec, params)
    return Decimal(str(value)) if spec.kind is ParamKind.DECIMAL else value


def _bad_answer(what: str) -> AlphintraError:
    return AlphintraError("ALGORITHM_ANSWER", f"the algorithm's answer cannot be used: {what}")

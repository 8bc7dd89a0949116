"""Corporate actions in Alpaca's terms: the splits the catalogue's bars are adjusted for, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.strategy import DatasetView
from alphintra.edge.alpaca.desk import desk_of
from alphintra.edge.alpaca.errors import refused
from alphintra.edge.alpaca.market import NEW_YORK
from alphintra.edge.alpaca.reading import Fields, path_id, query_of, symbol_of
from alphintra.edge.alpaca.shapes import json_response
from alphintra.edge.guards import Scope
from alphintra.kernel.errors import Kind

__all__ = ["get_announcement", "list_announcements"]

RANGE_MAX: Final = timedelta(days=90)


class ActionType(StrEnum):
    """Kinds of corporate actions."""

    DIVIDEND = "dividend"
    MERGER = "merger"
    SPINOFF = "spinoff"
    SPLIT = "split"


class DateType(StrEnum):
    """Which of an action's dates is meant; of a split the catalogue knows the ex-date alone."""

    DECLARATION = "declaration_date"
    EX = "ex_date"
    RECORD = "record_date"
    PAYABLE = "payable_date"


@dataclass(frozen=True, slots=True)
class _Split:
    symbol: str
    ex_date: date
    ratio: Fraction

    @property
    def split_id(self) -> UUID:
        """The same on every installation."""
        return uuid5(NAMESPACE_OID, f"alphintra/split/{self.symbol}/{self.ex_date}")


async def list_announcements(request: Request) -> Response:
    """List splits with an ex-date from ``since`` to ``until``, both included, of one symbol where given."""
    desk = await desk_of(request, Scope.READ)
    query = query_of(request)
    types = {_action_type(text) for text in query.texts("ca_types")}
    if not types:
        raise refused("FIELD_REQUIRED", "ca_types is required", pointer="/ca_types")
    since, until = _required_day(query, "since"), _required_day(query, "until")
    if not timedelta(0) <= until - since <= RANGE_MAX:
        message = f"until must not be before since, nor more than {RANGE_MAX.days} days after it"
        raise refused("RANGE", message, pointer="/until")
    symbol, cusip = query.text("symbol"), query.text("cusip")
    date_type = query.choice("date_type", DateType) or DateType.EX
    wanted = None if symbol is None else symbol_of(symbol)
    if ActionType.SPLIT not in types or date_type is not DateType.EX or cusip is not None:
        return json_response([])
    found = [
        one
        for one in _splits((await desk.datasets()).values())
        if since <= one.ex_date <= until and wanted in {None, one.symbol}
    ]
    return json_response([_shape(one) for one in sorted(found, key=lambda one: (one.ex_date, one.symbol))])


async def get_announcement(request: Request) -> Response:
    """Fetch a split by its id."""
    desk = await desk_of(request, Scope.READ)
    wanted = path_id(request, "announcement_id")
    for split in _splits((await desk.datasets()).values()):
        if split.split_id == wanted:
            return json_response(_shape(split))
    message = f"corporate action announcement not found for {wanted}"
    raise refused("ANNOUNCEMENT_NOT_FOUND", message, kind=Kind.NOT_FOUND)


def _action_type(text: str) -> ActionType:
    try:
        return ActionType(text.lower())
    except ValueError as error:
        message = f"invalid ca_types {text[:40]!r}: take one of {', '.join(ActionType)}"
        raise refused("FIELD_VALUE", message, pointer="/ca_types") from error


def _required_day(query: Fields, name: str) -> date:
    found = query.day(name)
    if found is None:
        raise refused("FIELD_REQUIRED", f"{name} is required", pointer=f"/{name}")
    return found


def _splits(datasets: Iterable[DatasetView]) -> Iterator[_Split]:
    """Read the splits of datasets, written as an instant of the first day that trades split, and a ratio."""
    for dataset in datasets:
        for text in dataset.splits:
            at, _, ratio = text.partition(" ")
            ex_date = datetime.fromisoformat(at).astimezone(NEW_YORK).date()
            yield _Split(dataset.symbol, ex_date, Fraction(ratio))


def _shape(split: _Split) -> dict[str, Any]:
    is_reverse = split.ratio < 1
    return {
        "id": split.split_id,
        "corporate_action_id": f"{split.symbol}-{split.ex_date}",
        "ca_type": ActionType.SPLIT.value,
        "ca_sub_type": "reverse_split" if is_reverse else "stock_split",
        "initiating_symbol": split.symbol,
        "initiating_original_cusip": "",
        "target_symbol": split.symbol,
        "target_original_cusip": "",
        "declaration_date": None,
        "ex_date": split.ex_date.isoformat(),
        "record_date": None,
        "payable_date": None,
        "cash": "0",
        "old_rate": str(split.ratio.denominator),
        "new_rate": str(split.ratio.numerator),
    }

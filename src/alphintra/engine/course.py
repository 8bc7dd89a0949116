"""The course of a book as whole numbers, a column each: what digests and figures are computed from.

A million points are columns of eight bytes each. Points in decimals are made of them where one is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, overload

import numpy as np

from alphintra.kernel.money import AMOUNT_PLACES, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

__all__ = ["Course", "EquityPoint", "Records", "Whole", "amount_of", "as_floats", "moment", "nano", "whole"]

T_co = TypeVar("T_co", covariant=True)
Whole: TypeAlias = "NDArray[Any]"
"""Billionths of a unit: int64, or Python's integers in an array of objects where one of them is larger."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WIDE: Final = Context(prec=60)
_NANO: Final = 10**AMOUNT_PLACES
_EXACT_MAX: Final = 2**53  # up to here float64 holds every whole number


def nano(value: Decimal) -> int:
    """Return an amount in billionths, of which it has at most whole ones."""
    return int(value.scaleb(AMOUNT_PLACES, _WIDE))


def amount_of(units: int) -> Decimal:
    """Return billionths as an amount without trailing zeros."""
    return plain(Decimal(units).scaleb(-AMOUNT_PLACES, _WIDE))


def moment(ts: int) -> datetime:
    """Return nanoseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=int(ts) // 1000)


def whole(values: Iterable[int]) -> Whole:
    """Return whole numbers as a column."""
    listed = list(values)
    try:
        return np.array(listed, dtype=np.int64)
    except OverflowError:
        return np.array(listed, dtype=object)


def as_floats(units: Whole) -> NDArray[np.float64]:
    """Return billionths as units, each rounded once: what ``float`` makes of the exact amount."""
    if units.dtype == np.int64:
        for part in (1, 1000):  # amounts in millionths fit where billionths do not
            is_divisible = part == 1 or not (units % part).any()
            if is_divisible and (not units.size or int(np.abs(units).max()) // part <= _EXACT_MAX):
                found: NDArray[np.float64] = (units // part) / float(_NANO // part)
                return found
    return np.array([int(value) / _NANO for value in units.tolist()], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The book at the close of one bar, fills of that bar included."""

    ts: datetime
    equity: Decimal
    cash: Decimal
    qty: Decimal
    close: Decimal


class Records(Sequence[T_co]):
    """Records that are made when they are asked for; equal to any sequence of the same records."""

    __slots__ = ("_count", "_make")

    def __init__(self, count: int, make: Callable[[int], T_co]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> T_co: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T_co, ...]: ...
    def __getitem__(self, place: int | slice) -> T_co | tuple[T_co, ...]:
        if isinstance(place, slice):
            return tuple(self._make(index) for index in range(self._count)[place])
        return self._make(range(self._count)[place])

    def __iter__(self) -> Iterator[T_co]:
        return (self._make(index) for index in range(self._count))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """A book at each close, oldest first, in columns of one length.

    Attributes:
        ts: of the close, nanoseconds since 1970 UTC.
        equity: cash and position at the close.
        cash: of it the cash.
        qty: signed quantity held.
        close: price of the close.
    """

    ts: NDArray[np.int64]
    equity: Whole
    cash: Whole
    qty: Whole
    close: Whole

    def point(self, index: int) -> EquityPoint:
        """Return the book at one close."""
        amounts = (amount_of(int(column[index])) for column in (self.equity, self.cash, self.qty, self.close))
        return EquityPoint(moment(self.ts[index]), *amounts)

    def points(self) -> Records[EquityPoint]:
        """Return the book at every close."""
        return Records(self.ts.size, self.point)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Course):
            return NotImplemented
        return all(np.array_equal(getattr(self, field.name), getattr(other, field.name)) for field in fields(self))

    __hash__ = None  # type: ignore[assignment]

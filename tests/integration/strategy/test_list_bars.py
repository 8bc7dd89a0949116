"""Bars of a stored dataset, as asked: a page, a range, a longer interval, split-adjusted; and what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.strategy import BarsView, ListBars
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from integration.strategy.stage import Stage

# Two weeks of a symbol that is split two for one on the second Monday, 2024-01-08.
CLOSES = {2: 100, 3: 102, 4: 104, 5: 106, 8: 54, 9: 55, 10: 56, 11: 57, 12: 58}
SPLIT_ON = 8
ROWS = "symbol,date,open,high,low,close,volume,adj_close\n" + "".join(
    f"SPLT,2024-01-{day:02},{close},{close + 1},{close - 1},{close},1000,{close / 2 if day < SPLIT_ON else close}\n"
    for day, close in CLOSES.items()
)


async def stored(stage: Stage) -> None:
    """Import the file."""
    started = await stage.import_file(ROWS.encode())
    await stage.work()
    assert (await stage.imported(started.import_id)).status == "finished"


async def bars(stage: Stage, **wishes: Any) -> BarsView:  # noqa: ANN401 - fields of the command
    return await stage.endpoints.list_bars(ListBars(**{"symbol": "SPLT", **wishes}), stage.owner)


def days(found: BarsView) -> list[int]:
    return [bar.opened_at.day for bar in found.bars]


async def test_pages_follow_each_other_in_both_directions_to_the_digit(stage: Stage) -> None:
    await stored(stage)
    for newest_first in (False, True):
        seen: list[int] = []
        after: datetime | None = None
        while True:
            page = await bars(stage, limit=4, after=after, newest_first=newest_first)
            seen += days(page)
            after = page.bars[-1].opened_at
            if not page.has_more:
                break
        assert seen == sorted(CLOSES, reverse=newest_first)
    first = (await bars(stage, limit=1)).bars[0]
    assert (first.opened_at, first.open, first.high, first.low, first.close, first.volume) == (
        datetime(2024, 1, 2, 5, tzinfo=UTC),
        Decimal(100),
        Decimal(101),
        Decimal(99),
        Decimal(100),
        Decimal(1000),
    )


async def test_a_range_holds_both_its_ends(stage: Stage) -> None:
    await stored(stage)
    start, end = datetime(2024, 1, 4, 5, tzinfo=UTC), datetime(2024, 1, 9, 5, tzinfo=UTC)
    assert days(await bars(stage, start=start, end=end)) == [4, 5, 8, 9]
    assert days(await bars(stage, start=start, end=start)) == [4]
    assert days(await bars(stage, start=datetime(2025, 1, 1, tzinfo=UTC))) == []


async def test_weeks_are_made_of_days_and_adjusted_prices_do_not_jump(stage: Stage) -> None:
    await stored(stage)
    first, second = (await bars(stage, timeframe="1Week")).bars
    assert [first.open, first.high, first.low, first.close, first.volume] == [100, 107, 99, 106, 4000]
    assert [second.open, second.close, second.volume] == [54, 58, 5000]
    adjusted = (await bars(stage, is_split_adjusted=True)).bars
    assert [bar.close for bar in adjusted] == [50, 51, 52, 53, 54, 55, 56, 57, 58]
    assert [bar.volume for bar in adjusted[:5]] == [2000] * 4 + [1000]


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"symbol": "NONE"}, "SYMBOL_UNKNOWN"),
        ({"timeframe": "1Min"}, "TIMEFRAME_UNAVAILABLE"),
        ({"timeframe": "soon"}, "TIMEFRAME_INVALID"),
        ({"limit": 0}, "PAGE_LIMIT"),
        ({"limit": 4001}, "PAGE_LIMIT"),
        ({"start": datetime(2024, 1, 9, tzinfo=UTC), "end": datetime(2024, 1, 2, tzinfo=UTC)}, "RANGE"),
    ],
)
async def test_what_cannot_be_is_refused_by_code(stage: Stage, wishes: dict[str, Any], code: str) -> None:
    await stored(stage)
    with pytest.raises(AlphintraError) as refused:
        await bars(stage, **wishes)
    assert refused.value.code == code

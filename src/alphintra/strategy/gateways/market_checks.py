"""Checks of bars: sessions that lack some, jumps, silence, and how much of what should be there is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.corporate_actions import SIMPLE_RATIOS
from alphintra.engine.sessions import Calendar, Session, calendar_named, calendar_of
from alphintra.kernel.money import plain
from alphintra.strategy.domain.intervals import Interval, interval_of
from alphintra.strategy.domain.market_files import Finding

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Coverage", "coverage_of", "missing_sessions", "oddities", "without_spikes"]

GAP_DAYS = 7
JUMP = 3.0  # a close three times the one before, or a third of it, without a split to explain it
SPIKE = 10.0  # ten times what its neighbours agree on
NEIGHBOURS = 2.0
SPLIT_NEAR = 0.02
SPLIT_LEAST = 1.45
FROZEN_BARS = 10
DETAILS_MAX = 50
REGULAR_SHARE = 0.5  # of bars within regular hours, from which on those hours are what is expected
_GAP_FIX: Final = "download or import what is missing; bars nobody traded in stay missing at some exchanges"
_HOUR_US: Final = 3_600_000_000
_MINUTE_US: Final = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of what a calendar expects between the first bar and the last is there.

    Attributes:
        calendar: XNYS or 24/7.
        sessions_expected: sessions (24/7: UTC days) from the first bar to the last.
        sessions_found: those with a bar.
        bars_expected: bars within their regular hours.
        bars_found: those that are there.
        bars_outside: bars outside regular hours.
        gaps: stretches without bars.
        gap_bars: bars the longest one lacks.
        gap_after: close of the bar before it.
    """

    calendar: str
    sessions_expected: int
    sessions_found: int
    bars_expected: int
    bars_found: int
    bars_outside: int
    gaps: int
    gap_bars: int
    gap_after: datetime | None


def coverage_of(frame: pl.DataFrame, symbol: str, timeframe: str) -> Coverage:
    """Compare bars (``ts`` when they closed, oldest first) with what the calendar of their symbol expects.

    Bars that trade through weekends are held against every hour, whatever their symbol is called.
    """
    interval, calendar = interval_of(timeframe), calendar_of(symbol)
    if _closed_days(frame, interval, calendar)[1] > len(frame) * 0.05:
        calendar = calendar_named("24/7")
    placed = _placed(frame, interval, calendar)
    if placed["slot"].drop_nulls().len() < len(placed) * REGULAR_SHARE:
        calendar = calendar_named("24/7")
        placed = _placed(frame, interval, calendar)
    return _measured(placed, calendar)


def oddities(frame: pl.DataFrame, symbol: str, timeframe: str, split_times: Sequence[datetime]) -> tuple[Finding, ...]:
    """Return what is odd in bars: gaps, jumps, suspected splits, silence, clocks that shift."""
    interval, calendar = interval_of(timeframe), calendar_of(symbol)
    found = [
        *_gaps(frame, symbol, interval, timeframe),
        *_jumps(frame, interval, calendar, split_times),
        *_silence(frame),
        *_off_calendar(frame, interval, calendar),
    ]
    return tuple(finding for finding in found if finding.count)


def missing_sessions(coverage: Coverage, timeframe: str) -> tuple[Finding, ...]:
    """Return the gaps in bars of days and longer, as what their calendar lacks."""
    if interval_of(timeframe).is_intraday or not coverage.gaps or coverage.gap_after is None:
        return ()
    missing = coverage.bars_expected - coverage.bars_found
    text = (
        f"{missing} of {coverage.bars_expected} bars that {coverage.calendar} expects are missing in {coverage.gaps} "
        f"gaps, the longest of {coverage.gap_bars} after {coverage.gap_after:%Y-%m-%d}"
    )
    return (Finding(code="BAR_GAP", action="kept", count=coverage.gaps, details=(text,), fix=_GAP_FIX),)


def without_spikes(frame: pl.DataFrame) -> tuple[pl.DataFrame, Finding]:
    """Return the rows without those whose prices are ten times, or a tenth of, what both neighbours agree on."""
    import polars as pl  # noqa: PLC0415 - heavy, and only workers need it

    close = pl.col("close").cast(pl.Float64)
    around = frame.select(
        pl.max_horizontal(close.shift(1), close.shift(-1)).alias("most"),
        pl.min_horizontal(close.shift(1), close.shift(-1)).alias("least"),
        pl.col("high").cast(pl.Float64),
        pl.col("low").cast(pl.Float64),
        both=close.shift(1).is_not_null() & close.shift(-1).is_not_null(),
    )
    is_off = (pl.col("high") > pl.col("most") * SPIKE) | (pl.col("low") * SPIKE < pl.col("least"))
    agree = pl.col("both") & (pl.col("most") <= pl.col("least") * NEIGHBOURS)
    spikes = around.select((is_off & agree).fill_null(value=False)).to_series()
    rows = frame.filter(spikes).head(DETAILS_MAX)
    details = tuple(
        f"left out line {row['line']}: high {_plain(row['high'])} or low {_plain(row['low'])} on "
        f"{row['ts']:%Y-%m-%d %H:%MZ} is {SPIKE:.0f} times off the bars around it"
        for row in rows.select("line", "ts", "high", "low").rows(named=True)
    )
    fix = "compare the row with another source, correct it, and import the file again"
    count = int(spikes.sum())
    found = Finding(code="PRICE_OUTLIER", action="dropped", count=count, details=details, fix=fix)
    return (frame.filter(~spikes) if count else frame), found


def _gaps(frame: pl.DataFrame, symbol: str, interval: Interval, timeframe: str) -> Iterable[Finding]:
    import polars as pl  # noqa: PLC0415 - as above

    if not interval.is_intraday:
        if interval.unit != "d":
            return
        wide = frame.select("ts", d=pl.col("ts").diff()).filter(pl.col("d") > timedelta(days=GAP_DAYS))
        details = tuple(f"gap of {d.days} days before {ts:%Y-%m-%d}" for ts, d in wide.head(DETAILS_MAX).rows())
        yield Finding(code="BAR_GAP", action="kept", count=len(wide), details=details, fix=_GAP_FIX)
        return
    coverage = coverage_of(frame, symbol, timeframe)
    if coverage.gaps and coverage.gap_after is not None:
        before = frame["ts"].search_sorted(coverage.gap_after)
        width = frame["ts"][int(before) + 1] - coverage.gap_after
        text = (
            f"{coverage.gaps} gaps in a series of {timedelta(minutes=interval.minutes)} bars, "
            f"the longest of {width} after {coverage.gap_after:%Y-%m-%dT%H:%MZ}"
        )
        yield Finding(code="BAR_GAP", action="kept", count=coverage.gaps, details=(text,), fix=_GAP_FIX)


def _jumps(
    frame: pl.DataFrame, interval: Interval, calendar: Calendar, split_times: Sequence[datetime]
) -> Iterable[Finding]:
    import polars as pl  # noqa: PLC0415 - as above

    close = pl.col("close").cast(pl.Float64)
    pairs = frame.select(
        "ts",
        "close",
        before=pl.col("close").shift(1),
        opening="open",
        ratio=close / close.shift(1),
        step=close.shift(1) / pl.col("open").cast(pl.Float64),
        is_new_day=pl.col("ts").dt.date() != pl.col("ts").shift(1).dt.date(),
    ).filter(~pl.col("ts").is_in(list(split_times)) if split_times else pl.lit(value=True))
    jump = (pl.col("ratio") > JUMP) | (pl.col("ratio") * JUMP < 1)
    large = (pl.col("step") >= SPLIT_LEAST) | (pl.col("step") * SPLIT_LEAST <= 1)
    may_split = pl.lit(not calendar.is_always_open) & pl.col("is_new_day") & large
    suspected: list[str] = []
    outliers: list[str] = []
    for row in pairs.filter(jump | may_split).rows(named=True):
        ratio = min(SIMPLE_RATIOS, key=lambda candidate: abs(row["step"] / float(candidate) - 1))
        is_near = abs(row["step"] / float(ratio) - 1) <= SPLIT_NEAR
        is_split = is_near and row["is_new_day"] and not calendar.is_always_open
        is_jump = row["ratio"] > JUMP or row["ratio"] * JUMP < 1
        prices = f"from {_plain(row['before'])} to {_plain(row['close' if is_jump else 'opening'])}"
        day = f"{row['ts']:%Y-%m-%d}" if not interval.is_intraday else f"{row['ts']:%Y-%m-%dT%H:%MZ}"
        if is_jump:
            (suspected if is_split else outliers).append(f"close jumps {prices} on {day}")
        elif is_split:
            new, old = ratio.numerator, ratio.denominator
            suspected.append(f"price moves {prices} on {day}, as by a split of {new} for {old}")
    for code, details, fix in (
        ("SPLIT_SUSPECTED", suspected, "if it was a split, import again with --split DAY=NEW/OLD"),
        ("PRICE_OUTLIER", outliers, "compare the day with another source, and import corrected prices"),
    ):
        yield Finding(code=code, action="kept", count=len(details), details=tuple(details[:DETAILS_MAX]), fix=fix)


def _silence(frame: pl.DataFrame) -> Iterable[Finding]:
    import polars as pl  # noqa: PLC0415 - as above

    silent = int((frame["volume"] == 0).sum())
    yield Finding(
        code="VOLUME_ZERO",
        action="kept",
        count=silent,
        details=(f"{silent} bars without volume",) if silent else (),
        fix="orders in such bars would not have been executed: filter them, or use longer bars",
    )
    flat = (pl.col("open") == pl.col("close").shift(1)) & (pl.col("high") == pl.col("low"))
    runs = frame.select("ts", run=(~flat.fill_null(value=False)).cum_sum(), flat=flat).filter("flat")
    long = runs.group_by("run").agg(pl.len().alias("bars"), pl.first("ts")).filter(pl.col("bars") >= FROZEN_BARS)
    text: tuple[str, ...] = ()
    if len(long):
        bars, since = long.sort("bars", "ts").select("bars", "ts").row(-1)
        text = (
            f"{len(long)} stretches of {FROZEN_BARS} or more equal bars, the longest of {bars} from {since:%Y-%m-%d}",
        )
    fix = "a halted or untraded market, or a source that repeats itself: compare with another"
    yield Finding(code="PRICE_FROZEN", action="kept", count=len(long), details=text, fix=fix)


def _off_calendar(frame: pl.DataFrame, interval: Interval, calendar: Calendar) -> Iterable[Finding]:
    import polars as pl  # noqa: PLC0415 - as above

    if interval.unit in {"w", "mo"}:
        return
    first, closed = _closed_days(frame, interval, calendar)
    text = f"{closed} bars on days without a session of {calendar.name}, first on {first}"
    fix = "a pair that always trades is written with a slash, e.g. BTC/USD; else are the dates those of the exchange?"
    yield Finding(code="CALENDAR_MISMATCH", action="kept", count=closed, details=(text,), fix=fix)
    if not interval.is_intraday:
        return
    placed = _placed(frame, interval, calendar)
    off = placed.filter(pl.col("is_off_grid"))
    text = f"{len(off)} bars do not begin on a multiple of {interval.polars_name}"
    if len(off):
        text += f", first {off['ts'][0]:%Y-%m-%dT%H:%MZ}"
    fix = "bars of several intervals are mixed, or times are no openings: split the file, or say --stamps close"
    yield Finding(code="INTERVAL_MIXED", action="kept", count=len(off), details=(text,), fix=fix)
    yield _shifted(placed, calendar)


def _shifted(placed: pl.DataFrame, calendar: Calendar) -> Finding:
    """Name sessions whose bars begin and end an hour off those of most others: clocks that were not changed."""
    import polars as pl  # noqa: PLC0415 - as above

    fix = "the times are in another zone than was said, or in none: import again with --zone, or in UTC"
    text: tuple[str, ...] = ()
    count = 0
    if not calendar.is_always_open:
        local = pl.col("opened").dt.convert_time_zone("America/New_York")
        minutes = local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute().cast(pl.Int64)
        clocks = placed.select(day=local.dt.date(), minute=minutes)
        edges = clocks.group_by("day").agg(first=pl.min("minute"), last=pl.max("minute"))
        if len(edges):
            usual = edges.group_by("first", "last").len().sort("len", "first", "last").row(-1)
            shift = pl.col("first") - usual[0]
            odd = edges.filter((shift.abs() == 60) & (pl.col("last") - usual[1] == shift)).sort("day")  # noqa: PLR2004 - an hour
            count = len(odd)
            text = (f"{count} sessions begin and end an hour off the others, first {odd['day'][0]}",) if count else ()
    return Finding(code="TIME_ZONE", action="kept", count=count, details=text, fix=fix)


def _closed_days(frame: pl.DataFrame, interval: Interval, calendar: Calendar) -> tuple[date | None, int]:
    """Return the first day with bars and without a session, and how many bars such days have."""
    import polars as pl  # noqa: PLC0415 - as above

    if calendar.is_always_open or interval.unit in {"w", "mo"}:
        return None, 0
    counts = frame.select(day=_day(calendar)).group_by("day").len()
    known = counts.filter(pl.col("day").is_between(calendar.first_day, calendar.last_day)).sort("day")
    closed = [(day, count) for day, count in known.rows() if calendar.session_on(day) is None]
    return (closed[0][0] if closed else None), sum(count for _day_of, count in closed)


def _placed(frame: pl.DataFrame, interval: Interval, calendar: Calendar) -> pl.DataFrame:
    """Return ts, ``slot`` (number of the bar among those expected; None outside sessions), ``session`` and more."""
    import polars as pl  # noqa: PLC0415 - as above

    if interval.is_intraday:
        return _placed_in_day(frame, interval, calendar)
    day = _day(calendar)
    if interval.unit == "w":
        slot = (day.cast(pl.Int64) + 3) // 7  # 1970-01-01 was a Thursday
    elif interval.unit == "mo":
        slot = day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64)
    elif calendar.is_always_open:
        slot = day.cast(pl.Int64)
    else:
        days = pl.DataFrame({"day": [each.day for each in _sessions(frame, calendar)]}, schema={"day": pl.Date})
        found = frame.select("ts", day=day).join(days.with_row_index("slot"), on="day", how="left")
        return found.select("ts", pl.col("slot").cast(pl.Int64), session="slot", is_off_grid=pl.lit(value=False))
    return frame.select("ts", slot=slot).with_columns(session="slot", is_off_grid=pl.lit(value=False))


def _placed_in_day(frame: pl.DataFrame, interval: Interval, calendar: Calendar) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - as above

    width = interval.minutes * _MINUTE_US
    opened = (pl.col("ts") - timedelta(minutes=interval.minutes)).alias("opened")
    found = frame.select("ts", opened)
    if calendar.is_always_open:
        micros = pl.col("opened").dt.epoch("us")
        phase = int(found.select((micros % width).mode().min()).item())
        return found.select(
            "ts",
            "opened",
            slot=(micros - phase) // width,
            session=micros // (24 * _HOUR_US),
            is_off_grid=(micros - phase) % width != 0,
        )
    sessions = _sessions(frame, calendar)
    table = pl.DataFrame(
        {"session_open": [each.open for each in sessions], "session_close": [each.close for each in sessions]},
        schema=dict.fromkeys(("session_open", "session_close"), pl.Datetime("us", "UTC")),
    ).with_row_index("session")
    joined = found.join_asof(
        table, left_on="opened", right_on="session_close", strategy="forward", allow_exact_matches=False, coalesce=False
    )
    after = (pl.col("opened") - pl.col("session_open")).dt.total_microseconds()
    inside = joined.filter(after > -width)
    phase = int(inside.select((after % width).mode().min()).item()) if len(inside) else 0
    early = phase - width if phase else 0
    length = (pl.col("session_close") - pl.col("session_open")).dt.total_microseconds() - early
    counts = table.with_columns(count=(length + width - 1) // width)
    bases = counts.select("session", base=pl.col("count").cum_sum() - pl.col("count"))
    placed = joined.join(bases, on="session", how="left").with_columns(after=after - early)
    is_inside = pl.col("after") >= 0
    return placed.select(
        "ts",
        "opened",
        slot=pl.when(is_inside).then(pl.col("base") + pl.col("after") // width),
        session=pl.when(is_inside).then(pl.col("session")),
        is_off_grid=is_inside & (pl.col("after") % width != 0),
    )


def _measured(placed: pl.DataFrame, calendar: Calendar) -> Coverage:
    import polars as pl  # noqa: PLC0415 - as above

    inside = placed.drop_nulls("slot").unique("slot", keep="first", maintain_order=True).sort("slot")
    if not len(inside):
        return Coverage(
            calendar=calendar.name,
            sessions_expected=0,
            sessions_found=0,
            bars_expected=0,
            bars_found=0,
            bars_outside=len(placed),
            gaps=0,
            gap_bars=0,
            gap_after=None,
        )
    steps = inside.select(after=pl.col("ts").shift(1), lacks=pl.col("slot").diff() - 1).filter(pl.col("lacks") > 0)
    longest = steps.sort("lacks", "after").row(-1) if len(steps) else (None, 0)
    sessions = inside["session"].cast(pl.Int64)
    return Coverage(
        calendar=calendar.name,
        sessions_expected=int(sessions[-1] - sessions[0] + 1),
        sessions_found=sessions.n_unique(),
        bars_expected=int(inside["slot"][-1] - inside["slot"][0] + 1),
        bars_found=len(inside),
        bars_outside=placed["slot"].null_count(),
        gaps=len(steps),
        gap_bars=int(longest[1]),
        gap_after=longest[0],
    )


def _sessions(frame: pl.DataFrame, calendar: Calendar) -> Sequence[Session]:
    first = max(frame["ts"][0].date() - timedelta(days=1), calendar.first_day)
    last = min(frame["ts"][-1].date() + timedelta(days=4), calendar.last_day)
    return calendar.sessions(first, last)


def _day(calendar: Calendar) -> pl.Expr:
    """Return the date, at the exchange, of the last moment within a bar."""
    import polars as pl  # noqa: PLC0415 - as above

    zone = "UTC" if calendar.is_always_open else "America/New_York"
    return (pl.col("ts") - timedelta(microseconds=1)).dt.convert_time_zone(zone).dt.date()


def _plain(value: Decimal) -> str:
    return f"{plain(value):f}"

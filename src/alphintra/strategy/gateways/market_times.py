"""Times of market-data files: text of one kind throughout to moments in UTC, or to the dates of sessions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.market_files import TIME_KINDS, YEARS, ImportOptions, time_kind

if TYPE_CHECKING:
    import polars as pl

    _Refuse = Callable[[int, str], AlphintraError]

__all__ = ["TimeReader"]

EXCHANGE_ZONE: Final = "America/New_York"
_WRITE: Final = "write 2013-03-01 or 2013-03-01T14:30:00Z"
_UNITS: Final = ((10, "seconds", 10**3), (13, "milliseconds", 10**6), (16, "microseconds", 10**9))
_NANOSECONDS: Final = ("nanoseconds", 10**12)
_CLOCKS: Final = ("%H:%M:%S%.f", "%H:%M", "%H%M%S", "%H%M")
_DAYS: Final = ("%Y-%m-%d", "%Y%m%d")
_OFFSET: Final = r" ?(Z|[+-][0-9]{2}:?[0-9]{2})$"


class TimeReader:
    """Reads the times of one file: what the first row shows holds for all of them.

    Attributes:
        kind: date, number, local or zoned; empty before the first row.
        is_dates: after `finish`, whether times are the dates of sessions.
        zone: after `finish`, the zone the times were written in; empty for dates.
    """

    def __init__(self, options: ImportOptions) -> None:
        self.kind = ""
        self.is_dates = False
        self.zone = ""
        self._options = options
        self._unit = ""
        self._minutes: dict[str, int] = {}

    def read(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows with ``clock`` (as written) and ``offset`` (minutes from UTC) in place of the text ``ts``.

        Raises TIME_UNIT or TIME_ZONE, naming the line.
        """
        import polars as pl  # noqa: PLC0415 - heavy, and only workers need it

        if not self.kind:
            self.kind = self._first_kind(frame)
        pattern = f"^(?:{TIME_KINDS[self.kind].pattern})$"
        self._require(frame, pl.col("ts").str.contains(pattern), self._other_kind)
        if self.kind == "number":
            found = self._from_numbers(frame)
        elif self.kind == "zoned":
            found = self._with_offsets(frame)
        else:
            found = frame.with_columns(clock=_clock(frame["ts"], is_date=self.kind == "date"))
        if "offset" not in found.columns:
            found = found.with_columns(offset=pl.lit(0, dtype=pl.Int32))
        self._require(found, pl.col("clock").is_not_null(), _no_time)
        inside = pl.col("clock").dt.year().is_between(YEARS.start, YEARS.stop - 1)
        self._require(found, inside, _no_year)
        return found.drop("ts")

    def finish(self, frame: pl.DataFrame, *, has_pairs: bool) -> pl.DataFrame:
        """Return all rows of the file with ``ts`` in place of clock and offset: UTC, or midnight of a session's date.

        Raises TIME_ZONE where a time has no zone, or one that changes, or is none or two of its zone.
        """
        import polars as pl  # noqa: PLC0415 - as above

        clock = pl.col("clock")
        midnight = frame.select((clock == clock.dt.truncate("1d")).all()).item()
        offsets = frame["offset"].unique().to_list()
        if (self.kind in {"date", "local"} and midnight) or (self.kind == "zoned" and midnight and any(offsets)):
            self.is_dates = True
            return frame.with_columns(ts=clock.dt.replace_time_zone("UTC")).drop("clock", "offset")
        found = self._in_utc(frame, offsets).drop("clock", "offset")
        if not has_pairs:
            local = pl.col("ts").dt.convert_time_zone(EXCHANGE_ZONE).dt.replace_time_zone(None)
            if found.select((local == local.dt.truncate("1d")).all()).item():
                self.is_dates, self.zone = True, EXCHANGE_ZONE
                return found.with_columns(ts=local.dt.replace_time_zone("UTC"))
        return found

    def _in_utc(self, frame: pl.DataFrame, offsets: list[int]) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415 - as above

        zone = self._options.zone
        if self.kind == "local":
            if not zone:
                line = frame["line"][0]
                message = f"line {line}: {frame['clock'][0]} has no zone: write it with Z, or say --zone"
                raise AlphintraError("TIME_ZONE", message)
            self.zone = zone
            local = pl.col("clock").dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
            found = frame.with_columns(ts=local.dt.convert_time_zone("UTC"))
            self._require(found, pl.col("ts").is_not_null(), _no_clock(zone))
            return found
        utc = (pl.col("clock") - pl.duration(minutes=pl.col("offset"))).dt.replace_time_zone("UTC")
        found = frame.with_columns(ts=utc)
        if zone and self.kind == "zoned":
            local = pl.col("ts").dt.convert_time_zone(zone).dt.replace_time_zone(None)
            self._require(found, local == pl.col("clock"), _not_of(zone))
        elif len(offsets) > 1:
            self._require(found, pl.col("offset") == frame["offset"][0], _mixed)
        self.zone = zone or _offset_name(offsets[0])
        return found

    def _first_kind(self, frame: pl.DataFrame) -> str:
        text, line = frame["ts"][0], frame["line"][0]
        kind = time_kind(text)
        if kind is None:
            raise AlphintraError("TIME_UNIT", f"line {line}: {text[:40]!r} is no time: {_WRITE}")
        return kind

    def _other_kind(self, line: int, text: str) -> AlphintraError:
        other = time_kind(text)
        if other is None:
            return AlphintraError("TIME_UNIT", f"line {line}: {text[:40]!r} is no time: {_WRITE}")
        if "number" in {other, self.kind}:
            message = f"line {line}: {text[:40]} is written otherwise than the times before: use one way throughout"
            return AlphintraError("TIME_UNIT", message)
        return AlphintraError("TIME_ZONE", f"line {line} mixes dates and times: use one of them throughout")

    def _from_numbers(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Read seconds, milliseconds, microseconds or nanoseconds since 1970; their size tells which."""
        import polars as pl  # noqa: PLC0415 - as above

        digits = pl.col("ts").str.extract("^0*([0-9]+)").str.len_chars()
        unit = pl.lit(_NANOSECONDS[0])
        for places, name, _scale in reversed(_UNITS):
            unit = pl.when(digits <= places).then(pl.lit(name)).otherwise(unit)
        found = frame.with_columns(unit=unit)
        self._unit = self._unit or found["unit"][0]
        self._require(found, pl.col("unit") == self._unit, _other_unit(self._unit))
        scale = dict([(name, scale) for _places, name, scale in _UNITS] + [_NANOSECONDS])[self._unit]
        billionths = pl.col("ts").cast(pl.Decimal(38, 9), strict=False).to_physical()
        micros = (billionths // pl.lit(scale, dtype=pl.Int128)).cast(pl.Int64, strict=False)
        return found.with_columns(clock=micros.cast(pl.Datetime("us"))).drop("unit")

    def _with_offsets(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415 - as above

        offset = frame["ts"].str.extract(_OFFSET)
        for text in offset.unique().to_list():
            self._minutes.setdefault(text, _minutes(text))
        clocks = frame["ts"].str.replace(_OFFSET, "")
        minutes = offset.replace_strict(self._minutes, return_dtype=pl.Int32)
        return frame.with_columns(clock=_clock(clocks, is_date=False), offset=minutes)

    @staticmethod
    def _require(frame: pl.DataFrame, condition: pl.Expr, refuse: _Refuse) -> None:
        """Raise what ``refuse`` makes of the first row that does not hold the condition."""
        holds = frame.select(condition.fill_null(value=False)).to_series()
        if holds.all():
            return
        place = (~holds).arg_true()[0]
        shown = str(frame["clock" if "clock" in frame.columns and "ts" not in frame.columns else "ts"][place])
        raise refuse(frame["line"][place], shown)


def _clock(text: pl.Series, *, is_date: bool) -> pl.Series:
    """Read dates or times as they are written; None for days and times that do not exist."""
    import polars as pl  # noqa: PLC0415 - as above

    if is_date:
        plain = text.str.replace_all("-", "", literal=True)
        return plain.str.to_date("%Y%m%d", strict=False).cast(pl.Datetime("us")).alias("clock")
    plain = text.str.replace("T", " ", literal=True)
    found = pl.Series("clock", [None] * len(plain), dtype=pl.Datetime("us"))
    for day in _DAYS:
        for clock in _CLOCKS:
            if found.null_count():
                read = plain.str.to_datetime(f"{day} {clock}", strict=False, time_unit="us")
                found = found.fill_null(read) if found.null_count() < len(found) else read
    return found.alias("clock")


def _minutes(text: str) -> int:
    if text == "Z":
        return 0
    sign = -1 if text[0] == "-" else 1
    digits = re.sub(r"[^0-9]", "", text)
    return sign * (60 * int(digits[:2]) + int(digits[2:]))


def _offset_name(minutes: int) -> str:
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def _no_time(line: int, text: str) -> AlphintraError:
    return AlphintraError("TIME_UNIT", f"line {line}: {text[:40]} is no date or time there is")


def _no_year(line: int, text: str) -> AlphintraError:
    message = f"line {line}: {text[:40]} lies outside the years {YEARS.start} to {YEARS.stop - 1}"
    return AlphintraError("TIME_UNIT", message)


def _mixed(line: int, text: str) -> AlphintraError:
    message = f"line {line}: {text[:40]} has another offset than the times before: say their zone with --zone"
    return AlphintraError("TIME_ZONE", message)


def _no_clock(zone: str) -> _Refuse:
    def refuse(line: int, text: str) -> AlphintraError:
        reason = f"is no time of {zone}, or two: clocks were changed then; write times in UTC"
        return AlphintraError("TIME_ZONE", f"line {line}: {text[:40]} {reason}")

    return refuse


def _not_of(zone: str) -> _Refuse:
    def refuse(line: int, text: str) -> AlphintraError:
        return AlphintraError("TIME_ZONE", f"line {line}: the offset of {text[:40]} is not that of {zone} then")

    return refuse


def _other_unit(unit: str) -> _Refuse:
    def refuse(line: int, text: str) -> AlphintraError:
        message = f"line {line}: {text[:40]} is not in {unit} since 1970 like the times before: use one unit"
        return AlphintraError("TIME_UNIT", message)

    return refuse

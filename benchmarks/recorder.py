"""Collects one sample per measure and round, and turns them into the rows that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from benchmarks.machine import FOREIGN_MAX, Usage
from benchmarks.measures import MEASURES

__all__ = ["HEADINGS", "Recorder", "cells_of", "rows_text"]

Row = dict[str, object]


class Recorder:
    """Samples by measure; each with what it is compared with in the same round, and the foreign load meanwhile."""

    def __init__(self) -> None:
        self._samples: dict[str, list[tuple[float, float | None, float]]] = {each.key: [] for each in MEASURES}
        self.failed: dict[str, str] = {}

    def add(self, key: str, value: float, *, base: float | None = None, usage: Usage | None = None) -> None:
        """Keep a sample; without ``usage`` the measure does not suffer from foreign load."""
        ratio = None if base is None else value / base
        self._samples[key].append((value, ratio, 0.0 if usage is None else usage.foreign))

    def last(self, key: str) -> float | None:
        """Return the newest sample of a measure, None if there is none."""
        samples = self._samples[key]
        return samples[-1][0] if samples else None

    def fail(self, group: str, why: str) -> None:
        """Keep that a group could not be measured."""
        self.failed[group] = why

    def rows(self) -> list[Row]:
        """Return the rows of what was measured, as plain values: medians over the rounds without foreign load."""
        rows: list[Row] = []
        for measure in MEASURES:
            samples = self._samples[measure.key]
            if not samples:
                continue
            clean = [sample for sample in samples if sample[2] <= FOREIGN_MAX]
            counted = clean or samples
            value = median(sample[0] for sample in counted)
            ratios = [sample[1] for sample in counted if sample[1] is not None]
            ratio = median(ratios) if ratios else None
            verdict = "" if measure.goal is None else ("met" if measure.goal.is_met(value, ratio) else "missed")
            rows.append(
                {
                    "key": measure.key,
                    "what": measure.what,
                    "value": value,
                    "unit": measure.unit,
                    "target": "" if measure.goal is None else measure.goal.text(measure.unit),
                    "ratio": ratio,
                    "ratio_to": measure.base if ratio is not None else "",
                    "verdict": verdict,
                    "is_noisy": not clean,
                    "foreign": max(sample[2] for sample in counted),
                    "lowest": min(sample[0] for sample in counted),
                    "highest": max(sample[0] for sample in counted),
                    "rounds": [sample[0] for sample in samples],
                    "rounds_clean": len(clean),
                }
            )
        return rows


HEADINGS: Final = ("measure", "", "value", "rounds", "goal", "ratio", "to", "verdict", "foreign")


def cells_of(row: Mapping[str, object]) -> tuple[str, ...]:
    """Return a row as it is shown, in the order of the headings."""
    ratio = row["ratio"]
    verdict = " ".join(word for word in (str(row["verdict"]), "noisy" if row["is_noisy"] else "") if word)
    count = len(row["rounds"]) if isinstance(row["rounds"], list) else 0
    spread = f"{_short(float(str(row['lowest'])))} to {_short(float(str(row['highest'])))}" if count > 1 else ""
    return (
        str(row["key"]),
        str(row["what"]),
        f"{_short(float(str(row['value'])))} {row['unit']}",
        spread,
        str(row["target"]),
        "" if ratio is None else _short(float(str(ratio))),
        str(row["ratio_to"]),
        verdict or "-",
        f"{float(str(row['foreign'])):.0%}",
    )


def rows_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the rows as one table."""
    lines = [HEADINGS, *(cells_of(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    numeric = {2, 3, 5, 8}
    text = []
    for index, line in enumerate(lines):
        cells = [
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
        if index == 0:
            text.append("  ".join("-" * width for width in widths))
    return "\n".join(text)


def _short(value: float) -> str:
    """Three digits, as many as such measures are worth."""
    if abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    return f"{value:.3g}"

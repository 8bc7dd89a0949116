"""Whether two runs came to the same, and where they part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Ran", "differences"]

_LISTS: Final = ("orders", "denials", "fills", "trades", "equity")
_TEXT_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A finished backtest: hashes of what was run and of what came out, its figures, and its report as JSON."""

    run_hash: str
    result_hash: str
    metrics: Mapping[str, float | None]
    report: str


def differences(one: Ran, other: Ran) -> tuple[str, ...]:
    """Return in sentences what differs between two runs, the first of each kind; nothing where they are equal."""
    found = []
    if one.run_hash != other.run_hash:
        found.append("what was run differs: another strategy, other bars, terms, or another version of the engine")
    if one.result_hash == other.result_hash:
        return tuple(found)
    names = sorted({*one.metrics, *other.metrics})
    apart = [name for name in names if one.metrics.get(name) != other.metrics.get(name)]
    told = ", ".join(f"{name} {one.metrics.get(name)} and {other.metrics.get(name)}" for name in apart[:5])
    more = f" and {len(apart) - 5} more" if len(apart) > 5 else ""  # noqa: PLR2004 - as many as are named
    found.append(f"figures differ: {told}{more}" if apart else "every figure is the same")
    reports = json.loads(one.report or "{}"), json.loads(other.report or "{}")
    for name in _LISTS:
        first, second = (report.get(name) or [] for report in reports)
        sentence = _first_apart(name, first, second)
        if sentence:
            found.append(sentence)
    return tuple(found)


def _first_apart(name: str, one: Sequence[Any], other: Sequence[Any]) -> str:
    for place, (first, second) in enumerate(zip(one, other, strict=False), 1):
        if first != second:
            return f"{name} part at number {place}: {_text(first)} and {_text(second)}"
    return "" if len(one) == len(other) else f"{name}: {len(one)} and {len(other)}"


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)[:_TEXT_MAX]

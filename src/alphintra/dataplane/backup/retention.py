"""Which backups are kept: the last ones, those of some days, the first of each month, and all they build on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alphintra.dataplane.backup.model import BackupKind, Manifest

__all__ = ["Keep", "surplus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How many, at least; whatever any of these keeps is kept.

    Attributes:
        last: newest ones.
        days: those of the last days.
        months: the first full one or dump of each of the last months.
    """

    last: int = 2
    days: int = 35
    months: int = 12


def surplus(backups: Sequence[Manifest], keep: Keep, *, at: datetime) -> tuple[Manifest, ...]:
    """Return the backups of one scope that nothing keeps, those that build on others first.

    So that any moment of the days kept can be restored, the last one before them is kept too.
    """
    ordered = sorted(backups, key=lambda manifest: manifest.began_at)
    since = at - timedelta(days=keep.days)
    kept = {each.ident for each in ordered[len(ordered) - keep.last :] if keep.last}
    kept |= {each.ident for each in ordered if each.began_at >= since}
    before = [each for each in ordered if each.began_at < since]
    kept |= {each.ident for each in before[-1:] if keep.days}
    firsts: dict[tuple[int, int], str] = {}
    for each in ordered:
        if each.kind is not BackupKind.INCREMENTAL:
            firsts.setdefault((each.began_at.year, each.began_at.month), each.ident)
    if keep.months:
        kept |= {firsts[month] for month in sorted(firsts)[-keep.months :]}
    parents = {each.ident: each.parent for each in ordered}
    for name in list(kept):
        ident = name
        while (ident := parents.get(ident, "")) and ident not in kept:
            kept.add(ident)
    return tuple(each for each in reversed(ordered) if each.ident not in kept)

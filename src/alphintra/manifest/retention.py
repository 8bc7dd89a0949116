"""How long records are kept, by retention class and profile: the rules that retention runs by, as data.

A profile is a reading of the law: ``default`` keeps for the longest of all, ``eu`` for MiFIR 25(1) and MiFID II 16(7),
``us`` for SEC 17a-4(a) and (b). Where a profile asks for nothing of its own, the default holds. Whatever the profile
says, a legal hold wins.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLASSES", "DEFAULT_PROFILE", "PROFILES", "Period", "RetentionClass", "Terms", "profile_named"]

_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Period:
    """A span of the calendar, which is of as many days as the calendar says."""

    months: int = 0
    days: int = 0

    @classmethod
    def years(cls, count: int) -> Period:
        """Return a span of whole years."""
        return cls(months=count * _MONTHS)

    def before(self, at: datetime) -> datetime:
        """Return the instant that lies this span before another, in UTC.

        Where the month of that day is shorter, its last day at the same time: what is older than the answer has been
        kept for the whole span, never for less.
        """
        moment = at.astimezone(UTC)
        month = moment.year * _MONTHS + moment.month - 1 - self.months
        year, index = divmod(month, _MONTHS)
        day = min(moment.day, calendar.monthrange(year, index + 1)[1])
        return moment.replace(year=year, month=index + 1, day=day) - timedelta(days=self.days)

    def __str__(self) -> str:
        """Read as in ``7 years``, ``13 months``, ``30 days``."""
        years, months = divmod(self.months, _MONTHS)
        if years and not months and not self.days:
            return f"{years} year{'s' if years > 1 else ''}"
        parts = [f"{self.months} months"] * bool(self.months) + [f"{self.days} days"] * bool(self.days)
        return " ".join(parts) or "0 days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long records are kept.

    Attributes:
        keep: from when on they may be destroyed; None for as long as the installation lives.
        hot: how long of that in the database; afterwards in a sealed archive. None for all of it.
    """

    keep: Period | None
    hot: Period | None = None

    def __str__(self) -> str:
        """Read as in ``7 years, 2 years of them hot``."""
        if self.keep is None:
            return "life of the installation"
        return str(self.keep) if self.hot is None else f"{self.keep}, {self.hot} of them hot"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionClass:
    """Records that one rule holds for.

    Attributes:
        name: as reports and archives call it.
        why: the law or the purpose behind the span.
        default: terms where a profile has none of its own.
        profiles: terms by profile.
    """

    name: str
    why: str
    default: Terms
    profiles: Mapping[str, Terms] = field(default_factory=dict)

    def terms(self, profile: str) -> Terms:
        """Return what holds under a profile."""
        return self.profiles.get(profile, self.default)


DEFAULT_PROFILE: Final = "default"
PROFILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        DEFAULT_PROFILE: "the longest of all: 7 years, 2 of them hot",
        "eu": "MiFIR 25(1): 5 years; MiFID II 16(7): longer only where the authority asks, by a legal hold",
        "us": "SEC 17a-4(a) 6 years, (b) 3 years, the first 2 readily accessible",
    }
)
_ALIASES: Final = MappingProxyType({"mifid": "eu", "sec": "us"})


def profile_named(name: str) -> str:
    """Return the profile of that name or alias. Raises RETENTION_PROFILE."""
    found = _ALIASES.get(name, name)
    if found not in PROFILES:
        message = f"there is no retention profile {name[:40]!r}: choose {', '.join((*PROFILES, *_ALIASES))}"
        raise AlphintraError("RETENTION_PROFILE", message, pointer="--profile")
    return found


_Y2: Final = Period.years(2)
_Y7: Final = Period.years(7)


def _record(name: str, why: str, *, us: int, is_hot: bool = False) -> RetentionClass:
    """Return a class of trading records: 7 years, 5 in the EU, 3 or 6 in the US; archived after two unless hot."""
    hot = None if is_hot else _Y2
    return RetentionClass(
        name=name,
        why=why,
        default=Terms(keep=_Y7, hot=hot),
        profiles=MappingProxyType(
            {"eu": Terms(keep=Period.years(5), hot=hot), "us": Terms(keep=Period.years(us), hot=hot)}
        ),
    )


def _plain(name: str, why: str, keep: Period | None, hot: Period | None = None) -> RetentionClass:
    return RetentionClass(name=name, why=why, default=Terms(keep=keep, hot=hot))


CLASSES: Final[Mapping[str, RetentionClass]] = MappingProxyType(
    {
        each.name: each
        for each in (
            _record("order", "orders and what became of them: MiFIR 25(1), SEC 17a-4(b)(1)", us=3),
            _record("event", "what services told each other; holds copies of orders and decisions", us=6),
            _record("position", "books can be rebuilt; from the account's closing on", us=6, is_hot=True),
            _record("cash", "the ledger; from the account's closing on", us=6, is_hot=True),
            _record("account", "whose books they were; from the account's closing on", us=6, is_hot=True),
            _record("risk_decision", "evidence of controls: SEC 15c3-5(e), RTS 6 Art. 15", us=6),
            _record("surveillance", "alerts and cases: MAR Art. 16", us=6, is_hot=True),
            _record("venue_message", "what venues were told and answered: RTS 24 Annex", us=3, is_hot=True),
            _record("connection", "where orders went; from the connection's closing on", us=6, is_hot=True),
            _record("deployment", "how a strategy was run; from its retirement on: RTS 6 Art. 5-7", us=6, is_hot=True),
            _record("decision", "reproduce any decision: RTS 6 Art. 11", us=6, is_hot=True),
            _record("market_data", "prices that decisions and controls stood on", us=6, is_hot=True),
            _record("workflow", "algorithm record; from its last live use on: RTS 6 Art. 5-7, 11", us=6, is_hot=True),
            _record("live_run", "algorithm record: what ran on live accounts", us=6, is_hot=True),
            _record("alert_message", "that risk and compliance were told: RTS 6 Art. 16", us=6, is_hot=True),
            _plain("risk_metric", "half-year peaks and yearly review: RTS 6 Art. 9, 10", _Y7, Period(months=13)),
            _plain("backtest", "testing evidence; those that back an approval for 7 years", _Y7, _Y2),
            _plain("run", "history of runs that touched no money", _Y2),
            _plain("draft", "work that nobody has touched", Period.years(1)),
            _plain("job", "traces of imports and downloads", Period(months=13)),
            _plain("message", "personal data is kept short; deliveries refer to it", Period(months=13)),
            _plain("delivery", "that somebody was told", Period(months=13)),
            _plain(
                "inbox", "an event that is heard again is known by it; longer than any event can be told again", _Y7
            ),
            _plain("session", "reuse of a token is seen for 30 days after its end", Period(days=30)),
            _plain("credential", "gone with their revocation, by the service itself", None),
            _plain("personal", "life of the account, and 5 years for a client's record", None),
            _plain("preference", "life of the account", None),
            _plain("audit", "no part of the chain may be missing", None),
            _plain("operation", "which migrations, holds and retention runs there were", None),
        )
    }
)
"""By name; every ``data_class`` of a table is one of them."""

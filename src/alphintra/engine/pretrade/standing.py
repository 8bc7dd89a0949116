"""Controls of whether the account may trade at all: kill state and limits."""

from __future__ import annotations

from alphintra.engine.pretrade.cases import Case, Control, Findings, finding
from alphintra.engine.pretrade.values import KillState

__all__ = ["BLOCKED", "LIMITED"]


def _blocked(case: Case) -> Findings:
    scope, kill = case.book.kill_of(case.order)
    if kill in {KillState.NORMAL, KillState.REDUCE_ONLY}:  # the latter is judged with reduce-only orders
        return ()
    detail = f"trading of the {scope} is {kill}: wait until it is released"
    return (finding("R30", "KILL_ACTIVE", detail, limit=KillState.NORMAL, observed=kill),)


def _limited(case: Case) -> Findings:
    if case.limits is not None:
        return ()
    detail = "the account has no limit set: set its limits before it trades"
    field = "/terms/account_id"
    return (finding("R01", "RISK_LIMITS_MISSING", detail, field=field, limit="a limit set", observed="none"),)


BLOCKED = Control(
    rule="R30",
    name="Kill switch",
    codes=("KILL_ACTIVE",),
    inputs="kill states of every scope the order falls under",
    default="normal",
    check=_blocked,
)
LIMITED = Control(
    rule="R01",
    name="No limits, no trading",
    codes=("RISK_LIMITS_MISSING",),
    inputs="the account's limit set",
    default="a paper account starts with one",
    check=_limited,
)

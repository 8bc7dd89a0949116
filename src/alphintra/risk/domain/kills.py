"""The kill machine: who may move it where. Automatic moves only go right, from normal towards halted."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.errors import AlphintraError
from alphintra.risk.domain.books import Kill, KillScope, KillState

__all__ = ["effective", "is_stricter", "require_scope"]


def require_scope(
    scope: str,
    *,
    account_id: UUID | None = None,
    owner_id: UUID | None = None,
    book_id: UUID | None = None,
    venue: str | None = None,
    symbol: str | None = None,
) -> KillScope:
    """Return the scope if exactly what it is for is named. Raises KILL_SCOPE: nothing never means all."""
    keys = {
        KillScope.ACCOUNT: account_id,
        KillScope.USER: owner_id,
        KillScope.STRATEGY: book_id,
        KillScope.VENUE: venue or None,
        KillScope.SYMBOL: symbol or None,
    }
    named = {found for found, key in keys.items() if key is not None}
    wanted = set() if scope == KillScope.FIRM else {scope}
    if scope not in tuple(KillScope) or named != wanted:
        message = (
            "the scope is firm alone, or account with account_id, user with owner_id, strategy with book_id, venue "
            "with venue, symbol with symbol"
        )
        raise AlphintraError("KILL_SCOPE", message, pointer="/scope")
    return KillScope(scope)


def effective(*states: str | None) -> KillState:
    """Return the strictest of some kill states, normal where none was ever set."""
    return max(
        (KillState(state) for state in states if state), key=lambda state: state.severity, default=KillState.NORMAL
    )


def is_stricter(wanted: KillState, current: Kill | None) -> bool:
    """Tell whether a state blocks more than the one in force."""
    return wanted.severity > (KillState.NORMAL if current is None else current.state).severity

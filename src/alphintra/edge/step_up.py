"""What asks a person to prove again who they are, so that a stolen session cannot do it."""

from __future__ import annotations

from uuid import UUID

from alphintra.contracts.trading import GetAccount
from alphintra.edge.guards import Caller
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["require_recent_unless_paper"]


async def require_recent_unless_paper(caller: Caller, account_id: UUID | None) -> None:
    """Refuse a session that was not proven lately, except on one paper account. Raises AUTH_STEP_UP.

    None is for what holds for more than one account. An account the caller cannot see is left to the service whose
    answer they get: it knows how to refuse.
    """
    if caller.is_recent:
        return
    if account_id is not None:
        account = await caller.ask(GetAccount(account_id=account_id))
        if account.mode == AccountMode.PAPER:
            return
    caller.require_recent()

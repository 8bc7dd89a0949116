"""Which accounts an API key is for."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import pytest

from alphintra.kernel.authority import is_for_account, require_account, require_all_accounts, require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor
from alphintra.kernel.vocabulary import AccountMode

ONE: Final = UUID(int=1)
TWO: Final = UUID(int=2)
PAPER, LIVE = AccountMode.PAPER, AccountMode.LIVE


def actor(mode: AccountMode | None = None, account_id: UUID | None = None) -> Actor:
    return Actor(id="key:one", user_id=ONE, mode=mode, account_id=account_id)


@pytest.mark.parametrize(
    ("key", "account_id", "mode", "is_for"),
    [
        (actor(), ONE, PAPER, True),
        (actor(), ONE, LIVE, True),
        (actor(PAPER), ONE, PAPER, True),
        (actor(PAPER), ONE, LIVE, False),
        (actor(LIVE), ONE, PAPER, False),
        (actor(LIVE), ONE, LIVE, True),
        (actor(PAPER, ONE), ONE, PAPER, True),
        (actor(PAPER, ONE), TWO, PAPER, False),
        (actor(PAPER, ONE), ONE, LIVE, False),
    ],
)
def test_a_key_is_for_its_mode_and_where_it_names_one_its_account(
    *, key: Actor, account_id: UUID, mode: AccountMode, is_for: bool
) -> None:
    assert is_for_account(key, account_id, mode) is is_for
    if is_for:
        require_for_account(key, account_id, mode)
        return
    with pytest.raises(AlphintraError) as refused:
        require_for_account(key, account_id, mode)
    assert (refused.value.code, refused.value.kind, refused.value.pointer) == (
        "AUTH_SCOPE",
        Kind.FORBIDDEN,
        "/account_id",
    )


@pytest.mark.parametrize("key", [actor(PAPER), actor(LIVE), actor(PAPER, ONE)])
def test_what_holds_for_all_accounts_is_beyond_every_key(key: Actor) -> None:
    with pytest.raises(AlphintraError) as refused:
        require_all_accounts(key, "the firm reaches further", pointer="/scope")
    assert (refused.value.code, refused.value.pointer) == ("AUTH_SCOPE", "/scope")
    require_all_accounts(actor(), "the firm reaches further")


def test_a_key_of_one_account_is_for_no_other_whatever_its_mode() -> None:
    require_account(actor(PAPER, ONE), ONE)
    require_account(actor(PAPER), TWO)
    with pytest.raises(AlphintraError, match="AUTH_SCOPE"):
        require_account(actor(PAPER, ONE), TWO)

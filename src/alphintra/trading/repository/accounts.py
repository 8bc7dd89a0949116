"""Accounts: rows to values and back."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from alphintra.kernel.vocabulary import AccountMode
from alphintra.trading.domain.accounts import Account
from alphintra.trading.repository.sessions import Changes, Reads, conflicts

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database, Record
    from alphintra.kernel.ids import AccountId, UserId

__all__ = ["AccountChanges", "AccountReads", "account_of"]

MODES_MAX: Final = 10_000


class AccountChanges(Changes):
    """Changes of accounts inside one transaction."""

    async def add_account(self, account: Account) -> None:
        """Store a new account. Raises ACCOUNT_NAME_TAKEN for a name its owner uses already."""
        with conflicts("accounts_owner_name_key", as_code="ACCOUNT_NAME_TAKEN", pointer="/name"):
            await self.session.execute(
                "accounts.insert",
                account.account_id,
                account.owner_id,
                account.name,
                account.mode,
                account.currency,
                account.feed_id,
                account.starting_cash,
                account.cash,
                account.created_at,
            )

    async def mark_risk_ready(self, account_id: AccountId) -> None:
        """Remember that risk has set limits for the account."""
        await self.session.execute("accounts.risk_ready", account_id)

    async def mark_venue_ready(self, account_id: AccountId) -> None:
        """Remember that broker has opened the account's connection."""
        await self.session.execute("accounts.venue_ready", account_id)

    async def get_account(self, account_id: AccountId) -> Account | None:
        """Read an account."""
        row = await self.session.row("accounts.get", account_id)
        return None if row is None else account_of(row)

    async def lock_account(self, account_id: AccountId) -> Account | None:
        """Read an account and hold it until the transaction ends."""
        row = await self.session.row("accounts.lock", account_id)
        return None if row is None else account_of(row)


class AccountReads(Reads):
    """Reads of accounts."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._modes: OrderedDict[AccountId, AccountMode] = OrderedDict()

    async def mode_of(self, account_id: AccountId) -> AccountMode:
        """Return the mode of an account there is; it never changes, so what was read once is remembered."""
        mode = self._modes.get(account_id)
        if mode is None:
            async with self._database.session() as session:
                mode = AccountMode(await session.value("accounts.mode", account_id))
            self._modes[account_id] = mode
            if len(self._modes) > MODES_MAX:
                self._modes.popitem(last=False)
        return mode

    async def account(self, account_id: AccountId) -> Account | None:
        """Read an account."""
        async with self._database.session() as session:
            return await AccountChanges(session).get_account(account_id)

    async def accounts_of(self, owner_id: UserId) -> tuple[Account, ...]:
        """Read a person's accounts, oldest first."""
        async with self._database.session() as session:
            return tuple(account_of(row) for row in await session.rows("accounts.of_owner", owner_id))


def account_of(row: Record) -> Account:
    """Return the account of a row."""
    return Account(**{**row, "mode": AccountMode(row["mode"])})

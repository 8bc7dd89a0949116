"""Whose orders a request is about: the caller, and the one account their credentials trade."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.requests import Request

from alphintra.contracts.books import PositionView
from alphintra.contracts.orders import OrderView
from alphintra.contracts.risk import GetRiskState, RiskStateView
from alphintra.contracts.strategy import DatasetView, ListDatasets
from alphintra.contracts.trading import GetOrder, ListAccounts, ListPositions
from alphintra.edge.alpaca.errors import refused
from alphintra.edge.alpaca.shapes import asset_id_of
from alphintra.edge.guards import Caller, Scope, gate_of
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["Desk", "desk_of", "desk_of_caller"]

CHOICES_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Desk:
    """A caller at their account."""

    caller: Caller
    account_id: UUID

    async def order(self, order_id: UUID) -> OrderView:
        """Return an order of the account. Raises ORDER_NOT_FOUND, also for one of another account of the person."""
        try:
            order = await self.caller.ask(GetOrder(order_id=order_id))
        except AlphintraError as error:
            if error.code != "ORDER_NOT_FOUND":
                raise
            raise _no_order(order_id) from error
        if order.account_id != self.account_id:
            raise _no_order(order_id)
        return order

    async def positions(self) -> Sequence[PositionView]:
        """Return the positions of all books."""
        return (await self.caller.ask(ListPositions(account_id=self.account_id))).positions

    async def risk(self) -> RiskStateView:
        """Return exposure, reserved cash and last prices."""
        return await self.caller.ask(GetRiskState(account_id=self.account_id))

    async def datasets(self) -> dict[str, DatasetView]:
        """Return the catalogue by symbol."""
        return {item.symbol: item for item in (await self.caller.ask(ListDatasets())).datasets}

    async def known_symbol(self, text: str) -> str:
        """Return the symbol that a symbol, one without its slash, or an asset id names; else the text in capitals."""
        wanted = text.strip().upper()
        known = await self.datasets()
        if wanted in known:
            return wanted
        for symbol in known:
            if wanted == symbol.replace("/", "") or wanted == str(asset_id_of(symbol)).upper():
                return symbol
        return wanted


class Choices:
    """Remembers whose account is which: the oldest of a mode stays the oldest, so no answer grows old."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID | None, AccountMode], UUID] = OrderedDict()

    async def account_of(self, caller: Caller) -> UUID:
        """Return the account a caller trades. Raises ACCOUNT_MISSING or USER_REQUIRED."""
        actor = caller.context.actor
        if actor.user_id is None:
            message = "only a person has an account: use an API key, see `alphintra user api-key create`"
            raise refused("USER_REQUIRED", message, kind=Kind.FORBIDDEN)
        mode = actor.mode or AccountMode.PAPER
        if actor.account_id is not None:
            return actor.account_id
        found = self._known.get((actor.user_id, mode))
        if found is None:
            accounts = (await caller.ask(ListAccounts())).accounts
            found = next((one.account_id for one in accounts if one.mode is mode), None)
            if found is None:
                message = f"there is no {mode} account to trade: open one with `alphintra account open`"
                raise refused("ACCOUNT_MISSING", message, kind=Kind.FORBIDDEN)
            self._known[actor.user_id, mode] = found
            if len(self._known) > CHOICES_MAX:
                self._known.popitem(last=False)
        return found


async def desk_of(request: Request, needed: Scope) -> Desk:
    """Return the desk of a request. Raises AUTH_*, ACCOUNT_MISSING or USER_REQUIRED."""
    caller = await gate_of(request).admit(request, needed)
    return await desk_of_caller(caller, request.app.state.choices)


async def desk_of_caller(caller: Caller, choices: Choices) -> Desk:
    """Return the desk of a caller who was let in. Raises ACCOUNT_MISSING or USER_REQUIRED."""
    return Desk(caller, await choices.account_of(caller))


def _no_order(order_id: UUID) -> AlphintraError:
    return refused("ORDER_NOT_FOUND", f"order not found for {order_id}", kind=Kind.NOT_FOUND)

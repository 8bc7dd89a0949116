"""Live bars through a live account's connection: broker asks its venue with the credentials only broker can open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from alphintra.contracts.broker import ListVenueBars
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Context
from alphintra.strategy.domain.intervals import interval_of
from alphintra.strategy.domain.live_bars import RawBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.infrastructure.bus import Bus
    from alphintra.strategy.gateways.bar_sources import Recent

__all__ = ["ConnectionBars", "Connections", "owner_of_feed"]

TIMEOUT_S: Final = 20.0
PAGES_MAX: Final = 500


class Connections:
    """Broker, asked for bars in the name of whom a connection belongs to."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def bars(self, connection_id: UUID, data_feed: str, context: Context) -> ConnectionBars:
        """Return the source of bars behind the connection of an account."""
        return ConnectionBars(self._bus, connection_id, data_feed, context)


def owner_of_feed(feed_id: UUID, owner_id: UUID | None, trace_id: str) -> Context:
    """Return the context of a feed acting for its owner, the operator where it has none."""
    roles = ("operator",) if owner_id is None else ("trader",)
    return Context(trace_id=trace_id, actor=Actor(id=f"feed:{feed_id}", user_id=owner_id, roles=roles))


@dataclass(frozen=True, slots=True)
class ConnectionBars:
    """One connection as a source of live bars."""

    bus: Bus
    account_id: UUID
    data_feed: str
    context: Context

    async def recent(self, wanted: Recent) -> tuple[RawBar, ...]:
        """Return the bars wanted. Raises CONNECTION_NOT_FOUND, CREDENTIALS_MISSING, BARS_UNSUPPORTED and VENUE_*."""
        found: list[RawBar] = []
        for is_pair in (False, True):
            symbols = tuple(symbol for symbol in wanted.symbols if ("/" in symbol) is is_pair)
            if symbols:
                found += await self._recent(symbols, wanted)
        return tuple(found)

    async def _recent(self, symbols: Sequence[str], wanted: Recent) -> list[RawBar]:
        found: list[RawBar] = []
        token = ""
        for _ in range(PAGES_MAX):
            command = ListVenueBars(
                account_id=self.account_id,
                symbols=tuple(symbols),
                minutes=interval_of(wanted.timeframe).minutes,
                start=wanted.start,
                end=wanted.end,
                data_feed=self.data_feed,
                page_token=token,
            )
            page = await self.bus.ask(command, self.context, timeout_s=TIMEOUT_S)
            for bar in page.bars:
                values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
                found.append(RawBar(bar.symbol, bar.opened_at, values))
            if not page.next_page_token:
                return found
            token = page.next_page_token
        raise AlphintraError("SOURCE_PROTOCOL", "the venue has more pages of bars than there can be")

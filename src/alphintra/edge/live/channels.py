"""What the platform's events tell on the channels of the live stream, and who may hear it: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from alphintra.contracts.auth import SessionRevoked
from alphintra.contracts.broker import BreakFound, ConnectionChanged, PricesStalled
from alphintra.contracts.executions import DeploymentEnded, DeploymentStarted
from alphintra.contracts.notification import MessageDelivered
from alphintra.contracts.risk import (
    AlertEscalated,
    AlertRaised,
    ControlChanged,
    KillScopeChanged,
    KillStateChanged,
    KillStateView,
    LimitBreached,
    LimitsChanged,
)
from alphintra.contracts.strategy import BacktestFinished, FeedFinished, FeedStatusChanged
from alphintra.contracts.sweeps import SweepFinished
from alphintra.contracts.trading import (
    AccountOpened,
    CashBooked,
    FillBooked,
    OrderClosed,
    OrderDenied,
    OrderSubmitted,
    OrderUpdated,
    PositionTransferred,
    SplitApplied,
)
from alphintra.edge.replies import encode_reply
from alphintra.kernel.messages import Actor, Event

__all__ = ["EVENT_CHANNELS", "HEARD", "QUOTES", "RUNS", "Ears", "Told", "told"]

# The channels of events; beside them are quotes:SYMBOL and runs:ID, which are looked up while somebody listens.
EVENT_CHANNELS: Final = frozenset({"orders", "fills", "positions", "runs", "risk", "notices", "health"})
QUOTES: Final = "quotes:"
RUNS: Final = "runs:"

HEARD: Final[tuple[type[Event], ...]] = (
    AccountOpened,
    AlertEscalated,
    AlertRaised,
    BacktestFinished,
    BreakFound,
    CashBooked,
    ConnectionChanged,
    ControlChanged,
    DeploymentEnded,
    DeploymentStarted,
    FeedFinished,
    FeedStatusChanged,
    FillBooked,
    KillScopeChanged,
    KillStateChanged,
    LimitBreached,
    LimitsChanged,
    MessageDelivered,
    OrderClosed,
    OrderDenied,
    OrderSubmitted,
    OrderUpdated,
    PositionTransferred,
    PricesStalled,
    SessionRevoked,
    SplitApplied,
    SweepFinished,
)
_GOVERNS: Final = frozenset({"owner", "operator"})
_FOR_ALL: Final = frozenset({"firm", "venue", "symbol"})  # kill states that every account's risk shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something that is told on a channel.

    Attributes:
        channel: which.
        data: what, encoded.
        owner_id: whose it is, where the event says so.
        account_id: which account it is about.
        is_governed: whether those who govern may read it through the API though it is not theirs.
        is_for_all: whether everybody who is signed in may.
    """

    channel: str
    data: msgspec.Raw
    owner_id: UUID | None = None
    account_id: UUID | None = None
    is_governed: bool = False
    is_for_all: bool = False


class Ears:
    """What one listener may hear: what the API would let them read."""

    def __init__(self, actor: Actor) -> None:
        self.user_id = actor.user_id
        self._accounts: set[UUID] = set()
        self._is_operator = actor.id == "operator"
        self._governs = bool(_GOVERNS & set(actor.roles))

    def may_hear(self, one: Told) -> bool:
        """Whether this is for the listener."""
        if one.is_for_all or self._is_operator:
            return True
        if one.owner_id is not None and one.owner_id == self.user_id:
            return True
        return (one.is_governed and self._governs) or one.account_id in self._accounts

    def own(self, accounts: Iterable[UUID]) -> None:
        """Take note of accounts of the listener."""
        self._accounts.update(accounts)

    def note(self, event: Event) -> None:
        """Take note of an account that the listener has opened meanwhile."""
        if isinstance(event, AccountOpened) and event.owner_id == self.user_id:
            self._accounts.add(event.account_id)


class _Data(msgspec.Struct, frozen=True):
    data: Any


def _raw(**data: object) -> msgspec.Raw:
    """Return a document as every answer of the API is written: amounts as plain text."""
    written = encode_reply(_Data(data))
    return msgspec.Raw(written[len(b'{"data":') : -1])


def told(event: Event) -> Iterator[Told]:
    """Yield what an event tells."""
    yield from _of_orders(event)
    yield from _of_holdings(event)
    yield from _of_runs(event)
    yield from _of_risk(event)
    match event:
        case MessageDelivered():
            data = _raw(event="delivered", message_id=event.message_id, kind=event.kind)
            yield Told(channel="notices", data=data, owner_id=event.user_id)
        case FeedStatusChanged():
            data = _raw(event="feed", feed_id=event.feed_id, status=event.status)
            yield Told(channel="health", data=data, is_for_all=True)
        case FeedFinished():
            data = _raw(event="feed", feed_id=event.feed_id, status=event.status)
            yield Told(channel="health", data=data, is_for_all=True)
        case ConnectionChanged():
            data = _raw(event="connection", account_id=event.account_id, status=event.status, reason=event.reason)
            yield Told(channel="health", data=data, account_id=event.account_id)
        case PricesStalled():
            data = _raw(event="prices", account_id=event.account_id, symbol=event.symbol, is_stalled=event.is_stalled)
            yield Told(channel="health", data=data, account_id=event.account_id)
        case BreakFound():
            data = _raw(event="break", account_id=event.account_id, code=event.code, symbol=event.symbol)
            yield Told(channel="health", data=data, account_id=event.account_id)
        case _:
            return


def _of_orders(event: Event) -> Iterator[Told]:
    match event:
        case OrderUpdated(order=order) | OrderClosed(order=order):
            word = "closed" if isinstance(event, OrderClosed) else "updated"
        case FillBooked(order=order) if order is not None:
            word = "filled"
        case OrderSubmitted(terms=terms) | OrderDenied(terms=terms):
            word = "submitted" if isinstance(event, OrderSubmitted) else "denied"
            data = _raw(event=word, account_id=terms.account_id, order_id=terms.order_id, order=None)
            yield Told(channel="orders", data=data, owner_id=event.owner_id)
            return
        case _:
            return
    data = _raw(event=word, account_id=order.account_id, order_id=order.order_id, order=order)
    yield Told(channel="orders", data=data, owner_id=event.owner_id)


def _of_holdings(event: Event) -> Iterator[Told]:
    match event:
        case FillBooked(execution=fill):
            data = _raw(event="fill", account_id=fill.account_id, execution=fill)
            yield Told(channel="fills", data=data, owner_id=event.owner_id)
            data = _raw(
                event="fill",
                account_id=fill.account_id,
                symbol=fill.symbol,
                qty=event.account_qty,
                cash=event.cash,
            )
        case CashBooked():
            data = _raw(event="cash", account_id=event.account_id, kind=event.kind, cash=event.cash)
        case SplitApplied():
            data = _raw(event="split", account_id=event.account_id, symbol=event.symbol, qty=event.account_qty)
        case PositionTransferred():
            data = _raw(event="transfer", account_id=event.account_id, symbol=event.symbol)
        case AccountOpened():
            data = _raw(event="opened", account_id=event.account_id)
        case _:
            return
    yield Told(channel="positions", data=data, owner_id=event.owner_id)


def _of_runs(event: Event) -> Iterator[Told]:
    match event:
        case BacktestFinished():
            data = _raw(event="backtest", backtest_id=event.backtest_id, status=event.status)
        case SweepFinished():
            data = _raw(event="sweep", sweep_id=event.sweep_id, status=event.status)
        case DeploymentStarted():
            data = _raw(event="deployment", deployment_id=event.deployment_id, status="running")
        case DeploymentEnded():
            data = _raw(event="deployment", deployment_id=event.deployment_id, status=event.status)
        case _:
            return
    yield Told(channel="runs", data=data, owner_id=event.owner_id)


def _of_risk(event: Event) -> Iterator[Told]:
    match event:
        case KillStateChanged(kill=kill) | KillScopeChanged(kill=kill):
            yield _kill(kill)
        case AlertRaised(alert=alert) | AlertEscalated(alert=alert):
            word = "alert" if isinstance(event, AlertRaised) else "escalated"
            data = _raw(event=word, alert=alert)
            yield Told(channel="risk", data=data, owner_id=event.owner_id, is_governed=True)
        case LimitsChanged():
            data = _raw(event="limits", account_id=event.account_id, version=event.version)
            yield Told(channel="risk", data=data, account_id=event.account_id, is_governed=True)
        case LimitBreached():
            data = _raw(event="breach", account_id=event.account_id, order_id=event.order_id, findings=event.findings)
            yield Told(channel="risk", data=data, account_id=event.account_id, is_governed=True)
        case ControlChanged():
            data = _raw(event="control", kind=event.kind, change=event.change, account_id=event.account_id)
            yield Told(channel="risk", data=data, account_id=event.account_id, is_governed=True)
        case _:
            return


def _kill(kill: KillStateView) -> Told:
    return Told(
        channel="risk",
        data=_raw(event="kill", kill=kill),
        owner_id=kill.owner_id,
        account_id=kill.account_id,
        is_governed=True,
        is_for_all=kill.scope in _FOR_ALL,
    )

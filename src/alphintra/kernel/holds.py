"""What every service tells alike when records of it come under a legal hold, or out of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final
from uuid import UUID

import msgspec

from alphintra.kernel.messages import Event, Utc

__all__ = ["HOLD_EVENTS", "Hold"]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What a legal hold covers.

    Attributes:
        kind: ``all``, ``user``, ``account`` or ``order``.
        subject: which of them; empty for ``all``.
        from_at: first instant of the records held; None for all from the beginning.
        to_at: first instant after them; None for all to come.
    """

    hold_id: UUID
    kind: str
    subject: str
    from_at: Utc | None
    to_at: Utc | None


class AuthHoldChanged(Event, tag="auth.hold_changed.v1", frozen=True):
    """Records of auth came under a legal hold (``state`` is ``set``) or out of it (``lifted``)."""

    hold: Hold
    state: str
    reason: str


class BrokerHoldChanged(Event, tag="broker.hold_changed.v1", frozen=True):
    """Records of broker came under a legal hold (``state`` is ``set``) or out of it (``lifted``)."""

    hold: Hold
    state: str
    reason: str


class NocodeHoldChanged(Event, tag="nocode.hold_changed.v1", frozen=True):
    """Records of nocode came under a legal hold (``state`` is ``set``) or out of it (``lifted``)."""

    hold: Hold
    state: str
    reason: str


class NotificationHoldChanged(Event, tag="notification.hold_changed.v1", frozen=True):
    """Records of notification came under a legal hold (``state`` is ``set``) or out of it (``lifted``)."""

    hold: Hold
    state: str
    reason: str


class RiskHoldChanged(Event, tag="risk.hold_changed.v1", frozen=True):
    """Records of risk came under a legal hold (``state`` is ``set``) or out of it (``lifted``)."""

    hold: Hold
    state: str
    reason: str


class StrategyHoldChanged(Event, tag="strategy.hold_changed.v1", frozen=True):
    """Records of strategy came under a legal hold (``state`` is ``set``) or out of it (``lifted``)."""

    hold: Hold
    state: str
    reason: str


class TradingHoldChanged(Event, tag="trading.hold_changed.v1", frozen=True):
    """Records of trading came under a legal hold (``state`` is ``set``) or out of it (``lifted``)."""

    hold: Hold
    state: str
    reason: str


class UserHoldChanged(Event, tag="user.hold_changed.v1", frozen=True):
    """Records of user came under a legal hold (``state`` is ``set``) or out of it (``lifted``)."""

    hold: Hold
    state: str
    reason: str


AnyHoldChanged = (
    AuthHoldChanged
    | BrokerHoldChanged
    | NocodeHoldChanged
    | NotificationHoldChanged
    | RiskHoldChanged
    | StrategyHoldChanged
    | TradingHoldChanged
    | UserHoldChanged
)

HOLD_EVENTS: Final = MappingProxyType[str, type[AnyHoldChanged]](
    {
        "auth": AuthHoldChanged,
        "broker": BrokerHoldChanged,
        "nocode": NocodeHoldChanged,
        "notification": NotificationHoldChanged,
        "risk": RiskHoldChanged,
        "strategy": StrategyHoldChanged,
        "trading": TradingHoldChanged,
        "user": UserHoldChanged,
    }
)
"""By service."""

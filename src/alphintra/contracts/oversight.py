"""What people watch risk by: how much of each limit is used, every kill state, and what the controls are."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.assessments import KillStateView
from alphintra.kernel.messages import Command, Utc, View

__all__ = [
    "ControlView",
    "ControlsView",
    "GetLimitUse",
    "KillStatesView",
    "LimitDocView",
    "LimitUseView",
    "LimitUsesView",
    "ListControls",
    "ListKillStates",
]


class LimitUseView(View, frozen=True):
    """How much of one limit is used, or would be with all working orders filled.

    Attributes:
        limit: which limit, as the limit set names it; ``credit_max`` of the user or firm where ``scope`` says so.
        rule: the control that holds it, such as R13.
        what: the limit in words.
        name: the symbol of a position, the class of instruments; empty for others.
        scope: account, user or firm.
        used: how much of it; below zero for a day that gains.
        most: the limit.
        warn_pct: share of the limit that raises an alert when crossed, percent.
        unit: percent for falls of equity; empty for amounts, quantities and counts.
    """

    limit: str
    rule: str
    what: str
    name: str
    scope: str
    used: Decimal
    most: Decimal
    warn_pct: Decimal
    unit: str = ""


class LimitUsesView(View, frozen=True):
    """Every limit in force that can be used up, in the order of the rules; ``equity_day`` is that of the losses."""

    account_id: UUID
    version: int
    measured_at: Utc
    equity_day: str
    uses: tuple[LimitUseView, ...]


class KillStatesView(View, frozen=True):
    """The kill states in force that let less than everything pass, and every one ever set, newest first."""

    current: tuple[KillStateView, ...]
    history: tuple[KillStateView, ...]


class ControlView(View, frozen=True):
    """A control every order passes: its codes, what it looks at, and whether two people may let one order pass it."""

    rule: str
    name: str
    codes: tuple[str, ...]
    inputs: str
    default: str
    is_soft: bool


class LimitDocView(View, frozen=True):
    """A limit that can be set, the rule it belongs to, and what it means."""

    limit: str
    rule: str
    meaning: str


class ControlsView(View, frozen=True):
    """All controls in the order they run, and all limits."""

    controls: tuple[ControlView, ...]
    limits: tuple[LimitDocView, ...]


class GetLimitUse(Command[LimitUsesView], tag="risk.get_limit_use.v1", frozen=True):
    """Tell how much of each limit of an account is used."""

    account_id: UUID


class ListKillStates(Command[KillStatesView], tag="risk.list_kill_states.v1", frozen=True):
    """List kill states: all to owner and operator, to others the firm's, of venues and symbols, and their own."""

    limit: int = 100


class ListControls(Command[ControlsView], tag="risk.list_controls.v1", frozen=True):
    """List the controls and the limits there are."""

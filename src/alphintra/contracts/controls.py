"""What sets and shows the controls of risk: limits, instruments, restrictions, blocks, leave given by two people."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.assessments import LimitsView
from alphintra.kernel.messages import Utc, View

__all__ = [
    "InstrumentView",
    "LatchView",
    "LatchesView",
    "LimitProposalView",
    "LimitProposalsView",
    "OverrideView",
    "OverridesView",
    "RestrictionView",
    "RestrictionsView",
    "SessionView",
    "SharedLimitView",
]


class LimitProposalView(View, frozen=True):
    """Limits proposed by one person, in force once another approves them; undecided while ``is_approved`` is null.

    ``wanted`` are the limits proposed, by the version they build on, and ``reason`` is why.
    """

    proposal_id: UUID
    account_id: UUID
    proposed_by: str
    proposed_at: Utc
    decided_by: str | None = None
    is_approved: bool | None = None
    reason: str = ""
    wanted: LimitsView | None = None


class LimitProposalsView(View, frozen=True):
    """Proposed limits, newest first."""

    proposals: tuple[LimitProposalView, ...]


class SharedLimitView(View, frozen=True):
    """Credit over all accounts of a user, or of the firm; and from which amount on limits take two people.

    ``credit_warn_pct`` is the share of the credit that raises an alert when crossed, percent.
    """

    scope: str
    owner_id: UUID | None
    version: int
    credit_max: Decimal | None
    four_eyes_above: Decimal | None
    set_by: str
    set_at: Utc
    credit_warn_pct: Decimal = Decimal(80)


class InstrumentView(View, frozen=True):
    """The specification of a symbol in force; what is null is not restricted."""

    symbol: str
    version: int
    tick: Decimal | None = None
    lot: Decimal | None = None
    qty_min: Decimal | None = None
    qty_max: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    expires_at: Utc | None = None
    sector: str = ""
    asset_class: str = ""
    collar_pct: Decimal | None = None
    collar_abs: Decimal | None = None
    is_shortable: bool = True
    is_halted: bool = False


class RestrictionView(View, frozen=True):
    """A symbol on the restricted list, for one account or for all."""

    restriction_id: UUID
    symbol: str
    account_id: UUID | None
    reason: str
    set_by: str
    set_at: Utc
    lifted_by: str | None = None


class RestrictionsView(View, frozen=True):
    """Restrictions in force, oldest first."""

    restrictions: tuple[RestrictionView, ...]


class LatchView(View, frozen=True):
    """A block that stays until a named person lifts it: of an account, or one symbol or book of it."""

    latch_id: UUID
    account_id: UUID
    code: str
    symbol: str | None
    book_id: UUID | None
    reason: str
    set_at: Utc
    lifted_by: str | None = None


class LatchesView(View, frozen=True):
    """Blocks in force, oldest first."""

    latches: tuple[LatchView, ...]


class OverrideView(View, frozen=True):
    """Leave for one order of the content of a refused one to pass its soft controls, once, until it expires."""

    override_id: UUID
    account_id: UUID
    order_id: UUID
    codes: tuple[str, ...]
    reason: str
    requested_by: str
    expires_at: Utc
    approved_by: str | None = None


class OverridesView(View, frozen=True):
    """Leave asked for and given, newest first."""

    overrides: tuple[OverrideView, ...]


class SessionView(View, frozen=True):
    """A session that promised to be heard of: armed until the deadline, lost after it, or closed."""

    account_id: UUID
    session_id: str
    state: str
    deadline: Utc

"""What risk tells of the measures of a book; which formulas stand behind them, docs/risk-measures.md says."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Utc, View

__all__ = [
    "DrawdownView",
    "GroupExposureView",
    "KeptReportView",
    "KeptReportsView",
    "MissingView",
    "RiskReportView",
    "StressView",
    "SymbolExposureView",
    "TailView",
    "VarBacktestView",
]


class MissingView(View, frozen=True):
    """Something that could not be measured, or only with a reservation: a stable code, and a sentence."""

    code: str
    detail: str


class SymbolExposureView(View, frozen=True):
    """One position at its newest mark; ``share`` is of the gross exposure."""

    symbol: str
    asset_class: str
    qty: Decimal
    price: Decimal | None
    value: Decimal | None
    share: Decimal | None
    marked_at: Utc | None


class GroupExposureView(View, frozen=True):
    """Gross and net value of an asset class or of a book; a book is named by its id, or ``unassigned``."""

    name: str
    gross: Decimal
    net: Decimal


class TailView(View, frozen=True):
    """Value at risk and expected shortfall of one day; a loss is positive.

    ``method`` is historical, parametric, cornish_fisher or monte_carlo.
    """

    method: str
    confidence: Decimal
    var: Decimal
    es: Decimal


class StressView(View, frozen=True):
    """What a scenario would do to the book; ``share`` is of equity."""

    name: str
    pnl: Decimal
    share: Decimal | None
    source: str


class DrawdownView(View, frozen=True):
    """Falls of equity below its running peak, as fractions."""

    deepest: Decimal
    current: Decimal
    peak: Decimal


class VarBacktestView(View, frozen=True):
    """How the 99 % historical VaR of this book would have done; p-values below 0.05 reject it."""

    days: int
    exceptions: int
    expected: Decimal
    kupiec_p: Decimal
    christoffersen_p: Decimal
    is_rejected: bool


class RiskReportView(View, frozen=True):
    """The risk of an account's book; what could not be measured is null or left out, and named in ``missing``."""

    account_id: UUID
    measured_at: Utc
    as_of: Utc | None
    cash: Decimal
    equity: Decimal | None
    gross: Decimal
    net: Decimal
    leverage: Decimal | None
    symbols: tuple[SymbolExposureView, ...]
    classes: tuple[GroupExposureView, ...]
    books: tuple[GroupExposureView, ...]
    history_days: int
    tails: tuple[TailView, ...]
    drawdown: DrawdownView | None
    concentration: Decimal | None
    effective_positions: Decimal | None
    benchmark: str
    beta: Decimal | None
    stress: tuple[StressView, ...]
    backtest: VarBacktestView | None
    missing: tuple[MissingView, ...]


class KeptReportView(View, frozen=True):
    """A report as it was kept; ``cause`` is schedule or request."""

    metric_id: UUID
    cause: str
    report: RiskReportView


class KeptReportsView(View, frozen=True):
    """Kept reports, newest first."""

    reports: tuple[KeptReportView, ...]

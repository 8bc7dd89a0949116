"""What strategy answers and tells of sweeps, walk-forwards, their trials, and the verdict on a backtest."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.strategy import BacktestView
from alphintra.kernel import thresholds
from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = [
    "CancelSweep",
    "ExposedParameter",
    "GetSweep",
    "GetThresholds",
    "GetVerdict",
    "ListSweeps",
    "ListTrials",
    "SetThresholds",
    "StartSweep",
    "SweepFinished",
    "SweepView",
    "SweepsView",
    "ThresholdsView",
    "TrialView",
    "TrialsView",
    "UnlockHoldout",
    "VerdictReason",
    "VerdictView",
    "WalkForwardTerms",
]


class ExposedParameter(View, frozen=True):
    """A number of the strategy, by ``node.param``, and the values it may take: ``min``, ``min + step`` … ``max``."""

    name: str
    min: Decimal
    max: Decimal
    step: Decimal


class WalkForwardTerms(View, frozen=True):
    """Lengths of a walk-forward in bars; tests follow each other without a gap unless ``step`` is longer."""

    train: int
    test: int
    step: int | None = None
    is_anchored: bool = False


class SweepView(View, frozen=True):
    """State and result of a sweep or a walk-forward.

    ``result`` is JSON text once it is finished. Bars from ``holdout_ts`` on were kept from it; ``unlocks`` counts the
    backtests that looked at bars the workflow's sweeps had locked. ``symbol`` is all of ``symbols``, joined by commas.
    """

    sweep_id: UUID
    workflow_id: UUID
    version_id: UUID
    dataset_id: UUID
    symbol: str
    kind: str
    status: str
    progress: float
    trials: int
    unlocks: int
    holdout_ts: Utc | None
    result: str
    error_code: str
    error: str
    created_at: Utc
    finished_at: Utc | None
    symbols: tuple[str, ...] = ()


class SweepsView(View, frozen=True):
    """Sweeps, newest first, without their results."""

    sweeps: tuple[SweepView, ...]


class TrialView(View, frozen=True):
    """One line of the ledger; a backtest with its parameters and range repeats it to ``result_hash``.

    ``role`` is sweep, train or test, ``segment`` the window of a walk-forward.
    """

    role: str
    segment: int
    number: int
    parameters: dict[str, Decimal]
    start: Utc | None
    end: Utc | None
    run_hash: str
    result_hash: str
    score: float | None
    metrics: dict[str, float | None]
    error_code: str


class TrialsView(View, frozen=True):
    """Trials of a sweep, the best first."""

    trials: tuple[TrialView, ...]


class VerdictReason(View, frozen=True):
    """One line of the verdict card: green, amber or red, and why."""

    code: str
    colour: str
    text: str


class ThresholdsView(View, frozen=True):
    """Where green of a verdict begins and where red does; between the two is amber.

    Shares and probabilities are 0 to 1. ``changed_at`` is None for those everybody begins with, and in a verdict.
    """

    dsr_green: float = thresholds.DSR_GREEN
    dsr_red: float = thresholds.DSR_RED
    pbo_green: float = thresholds.PBO_GREEN
    pbo_red: float = thresholds.PBO_RED
    oos_t_green: float = thresholds.OOS_T_GREEN
    trades_green: int = thresholds.TRADES_GREEN
    trades_red: int = thresholds.TRADES_RED
    stress_green: float = thresholds.STRESS_GREEN
    stress_red: float = thresholds.STRESS_RED
    changed_at: Utc | None = None


class VerdictView(View, frozen=True):
    """Whether a backtest is to be believed, after every trial of its workflow.

    ``trials`` counts the different runs of the workflow, ``expected_best`` is the Sharpe ratio per day that the best of
    them would have shown by luck, ``deflated_sharpe`` the probability that the true one is above it. ``evidence``
    is JSON text: the results of the workflow's newest ``sweep`` and ``walk_forward``, each null where there is none.
    ``thresholds`` are those that were in force when the backtest was asked for.
    """

    backtest_id: UUID
    colour: str
    reasons: tuple[VerdictReason, ...]
    trials: int
    variance: float
    expected_best: float
    deflated_sharpe: float | None
    unlocks: int
    evidence: str
    thresholds: ThresholdsView = ThresholdsView()


class StartSweep(Command[SweepView], tag="strategy.start_sweep.v1", frozen=True):
    """Queue a search for parameters of a workflow version on a symbol's bars, or on several's, within ``[start, end)``.

    One of ``symbol`` and ``symbols`` is there; several share the cash in each trial.

    ``method`` is grid, random or tpe; ``trials`` counts for the latter two, in each window of a walk-forward. The
    newest ``holdout`` of the bars is locked away. Constraints are rules such as ``fast.period < slow.period``. Without
    ``parameters`` those are turned that the strategy exposes; its own constraints hold in any case.
    """

    version_id: UUID
    symbol: str = ""
    parameters: tuple[ExposedParameter, ...] = ()
    constraints: tuple[str, ...] = ()
    method: str = "grid"
    trials: int = 100
    seed: int = 0
    objective: str = "sharpe"
    walk_forward: WalkForwardTerms | None = None
    holdout: Decimal = Decimal("0.2")
    start: Utc | None = None
    end: Utc | None = None
    initial_cash: Decimal = Decimal(100000)
    fee_bps: Decimal = Decimal(0)
    fee_per_share: Decimal = Decimal(0)
    slippage_bps: Decimal = Decimal(0)
    account_id: UUID | None = None
    symbols: tuple[str, ...] = ()


class GetSweep(Command[SweepView], tag="strategy.get_sweep.v1", frozen=True):
    """Fetch a sweep with its result."""

    sweep_id: UUID


class ListSweeps(Command[SweepsView], tag="strategy.list_sweeps.v1", frozen=True):
    """List the acting user's sweeps."""

    limit: int = 50


class CancelSweep(Command[SweepView], tag="strategy.cancel_sweep.v1", frozen=True):
    """Stop a queued or running sweep; its trials stay in the ledger. A finished one is answered as it is."""

    sweep_id: UUID


class ListTrials(Command[TrialsView], tag="strategy.list_trials.v1", frozen=True):
    """List a sweep's trials, the best first."""

    sweep_id: UUID
    limit: int = 50


class UnlockHoldout(Command[BacktestView], tag="strategy.unlock_holdout.v1", frozen=True):
    """Queue a backtest of a finished sweep's best trial over all bars, the locked ones too, and note it for good."""

    sweep_id: UUID


class GetVerdict(Command[VerdictView], tag="strategy.get_verdict.v1", frozen=True):
    """Judge a finished backtest by every trial of its workflow."""

    backtest_id: UUID


class GetThresholds(Command[ThresholdsView], tag="strategy.get_thresholds.v1", frozen=True):
    """Fetch where the acting user wants a verdict's colours to begin."""


class SetThresholds(Command[ThresholdsView], tag="strategy.set_thresholds.v1", frozen=True):
    """Say where a verdict's colours begin, for backtests from now on; what is None stays.

    ``is_default`` first puts all of them back to those everybody begins with.
    """

    dsr_green: float | None = None
    dsr_red: float | None = None
    pbo_green: float | None = None
    pbo_red: float | None = None
    oos_t_green: float | None = None
    trades_green: int | None = None
    trades_red: int | None = None
    stress_green: float | None = None
    stress_red: float | None = None
    is_default: bool = False


class SweepFinished(Event, tag="strategy.sweep_finished.v1", frozen=True):
    """A sweep or walk-forward ended: finished, failed or canceled."""

    sweep_id: UUID
    owner_id: UUID
    symbol: str
    kind: str
    status: str

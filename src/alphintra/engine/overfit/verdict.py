"""The verdict card: whether the evidence lets anybody believe a backtest, with each reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alphintra.kernel import thresholds
from alphintra.kernel.errors import AlphintraError

__all__ = ["Colour", "Evidence", "Reason", "Thresholds", "Verdict", "judge"]

_NUMBER_MAX: Final = 1_000_000


class Colour(StrEnum):
    """Believable, doubtful or unproven, or refuted by the evidence."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where green begins and where red does; between the two is amber. They are judgement, not science.

    Raises:
        AlphintraError: THRESHOLD_RANGE for a share beyond 0 to 1, a number below 0, or red where green begins.
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

    def __post_init__(self) -> None:
        for name in ("dsr_green", "dsr_red", "pbo_green", "pbo_red", "stress_green", "stress_red"):
            if not 0 <= getattr(self, name) <= 1:
                raise _misplaced(name, "write 0 to 1")
        for name in ("oos_t_green", "trades_green", "trades_red"):
            if not 0 <= getattr(self, name) <= _NUMBER_MAX:
                raise _misplaced(name, "write 0 to 1000000")
        for name, low, high in (
            ("dsr_red", self.dsr_red, self.dsr_green),
            ("pbo_red", self.pbo_green, self.pbo_red),
            ("trades_red", self.trades_red, self.trades_green),
            ("stress_red", self.stress_red, self.stress_green),
        ):
            if low > high:
                raise _misplaced(name, "red must not begin where green does")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was measured; None for what was not.

    Attributes:
        dsr: deflated Sharpe ratio.
        trials: runs of the strategy's family it was deflated by.
        pbo: probability of backtest overfitting.
        oos_sharpe: Sharpe ratio of the stitched walk-forward tests.
        oos_t: its t-statistic.
        trades: closed trades, or rebalances.
        stress: share of the stress variants that still gained.
        unlocks: how often the holdout was opened.
    """

    dsr: float | None = None
    trials: int = 1
    pbo: float | None = None
    oos_sharpe: float | None = None
    oos_t: float | None = None
    trades: int = 0
    stress: float | None = None
    unlocks: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of the card: a stable code, its colour, and a sentence with the value and what it is held against."""

    code: str
    colour: Colour
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The card: the worst colour of its lines."""

    colour: Colour
    reasons: tuple[Reason, ...]


def judge(evidence: Evidence, thresholds: Thresholds | None = None) -> Verdict:
    """Return the card. Green needs every piece of evidence; what was not measured is amber, never green."""
    t = thresholds or Thresholds()
    reasons = (
        _deflated(evidence, t),
        _overfit(evidence, t),
        _walk_forward(evidence, t),
        _trades(evidence, t),
        _stress(evidence, t),
        *_holdout(evidence),
    )
    order = (Colour.RED, Colour.AMBER, Colour.GREEN)
    worst = min((reason.colour for reason in reasons), key=order.index)
    return Verdict(worst, reasons)


def _deflated(evidence: Evidence, t: Thresholds) -> Reason:
    if evidence.dsr is None:
        return Reason("DSR", Colour.AMBER, "the deflated Sharpe ratio is undefined: the run has too few moving days")
    colour = _graded(evidence.dsr >= t.dsr_green, evidence.dsr < t.dsr_red)
    text = (
        f"deflated Sharpe ratio {evidence.dsr:.3f} after {evidence.trials} trial(s): green from {t.dsr_green:g}, red "
        f"below {t.dsr_red:g}"
    )
    return Reason("DSR", colour, text)


def _overfit(evidence: Evidence, t: Thresholds) -> Reason:
    if evidence.pbo is None:
        text = "the probability of overfitting was not measured: run a sweep of two trials or more"
        return Reason("PBO", Colour.AMBER, text)
    colour = _graded(evidence.pbo <= t.pbo_green, evidence.pbo > t.pbo_red)
    text = f"probability of overfitting {evidence.pbo:.2f}: green up to {t.pbo_green:g}, red above {t.pbo_red:g}"
    return Reason("PBO", colour, text)


def _walk_forward(evidence: Evidence, t: Thresholds) -> Reason:
    if evidence.oos_sharpe is None or evidence.oos_t is None:
        text = "there is no result out of sample: run a walk-forward"
        return Reason("WALK_FORWARD", Colour.AMBER, text)
    is_green = evidence.oos_sharpe > 0 and evidence.oos_t >= t.oos_t_green
    text = (
        f"walk-forward Sharpe ratio {evidence.oos_sharpe:.2f} with t = {evidence.oos_t:.2f}: green above 0 with t from "
        f"{t.oos_t_green:g}, red at 0 and below"
    )
    return Reason("WALK_FORWARD", _graded(is_green, evidence.oos_sharpe <= 0), text)


def _trades(evidence: Evidence, t: Thresholds) -> Reason:
    colour = _graded(evidence.trades >= t.trades_green, evidence.trades < t.trades_red)
    text = f"{evidence.trades} closed trade(s): green from {t.trades_green}, red below {t.trades_red}"
    return Reason("TRADES", colour, text)


def _stress(evidence: Evidence, t: Thresholds) -> Reason:
    if evidence.stress is None:
        return Reason("STRESS", Colour.AMBER, "the stress variants were not run")
    colour = _graded(evidence.stress >= t.stress_green, evidence.stress < t.stress_red)
    text = f"{evidence.stress:.0%} of the stress variants gained: green from {t.stress_green:.0%}, red below "
    return Reason("STRESS", colour, f"{text}{t.stress_red:.0%}")


def _holdout(evidence: Evidence) -> tuple[Reason, ...]:
    """A holdout that was looked at more than once is one more thing that was chosen by."""
    if evidence.unlocks <= 1:
        return ()
    text = f"the holdout was opened {evidence.unlocks} times: it proves little any more"
    return (Reason("HOLDOUT", Colour.AMBER, text),)


def _graded(is_green: bool, is_red: bool) -> Colour:  # noqa: FBT001 - the two ends of one scale
    return Colour.GREEN if is_green else Colour.RED if is_red else Colour.AMBER


def _misplaced(name: str, how: str) -> AlphintraError:
    return AlphintraError("THRESHOLD_RANGE", f"{name} cannot be there: {how}", pointer=f"/{name}")

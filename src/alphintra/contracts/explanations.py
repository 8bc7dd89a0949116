"""Why a bar of a backtest or a deployment brought an order, or none."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Command, Utc, View

__all__ = ["ExplainBacktest", "ExplainDeployment", "ExplanationView", "SentenceView"]


class SentenceView(View, frozen=True):
    """One line of an explanation.

    Attributes:
        depth: how far it is from the decision; a line explains the nearest one above it with less.
        node: id in the graph, empty for what is no node.
        text: for people.
        value: what the node gave, true as 1 and false as 0; None where it is unknown or there is none.
    """

    depth: int
    node: str
    text: str
    value: float | None = None


class ExplanationView(View, frozen=True):
    """What was decided at the close of a bar, and why, from the order back to what stood against it."""

    symbol: str
    bar_ts: Utc
    outcome: str
    sentences: tuple[SentenceView, ...]


class ExplainBacktest(Command[ExplanationView], tag="strategy.explain_backtest.v1", frozen=True):
    """Say why a finished backtest traded or did not on the first bar that closed at ``at`` or later."""

    backtest_id: UUID
    at: Utc


class ExplainDeployment(Command[ExplanationView], tag="strategy.explain_deployment.v1", frozen=True):
    """Say why a deployment traded or did not on the first bar that closed at ``at`` or later."""

    deployment_id: UUID
    at: Utc

"""Use cases of explanations: why a bar of a backtest or a deployment brought an order, or none.

Nothing is stored for them. A backtest is computed again up to the bar and a little beyond, where its order ends; of a
deployment the decision is stored and its inputs are read again; trading says what risk and the venue made of the order.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from alphintra.contracts.explanations import ExplanationView, SentenceView
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.portfolio import FLAT, cash_delta
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import DeploymentId
from alphintra.kernel.money import plain
from alphintra.kernel.vocabulary import OrderStatus, Side
from alphintra.strategy.domain.deployments import BookedFill, fold_fills
from alphintra.strategy.domain.replay import bars_before, within
from alphintra.strategy.service.backtests import readable
from alphintra.strategy.service.deployments import owned_deployment
from alphintra.strategy.service.feeds import feed_source, feed_steps
from alphintra.strategy.service.live_feeds import recorded_steps

if TYPE_CHECKING:
    from alphintra.contracts.explanations import ExplainBacktest, ExplainDeployment
    from alphintra.contracts.orders import OrderView
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.backtest import BacktestResult
    from alphintra.engine.bars import Bar
    from alphintra.engine.explanation import Sentence
    from alphintra.engine.graph.evaluation import End
    from alphintra.engine.graph.plan import Plan
    from alphintra.kernel.messages import Context
    from alphintra.strategy.domain.deployments import Deployment
    from alphintra.strategy.domain.replay import Step
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.services import Orders
    from alphintra.strategy.repository import Dataset, Desk

__all__ = ["explain_backtest", "explain_deployment"]

BARS_MAX: Final = 200_000
AFTER: Final = 30
"""Bars after the one that is explained, over which its order is followed."""


async def explain_backtest(
    command: ExplainBacktest, context: Context, *, desk: Desk, catalogue: Catalogue, host: Host
) -> ExplanationView:
    """Return why a bar of a finished backtest brought an order or none.

    Raises BACKTEST_NOT_FOUND, BACKTEST_NOT_FINISHED, RANGE, WHY_UNIVERSE, WHY_TOO_LONG, DATASET_MISSING.
    """
    row = readable(await desk.row("backtests.inputs", command.backtest_id), command.backtest_id, context)
    if row["status"] != "finished":
        message = f"the backtest is {row['status']}: only a finished one can be explained"
        raise AlphintraError("BACKTEST_NOT_FINISHED", message, kind=Kind.CONFLICT)
    _require_one(len(row["dataset_ids"] or ()))
    (dataset,) = await desk.datasets([row["dataset_id"]])
    return await asyncio.to_thread(_of_backtest, row, dataset, catalogue, host, command.at)


def _of_backtest(
    row: Mapping[str, Any], dataset: Dataset, catalogue: Catalogue, host: Host, at: datetime
) -> ExplanationView:
    from alphintra.engine.backtest import run_backtest  # noqa: PLC0415 - with what loads numpy
    from alphintra.engine.explanation import Seen, explain, values_at  # noqa: PLC0415 - loads numpy

    plan = compile_plan(parse_graph(row["graph"].encode()))
    bars = within(catalogue.read(dataset.dataset_id, dataset.splits), row["start_ts"], row["end_ts"])
    place = _place(bars, at)
    settings = msgspec.json.decode(row["settings"], type=BacktestSettings)
    shown = bars[: place + 1 + AFTER]
    result = run_backtest(plan, row["symbol"], bars=_with_warm_up(shown, bars, plan), settings=settings, host=host)
    decision, point = result.decisions[place], result.equity[place]
    calendar = calendar_of(row["symbol"])
    seen = Seen(
        outcome=decision.outcome.value,
        bars_seen=place + 1,
        warm_up_bars=result.honesty.warm_up_bars,
        qty=point.qty,
        equity=point.equity,
        bar=bars[place],
        values=decision.values,
        after=tuple(_fate(result, bars[place], len(shown) - place - 1)),
    )
    sentences = explain(plan, seen, values_at(plan, bars[: place + 1], calendar=calendar))
    return _view(row["symbol"], decision.ts, decision.outcome.value, sentences)


def _require_one(symbols: int) -> None:
    if symbols > 1:
        message = "only what runs over one symbol is explained bar by bar: its orders and decisions can be listed"
        raise AlphintraError("WHY_UNIVERSE", message)


def _place(bars: Sequence[Bar], at: datetime) -> int:
    place = bisect_left([bar.ts for bar in bars], at)
    if place == len(bars):
        message = f"no bar closed at {at:%Y-%m-%d %H:%M} or later: the run ends with {bars[-1].ts:%Y-%m-%d %H:%M}"
        raise AlphintraError("RANGE", message, pointer="/at")
    if place > BARS_MAX:
        message = f"the bar is number {place + 1}: up to {BARS_MAX} are computed again; run a shorter range"
        raise AlphintraError("WHY_TOO_LONG", message, pointer="/at")
    return place


def _with_warm_up(shown: Sequence[Bar], bars: Sequence[Bar], plan: Plan) -> Sequence[Bar]:
    """Return the bars to compute: enough for a decision, also where one within the warm-up is asked about."""
    return bars[: max(len(shown), plan.warm_up_bars + 1)]


def _fate(result: BacktestResult, bar: Bar, followed: int) -> list[Sentence]:
    """Return what became of the order a bar asked for: refused, filled, or still waiting after the bars that follow."""
    from alphintra.engine.explanation import Sentence  # noqa: PLC0415 - loads numpy

    denials = {denial.client_order_id: denial for denial in result.denials}
    found = []
    for record in result.orders:
        if record.order.created_ts != bar.ts:
            continue
        intent, name = record.order.intent, record.order.client_order_id
        asked = f"It asked to {intent.side} {plain(intent.qty):f} ({intent.tag or intent.reason})."
        findings = denials[name].findings if name in denials else ()
        fills = [fill for fill in result.fills if fill.client_order_id == name and not fill.leg]
        ends = [f"Risk refused it with {finding.code}: {finding.detail}." for finding in findings]
        ends += [f"It was filled at {plain(fill.price):f} by the bar of {fill.ts:%Y-%m-%d %H:%M}." for fill in fills]
        ends += [f"The venue refused it with {record.code}."] if record.status is OrderStatus.REJECTED else []
        ends += [f"It was not filled by the {followed} bars that follow."] if record.status is OrderStatus.NEW else []
        found += [Sentence(1, intent.node, asked), *(Sentence(2, "", end) for end in ends)]
    return found


@dataclass(frozen=True, slots=True)
class _Decided:
    """A stored decision, and what was held and worth then."""

    row: Mapping[str, Any]
    qty: Decimal | None
    cash: Decimal | None


async def explain_deployment(
    command: ExplainDeployment, context: Context, *, desk: Desk, catalogue: Catalogue, orders: Orders
) -> ExplanationView:
    """Return why a bar of a deployment brought an order or none, with risk's word and the order's fate.

    Raises DEPLOYMENT_NOT_FOUND, WHY_UNIVERSE and RANGE.
    """
    from alphintra.engine.explanation import Seen, explain  # noqa: PLC0415 - loads numpy

    deployment = await owned_deployment(DeploymentId(command.deployment_id), context, desk=desk)
    _require_one(len(deployment.symbols))
    row = await desk.row("decisions.at", deployment.deployment_id, command.at)
    if row is None:
        message = f"the deployment decided on no bar that closed at {command.at:%Y-%m-%d %H:%M} or later"
        raise AlphintraError("RANGE", message, pointer="/at")
    plan = compile_plan(parse_graph(deployment.graph.encode()))
    bars = await _bars(deployment, row["seq"], desk=desk, catalogue=catalogue)
    bar = bars[-1] if bars else None
    decided = await _decided(deployment, row, context, desk=desk, orders=orders)
    is_valued = bar is not None and decided.qty is not None and decided.cash is not None
    values, warm_up = await asyncio.to_thread(_values, plan, deployment.symbol, bars)
    seen = Seen(
        outcome=row["outcome"],
        bars_seen=len(bars),
        warm_up_bars=warm_up,
        qty=decided.qty,
        equity=decided.cash + decided.qty * bar.close if is_valued else None,  # type: ignore[operator,union-attr]
        bar=bar,
        values=msgspec.json.decode(row["node_values"]),
        after=tuple(await _told(row, context, deployment=deployment, orders=orders)),
    )
    return _view(deployment.symbol, row["bar_ts"], row["outcome"], explain(plan, seen, values))


async def _bars(deployment: Deployment, seq: int, *, desk: Desk, catalogue: Catalogue) -> tuple[Bar, ...]:
    """Return the bars a deployment's strategy had seen at a step, as it saw them; none where they are gone."""
    feed = await desk.feed(deployment.feed_id)
    if feed is None:
        return ()
    try:
        steps: Sequence[Step] = (
            await recorded_steps(feed, desk=desk)
            if feed.is_live
            else await feed_steps(await feed_source(feed, desk=desk), catalogue=catalogue)
        )
    except AlphintraError:  # the values that were kept with the decision remain
        return ()
    async with desk.transaction() as tx:
        splits = [split for split in await tx.splits(deployment.feed_id) if split.after_seq < seq]
    return _up_to(steps, seq, deployment.symbol, splits)


def _up_to(steps: Sequence[Step], seq: int, symbol: str, splits: Sequence[Any]) -> tuple[Bar, ...]:
    own = [bar for step in steps if step.seq <= seq for name, bar in step.bars if name == symbol]
    return (*bars_before(steps, seq, symbol, splits=splits), own[-1]) if own else ()


def _values(plan: Plan, symbol: str, bars: Sequence[Bar]) -> tuple[Sequence[Mapping[End, float]], int]:
    from alphintra.engine.explanation import values_at  # noqa: PLC0415 - loads numpy

    calendar = calendar_of(symbol)
    return (values_at(plan, bars, calendar=calendar) if bars else ()), plan.warm_up_in(calendar.session_minutes)


async def _decided(
    deployment: Deployment, row: Mapping[str, Any], context: Context, *, desk: Desk, orders: Orders
) -> _Decided:
    """Add up what the deployment's books held when it decided, whenever it was executed.

    Of a deployment of before they were kept it is what was executed by then, unknown where that is more than a page.
    """
    complete = await desk.row("fills.is_complete", deployment.deployment_id)
    if complete is not None and complete["is_complete"]:
        kept = await desk.rows("fills.known_at", deployment.deployment_id, row["seq"])
        fills = [BookedFill(Side(e["side"]), e["qty"], e["price"], e["fee"], None, e["fee_qty"]) for e in kept]
        book = fold_fills(replace(deployment, cash=deployment.capital, position=FLAT), fills)
        return _Decided(row, book.position.qty, book.cash)
    booked = await orders.of_book(deployment.account_id, deployment.deployment_id, context)
    if booked is None:
        return _Decided(row, None, None)
    qty, cash = Decimal(0), deployment.capital
    for fill in booked:
        if fill.executed_at <= row["bar_ts"]:
            qty += fill.qty if fill.side is Side.BUY else -fill.qty
            cash += cash_delta(fill.side, fill.qty, price=fill.price, fee=fill.fee)
    return _Decided(row, qty, cash)


async def _told(row: Mapping[str, Any], context: Context, *, deployment: Deployment, orders: Orders) -> list[Sentence]:
    """Return what was asked for, what risk said and how the order stands."""
    from alphintra.engine.explanation import Sentence  # noqa: PLC0415 - loads numpy

    if row["outcome"] == "failed":
        return [Sentence(1, "", f"It failed with {deployment.error}.")]
    if row["side"] is None:
        return []
    asked = f"It asked to {row['side']} {plain(row['qty']):f} ({row['tag'] or row['reason']})."
    found = [Sentence(1, "", asked)]
    order_id: UUID | None = row["order_id"]
    if order_id is None:
        code = row["order_code"]
        refused = f"It was not placed: {code}." if code else "It has not been placed yet."
        return [*found, Sentence(2, "", refused)]
    return [*found, Sentence(2, "", _standing(await orders.order(order_id, context)))]


def _standing(order: OrderView) -> str:
    why = f" with {order.reason_code}: {order.reason}" if order.reason_code else ""
    price = "" if order.filled_avg_price is None else f" at {plain(order.filled_avg_price):f}"
    filled = f", {plain(order.filled_qty):f} filled{price}" if order.filled_qty else ", nothing filled"
    said = (
        "Risk denied it"
        if order.status is OrderStatus.DENIED
        else f"Its order is {order.status.replace('_', ' ')}{filled}"
    )
    return f"{said}{why}."


def _view(symbol: str, bar_ts: datetime, outcome: str, sentences: Sequence[Sentence]) -> ExplanationView:
    return ExplanationView(
        symbol=symbol,
        bar_ts=bar_ts,
        outcome=outcome,
        sentences=tuple(
            SentenceView(
                depth=each.depth,
                node=each.node,
                text=each.text,
                value=None if each.value is None else float(each.value),
            )
            for each in sentences
        ),
    )

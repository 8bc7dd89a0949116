"""Use cases of deployments: making, stopping and explaining them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from alphintra.contracts.executions import DeploymentEnded, DeploymentStarted
from alphintra.contracts.strategy import (
    CreateDeployment,
    DecisionsView,
    DecisionView,
    DeploymentsView,
    DeploymentView,
    HeldView,
    ListDecisions,
)
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.intents import Outcome
from alphintra.engine.portfolio import FLAT
from alphintra.infrastructure.events import append_audit, append_event, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.authority import is_for_account, require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, DeploymentId, FeedId, WorkflowVersionId
from alphintra.kernel.money import plain, require_positive
from alphintra.kernel.vocabulary import AccountMode, Intrabar
from alphintra.strategy.domain.deployments import Deployment
from alphintra.strategy.domain.holdings import Holding
from alphintra.strategy.domain.requests import require_timeframe
from alphintra.strategy.domain.sides import hinders, stance_of
from alphintra.strategy.domain.universes import chosen_symbols, name_of, require_runnable
from alphintra.strategy.service.algorithms import algorithm_facts, require_algorithm
from alphintra.strategy.service.backtests import acting_user
from alphintra.strategy.service.claims import CLAIM_TIME, cancel_entries, note_claim, strike_out
from alphintra.strategy.service.fills import with_pending
from alphintra.strategy.service.venue_fit import require_meant, require_venue_fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from alphintra.contracts.feed_splits import FeedSplit
    from alphintra.contracts.nocode import WorkflowVersionView
    from alphintra.contracts.orders import AccountView
    from alphintra.contracts.trading import SplitApplied
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.graph.wire import Graph
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.ids import IdSource, UserId
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.services import Limits, Orders, Workflows
    from alphintra.strategy.repository import Desk, DeskTransaction, Feed

__all__ = [
    "create_deployment",
    "ended",
    "get_deployment",
    "list_decisions",
    "list_deployments",
    "owned_deployment",
    "split_deployments",
    "split_feed",
    "stop_deployment",
]

_CONSUMER = "strategy"

PAGE_MAX = 5000
LIST_MAX = 200
PAGE_BYTES_MAX = 450_000  # values travel as a string: each quotation mark costs a byte more
DECISION_BYTES = 80  # the least of a decision beside its values


async def create_deployment(  # noqa: PLR0913 - what to deploy, for whom, and from what
    command: CreateDeployment,
    context: Context,
    *,
    desk: Desk,
    workflows: Workflows,
    orders: Orders,
    limits: Limits,
    host: Host,
    ids: IdSource,
    at: datetime,
) -> DeploymentView:
    """Let a workflow version trade from the feed's next bar on; the runner warms its indicators on the bars before.

    A live account is confirmed by its name, and its venue must be able to work what the strategy may ask for.

    Raises WORKFLOW_NOT_FOUND, ACCOUNT_NOT_FOUND, SYMBOL_UNKNOWN, TIMEFRAME_MISMATCH, CAPITAL_EXCEEDS_CASH,
    BOOKS_OPPOSITE, FEED_FINISHED, NUMBER_*, ALGORITHM_*, QTY_NOT_POSITIVE, ORDER_UNSUPPORTED, DEPLOYMENT_FEED,
    INTRABAR_BACKTEST_ONLY, and what
    ``chosen_symbols``, ``require_meant`` and ``require_venue_fit`` raise.
    """
    owner_id = acting_user(context)
    if command.intrabar is not Intrabar.CHRONOLOGICAL:
        message = f"a deployment meets bars in order of time: {command.intrabar} is for backtests alone, leave it out"
        raise AlphintraError("INTRABAR_BACKTEST_ONLY", message, pointer="/intrabar")
    account = await orders.account(command.account_id, context)
    version = await workflows.version(command.version_id, context)
    _require_fit(command.capital, account)
    feed_id = _feed_of(command, account)
    symbols = chosen_symbols(command.symbol, command.symbols)
    graph = parse_graph(version.graph.encode())
    for symbol in symbols:
        feed = await _usable_feed(feed_id, symbol, desk=desk)
        require_timeframe(graph.timeframe, await _timeframe_of(feed, symbol, desk=desk), symbol=symbol)
    require_runnable(compile_plan(graph), symbols)
    _require_kept(graph, symbols)
    await require_algorithm(graph, host=host)
    if account.mode is not AccountMode.PAPER:
        told = (version.graph, symbols, feed, account)
        await require_venue_fit(*told, context, desk=desk, orders=orders, limits=limits, at=at)
    deployment = _made(command, version, feed, symbols, owner_id=owner_id, ids=ids, at=at)
    facts: dict[str, Any] = {
        "version_id": str(command.version_id),
        "account_id": str(command.account_id),
        "feed_id": str(feed.feed_id),
        "mode": account.mode.value,
        "symbol": deployment.symbol,
        "capital": command.capital,
        **algorithm_facts(graph),
    }
    await _claim(deployment, context, desk=desk, orders=orders, at=at)
    try:
        terms = (deployment, AccountMode(account.mode), facts)
        deployment = await _stored(*terms, context, desk=desk, ids=ids, at=at)
    except AlphintraError:
        await orders.release(command.account_id, deployment.deployment_id, context)
        raise
    return _view(deployment)


def _made(  # noqa: PLR0913 - what a deployment is bound to
    command: CreateDeployment,
    version: WorkflowVersionView,
    feed: Feed,
    symbols: Sequence[str],
    *,
    owner_id: UserId,
    ids: IdSource,
    at: datetime,
) -> Deployment:
    """Return a new deployment, flat and with its capital, from where its feed stands."""
    return Deployment(
        deployment_id=DeploymentId(ids.new()),
        owner_id=owner_id,
        version_id=WorkflowVersionId(command.version_id),
        graph_hash=version.graph_hash,
        graph=version.graph,
        account_id=AccountId(command.account_id),
        feed_id=feed.feed_id,
        symbol=name_of(symbols),
        capital=command.capital,
        status="active",
        last_seq=feed.seq,
        executor_state="",
        cash=command.capital,
        position=FLAT,
        fees=FLAT.qty,
        last_price=None,
        intent_count=0,
        bars_held=0,
        exit_owed="",
        error="",
        created_at=at,
        symbols=() if len(symbols) == 1 else tuple(symbols),
        holdings=() if len(symbols) == 1 else tuple(Holding(symbol=symbol) for symbol in symbols),
    )


async def _claim(deployment: Deployment, context: Context, *, desk: Desk, orders: Orders, at: datetime) -> None:
    """Claim capital before what uses it is stored, so that no two trade with the same money; unused it is released."""
    async with desk.transaction() as tx:
        await note_claim(tx, deployment.deployment_id, deployment.account_id, due_at=at + CLAIM_TIME)
    fault_point("strategy.claim_noted")
    await orders.claim(deployment.account_id, deployment.deployment_id, deployment.capital, context)
    fault_point("strategy.capital_claimed")


def _require_fit(capital: Decimal, account: AccountView) -> None:
    """Refuse an account no deployment can trade with this much. Raises QTY_*, CAPITAL_EXCEEDS_CASH."""
    require_positive(capital, pointer="/capital")
    if capital > account.cash:
        message = f"the capital {plain(capital):f} is more than the account's cash {plain(account.cash):f}"
        raise AlphintraError("CAPITAL_EXCEEDS_CASH", message, pointer="/capital")


def _feed_of(command: CreateDeployment, account: AccountView) -> UUID | None:
    """Return the feed a deployment is to run on. Raises CONFIRM_REQUIRED, DEPLOYMENT_FEED."""
    if account.mode is not AccountMode.PAPER:
        require_meant(command.confirm, account)
        return command.feed_id or account.feed_id
    if command.feed_id not in {None, account.feed_id}:
        message = "a paper account trades on the feed it was opened on: leave the feed out, or open another account"
        raise AlphintraError("DEPLOYMENT_FEED", message, kind=Kind.CONFLICT, pointer="/feed_id")
    return account.feed_id


async def _stored(  # noqa: PLR0913 - what is stored, for whom, and in which account
    deployment: Deployment,
    mode: AccountMode,
    facts: dict[str, Any],
    context: Context,
    *,
    desk: Desk,
    ids: IdSource,
    at: datetime,
) -> Deployment:
    async with desk.transaction() as tx:
        # Held until the deployment is stored, so that the feed cannot pass it by.
        current = _not_finished(await tx.lock_feed(deployment.feed_id))
        stored = replace(deployment, last_seq=current.seq)
        _require_unhindered(stored, await tx.graphs_beside(stored))
        await strike_out(tx, deployment.deployment_id)
        await tx.add_deployment(stored)
        await tx.execute("deployments.mark_mode", stored.deployment_id, mode)
        subject = f"deployment:{deployment.deployment_id}"
        await append_audit(tx.session, "deployment.create", subject, facts, ids=ids, context=context, at=at)
        event = DeploymentStarted(
            deployment_id=stored.deployment_id,
            owner_id=stored.owner_id,
            version_id=stored.version_id,
            account_id=stored.account_id,
            symbol=stored.symbol,
            mode=mode,
            capital=stored.capital,
            started_at=stored.created_at,
        )
        await append_event(tx.session, event, ids=ids, aggregate_id=stored.deployment_id, context=context, at=at)
    return stored


def _require_kept(graph: Graph, symbols: Sequence[str]) -> None:
    """Refuse orders a deployment of several symbols keeps no account of. Raises ORDER_UNSUPPORTED."""
    orders = [node for node in graph.nodes if node.type == "Order"]
    if len(symbols) > 1 and any(
        node.params["type"] != "market" or node.params.get("entries", 1) != 1 for node in orders
    ):
        message = "entries that wait for a price or add to a position are deployed on one symbol: deploy each by itself"
        raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/symbols")


def _require_unhindered(deployment: Deployment, beside: Mapping[UUID, tuple[str, str]]) -> None:
    """Refuse a deployment that others of its account could hold against. Raises BOOKS_OPPOSITE."""
    stance = stance_of(parse_graph(deployment.graph.encode()))
    for other, (graph, symbol) in beside.items():
        if hinders(stance, stance_of(parse_graph(graph.encode()))):
            message = (
                f"deployment {other} of this account may hold the other side of {symbol}, "
                "and then exits of neither would work at the venue: deploy into another account"
            )
            raise AlphintraError("BOOKS_OPPOSITE", message, kind=Kind.CONFLICT, pointer="/account_id")


async def ended(tx: DeskTransaction, deployment: Deployment, status: str) -> DeploymentEnded:
    """Return what is told of a deployment that places no more orders, as of its last bar."""
    mode: str = await tx.session.value("deployments.mode", deployment.deployment_id)
    return DeploymentEnded(
        deployment_id=deployment.deployment_id,
        owner_id=deployment.owner_id,
        version_id=deployment.version_id,
        account_id=deployment.account_id,
        symbol=deployment.symbol,
        mode=mode,
        capital=deployment.capital,
        started_at=deployment.created_at,
        status=status,
        equity=deployment.equity,
        realized_pnl=deployment.realized,
        fees=deployment.fees,
        intents=deployment.intent_count,
    )


async def get_deployment(deployment_id: DeploymentId, context: Context, *, desk: Desk) -> DeploymentView:
    """Return a deployment with what was executed since its last bar.

    Raises DEPLOYMENT_NOT_FOUND, also for other people's, and AUTH_SCOPE.
    """
    (found,) = await with_pending([await owned_deployment(deployment_id, context, desk=desk)], desk=desk)
    return _view(found)


async def list_deployments(context: Context, *, desk: Desk) -> DeploymentsView:
    """Return the acting user's deployments, newest first; to a key those of the accounts it is for."""
    owner_id = acting_user(context)
    modes = {row["deployment_id"]: AccountMode(row["mode"]) for row in await desk.rows("deployments.modes", owner_id)}
    found = [one for one in await desk.deployments_of(owner_id, limit=LIST_MAX) if one.deployment_id in modes]
    seen = [one for one in found if is_for_account(context.actor, one.account_id, modes[one.deployment_id])]
    return DeploymentsView(deployments=tuple(_view(each) for each in await with_pending(seen, desk=desk)))


async def stop_deployment(
    deployment_id: DeploymentId, context: Context, *, desk: Desk, orders: Orders, ids: IdSource, at: datetime
) -> DeploymentView:
    """Stop a deployment: it places no more orders, and its entries that have not filled are canceled.

    What it holds stays with the exits that protect it, and its cash goes back to the account. A stopped one is
    answered as it is; what could not be canceled or given back then is tried again.
    """
    stopped = await owned_deployment(deployment_id, context, desk=desk)
    async with desk.transaction() as tx:
        if await tx.execute("deployments.stop", deployment_id, "stopped", ""):
            subject = f"deployment:{deployment_id}"
            await append_audit(tx.session, "deployment.stop", subject, {}, ids=ids, context=context, at=at)
            event = await ended(tx, stopped, "stopped")
            await append_event(tx.session, event, ids=ids, aggregate_id=deployment_id, context=context, at=at)
            await note_claim(tx, deployment_id, stopped.account_id, due_at=at)
            await tx.execute("intents.withhold", deployment_id)
    fault_point("strategy.deployment_stopped")
    await cancel_entries(deployment_id, desk=desk, orders=orders)
    try:
        await orders.release(stopped.account_id, deployment_id, context)
    except AlphintraError as error:
        if error.code != "BOOK_NOT_FOUND":  # a deployment older than the books of accounts
            raise
    async with desk.transaction() as tx:
        await tx.execute("claims.strike_out", deployment_id)
    return await get_deployment(deployment_id, context, desk=desk)


async def split_deployments(delivery: Delivery[SplitApplied], *, desk: Desk) -> None:
    """Count what the deployments of an account hold of a symbol in new shares, as trading does in their books."""
    event = delivery.event
    async with desk.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        for book in event.books:
            if book.book_id is not None:
                await tx.execute("deployments.split", book.book_id, book.change, event.symbol)
                await tx.execute("holdings.split", book.book_id, book.change, event.symbol)
        if event.feed_id is not None:
            await _split_bars(tx, event, FeedId(event.feed_id))


async def split_feed(delivery: Delivery[FeedSplit], *, desk: Desk) -> None:
    """Note that a symbol of a feed was split, for deployments there and those to come."""
    async with desk.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await _split_bars(tx, delivery.event, FeedId(delivery.event.feed_id))


async def _split_bars(tx: DeskTransaction, event: FeedSplit | SplitApplied, feed_id: FeedId) -> None:
    """Let the strategies on a feed see the bars before a split in new shares; whichever word of it comes first does."""
    if await tx.lock_feed(feed_id) is None:
        return
    ratio = (event.new_shares, event.old_shares)
    told = (feed_id, event.symbol, event.after_seq)
    if await tx.execute("feeds.split", *told, *ratio, event.reference):
        await tx.execute("holdings.split_prices", *told, *map(Decimal, ratio))
        await tx.execute("deployments.split_prices", *told, *map(Decimal, ratio))


async def list_decisions(command: ListDecisions, context: Context, *, desk: Desk) -> DecisionsView:
    """Return a deployment's decisions, newest first: what was seen on each bar, and what came of it.

    As many as a reply can carry, where those of many symbols are more.
    """
    if not 1 <= command.limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")
    if command.outcome is not None and command.outcome not in tuple(Outcome):
        raise AlphintraError("FIELD_CHOICE", f"outcome is one of {', '.join(Outcome)}", pointer="/outcome")
    deployment = await owned_deployment(DeploymentId(command.deployment_id), context, desk=desk)
    rows = await desk.rows("decisions.list", deployment.deployment_id, command.outcome, command.limit)
    sizes = accumulate(len(row["values"]) + DECISION_BYTES for row in rows)
    kept = [row for row, size in zip(rows, sizes, strict=True) if size <= PAGE_BYTES_MAX] or rows[:1]
    return DecisionsView(decisions=tuple(DecisionView(**row) for row in kept))


async def _usable_feed(feed_id: Any, symbol: str, *, desk: Desk) -> Feed:  # noqa: ANN401 - an id off the wire
    feed = _not_finished(None if feed_id is None else await desk.feed(FeedId(feed_id)))
    if symbol not in feed.symbols:
        message = f"the feed carries {', '.join(feed.symbols)}, not {symbol[:40]!r}"
        raise AlphintraError("SYMBOL_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer="/symbol")
    return feed


async def _timeframe_of(feed: Feed, symbol: str, *, desk: Desk) -> str:
    if feed.is_live:
        return feed.timeframe
    (dataset,) = await desk.datasets([feed.dataset_ids[feed.symbols.index(symbol)]])
    return dataset.timeframe


def _not_finished(feed: Feed | None) -> Feed:
    if feed is None:
        message = "there is no such feed: name the live feed of the account's venue"
        raise AlphintraError("FEED_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/feed_id")
    if feed.status == "finished":
        raise AlphintraError("FEED_FINISHED", "the account's feed has reached its end", kind=Kind.CONFLICT)
    return feed


async def owned_deployment(deployment_id: DeploymentId, context: Context, *, desk: Desk) -> Deployment:
    """Return a deployment of the acting user. Raises DEPLOYMENT_NOT_FOUND, also for other people's, and AUTH_SCOPE."""
    deployment = await desk.deployment(deployment_id)
    if deployment is None or deployment.owner_id != acting_user(context):
        message = f"there is no deployment {deployment_id}"
        raise AlphintraError("DEPLOYMENT_NOT_FOUND", message, kind=Kind.NOT_FOUND)
    told = await desk.row("deployments.mode", deployment_id)
    mode = AccountMode.PAPER if told is None else AccountMode(told["mode"])
    require_for_account(context.actor, deployment.account_id, mode)
    return deployment


def _view(deployment: Deployment) -> DeploymentView:
    return DeploymentView(
        deployment_id=deployment.deployment_id,
        version_id=deployment.version_id,
        graph_hash=deployment.graph_hash,
        account_id=deployment.account_id,
        feed_id=deployment.feed_id,
        symbol=deployment.symbol,
        capital=deployment.capital,
        status=deployment.status,
        last_seq=deployment.last_seq,
        intents=deployment.intent_count,
        cash=deployment.cash,
        position_qty=deployment.position.qty,
        equity=deployment.equity,
        realized_pnl=deployment.realized,
        fees=deployment.fees,
        error=deployment.error,
        created_at=deployment.created_at,
        symbols=deployment.symbols or (deployment.symbol,),
        positions=tuple(
            HeldView(
                symbol=holding.symbol,
                qty=holding.position.qty,
                avg_price=holding.position.avg_price,
                last_price=holding.last_price,
                realized_pnl=holding.position.realized,
            )
            for holding in deployment.holdings
        ),
    )

"""The executor of several symbols: one plan over the union of their closes, bar by bar or prepared over all bars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from alphintra.engine.account.asking import leaving
from alphintra.engine.account.program import order_programs
from alphintra.engine.executor import Shown, ask_orders
from alphintra.engine.funding import Ask, Funding, Purse
from alphintra.engine.graph.evaluation import Columns, Evaluation, shown_end
from alphintra.engine.graph.plan import Plan, pair_of, require_universe
from alphintra.engine.graph.tape import BOOK_COLUMNS, Tape, tape_across
from alphintra.engine.intents import LEAVING, Decision, Intent, Outcome
from alphintra.engine.rebalancing import rebalanced, rebalances_of
from alphintra.engine.runs import Run
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.values import StateView

__all__ = ["ORPHAN", "Ask", "Close", "UniverseDecision", "UniverseExecutor", "union_of"]

SNAPSHOT_SCHEMA = 1
ORPHAN: Final = "orphan leg"


@dataclass(frozen=True, slots=True)
class Close:
    """One close of the union of all calendars, with the bars of the symbols that have one."""

    ts: datetime
    bars: Mapping[str, Bar]


@dataclass(frozen=True, slots=True)
class UniverseDecision:
    """Record of one close: a decision for each symbol that has a bar, and what is asked for in order.

    What waited for cash is among what is asked for at the close at which it comes to its turn.
    """

    ts: datetime
    decisions: Mapping[str, Decision]
    asks: tuple[Ask, ...]


class _Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    graph_hash: str
    symbols: tuple[str, ...]
    seen: tuple[int, ...]
    last_ts: datetime | None
    nodes: dict[str, str]
    purse: Purse = Purse()


class UniverseExecutor:
    """Runs one plan over the closed bars of several symbols, oldest first.

    A symbol without a bar at a close yields nothing there: no value of its own, no event and no order. Exits come
    before entries; what is bought comes by weight, then in the order of the symbols.

    Args:
        plan: what is computed.
        symbols: in the order that settles ties.
        is_funded: whether what a rebalance buys waits for the sales that pay for it, as risk would have it, and a leg
            of a pair whose other leg was refused is left at the next close.

    Raises:
        AlphintraError: GRAPH_UNIVERSE where the plan cannot run over these symbols, NODE_VERSION.
    """

    def __init__(self, plan: Plan, symbols: Sequence[str], *, is_funded: bool = True) -> None:
        require_universe(plan, symbols)
        self.plan = plan
        self.symbols = tuple(symbols)
        self._calendars = tuple(calendar_of(symbol) for symbol in symbols)
        self._warm_ups = [plan.warm_up_in(calendar.session_minutes) for calendar in self._calendars]
        self._evaluation = Evaluation(plan, symbols=self.symbols)
        self._programs = order_programs(plan)
        self._rebalances = rebalances_of(plan)
        self._shown = tuple(
            Shown(step, end, self._programs) for step in plan.steps if (end := shown_end(step)) is not None
        )
        self._funding = Funding() if is_funded else None
        self._pair = tuple(symbol for symbol in symbols if symbol in pair_of(plan)) if is_funded else ()
        self._seen = [0] * len(symbols)
        self._last_ts: datetime | None = None
        self._ahead: tuple[Sequence[Close], Tape, Columns, tuple[Run, ...]] | None = None
        self._next = 0

    def require_history(self, bars: Mapping[str, int]) -> None:
        """Check that at least one symbol has more bars than warm-up takes. Raises WARM_UP_SHORT."""
        needed = dict(zip(self.symbols, self._warm_ups, strict=True))
        if not any(count > needed[symbol] for symbol, count in bars.items()):
            slow = self.plan.slowest()
            message = (
                f"the strategy needs {min(self._warm_ups)} bars of history before its first decision, most of them for "
                f"node {slow.node} ({slow.type}): give a longer range or shorten its periods"
            )
            raise AlphintraError("WARM_UP_SHORT", message, pointer="/bars")

    def prepare(self, closes: Sequence[Close]) -> None:
        """Evaluate what needs no book over all closes ``on_close`` will be told of; it gives the same, sooner."""
        tape = self._tape(closes)
        columns = self._evaluation.market(tape)
        runs = () if self._evaluation.reads_book else self._runs(tape, columns)
        self._ahead = (closes, tape, columns, runs)
        self._next = 0

    def on_close(self, close: Close, views: Mapping[str, StateView]) -> UniverseDecision:
        """Evaluate the plan at one close.

        Args:
            close: after the close before it.
            views: for every symbol its position and the cash and equity all share, fills of this close included.

        Raises:
            AlphintraError: TIME_ORDER for a repeated or older close.
        """
        if self._last_ts is not None and close.ts <= self._last_ts:
            message = f"close {close.ts.isoformat()} is not after {self._last_ts.isoformat()}: it was evaluated already"
            raise AlphintraError("TIME_ORDER", message, kind=Kind.CONFLICT)
        index, runs = self._computed(close, views)
        self._last_ts = close.ts
        decisions: dict[str, Decision] = {}
        asks: list[Ask] = []
        for row, symbol in enumerate(self.symbols):
            bar = close.bars.get(symbol)
            if bar is None:
                continue
            self._seen[row] += 1
            decision, asked = self._decided(runs[row], index, bar, views[symbol])
            decisions[symbol] = decision
            asks += asked
        asks += () if asks else self._orphaned(close, views)
        asks.sort(key=lambda ask: ask.rank)
        return UniverseDecision(close.ts, *self._in_turn(asks, decisions, close, views))

    def snapshot(self) -> bytes:
        """Return the whole state as JSON; restoring it continues bit for bit."""
        if self._ahead is not None and self._next < len(self._ahead[0]):
            message = "nodes have seen bars that nothing was decided on: an executor with prepared bars keeps no state"
            raise AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.BUG)
        nodes = self._evaluation.snapshot()
        purse = Purse() if self._funding is None else self._funding.purse
        seen = tuple(self._seen)
        state = _Snapshot(SNAPSHOT_SCHEMA, self.plan.graph_hash, self.symbols, seen, self._last_ts, nodes, purse)
        return msgspec.json.encode(state)

    def restore(self, raw: bytes) -> None:
        """Continue from a snapshot of the same plan and symbols. Raises SNAPSHOT_INVALID; it is then unusable."""
        try:
            state = msgspec.json.decode(raw, type=_Snapshot)
        except msgspec.DecodeError as error:
            raise _bad_snapshot(f"cannot be read ({error})") from error
        if (state.schema, state.graph_hash) != (SNAPSHOT_SCHEMA, self.plan.graph_hash):
            raise _bad_snapshot("belongs to another strategy version")
        if state.symbols != self.symbols or len(state.seen) != len(self.symbols) or min(state.seen) < 0:
            raise _bad_snapshot(f"is of {', '.join(state.symbols)[:200]}")
        self._evaluation.restore(state.nodes)
        self._seen = list(state.seen)
        self._last_ts = state.last_ts
        if self._funding is not None:
            self._funding.purse = state.purse

    def _orphaned(self, close: Close, views: Mapping[str, StateView]) -> list[Ask]:
        """Return what leaves the one leg of a pair whose other leg was refused."""
        held = [symbol for symbol in self._pair if views[symbol].qty]
        is_settled = all(symbol in close.bars and not views[symbol].is_order_working for symbol in self._pair)
        if len(held) != 1 or not is_settled:
            return []
        return [Ask(held[0], leaving(views[held[0]], "exit", tag=ORPHAN), (0, Decimal(0), 0))]

    def _in_turn(
        self, asks: Sequence[Ask], decisions: Mapping[str, Decision], close: Close, views: Mapping[str, StateView]
    ) -> tuple[dict[str, Decision], tuple[Ask, ...]]:
        """Number what is asked for now, and say in the decision of a symbol what was asked for or has to wait."""
        if self._funding is None:
            now = tuple(replace(ask, intent=replace(ask.intent, index=place)) for place, ask in enumerate(asks))
            waits: frozenset[str] = frozenset()
        else:
            prices = {symbol: bar.close for symbol, bar in close.bars.items()}
            now, waits = self._funding.turn(asks, views, prices)
        told: dict[str, Decision] = {}
        for symbol, decision in decisions.items():
            intents = tuple(ask.intent for ask in now if ask.symbol == symbol)
            outcome = Outcome.BLOCKED_AWAITING_SALES if symbol in waits else decision.outcome
            told[symbol] = replace(decision, outcome=Outcome.INTENT if intents else outcome, intents=intents)
        return told, now

    def _computed(self, close: Close, views: Mapping[str, StateView]) -> tuple[int, tuple[Run, ...]]:
        """Return what the nodes gave, a run for each symbol, and which of its closes this one is."""
        if self._ahead is None:
            tape, index = self._tape([close]), 0
            columns = self._evaluation.market(tape, is_compiled=False)
            runs: tuple[Run, ...] = ()
        else:
            closes, tape, columns, runs = self._ahead
            index = self._next
            if index >= len(closes) or closes[index] is not close:
                message = f"the close of {close.ts.isoformat()} is not the next of those that were prepared"
                raise AlphintraError("TIME_ORDER", message, kind=Kind.BUG)
            self._next += 1
        if self._evaluation.reads_book:
            market = {end: np.ascontiguousarray(column[:, index : index + 1]) for end, column in columns.items()}
            now = replace(tape.part(index, index + 1), book=self._book(views))
            return 0, self._runs(now, self._evaluation.booked(now, market))
        return index, runs or self._runs(tape, columns)

    def _decided(self, run: Run, index: int, bar: Bar, view: StateView) -> tuple[Decision, list[Ask]]:
        shown = {one.node: one.value(run, index, bar, view) for one in self._shown}
        if self._seen[run.row] <= self._warm_ups[run.row]:
            return Decision(bar.ts, Outcome.WARMING_UP, shown, ()), []
        outcome, intents = ask_orders(run, index, bar, view)
        symbol = self.symbols[run.row]
        asks = [Ask(symbol, intent, _rank(intent, run.row)) for intent in intents]
        for rebalance in self._rebalances if not asks else ():
            asked = rebalanced(rebalance, run, index, bar, view)
            if isinstance(asked, Outcome):
                outcome = asked if outcome is Outcome.NO_SIGNAL else outcome
                continue
            intent, percent = asked
            is_sale = intent.side is Side.SELL
            rank = (0, Decimal(0), run.row) if is_sale else (1, -percent, run.row)
            asks, outcome = [Ask(symbol, intent, rank)], Outcome.INTENT
            break
        return Decision(bar.ts, outcome, shown, ()), asks

    def _tape(self, closes: Sequence[Close]) -> Tape:
        rows = [[close.bars.get(symbol) for close in closes] for symbol in self.symbols]
        return tape_across([close.ts for close in closes], rows, self._calendars)

    def _book(self, views: Mapping[str, StateView]) -> dict[str, np.typing.NDArray[np.float64]]:
        told = [views[symbol] for symbol in self.symbols]
        return {name: np.array([[float(getattr(view, name))] for view in told]) for name in BOOK_COLUMNS}

    def _runs(self, tape: Tape, columns: Columns) -> tuple[Run, ...]:
        return tuple(
            Run(tape, columns, tuple((program, program.columns(columns, tape, row)) for program in self._programs), row)
            for row in range(len(self.symbols))
        )


def union_of(bars: Mapping[str, Sequence[Bar]]) -> tuple[Close, ...]:
    """Return the closes of several symbols in order of time, each with the bars that close then."""
    found: dict[datetime, dict[str, Bar]] = {}
    for symbol, own in bars.items():
        for bar in own:
            found.setdefault(bar.ts, {})[symbol] = bar
    return tuple(Close(ts, found[ts]) for ts in sorted(found))


def _rank(intent: Intent, row: int) -> tuple[int, Decimal, int]:
    return (0 if intent.reason in LEAVING else 1, Decimal(0), row)


def _bad_snapshot(reason: str) -> AlphintraError:
    message = f"the saved state {reason}: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT)

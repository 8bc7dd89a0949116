"""The incremental executor: runs a plan bar by bar, identically in backtest, paper and live."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from alphintra.engine.account.asking import ask, quantity
from alphintra.engine.account.program import OrderProgram, on_tick, order_programs
from alphintra.engine.graph.evaluation import Columns, End, Evaluation, is_number, shown_end
from alphintra.engine.graph.plan import PLAN_SCHEMA, require_single
from alphintra.engine.graph.tape import BOOK_COLUMNS, tape_of
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import Decision, Intent, Outcome
from alphintra.engine.rebalancing import rebalanced, rebalances_of
from alphintra.engine.runs import Run
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.sessions import Calendar

__all__ = ["Executor", "Shown", "ask_orders"]

SNAPSHOT_SCHEMA = 2


class _Header(msgspec.Struct, frozen=True):
    schema: int


class _Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    graph_hash: str
    bars_seen: int
    last_ts: datetime | None
    nodes: dict[str, str]


class Executor:
    """Runs one plan over the closed bars of one symbol, oldest first.

    It keeps indicator state only; position, cash and working orders are told to it at every bar, so they can come
    from a simulation or from the trading service alike.

    Args:
        plan: what is computed.
        calendar: of the symbol; without it a plan whose nodes ask for the time of a session cannot run.
        tick: prices asked for are whole multiples of it.

    Raises:
        AlphintraError: NODE_VERSION if the plan was compiled by an Alphintra with other nodes, GRAPH_UNIVERSE if it is
            one of several symbols.
    """

    def __init__(self, plan: Plan, calendar: Calendar | None = None, *, tick: Decimal | None = None) -> None:
        if plan.schema != PLAN_SCHEMA:
            raise AlphintraError("NODE_VERSION", f"plan schema {plan.schema} is not known: compile the graph again")
        require_single(plan)
        self.plan = plan
        self._calendar = calendar
        self.warm_up_bars = plan.warm_up_bars if calendar is None else plan.warm_up_in(calendar.session_minutes)
        self._evaluation = Evaluation(plan)
        self._programs = on_tick(order_programs(plan), tick)
        self._rebalances = rebalances_of(plan)
        self._shown = tuple(
            Shown(step, end, self._programs) for step in plan.steps if (end := shown_end(step)) is not None
        )
        self._bars_seen = 0
        self._ahead: tuple[Run, Sequence[Bar]] | None = None
        self._last_ts: datetime | None = None

    @property
    def bars_seen(self) -> int:
        """Bars evaluated so far; the plan may act once this exceeds ``warm_up_bars``."""
        return self._bars_seen

    def on_bar(self, bar: Bar, view: StateView) -> Decision:
        """Evaluate the graph at the close of a bar.

        Args:
            bar: must close after the bar before it.
            view: the strategy's book at this close, fills of this bar included.

        Raises:
            AlphintraError: TIME_ORDER for a repeated or older bar, NODE_VALUE for a value that is no finite number.
        """
        if self._last_ts is not None and bar.ts <= self._last_ts:
            message = f"bar {bar.ts.isoformat()} is not after {self._last_ts.isoformat()}: it was evaluated already"
            raise AlphintraError("TIME_ORDER", message, kind=Kind.CONFLICT)
        if self._ahead is not None:
            return self._decided_ahead(*self._ahead, bar, view)
        return self.decide_at(self._run(tape_of([bar], self._calendar), is_compiled=False), 0, bar, view)

    def prepare(self, bars: Sequence[Bar]) -> Tape:
        """Evaluate the graph over all bars ``on_bar`` will be told of; it gives the same as without, sooner."""
        run = self.over(bars)
        self._ahead = (run, bars)
        return run.tape

    def over(self, bars: Sequence[Bar]) -> Run:
        """Evaluate the graph over bars that nothing was evaluated of yet, for ``decide_at`` to decide on one by one."""
        return self._run(tape_of(bars, self._calendar))

    def decide_at(self, run: Run, index: int, bar: Bar, view: StateView) -> Decision:
        """Decide at the close of one of the bars that ``over`` has evaluated; they are asked for in order of time."""
        if self._evaluation.reads_book:
            run, index = self._with_book(run, index, view), 0
        shown = {one.node: one.value(run, index, bar, view) for one in self._shown}
        self._bars_seen += 1
        self._last_ts = bar.ts
        if self._bars_seen <= self.warm_up_bars:
            return Decision(bar.ts, Outcome.WARMING_UP, shown, ())
        outcome, intents = ask_orders(run, index, bar, view)
        for rebalance in self._rebalances if not intents else ():
            asked = rebalanced(rebalance, run, index, bar, view)
            if not isinstance(asked, Outcome):
                return Decision(bar.ts, Outcome.INTENT, shown, (asked[0],))
            outcome = asked if outcome is Outcome.NO_SIGNAL else outcome
        return Decision(bar.ts, outcome, shown, intents)

    def snapshot(self) -> bytes:
        """Return the whole state as JSON; restoring it continues bit for bit."""
        if self._ahead is not None and self._bars_seen < len(self._ahead[1]):
            message = "nodes have seen bars that nothing was decided on: an executor with prepared bars keeps no state"
            raise AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.BUG)
        state = _Snapshot(
            SNAPSHOT_SCHEMA, self.plan.graph_hash, self._bars_seen, self._last_ts, self._evaluation.snapshot()
        )
        return msgspec.json.encode(state)

    def restore(self, raw: bytes) -> None:
        """Continue from a snapshot of the same plan.

        Raises SNAPSHOT_OLD for one of an earlier Alphintra, SNAPSHOT_INVALID; the executor is then unusable.
        """
        try:
            if msgspec.json.decode(raw, type=_Header).schema < SNAPSHOT_SCHEMA:
                message = "the saved state is one of an earlier Alphintra: start again from stored bars"
                raise AlphintraError("SNAPSHOT_OLD", message, kind=Kind.CONFLICT)
            state = msgspec.json.decode(raw, type=_Snapshot)
        except msgspec.DecodeError as error:
            raise _bad_snapshot(f"cannot be read ({error})") from error
        if state.schema != SNAPSHOT_SCHEMA:
            raise _bad_snapshot(f"has schema {state.schema}")
        if state.graph_hash != self.plan.graph_hash:
            raise _bad_snapshot(f"belongs to strategy version {state.graph_hash[:12]}")
        if state.bars_seen < 0:
            raise _bad_snapshot(f"has seen {state.bars_seen} bars")
        self._evaluation.restore(state.nodes)
        self._bars_seen = state.bars_seen
        self._last_ts = state.last_ts

    def close(self) -> None:
        """Do nothing: all there is lies in this process."""

    def _run(self, tape: Tape, *, is_compiled: bool | None = None) -> Run:
        columns = self._evaluation.market(tape, is_compiled=is_compiled)
        return self._asked(tape, columns) if not self._evaluation.reads_book else Run(tape, columns, ())

    def _decided_ahead(self, run: Run, bars: Sequence[Bar], bar: Bar, view: StateView) -> Decision:
        index = self._bars_seen
        if index >= len(bars) or bars[index] is not bar:
            message = f"the bar of {bar.ts.isoformat()} is not the next of those that were prepared"
            raise AlphintraError("TIME_ORDER", message, kind=Kind.BUG)
        return self.decide_at(run, index, bar, view)

    def _with_book(self, run: Run, index: int, view: StateView) -> Run:
        """Return one bar of a run with the nodes that read the book as it is at that close."""
        book = {name: np.array([[float(getattr(view, name))]]) for name in BOOK_COLUMNS}
        tape = replace(run.tape.part(index, index + 1), book=book)
        market = {end: np.ascontiguousarray(column[:, index : index + 1]) for end, column in run.columns.items()}
        return self._asked(tape, self._evaluation.booked(tape, market))

    def _asked(self, tape: Tape, columns: Columns) -> Run:
        return Run(tape, columns, tuple((program, program.columns(columns, tape)) for program in self._programs))


def ask_orders(run: Run, index: int, bar: Bar, view: StateView) -> tuple[Outcome, tuple[Intent, ...]]:
    """Ask the Order nodes in turn until one acts: a strategy sends at most one order per bar."""
    outcome = Outcome.NO_SIGNAL
    for program, told in run.asked:
        asked = ask(program.rules, told, index, view=view, close=bar.close)
        if asked.intent is not None:
            tags = {"entry": program.tag, "exit": program.exit_tag(run.columns, index, run.row)}
            tag = tags.get(asked.intent.reason, asked.intent.reason)
            return Outcome.INTENT, (replace(asked.intent, node=program.step.node, tag=tag),)
        if outcome is Outcome.NO_SIGNAL:
            outcome = asked.outcome
    return outcome, ()


class Shown:
    """What a node shows in decision records: a number, a truth, the quantity of a sizing rule, or None for unknown."""

    def __init__(self, step: Step, end: End, programs: Sequence[OrderProgram]) -> None:
        self.node = step.node
        self._end = end
        self._sizes = next((place for place, program in enumerate(programs) if program.size_node == step.node), None)
        self._is_number = is_number(step)

    def value(self, run: Run, index: int, bar: Bar, view: StateView) -> float | bool | None:
        """Return it as of a close."""
        value = float(run.columns[self._end][run.row, index])
        if not math.isfinite(value):
            return None
        if self._sizes is not None:
            program, told = run.asked[self._sizes]
            return float(quantity(program.rules, told, index, equity=view.equity, close=bar.close))
        return value if self._is_number else value != 0


def _bad_snapshot(reason: str) -> AlphintraError:
    message = f"the saved state {reason}: start again from stored bars"
    return AlphintraError("SNAPSHOT_INVALID", message, kind=Kind.CONFLICT)

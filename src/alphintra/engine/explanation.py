"""Why a bar brought an order, or none: plain sentences from node values, from the order back to what stood against it.

Nothing is kept for this: the values are computed again from the bars, by the kernels that decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.catalogue import node_type
from alphintra.engine.graph.evaluation import End, Evaluation, shown_end
from alphintra.engine.graph.expression import PART_MARK
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.graph.values import PortKind
from alphintra.engine.intents import Outcome
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import plain

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.definition import NodeType
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.sessions import Calendar

__all__ = ["Seen", "Sentence", "explain", "values_at"]

LINES_MAX: Final = 200
_WORDS: Final = {"gt": "above", "ge": "at or above", "lt": "below", "le": "at or below"}
_TRUTHS: Final = frozenset({PortKind.BOOL, PortKind.EVENT, PortKind.SIGNAL, PortKind.EXIT})
_PASSES: Final = frozenset({"Entry", "ExitWhen"})  # rules: what they say is what their condition says


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line: what a node, or what lies beyond the graph, says of the bar.

    Args:
        depth: how far it is from the order, for indentation; a line explains the nearest one above with less.
        node: id in the graph, empty for what is no node.
        text: for people.
        value: of the node, None where it is unknown or there is none.
    """

    depth: int
    node: str
    text: str
    value: float | bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a bar besides the graph.

    Args:
        outcome: what was decided.
        bars_seen: bars up to this one, itself included.
        warm_up_bars: that nothing may be ordered on.
        qty: what was held after the bar's fills, None where that is not known.
        equity: at its close, None where that is not known.
        bar: the bar, None where it is not at hand.
        values: what nodes showed, by id.
        after: sentences about the order that was asked for: what risk said, what became of it.
    """

    outcome: str
    bars_seen: int
    warm_up_bars: int
    qty: Decimal | None
    equity: Decimal | None
    bar: Bar | None = None
    values: Mapping[str, float | bool | None]
    after: tuple[Sentence, ...] = ()


def values_at(plan: Plan, bars: Sequence[Bar], *, calendar: Calendar, back: int = 1) -> list[dict[End, float]]:
    """Return the outputs of all nodes that read no book, at the last bar and at as many before, the newest first."""
    columns = Evaluation(plan).market(tape_of(bars, calendar))
    count = min(back + 1, len(bars))
    return [{end: float(column[0, -1 - place]) for end, column in columns.items()} for place in range(count)]


def explain(plan: Plan, seen: Seen, values: Sequence[Mapping[End, float]]) -> tuple[Sentence, ...]:
    """Return why a bar of one symbol came to its outcome, the most important first.

    Args:
        plan: what decided.
        seen: what is known besides.
        values: outputs of nodes at the bar and, if there is one, at the bar before; what is not among them is taken
            from what the nodes showed.
    """
    told = _Told(plan, seen, values)
    return tuple(told.lines())[:LINES_MAX]


class _Told:
    def __init__(self, plan: Plan, seen: Seen, values: Sequence[Mapping[End, float]]) -> None:
        self._steps = {step.node: step for step in plan.steps}
        self._plan = plan
        self._seen = seen
        self._values = values

    def lines(self) -> Iterator[Sentence]:
        """Yield what was decided, then what led to it."""
        seen = self._seen
        yield Sentence(0, "", self._headline())
        yield from seen.after
        if seen.outcome == Outcome.WARMING_UP:
            slow = self._plan.slowest()
            yield Sentence(1, slow.node, f"Most of the warm-up is for {slow.node} ({slow.type}).")
            return
        for order in (step for step in self._plan.steps if step.type in {"Order", "RebalanceTo", "Algorithm"}):
            yield from self._order(order)

    def _headline(self) -> str:
        seen = self._seen
        held = "" if seen.qty is None else f" ({plain(seen.qty):f} held)" if seen.qty else " (nothing held)"
        left = max(seen.warm_up_bars - seen.bars_seen, 0)
        sentences = {
            Outcome.WARMING_UP: (
                f"No order: in warm-up, bar {seen.bars_seen} of {seen.warm_up_bars}; {left} more may bring none."
            ),
            Outcome.NO_SIGNAL: f"No order: {'no exit rule fired' if seen.qty else 'no entry signal'}{held}.",
            Outcome.INTENT: f"An order was asked for{held}.",
            Outcome.BLOCKED_IN_POSITION: f"No order: it would enter, but a position is held already{held}.",
            Outcome.BLOCKED_NO_POSITION: "No order: an exit rule fired, but nothing is held.",
            Outcome.BLOCKED_ORDER_WORKING: f"No order: an earlier order still waits at the venue{held}.",
            Outcome.BLOCKED_ZERO_QUANTITY: f"No order: its size rounded down to zero{self._at_close()}.",
            Outcome.BLOCKED_NO_PROTECTION: "No order: an exit the entry must bring with it has no level yet.",
            Outcome.FAILED: "No order: the bar could not be evaluated, and the deployment ended.",
        }
        other = f"No order: {seen.outcome.removeprefix('blocked_').replace('_', ' ')}{held}."
        return sentences[Outcome(seen.outcome)] if seen.outcome in sentences else other

    def _at_close(self) -> str:
        told = [] if self._seen.equity is None else [f"equity {self._seen.equity:,.2f}"]
        told += [] if self._seen.bar is None else [f"the close {plain(self._seen.bar.close):f}"]
        return f", with {' at '.join(told)}" if told else ""

    def _order(self, order: Step) -> Iterator[Sentence]:
        """Yield what an order's entry and exits say, those that matter to what is held first."""
        if order.type == "Algorithm":
            for name, value in self._seen.values.items():
                yield Sentence(1, order.node, f"The algorithm saw {name}: {_value(value)}.", value)
            return
        ends = [end for name in ("size", "weights", "when") for end in order.inputs.get(name, ())]
        entries = [self._entry_of(end) for end in ends]
        exits = list(order.inputs.get("exit", ()))
        yield Sentence(1, order.node, f"{order.node} ({order.type}) asks its {'exits' if self._seen.qty else 'entry'}:")
        for end in exits if self._seen.qty else ():
            yield from self._why(end, 2, set())
        is_sized = self._seen.outcome in {Outcome.BLOCKED_ZERO_QUANTITY, Outcome.INTENT}
        for end, entry in zip(ends, entries, strict=True):
            if is_sized and end != entry and not self._seen.qty:
                yield self._said(end, 2)
            if not self._seen.qty or self._seen.outcome == Outcome.BLOCKED_IN_POSITION:
                yield from self._why(entry, 2, set())
        if self._seen.outcome in {Outcome.BLOCKED_NO_POSITION, Outcome.BLOCKED_NO_PROTECTION}:
            for end in exits:
                yield from self._why(end, 2, set())

    def _entry_of(self, end: End) -> End:
        """Return the entry signal a size is of."""
        step = self._steps[end[0]]
        signals = step.inputs.get("signal", ())
        return signals[0] if signals else end

    def _why(self, end: End, depth: int, told: set[End]) -> Iterator[Sentence]:
        """Yield a node's value and, below it, of what it was made: of a conjunction that is false what was not true."""
        if end in told:
            return
        told.add(end)
        yield self._said(end, depth)
        step = self._steps[end[0]]
        behind = [each for port in step.inputs for each in step.inputs[port]]
        truths = [each for each in behind if self._kind(each) in _TRUTHS]
        value = self._at(end)
        if step.type == "And" and value == 0:
            truths = [each for each in truths if not self._is_true(each)]
        if step.type == "Or" and value is not None and value > 0:
            truths = [each for each in truths if self._is_true(each)]
        for each in truths:
            yield from self._why(each, depth + 1, told)

    def _said(self, end: End, depth: int) -> Sentence:
        step, value = self._steps[end[0]], self._at(end)
        shown = self._shown(end, value)
        has_many = len(_definition(step).outputs) > 1
        name = f"{step.node}{f'.{end[1]}' if has_many else ''} ({step.type})"
        if value is None:
            if not any(end in values for values in self._values):
                return Sentence(depth, step.node, f"{name} was not kept for this bar.")
            needed = step.warm_up_bars
            text = f"{name} is not known yet: it needs {needed} bars, {self._seen.bars_seen} were seen."
            return Sentence(depth, step.node, text)
        compared = self._comparison(step, is_true=value != 0)
        if compared is not None:
            return Sentence(depth, step.node, f"{compared}.", shown)
        if step.type in _PASSES:
            return Sentence(depth, step.node, f"{name} {'fires' if value else 'does not fire'}.", shown)
        read = self._read(step)
        return Sentence(depth, step.node, f"{name} is {_value(shown)}" + (f" ({read})." if read else "."), shown)

    def _comparison(self, step: Step, *, is_true: bool) -> str | None:
        """Return what a comparison or a crossing of two numbers says, None for any other node."""
        if step.type not in {"Compare", "CrossAbove", "CrossBelow", "CrossAny"}:
            return None
        sides = [step.inputs[port][0] for port in ("a", "b")]
        left, right = (f"{self._named(side)} {_value(self._at(side))}" for side in sides)
        if step.type == "Compare":
            return f"{step.node}: {left} is {'' if is_true else 'not '}{_WORDS[str(step.params['op'])]} {right}"
        way = {"CrossAbove": "above ", "CrossBelow": "below ", "CrossAny": ""}[step.type]
        before = [self._at(side, back=1) for side in sides]
        was = "" if None in before else f" (before: {_value(before[0])} and {_value(before[1])})"
        return f"{step.node}: {left} {'passed' if is_true else 'did not pass'} {way}{right} on this bar{was}"

    def _read(self, step: Step) -> str:
        """Return the numbers a node read, by the node they come from."""
        ends = [end for ends in step.inputs.values() for end in ends if self._kind(end) not in _TRUTHS]
        return ", ".join(f"{self._named(end)} {_value(self._at(end))}" for end in ends)

    def _at(self, end: End, *, back: int = 0) -> float | None:
        """Return an output at the bar, or before it; None where it is unknown."""
        found = self._values[back].get(end) if back < len(self._values) else None
        if found is None and not back and self._is_shown(end):
            kept = self._seen.values.get(end[0])
            return None if kept is None else float(kept)
        return found if found is not None and math.isfinite(found) else None

    def _is_shown(self, end: End) -> bool:
        return shown_end(self._steps[end[0]]) == end

    def _shown(self, end: End, value: float | None) -> float | bool | None:
        if value is None:
            return None
        kept = self._seen.values.get(end[0]) if self._is_shown(end) else None
        return kept if kept is not None else (value != 0 if self._kind(end) in _TRUTHS else value)

    def _is_true(self, end: End) -> bool:
        value = self._at(end)
        return value is not None and value != 0

    def _kind(self, end: End) -> PortKind:
        step = self._steps[end[0]]
        ports = _definition(step).outputs
        return next((port.kind for port in ports if port.name == end[1]), PortKind.NUM)

    def _named(self, end: End) -> str:
        """Return how people know an output: the node, and its port where it has several."""
        node = end[0].partition(PART_MARK)[0]
        step = self._steps[end[0]]
        periods = [str(step.params[name]) for name in ("period",) if name in step.params]
        label = f"{node} {step.type}({', '.join(periods)})" if periods else node
        if step.type == "Const":
            return label
        return label if len(_definition(step).outputs) == 1 else f"{label}.{end[1]}"


def _definition(step: Step) -> NodeType:
    definition = node_type(step.type, step.version)
    if definition is None:
        message = f"node {step.node}: {step.type} version {step.version} is not in this Alphintra"
        raise AlphintraError("NODE_VERSION", message)
    return definition


def _value(value: float | bool | None) -> str:  # noqa: FBT001 - what a node showed
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:,.2f}"  # noqa: PLR2004 - only how it is written

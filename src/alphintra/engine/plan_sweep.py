"""Many trials of one plan over the same bars: what trials have in common is computed once, no curve is kept.

For choosing among many parameters. Amounts are not rounded; what is chosen is run again (``engine.plan_runs``).
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec
import numpy as np

from alphintra.engine.account.program import order_programs
from alphintra.engine.account.skim import Skim
from alphintra.engine.account.sweep import Sweep
from alphintra.engine.graph.evaluation import Evaluation, book_nodes, needed_steps
from alphintra.engine.graph.plan import require_single
from alphintra.engine.rebalancing import rebalances_of
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alphintra.engine.account.columns import Columns as Asked
    from alphintra.engine.account.program import OrderProgram
    from alphintra.engine.account.rules import AccountRules
    from alphintra.engine.graph.evaluation import Columns, End
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.graph.wire import ParamValue

__all__ = ["Trial", "sweep_plan"]

Trial: TypeAlias = "Mapping[str, Mapping[str, ParamValue]]"
_PORTION: Final = 16  # trials a thread takes at a time
_SHARED_MAX: Final = 256_000_000  # bytes of columns that trials share, kept at a time


def sweep_plan(plan: Plan, tape: Tape, rules: AccountRules, trials: Sequence[Trial], *, threads: int = 1) -> Sweep:
    """Run a plan with other parameters of its nodes, each trial over all bars from the first.

    Args:
        plan: one Order node, no node that reads the position or the account.
        tape: of one symbol.
        rules: of every trial.
        trials: by node the parameters that differ from the plan's, in normal form.
        threads: how many share the trials; machine code holds no lock.

    Raises:
        AlphintraError: ORDER_UNSUPPORTED for another plan, or a trial of a node that computes no column.
    """
    require_single(plan)
    programs = order_programs(plan)
    if len(programs) != 1 or rebalances_of(plan) or book_nodes(plan):
        raise AlphintraError("ORDER_UNSUPPORTED", "a sweep takes one Order node that reads no book", pointer="/nodes")
    sweep = _Sweep(programs[0], needed_steps(plan, programs[0].ends), plan, tape)
    _require_columns(sweep, trials)
    out = np.zeros((len(trials), 2))

    def work(span: tuple[_Group, range]) -> None:
        group, places = span
        skim, kept = Skim(rules), _Kept()
        for place in places:
            out[place] = skim.run(sweep.columns(group, place, kept))

    with ThreadPoolExecutor(threads) as pool:
        for group in sweep.groups(trials):
            size = max(_PORTION, -(-len(group.trials) // (4 * threads)))
            places = range(group.first, group.first + len(group.trials))
            list(pool.map(work, [(group, places[start : start + size]) for start in range(0, len(places), size)]))
    return Sweep(out[:, 0], out[:, 1].astype(np.int64))


class _Group:
    """Neighbouring trials: what each of their steps computes, by number, and the columns several of them need."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.trials: list[Trial] = []
        self.numbers: list[dict[str, int]] = []
        self.made: dict[int, Step] = {}
        self.known: dict[object, int] = {}
        self.shared: frozenset[int] = frozenset()
        self.columns: Columns = {}


class _Kept:
    """The evaluations of steps that a trial does not share, made once for trials with the same parameters of them."""

    def __init__(self) -> None:
        self.evaluations: dict[object, tuple[Evaluation, tuple[End, ...]]] = {}


class _Sweep:
    def __init__(self, program: OrderProgram, steps: tuple[Step, ...], plan: Plan, tape: Tape) -> None:
        self.program, self.steps = program, steps
        self._plan, self._tape = plan, tape
        self._fixed = {step.node: tuple(sorted(step.params.items())) for step in steps}
        self._ends = program.ends
        kinds: dict[object, int] = {}
        self._drawn = []
        for step in steps:
            ports = tuple((port, tuple(out for _, out in ends)) for port, ends in step.inputs.items())
            kind = kinds.setdefault((step.type, step.version, ports), len(kinds))
            self._drawn.append((step, kind, tuple(node for ends in step.inputs.values() for node, _ in ends)))

    def groups(self, trials: Sequence[Trial]) -> Iterator[_Group]:
        """Yield the trials in groups whose shared columns fit into memory, with these columns."""
        size_of_column = 8 * max(self._tape.closes, 1)
        group = _Group(0)
        for place, trial in enumerate(trials):
            self._note(group, trial)
            if len(group.known) * size_of_column > _SHARED_MAX + len(group.trials) * len(self.steps) * size_of_column:
                yield self._shared(group)
                group = _Group(place + 1)
        if group.trials:
            yield self._shared(group)

    def _note(self, group: _Group, trial: Trial) -> None:
        """Number what each step of a trial computes: the same number for the same computation on the same columns."""
        found: dict[str, int] = {}
        for step, kind, wired in self._drawn:
            own = trial.get(step.node)
            params = tuple(sorted({**step.params, **own}.items())) if own else self._fixed[step.node]
            key = (kind, params, *[found[node] for node in wired])
            number = group.known.get(key)
            if number is None:
                number = group.known[key] = len(group.known)
                inputs = {
                    port: tuple((str(found[node]), out) for node, out in ends) for port, ends in step.inputs.items()
                }
                group.made[number] = msgspec.structs.replace(step, node=str(number), params=dict(params), inputs=inputs)
            found[step.node] = number
        group.trials.append(trial)
        group.numbers.append(found)

    def _shared(self, group: _Group) -> _Group:
        """Compute what more than one trial needs."""
        uses = Counter(number for found in group.numbers for number in set(found.values()))
        group.shared = frozenset(number for number, count in uses.items() if count > 1 or len(group.trials) == 1)
        steps = tuple(made for number, made in sorted(group.made.items()) if number in group.shared)
        plan = msgspec.structs.replace(self._plan, steps=steps)
        evaluation = Evaluation(plan)
        evaluation.lay_out(self._tape.closes)
        group.columns = evaluation.advance(self._tape, is_compiled=True)
        return group

    def columns(self, group: _Group, place: int, kept: _Kept) -> Asked:
        """Return what the account of a trial is asked with."""
        trial, numbers = group.trials[place - group.first], group.numbers[place - group.first]
        own = tuple(step.node for step in self.steps if numbers[step.node] not in group.shared)
        key = (own, *[tuple(trial[node].items()) for node in own if node in trial])
        found = kept.evaluations.get(key)
        if found is None:
            found = kept.evaluations[key] = self._own(own, trial)
        evaluation, wanted = found
        given = {(node, port): group.columns[str(numbers[node]), port] for node, port in wanted}
        return self.program.columns(evaluation.anew(self._tape, given, keep=self._ends), self._tape)

    def _own(self, own: tuple[str, ...], trial: Trial) -> tuple[Evaluation, tuple[End, ...]]:
        """Return the evaluation of steps that a trial does not share, and what they and its account read of others."""
        steps = tuple(
            msgspec.structs.replace(step, params={**step.params, **trial.get(step.node, {})})
            for step in self.steps
            if step.node in own
        )
        wired = {end for step in steps for ends in step.inputs.values() for end in ends} | self._ends
        evaluation = Evaluation(msgspec.structs.replace(self._plan, steps=steps))
        return evaluation, tuple(sorted(end for end in wired if end[0] not in own))


def _require_columns(sweep: _Sweep, trials: Sequence[Trial]) -> None:
    nodes = {step.node for step in sweep.steps}
    for node in {node for trial in trials for node in trial}:
        if node not in nodes:
            message = f"node {node} computes nothing that a trial can differ in: turn another one's parameters"
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer=f"/nodes/{node}")

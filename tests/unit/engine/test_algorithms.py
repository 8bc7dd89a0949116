"""An algorithm decides like a graph: same bars, same books, same limits; what it may not ask for is not placed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.algorithm_runs import AlgorithmExecutor, algorithm_of, decider_of
from alphintra.engine.algorithms import Answer, MarketOrder, Moment, Parameter, ParamKind, Side, bound, require_answer
from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.graph import Edge, Node, StateView, compile_plan, validate
from alphintra.engine.graph.exposure import with_values
from alphintra.engine.intents import Outcome
from alphintra.engine.templates.drawing import Drawing
from alphintra.kernel.errors import AlphintraError
from unit.engine.builders import flat_bars

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import AlgorithmId
    from alphintra.engine.graph import Graph
    from alphintra.engine.graph.wire import ParamValue

PRICES = [10, 11, 12, 13, 12, 11, 10, 9, 10, 11, 12, 13]
FLAT = StateView(Decimal(0), Decimal(0), Decimal(1000), Decimal(1000))


def drawn(**params: ParamValue) -> Graph:
    drawing = Drawing("algorithm", timeframe="1d")
    drawing.add("bars", "Bars")
    own: dict[str, ParamValue] = {"algorithm": "a", "package": "p", "release": "1", "content_hash": "0" * 64}
    own |= {"warm_up": 0, "seed": 0}
    drawing.add("algorithm", "Algorithm", {"close": "bars.close"}, **(own | params))
    return drawing.graph()


class Played:
    """An algorithm the test plays."""

    def __init__(self, answer: Callable[[Moment, dict[str, Any]], Answer]) -> None:
        self._answer = answer
        self._state: dict[str, Any] = {}
        self.moments: list[Moment] = []
        self.is_closed = False

    def on_bar(self, moment: Moment) -> Answer:
        self.moments.append(moment)
        return self._answer(moment, self._state)

    def state(self) -> str:
        return msgspec.json.encode(self._state).decode()

    def restore(self, state: str) -> None:
        self._state = msgspec.json.decode(state)

    def close(self) -> None:
        self.is_closed = True


def buying(moment: Moment, _state: dict[str, Any]) -> Answer:
    return Answer(order=MarketOrder(side=Side.BUY, qty=Decimal(5), tag="up"), values={"close": float(moment.close)})


def executor(answer: Callable[[Moment, dict[str, Any]], Answer], **params: ParamValue) -> AlgorithmExecutor:
    return AlgorithmExecutor(compile_plan(drawn(**params)), "AAPL", Played(answer))


def test_a_plan_names_its_algorithm_and_its_parameters() -> None:
    found = algorithm_of(compile_plan(drawn(fast=3, share="0.50", is_on=True, mode="calm", warm_up=7)))
    assert found is not None
    assert (found.algorithm, found.package, found.warm_up) == ("a", "p", 7)
    assert found.params == {"fast": 3, "share": "0.5", "is_on": True, "mode": "calm"}


@pytest.mark.parametrize(
    ("params", "code"),
    [({"Fast": 3}, "FIELD_RANGE"), ({f"p{n}": n for n in range(40)}, "FIELD_RANGE"), ({"seed": -1}, "FIELD_RANGE")],
)
def test_parameters_of_unsuited_names_are_no_graph(params: dict[str, ParamValue], code: str) -> None:
    assert [problem.code for problem in validate(drawn(**params))] == [code]


def test_nothing_stands_beside_an_algorithm() -> None:
    graph = drawn()
    plot = Node(id="plot", type="Plot")
    beside = msgspec.structs.replace(
        graph, nodes=(*graph.nodes, plot), edges=(*graph.edges, Edge(source="bars.close", target="plot.value"))
    )
    assert [(problem.code, problem.node) for problem in validate(beside)] == [("GRAPH_EDGE", "plot")]


def test_its_parameters_are_searched_like_those_of_nodes() -> None:
    changed = with_values(drawn(fast=3, share="0.5"), {"algorithm.fast": 9, "algorithm.share": "0.75"})
    found = algorithm_of(compile_plan(changed))
    assert found is not None
    assert found.params == {"fast": 9, "share": "0.75"}


def test_nothing_is_ordered_while_it_warms_up() -> None:
    one = executor(buying, warm_up=2)
    outcomes = [one.on_bar(bar, FLAT).outcome for bar in flat_bars(PRICES[:3])]
    assert outcomes == [Outcome.WARMING_UP, Outcome.WARMING_UP, Outcome.INTENT]


def test_what_it_saw_stands_in_the_decision() -> None:
    decision = executor(buying).on_bar(flat_bars([10])[0], FLAT)
    (intent,) = decision.intents
    assert decision.values == {"close": 10.0}
    assert (intent.side, intent.qty, intent.reason, intent.tag) == (Side.BUY, Decimal(5), "entry", "up")


def view(qty: int, *, is_order_working: bool = False) -> StateView:
    return StateView(Decimal(qty), Decimal(10), Decimal(1000), Decimal(1000), is_order_working)


@pytest.mark.parametrize(
    ("order", "held", "outcome"),
    [
        (MarketOrder(side=Side.BUY, qty=Decimal(1)), view(0, is_order_working=True), Outcome.BLOCKED_ORDER_WORKING),
        (MarketOrder(side=Side.SELL, qty=Decimal(6)), view(5), Outcome.BLOCKED_IN_POSITION),
        (MarketOrder(side=Side.BUY, qty=Decimal(1), stop_price=Decimal(9)), view(5), Outcome.BLOCKED_IN_POSITION),
        (MarketOrder(side=Side.SELL, qty=Decimal(5)), view(5), Outcome.INTENT),
        (MarketOrder(side=Side.SELL, qty=Decimal(2)), view(5), Outcome.INTENT),
        (MarketOrder(side=Side.BUY, qty=Decimal(2)), view(-5), Outcome.INTENT),
        (MarketOrder(side=Side.SELL, qty=Decimal(2)), view(0), Outcome.INTENT),
    ],
)
def test_an_order_meets_what_is_held(order: MarketOrder, held: StateView, outcome: Outcome) -> None:
    assert executor(lambda _moment, _state: Answer(order=order)).on_bar(flat_bars([10])[0], held).outcome is outcome


def test_a_position_with_exits_is_closed_whole_until_it_is_gone() -> None:
    asked = [
        MarketOrder(side=Side.BUY, qty=Decimal(5), stop_price=Decimal(9)),
        MarketOrder(side=Side.SELL, qty=Decimal(2)),
        MarketOrder(side=Side.SELL, qty=Decimal(5)),
        MarketOrder(side=Side.BUY, qty=Decimal(5)),
        MarketOrder(side=Side.SELL, qty=Decimal(2)),
    ]
    one = executor(lambda moment, _state: Answer(order=asked[moment.bars_seen]))
    held = [view(0), view(5), view(5), view(0), view(5)]
    outcomes = [one.on_bar(bar, seen).outcome for bar, seen in zip(flat_bars([10] * 5), held, strict=True)]
    assert outcomes == [Outcome.INTENT, Outcome.BLOCKED_IN_POSITION, Outcome.INTENT, Outcome.INTENT, Outcome.INTENT]


@pytest.mark.parametrize("price", ["stop_price", "take_profit"])
def test_an_exit_on_the_wrong_side_of_the_close_ends_the_run(price: str) -> None:
    stop, target = (Decimal(11), None) if price == "stop_price" else (None, Decimal(9))
    order = MarketOrder(side=Side.BUY, qty=Decimal(1), stop_price=stop, take_profit=target)
    with pytest.raises(AlphintraError, match="ALGORITHM_ANSWER"):
        executor(lambda _moment, _state: Answer(order=order)).on_bar(flat_bars([10])[0], FLAT)


def test_a_bar_is_shown_once() -> None:
    one, (bar,) = executor(buying), flat_bars([10])
    one.on_bar(bar, FLAT)
    with pytest.raises(AlphintraError, match="TIME_ORDER"):
        one.on_bar(bar, FLAT)


def counting(moment: Moment, state: dict[str, Any]) -> Answer:
    state["sum"] = state.get("sum", 0) + int(moment.close) + moment.seed % 7
    side = Side.SELL if moment.qty else Side.BUY
    order = MarketOrder(side=side, qty=moment.qty or Decimal(3)) if state["sum"] % 3 == 0 else None
    return Answer(order=order, values={"sum": float(state["sum"])})


@given(cut=st.integers(0, len(PRICES)), seed=st.integers(0, 2**32 - 1))
def test_a_restart_anywhere_changes_nothing(cut: int, seed: int) -> None:
    bars = flat_bars(PRICES)
    whole = executor(counting, warm_up=2, seed=seed)
    expected = [whole.on_bar(bar, FLAT) for bar in bars]
    first, second = executor(counting, warm_up=2, seed=seed), executor(counting, warm_up=2, seed=seed)
    found = [first.on_bar(bar, FLAT) for bar in bars[:cut]]
    second.restore(first.snapshot())
    found += [second.on_bar(bar, FLAT) for bar in bars[cut:]]
    assert found == expected
    assert second.snapshot() == whole.snapshot()


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(AlphintraError, match="SNAPSHOT_INVALID"):
        executor(counting, seed=1).restore(executor(counting, seed=2).snapshot())


def test_a_backtest_is_decided_by_it_under_the_same_terms_and_ends_it() -> None:
    played: list[Played] = []

    def host(algorithm: AlgorithmId, *, should_stop: Callable[[], bool] | None = None) -> Played:
        assert (algorithm.package, should_stop) == ("p", None)
        played.append(Played(counting))
        return played[-1]

    plan, bars = compile_plan(drawn(warm_up=2)), flat_bars(PRICES)
    settings = BacktestSettings(slippage_bps=Decimal(10))
    result = run_backtest(plan, "AAPL", bars=bars, settings=settings, host=host)
    again = run_backtest(plan, "AAPL", bars=bars, settings=settings, host=host)
    assert (result.digest, len(result.decisions)) == (again.digest, len(bars))
    assert result.fills
    created = {record.order.client_order_id: record.order.created_ts for record in result.orders}
    assert all(fill.ts - created[fill.client_order_id] == timedelta(days=1) for fill in result.fills)
    assert all(one.is_closed for one in played)
    assert [moment.ts for moment in played[0].moments] == [bar.ts for bar in bars]


def test_without_a_host_no_algorithm_runs() -> None:
    with pytest.raises(AlphintraError, match="ALGORITHM_NO_HOST"):
        decider_of(compile_plan(drawn()), "AAPL")


def test_chance_follows_from_the_seed_the_symbol_and_the_bar() -> None:
    def seeds(symbol: str, seed: int) -> list[int]:
        played = Played(lambda _moment, _state: Answer())
        one = AlgorithmExecutor(compile_plan(drawn(seed=seed)), symbol, played)
        for bar in flat_bars([10, 11]):
            one.on_bar(bar, FLAT)
        return [moment.seed for moment in played.moments]

    assert seeds("AAPL", 1) == seeds("AAPL", 1)
    assert len({*seeds("AAPL", 1), *seeds("AAPL", 2), *seeds("IBM", 1)}) == 6


PERIOD = Parameter(
    name="period", kind=ParamKind.INT, summary="Bars.", default=5, minimum=Decimal(1), maximum=Decimal(9)
)
SHARE = Parameter(
    name="share", kind=ParamKind.DECIMAL, summary="Share.", default="0.5", minimum=Decimal(0), maximum=Decimal(1)
)


def test_parameters_come_as_their_kind_says() -> None:
    assert bound((PERIOD, SHARE), {"share": "0.25"}) == {"period": 5, "share": Decimal("0.25")}


@pytest.mark.parametrize(
    ("specs", "params"),
    [
        ((PERIOD,), {"period": 10}),
        ((PERIOD,), {"period": "5"}),
        ((PERIOD,), {"other": 1}),
        ((PERIOD, PERIOD), {}),
        ((Parameter(name="seed", kind=ParamKind.INT, summary="", default=1),), {}),
        ((Parameter(name="free", kind=ParamKind.TEXT, summary=""),), {}),
    ],
)
def test_parameters_that_are_not_declared_so_are_refused(
    specs: tuple[Parameter, ...], params: dict[str, ParamValue]
) -> None:
    with pytest.raises(AlphintraError, match="ALGORITHM_PARAMETER"):
        bound(specs, params)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(order=MarketOrder(side=Side.BUY, qty=Decimal(0))),
        Answer(order=MarketOrder(side=Side.BUY, qty=Decimal("NaN"))),
        Answer(order=MarketOrder(side=Side.BUY, qty=Decimal("1E-10"))),
        Answer(order=MarketOrder(side=Side.BUY, qty=Decimal(1), trail_percent=Decimal(100))),
        Answer(order=MarketOrder(side=Side.BUY, qty=Decimal(1), stop_price=Decimal(1), trail_percent=Decimal(1))),
        Answer(order=MarketOrder(side=Side.BUY, qty=Decimal(1), tag="x" * 65)),
        Answer(values={"x": float("inf")}),
        Answer(values={"": 1.0}),
        Answer(values={str(n): 1.0 for n in range(65)}),
    ],
    ids=repr,
)
def test_an_answer_that_cannot_be_used_is_refused(answer: Answer) -> None:
    with pytest.raises(AlphintraError, match="ALGORITHM_ANSWER"):
        require_answer(answer)


def test_lots_are_whole_and_never_of_what_is_not_there() -> None:
    played = Played(lambda _moment, _state: Answer())
    one = AlgorithmExecutor(compile_plan(drawn()), "AAPL", played)
    one.on_bar(flat_bars([7])[0], FLAT)
    (moment,) = played.moments
    assert moment.lots(Decimal(50)) == 71
    assert moment.lots(Decimal(50), lot=Decimal("0.1")) == Decimal("71.4")
    broke = msgspec.structs.replace(moment, equity=Decimal(-5))
    assert broke.lots(Decimal(50)) == 0
    assert moment.ts.utcoffset() == timedelta(0)

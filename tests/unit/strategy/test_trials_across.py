"""What trials over several symbols change together, what apart, and what they cannot change."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.course import moment
from alphintra.engine.graph import Edge, Graph
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.pretrade.instruments import Instrument
from alphintra.engine.templates import GALLERY
from alphintra.strategy.domain.altered_bars import Alteration, Altered, altered_across, shared_bars
from alphintra.strategy.domain.stress import bars_to_reorder, stress_trials
from alphintra.strategy.domain.sweeps import examine
from alphintra.strategy.domain.trials import Part, Trial, run_trial, simulate
from alphintra.strategy.domain.universes import closes_of
from unit.engine.builders import node
from unit.engine.test_universe import market, rotation

NAMES = ("BBB", "AAA")
ENCODE = msgspec.json.Encoder(decimal_format="string").encode


def turning(count: int = 1) -> Graph:
    """Hold the strongest symbols with four fifths of equity, so that what is bought can be paid at a higher open."""
    drawn = rotation(count)
    nodes = (*drawn.nodes, node("capped", "CapWeights", most="0.8", gross="0.8", net="0.8"))
    edges = tuple(
        msgspec.structs.replace(edge, source="capped.weights") if edge.target == "hold.weights" else edge
        for edge in drawn.edges
    )
    wire = Edge(source="weights.weights", target="capped.weights")
    return msgspec.structs.replace(drawn, nodes=nodes, edges=(*edges, wire))


def trial(names: tuple[str, ...] = NAMES, settings: BacktestSettings | None = None) -> Trial:
    return Trial(
        segment=0,
        number=0,
        parts=tuple(Part(name, UUID(int=place)) for place, name in enumerate(names, 1)),
        graph=msgspec.json.encode(turning()).decode(),
        settings=ENCODE(settings or BacktestSettings()).decode(),
    )


def test_candles_in_another_order_keep_what_symbols_did_on_one_day() -> None:
    bars = market(3, 60, NAMES)
    bars["AAA"] = [each for place, each in enumerate(bars["AAA"]) if place not in {7, 30}]
    drawn = altered_across(bars, Altered(kind=Alteration.ORDER, seed=4))
    assert [len(own) for own in drawn.values()] == [58, 58]
    ratio = {name: [round(float(b.close / b.open), 6) for b in own] for name, own in shared_bars(bars).items()}
    together = set(zip(ratio["BBB"], ratio["AAA"], strict=True))
    after = {name: [round(float(b.close / b.open), 6) for b in own] for name, own in drawn.items()}
    close = [
        any(abs(b - x) < 1e-5 and abs(a - y) < 1e-5 for x, y in together)
        for b, a in zip(after["BBB"], after["AAA"], strict=True)
    ]
    assert all(close)
    assert after["BBB"] != ratio["BBB"]


def test_noise_is_each_symbols_own() -> None:
    own = market(3, 60, ("BBB",))["BBB"]
    drawn = altered_across({"BBB": own, "AAA": own}, Altered(kind=Alteration.NOISE, seed=1, share=0.1))
    assert drawn["BBB"] != drawn["AAA"]
    assert [each.ts for each in drawn["AAA"]] == [each.ts for each in own]


@pytest.mark.parametrize(("missing", "wanted"), [(0, 120), (5, 110), (7, 0)])
def test_another_order_is_tried_where_symbols_share_nine_tenths_of_the_closes(missing: int, wanted: int) -> None:
    bars = market(3, 60, NAMES)
    bars["AAA"] = bars["AAA"][missing:]
    assert bars_to_reorder(bars) == wanted


def test_the_entries_of_each_symbol_are_held_against_chance_on_its_own_bars() -> None:
    bars = market(3, 120, NAMES, gaps=0.1)
    run = simulate(trial(), bars)
    opens = {name: {each.ts: float(each.open) for each in own} for name, own in bars.items()}
    gained = []
    for place, name in enumerate(run.table.symbol.texts()):
        entered, left = (moment(int(times[place])) for times in (run.table.entry_time, run.table.exit_time))
        gained.append(int(run.table.side[place]) * (opens[name][left] / opens[name][entered] - 1))
    found = examine(trial(), bars, seed=5)["entries"]
    assert len(set(run.table.symbol.texts())) == 2
    assert found["observed"] == pytest.approx(sum(gained) / len(gained))
    assert 0 < found["p_value"] <= 1


def test_each_symbol_is_left_out_once_but_where_the_strategy_needs_it() -> None:
    bars = market(3, 60, (*NAMES, "CCC"))
    runnable, _ = stress_trials(trial((*NAMES, "CCC")), closes_of(bars), [])
    assert runnable["without AAA"].symbols == ("BBB", "CCC")
    assert run_trial(runnable["without AAA"], bars).error_code == ""
    _, left_out = stress_trials(trial(), closes_of(bars), [])
    assert re.search("symbol", left_out["without AAA"])
    pair = msgspec.structs.replace(GALLERY["pairs"].graph)
    told = msgspec.json.encode(pair).decode()
    both = Trial(
        segment=0, number=0, parts=(Part("IBM", UUID(int=1)), Part("MSFT", UUID(int=2))), graph=told, settings="{}"
    )
    assert {"without IBM", "without MSFT"} <= set(stress_trials(both, closes_of(bars), [])[1])


def test_ticks_that_differ_are_told_and_not_mixed() -> None:
    one = Instrument(symbol="AAA", tick=Decimal("0.05"))
    settings = BacktestSettings(instruments={"AAA": one}, fees=FeeModel(per_share=Decimal("0.1")))
    _, left_out = stress_trials(trial(settings=settings), closes_of(market(3, 60, NAMES)), [])
    assert "differ" in left_out["every fill a tick worse"]

"""Algorithms of a package that is really installed: bound to its files, run apart, and ended when they misbehave."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.algorithms import AlgorithmView, ListAlgorithms
from alphintra.contracts.drift import MeasureDrift
from alphintra.engine.algorithm_runs import algorithm_of
from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.graph import compile_plan
from alphintra.engine.templates import crossover
from alphintra.engine.templates.drawing import Drawing
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.gateways.algorithm_process import ProcessHost
from alphintra.strategy.gateways.packages import PACKAGES_VARIABLE, PATH_VARIABLE, Packages
from fixtures.sample_package import CODE, install
from integration.strategy.job_desk import backtest, start
from integration.strategy.stage import WAVE, Stage
from unit.engine.builders import flat_bars

if TYPE_CHECKING:
    from alphintra.engine.backtest import BacktestResult
    from alphintra.engine.graph import Graph
    from alphintra.engine.graph.wire import ParamValue

BARS = flat_bars(WAVE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder the sample package is installed into."""
    folder = tmp_path_factory.mktemp("packages") / "site"
    install(folder)
    return folder


@pytest.fixture
def packages(site: Path) -> Packages:
    return Packages({PATH_VARIABLE: str(site), PACKAGES_VARIABLE: "Sample.Strategies"}, sys.path)


@pytest.fixture
def host(packages: Packages) -> ProcessHost:
    return ProcessHost(packages)


@pytest.fixture
def furnished(stage: Stage, site: Path) -> Stage:
    """Return strategy with the package where it looks for packages."""
    (stage.catalogue.folder.parent / "site").symlink_to(site)
    return stage


def drawn(packages: Packages, algorithm: str, **params: ParamValue) -> Graph:
    """Draw a strategy that is an algorithm, bound to what is installed."""
    (found,) = (each for each in packages.installed() if each.algorithm == algorithm)
    drawing = Drawing(algorithm, timeframe="1d")
    drawing.add("bars", "Bars")
    bound: dict[str, ParamValue] = {
        "package": found.package,
        "release": found.release,
        "content_hash": found.content_hash,
        "warm_up": 0,
        "seed": 0,
    }
    drawing.add("algorithm", "Algorithm", {"close": "bars.close"}, algorithm=algorithm, **(bound | params))
    return drawing.graph()


def run(graph: Graph, host: ProcessHost) -> BacktestResult:
    return run_backtest(compile_plan(graph), "AAPL", bars=BARS, settings=BacktestSettings(), host=host)


def crossing(packages: Packages) -> Graph:
    return drawn(packages, "crossover", warm_up=4, fast=2, slow=4)


# --- what is installed -----------------------------------------------------------------------------------------------


def test_the_same_files_have_the_same_hash_wherever_they_are_installed(packages: Packages, tmp_path: Path) -> None:
    install(tmp_path / "elsewhere")
    other = Packages({PATH_VARIABLE: str(tmp_path / "elsewhere")}, ())
    assert {each.content_hash for each in other.installed()} == {each.content_hash for each in packages.installed()}


def test_nothing_may_run_unless_the_operator_names_it(site: Path) -> None:
    closed = Packages({PATH_VARIABLE: str(site)}, sys.path)
    assert {each.algorithm: each.is_allowed for each in closed.installed()} == dict.fromkeys(
        ("crossover", "guarded", "wild"), False
    )
    with pytest.raises(AlphintraError, match="ALGORITHM_NOT_ALLOWED"):
        run(crossing(closed), ProcessHost(closed))


def test_a_changed_package_does_not_run_under_the_old_hash(tmp_path: Path) -> None:
    file = install(tmp_path / "site")
    here = Packages({PATH_VARIABLE: str(tmp_path / "site"), PACKAGES_VARIABLE: "sample-strategies"}, sys.path)
    graph, host = crossing(here), ProcessHost(here)
    before = run(graph, host)
    file.write_text(CODE.replace("fast > slow and", "fast < slow and"))
    with pytest.raises(AlphintraError, match=r"ALGORITHM_CHANGED.*bound to sample-strategies 1\.0"):
        run(graph, host)
    install(tmp_path / "site")
    assert run(graph, host).digest == before.digest


@pytest.mark.slow
def test_code_from_outside_of_the_package_does_not_run(tmp_path: Path) -> None:
    """An entry point may name any module; the hash speaks of the package's own files."""
    install(tmp_path / "site", entry_points="[alphintra.strategies]\nwild = json.decoder:JSONDecoder\n")
    here = Packages({PATH_VARIABLE: str(tmp_path / "site"), PACKAGES_VARIABLE: "sample-strategies"}, sys.path)
    with pytest.raises(AlphintraError, match="ALGORITHM_CHANGED"):
        run(drawn(here, "wild"), ProcessHost(here))


def test_an_editable_installation_has_no_hash_and_does_not_run(tmp_path: Path) -> None:
    install(tmp_path / "site")
    (told,) = (tmp_path / "site").glob("*.dist-info")
    (told / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    here = Packages({PATH_VARIABLE: str(tmp_path / "site"), PACKAGES_VARIABLE: "sample-strategies"}, ())
    assert all("editable" in each.problem and not each.content_hash for each in here.installed())


# --- running ---------------------------------------------------------------------------------------------------------


def test_an_algorithm_trades_as_the_graph_of_the_same_rule(packages: Packages, host: ProcessHost) -> None:
    found = run(crossing(packages), host)
    graph = crossover(2, 4, average="sma", percent="50")
    expected = run_backtest(compile_plan(graph), "AAPL", bars=BARS, settings=BacktestSettings())
    told = [[(fill.ts, fill.side, fill.qty, fill.price) for fill in result.fills] for result in (found, expected)]
    assert told[0] == told[1]
    assert told[0]
    assert found.equity == expected.equity


@pytest.mark.slow
def test_nothing_but_the_state_is_remembered_and_chance_repeats(packages: Packages, host: ProcessHost) -> None:
    first, second = (run(drawn(packages, "guarded", seed=3), host) for _ in range(2))
    assert first.digest == second.digest
    assert [each.values for each in first.decisions] == [each.values for each in second.decisions]
    assert all(each.values["kept"] is False for each in first.decisions)
    assert [each.values["seen"] for each in first.decisions] == list(range(1, len(BARS) + 1))
    assert {fill.leg for fill in first.fills} > {"", "target"}
    other = run(drawn(packages, "guarded", seed=4), host)
    assert other.decisions[0].values["drawn"] != first.decisions[0].values["drawn"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("raise", "ALGORITHM_FAILED"),
        ("exit", "ALGORITHM_DIED"),
        ("abort", "ALGORITHM_DIED"),
        ("object", "ALGORITHM_STATE"),
        ("big", "ALGORITHM_STATE"),
        ("list", "ALGORITHM_STATE"),
        ("nonsense", "ALGORITHM_ANSWER"),
        ("negative", "ALGORITHM_ANSWER"),
        ("wrong_side", "ALGORITHM_ANSWER"),
    ],
)
def test_a_misbehaving_algorithm_ends_its_run_with_a_code(
    packages: Packages, host: ProcessHost, deed: str, code: str
) -> None:
    with pytest.raises(AlphintraError) as caught:
        run(drawn(packages, "wild", deed=deed), host)
    assert caught.value.code == code


@pytest.mark.slow
@pytest.mark.parametrize("deed", ["loop", "sleep"])
def test_an_algorithm_that_takes_too_long_is_ended(packages: Packages, deed: str) -> None:
    host = ProcessHost(packages, cpu_s=0.3, wall_s=1.0 if deed == "sleep" else 60.0)
    with pytest.raises(AlphintraError, match="ALGORITHM_TIMEOUT"):
        run(drawn(packages, "wild", deed=deed), host)


@pytest.mark.slow
def test_it_sees_no_secret_and_its_output_disturbs_nobody(
    packages: Packages, host: ProcessHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APCA_API_SECRET_KEY", "canary")
    monkeypatch.setenv("ALPHINTRA_HOME", "/canary")
    assert all(not each.values for each in run(drawn(packages, "wild", deed="secrets"), host).decisions)
    assert len(run(drawn(packages, "wild", deed="print"), host).decisions) == len(BARS)


@pytest.mark.slow
def test_a_run_that_is_stopped_stops_within_a_bar(packages: Packages) -> None:
    plan = compile_plan(drawn(packages, "wild", deed="sleep"))
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > 12

    with pytest.raises(AlphintraError, match="RUN_STOPPED"):
        run_backtest(
            plan,
            "AAPL",
            bars=BARS,
            settings=BacktestSettings(),
            host=ProcessHost(packages),
            should_stop=should_stop,
        )


def test_the_example_of_the_documentation_runs(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "python-strategies.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (named,) = re.findall(r'\[project\.entry-points\."alphintra\.strategies"\]\n(.*?)\n```', page, re.DOTALL)
    points = named.replace('"', "").replace("breakouts:", "sample_strategies:")
    install(tmp_path / "site", code=code, entry_points=f"[alphintra.strategies]\n{points}\n")
    here = Packages({PATH_VARIABLE: str(tmp_path / "site"), PACKAGES_VARIABLE: "sample-strategies"}, sys.path)
    result = run(drawn(here, "breakout", warm_up=5, bars=5, percent="50"), ProcessHost(here))
    assert [fill.leg or fill.side.value for fill in result.fills][:2] == ["buy", "trail"]


# --- in the service --------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_what_is_installed_is_told_with_its_parameters(furnished: Stage) -> None:
    told = await furnished.endpoints.list_algorithms(ListAlgorithms(), furnished.owner)
    found: dict[str, AlgorithmView] = {each.algorithm: each for each in told.algorithms}
    assert found["crossover"].summary == "Holds while the fast average of closes is above the slow one."
    assert (found["crossover"].warm_up, found["crossover"].problem) == (4, "")
    assert '"name":"fast"' in found["crossover"].parameters


async def test_a_backtest_job_runs_an_algorithm_under_its_record(furnished: Stage) -> None:
    await furnished.shelve("AAPL", BARS)
    version_id = furnished.town.write_workflow(furnished.owner_id, crossing(furnished.packages))
    queued = await start(furnished, version_id=version_id)
    await furnished.work()
    done = await backtest(furnished, queued.backtest_id)
    assert (done.status, done.error) == ("finished", "")
    assert done.metrics["trade_count"]
    other = await start(furnished, version_id=version_id, parameters={"algorithm.slow": Decimal(3)})
    assert other.run_hash != done.run_hash
    (row, *_) = await furnished.rows("select detail::text from audit_events where action = 'backtest.start'")
    assert '"package": "sample-strategies"' in row["detail"].replace('":"', '": "')


@pytest.mark.slow
async def test_a_crash_fails_the_job_and_the_next_one_runs(furnished: Stage) -> None:
    await furnished.shelve("AAPL", BARS)
    town, owner = furnished.town, furnished.owner_id
    wild = drawn(furnished.packages, "wild", deed="abort")
    bad = await start(furnished, version_id=town.write_workflow(owner, wild))
    good = await start(furnished, version_id=town.write_workflow(owner, crossing(furnished.packages)))
    await furnished.work()
    ended = [await backtest(furnished, each.backtest_id) for each in (bad, good)]
    assert [(each.status, each.error_code) for each in ended] == [("failed", "ALGORITHM_DIED"), ("finished", "")]


@pytest.mark.slow
async def test_parameters_out_of_range_queue_nothing(furnished: Stage) -> None:
    await furnished.shelve("AAPL", BARS)
    graph = drawn(furnished.packages, "crossover", warm_up=4, fast=0, slow=4)
    version_id = furnished.town.write_workflow(furnished.owner_id, graph)
    with pytest.raises(AlphintraError, match="ALGORITHM_PARAMETER"):
        await start(furnished, version_id=version_id)
    assert await furnished.rows("select 1 from backtests") == []


async def test_a_deployment_trades_as_its_backtest_over_restarts(furnished: Stage) -> None:
    graph = crossing(furnished.packages)
    feed_id = await furnished.make_feed(WAVE)
    deployed = await furnished.deploy(feed_id, graph, capital="100000")
    await furnished.step(feed_id, times=12)
    await furnished.run_out(feed_id)  # by another runner, which remembers nothing
    fees = furnished.town.books(deployed.deployment_id)
    expected = await asyncio.to_thread(run, graph, furnished.host)
    told = [(fill.ts.isoformat(), fill.side.value, fill.price) for fill in expected.fills]
    assert [(at, side, price) for at, side, _qty, price in fees] == told
    assert told
    decisions = await furnished.decisions(deployed.deployment_id)
    assert [each.outcome for each in decisions] == [each.outcome.value for each in expected.decisions]
    wanted = MeasureDrift(deployment_id=deployed.deployment_id)
    drift = await furnished.endpoints.measure_drift(wanted, furnished.owner)
    assert (drift.reasons, drift.fills) == ((), len(expected.fills))


@pytest.mark.slow
async def test_an_algorithm_that_fails_ends_its_deployment_alone(furnished: Stage) -> None:
    feed_id = await furnished.make_feed(WAVE)
    wild = await furnished.deploy(feed_id, drawn(furnished.packages, "wild", deed="exit"))
    calm = await furnished.deploy(feed_id, crossing(furnished.packages))
    await furnished.run_out(feed_id)
    ended, going = [await furnished.deployment(each.deployment_id) for each in (wild, calm)]
    assert (ended.status, going.status) == ("failed", "active")
    assert ended.error.startswith("ALGORITHM_DIED")
    assert going.intents


@pytest.mark.slow
def test_a_state_is_told_and_taken_back_and_nothing_answers_later(packages: Packages, host: ProcessHost) -> None:
    found = algorithm_of(compile_plan(crossing(packages)))
    assert found is not None
    hosted = host(replace(found, params={"fast": 2, "slow": 4}))
    assert hosted.state() == '{"closes":[],"was_above":null}'
    hosted.restore('{"closes":[1.5],"was_above":true}')
    assert hosted.state() == '{"closes":[1.5],"was_above":true}'
    hosted.close()
    with pytest.raises(AlphintraError, match="ALGORITHM_DIED"):
        hosted.state()

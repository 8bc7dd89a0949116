"""The command line of the benchmarks: which groups, how long, table or data."""

from __future__ import annotations

import json
import os
import platform as machine
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from benchmarks.backtests import measure_backtests
from benchmarks.children import MeasureError
from benchmarks.desk import Desk
from benchmarks.engines import measure_engines
from benchmarks.fill import measure_fill
from benchmarks.flat import measure_flat
from benchmarks.installation import Installation
from benchmarks.kill import measure_kill
from benchmarks.machine import FOREIGN_MAX, wait_until_quiet
from benchmarks.measures import GROUPS, STORED
from benchmarks.memory import measure_idle, measure_used
from benchmarks.moves import measure_moves
from benchmarks.orders import OrderRounds
from benchmarks.page import write_page
from benchmarks.recorder import Recorder, rows_text
from benchmarks.replay import measure_replay
from benchmarks.servers import BareServers
from benchmarks.starting import measure_start

__all__ = ["main"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extent:
    """How much of everything: one round, or enough of them for medians."""

    rounds: int
    seconds: float
    idle_s: float
    steps: int | None
    repeats: int
    stored_max: int
    fills: int
    moved_orders: int
    patience_s: float

    def begin(self, group: str, number: int) -> None:
        """Tell of a round and wait a while for the machine to be quiet."""
        _tell(f"{group}, round {number + 1} of {self.rounds}")
        if self.patience_s and not wait_until_quiet(self.patience_s):
            _tell(f"  other programs keep the machine busy after {self.patience_s:g} s: measured all the same")


_FULL = _Extent(
    rounds=3,
    seconds=3,
    idle_s=60,
    steps=600,
    repeats=7,
    stored_max=100_000,
    fills=100,
    moved_orders=50_000,
    patience_s=5,
)
_QUICK = _Extent(
    rounds=1, seconds=2, idle_s=10, steps=300, repeats=5, stored_max=10_000, fills=30, moved_orders=5_000, patience_s=0
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="One short round of each: an impression, in about a minute and a half.")
@click.option("--rounds", type=click.IntRange(1, 20), help="How many rounds of each, instead of three.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of the table.")
@click.option("--write-docs", is_flag=True, help="Put what was measured into the table of docs/benchmarks.md.")
@click.option(
    "--huge",
    type=click.Path(path_type=Path, file_okay=False),
    help="Measure the writer up to ten million stored orders, in this folder, which is kept and filled further the "
    "next time: half an hour and 16 GB.",
)
@click.option("--flips", type=click.IntRange(2, 10_000), default=20, help="Change-overs of the moves; 1000 for proof.")
@click.option("--only", type=click.Choice(GROUPS), multiple=True, help="Measure this group; may be repeated.")
def _bench(  # noqa: PLR0913 - one parameter per option
    *,
    quick: bool,
    rounds: int | None,
    huge: Path | None,
    as_json: bool,
    write_docs: bool,
    flips: int,
    only: tuple[str, ...],
) -> int:
    """Measure start, memory, the order path, replay and backtests; exit status 1 if something could not be measured."""
    extent = _QUICK if quick else _FULL
    extent = replace(extent, rounds=rounds or extent.rounds)
    recorder = Recorder()
    at = SystemClock().now()
    with _scratch() as folder:
        _measure(recorder, extent, folder, frozenset(only or GROUPS), flips=flips)
    if huge is not None:
        with _guarded(recorder, "flat"):
            _tell("flat, up to ten million stored orders")
            measure_flat(recorder, huge.absolute(), seconds=extent.seconds, stored_max=STORED[-1])
    rows = recorder.rows()
    if write_docs:
        write_page(rows, at=at)
    if as_json:
        facts = {
            "at": at.isoformat(timespec="seconds"),
            "quick": quick,
            "cores": os.cpu_count(),
            "python": machine.python_version(),
            "rows": rows,
            "failed": recorder.failed,
        }
        click.echo(json.dumps(facts, indent=1))
    else:
        click.echo(rows_text(rows))
        click.echo(f"noisy: other programs used more than {FOREIGN_MAX:.0%} of the machine in every round")
        for group, why in recorder.failed.items():
            click.echo(f"not measured: {group}: {why}", err=True)
    return 1 if recorder.failed else 0


def _measure(recorder: Recorder, extent: _Extent, folder: Path, groups: frozenset[str], *, flips: int) -> None:
    if "start" in groups:
        for number in range(extent.rounds):
            with _guarded(recorder, "start"):
                extent.begin("start", number)
                home = folder / f"start-{number}"
                home.mkdir()
                measure_start(recorder, home)
    if "engines" in groups:
        with _guarded(recorder, "engines"):
            _repeat("engines", extent, lambda: measure_engines(recorder, repeats=extent.repeats, tell=_tell))
    if "moves" in groups:
        with _guarded(recorder, "moves"):
            extent.begin("moves", 0)
            measure_moves(recorder, flips=flips, orders=extent.moved_orders, rounds=extent.rounds, tell=_tell)
    if not groups - {"start", "engines", "moves"}:
        return
    with ExitStack() as stack, _guarded(recorder, "platform"):
        platform = Installation(folder / "platform")
        stack.callback(platform.stop)
        _tell("starting the platform and a bare PostgreSQL beside it")
        platform.start()
        idle_mb = None
        if "memory" in groups:
            with _guarded(recorder, "memory"):
                _tell(f"memory, {extent.idle_s:g} s of idleness")
                idle_mb = measure_idle(recorder, platform, idle_s=extent.idle_s)
        if groups - {"start", "memory", "engines", "moves"}:
            _measure_use(recorder, extent, folder, platform, groups=groups)
            if idle_mb is not None:
                with _guarded(recorder, "memory"):
                    _tell(f"memory after use, {extent.idle_s:g} s of idleness")
                    measure_used(recorder, platform, idle_mb=idle_mb, idle_s=extent.idle_s)


def _measure_use(
    recorder: Recorder, extent: _Extent, folder: Path, platform: Installation, *, groups: frozenset[str]
) -> None:
    with platform.operator() as api:  # what the operator imports is everybody's
        Desk(api).import_prices()
    if groups & {"orders", "split"}:
        with _guarded(recorder, "orders"), BareServers(folder / "bare") as servers:
            rounds = OrderRounds(recorder, platform, servers, seconds=extent.seconds)
            if "orders" in groups:
                _repeat("orders", extent, rounds.measure)
            if "split" in groups:
                with _guarded(recorder, "split"), _split_platform(folder) as split:
                    _repeat("split", extent, lambda: rounds.measure_split(split))
    if "fill" in groups:
        with _guarded(recorder, "fill"):
            _repeat("fill", extent, lambda: measure_fill(recorder, platform, orders=extent.fills))
    if "kill" in groups:
        with _guarded(recorder, "kill"):
            _repeat("kill", extent, lambda: measure_kill(recorder, platform))
    if "flat" in groups:
        with _guarded(recorder, "flat"):
            extent.begin("flat", 0)
            measure_flat(recorder, folder / "flat", seconds=extent.seconds, stored_max=extent.stored_max)
    commits = recorder.last("orders.l0_single")
    if "replay" in groups:
        with _guarded(recorder, "replay"):
            _repeat(
                "replay",
                extent,
                lambda: measure_replay(recorder, platform, commits_per_s=commits, steps_max=extent.steps),
            )
    if "backtest" in groups:
        with _guarded(recorder, "backtest"):
            _repeat("backtest", extent, lambda: measure_backtests(recorder, platform, repeats=extent.repeats))


@contextmanager
def _split_platform(folder: Path) -> Iterator[Installation]:
    """Lend an installation whose risk has a process of its own; the other one idles meanwhile."""
    platform = Installation(folder / "split", processes="risk-apart")
    try:
        platform.start()
        with platform.operator() as api:
            Desk(api).import_prices()
        yield platform
    finally:
        platform.stop()


def _repeat(group: str, extent: _Extent, measure: Callable[[], None]) -> None:
    for number in range(extent.rounds):
        extent.begin(group, number)
        measure()


@contextmanager
def _guarded(recorder: Recorder, group: str) -> Iterator[None]:
    """Keep what stopped a group, so that the others are measured all the same."""
    try:
        yield
    except (MeasureError, AlphintraError, OSError) as error:
        recorder.fail(group, " ".join(str(error).split()))


@contextmanager
def _scratch() -> Iterator[Path]:
    """Lend a folder for homes; the servers' account needs to pass through it."""
    folder = Path(tempfile.mkdtemp(prefix=f"alphintra-bench-{os.getpid()}-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def main() -> int:
    """Run; 0 if all that was asked for was measured, 1 if not, 2 for a wrong option."""
    try:
        status = _bench.main(prog_name="make bench", standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"error USAGE: {error.format_message()}", err=True)
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    return status if isinstance(status, int) else 0

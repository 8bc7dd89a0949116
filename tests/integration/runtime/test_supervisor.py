"""The supervisor with real processes and real servers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from alphintra.kernel.clock import Clock
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.children import Child, Command
from alphintra.runtime.control import down, status
from alphintra.runtime.embedded_nats import EmbeddedNats
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.logfiles import LogFile
from alphintra.runtime.policy import Phase, ProcessState, RestartPolicy
from alphintra.runtime.postgres_files import first_process
from alphintra.runtime.proc import is_alive, processes_in, processes_marked
from alphintra.runtime.supervisor import More, Supervisor, stop_leftovers
from alphintra.runtime.units import SUPERVISED_VARIABLE, ProcessSpec, ProcessUnit, ReadyWhen

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]

READY = "from alphintra.runtime.readiness import announce_ready; announce_ready()\n"
SERVE = READY + "import time\nwhile True: time.sleep(60)\n"
QUICK = RestartPolicy(delay_first_s=0.01, delay_max_s=0.05, looping_after=3)


def python(name: str, code: str, *, stage: int = 1, restart: RestartPolicy = QUICK) -> ProcessSpec:
    return ProcessSpec(name=name, argv=(sys.executable, "-c", code), env={}, stage=stage, restart=restart)


def marked(home: Home) -> list[int]:
    return processes_marked(f"{SUPERVISED_VARIABLE}={home.path}")


def process(supervisor: Supervisor, name: str) -> ProcessState:
    return next(each for each in supervisor.state.processes if each.name == name)


def phase(home: Home) -> Phase | None:
    state = status(home).state
    return None if state is None else state.phase


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = process(supervisor, name).pid
    assert pid is not None
    return pid


@asynccontextmanager
async def up(supervisor: Supervisor, *specs: ProcessSpec, more: More = tuple) -> AsyncIterator[Supervisor]:
    """Run until the block ends; a failure to start, or to stop, comes out of here."""
    ready = asyncio.Event()

    async def prepare() -> Sequence[ProcessSpec]:
        return specs

    running = asyncio.create_task(supervisor.run(prepare, more=more, on_ready=lambda _: ready.set()))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        if ready.is_set():
            yield supervisor
        else:
            await running
            raise AssertionError("it ended without being ready")
    finally:
        supervisor.request_stop()
        await running


async def test_crashed_child_is_started_again(home: Home, clock: Clock, eventually: Eventually) -> None:
    async with up(Supervisor(home, clock=clock), python("edge", SERVE)) as supervisor:
        first = pid_of(supervisor, "edge")
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: process(supervisor, "edge").restarts == 1)
        await eventually(lambda: process(supervisor, "edge").phase is Phase.READY)
        assert pid_of(supervisor, "edge") != first
        assert process(supervisor, "edge").last_exit == -signal.SIGKILL
        assert supervisor.state.phase is Phase.READY
    assert marked(home) == []


async def test_what_is_wanted_for_a_while_rests_when_done_and_comes_when_it_is_wanted_again(
    home: Home, clock: Clock, eventually: Eventually
) -> None:
    """It ends well by itself at SIGTERM; a crash of it is made good as any other's."""
    wanted = [1]
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n" + SERVE
    spec = python("guest", code, restart=replace(QUICK, rests_when_done=True))

    def more() -> Sequence[ProcessUnit]:
        return [ProcessUnit(spec, home)] if wanted and wanted.pop() else []

    def is_in(name: str, phase: Phase) -> bool:
        return any((each.name, each.phase) == (name, phase) for each in supervisor.state.processes)

    async with up(Supervisor(home, clock=clock), python("edge", SERVE), more=more) as supervisor:
        await eventually(lambda: is_in("guest", Phase.READY))
        first = pid_of(supervisor, "guest")
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: process(supervisor, "guest").restarts == 1 and is_in("guest", Phase.READY))
        os.kill(pid_of(supervisor, "guest"), signal.SIGTERM)
        await eventually(lambda: is_in("guest", Phase.FINISHED))
        assert supervisor.state.phase is Phase.READY
        assert process(supervisor, "edge").phase is Phase.READY
        wanted.append(1)
        await eventually(lambda: is_in("guest", Phase.READY))
        assert pid_of(supervisor, "guest") != first
    assert marked(home) == []


async def test_restart_waits_for_its_time(home: Home, clock: Clock, eventually: Eventually) -> None:
    patient = RestartPolicy(delay_first_s=0.7)
    async with up(Supervisor(home, clock=clock), python("edge", SERVE, restart=patient)) as supervisor:
        os.kill(pid_of(supervisor, "edge"), signal.SIGKILL)
        await eventually(lambda: process(supervisor, "edge").restarts == 1)
        ended_s = asyncio.get_running_loop().time()
        await eventually(lambda: process(supervisor, "edge").pid is not None)
        assert asyncio.get_running_loop().time() - ended_s >= 0.6


async def test_crash_looping_child_is_reported_and_the_others_go_on(
    home: Home, clock: Clock, eventually: Eventually, tmp_path: Path
) -> None:
    # Ready the first time; from then on it ends before it is.
    loops = f"import os, sys\nif os.path.exists({str(tmp_path / 'x')!r}): sys.exit(3)\n" + SERVE
    async with up(Supervisor(home, clock=clock), python("risk", loops), python("user", SERVE)) as supervisor:
        (tmp_path / "x").touch()
        os.kill(pid_of(supervisor, "risk"), signal.SIGKILL)
        await eventually(lambda: process(supervisor, "risk").phase is Phase.CRASH_LOOP)
        assert supervisor.state.phase is Phase.DEGRADED
        assert process(supervisor, "risk").last_exit in {3, -signal.SIGKILL}
        assert process(supervisor, "user").restarts == 0
        seen = status(home)
        assert seen.state is not None
        assert [each.phase for each in seen.state.processes if each.name == "user"] == [Phase.READY]
        (tmp_path / "x").unlink()
        await eventually(lambda: supervisor.state.phase is Phase.READY)


async def test_child_that_cannot_start_ends_everything_and_is_quoted(home: Home, clock: Clock) -> None:
    broken = python("trading", "import sys; sys.exit('DATABASE: no route to it')", stage=2)
    with pytest.raises(AlphintraError) as caught:
        async with up(Supervisor(home, clock=clock), python("user", SERVE), broken):
            pytest.fail("it must not come up")
    assert caught.value.code == "START_FAILED"
    assert "trading ended with status 1" in caught.value.detail
    assert "DATABASE: no route to it" in caught.value.detail
    assert marked(home) == []
    assert status(home).is_running is False
    assert status(home).was_killed is False


async def test_silent_child_is_given_up_after_its_time(home: Home, clock: Clock) -> None:
    silent = replace(python("slow", "import time; time.sleep(60)"), ready_timeout_s=0.3)
    with pytest.raises(AlphintraError) as caught:
        async with up(Supervisor(home, clock=clock), silent):
            pytest.fail("it must not come up")
    assert caught.value.code == "START_TIMEOUT"
    assert marked(home) == []


async def test_missing_program_is_named(home: Home, clock: Clock) -> None:
    absent = ProcessSpec(name="absent", argv=("/no/such/program",), env={})
    with pytest.raises(AlphintraError) as caught:
        async with up(Supervisor(home, clock=clock), absent):
            pytest.fail("it must not come up")
    assert caught.value.code == "START_FAILED"
    assert "/no/such/program" in caught.value.detail


async def test_stages_start_in_order_and_stop_in_reverse(home: Home, clock: Clock) -> None:
    record = home.path / "run" / "order"
    code = f"""
import os, signal, sys, time
def say(word):
    with open({str(record)!r}, "a") as file: file.write(word + " " + sys.argv[1] + "\\n")
def stop(*_):
    say("stop"); os._exit(0)
signal.signal(signal.SIGTERM, stop)
time.sleep(0.1)
say("start")
{SERVE}"""
    specs = [
        replace(python(name, code, stage=stage), argv=(sys.executable, "-c", code, name))
        for name, stage in (("edge", 3), ("trading", 2))
    ]
    once = replace(python("migrate", f"open({str(record)!r}, 'a').write('once\\n')"), ready=ReadyWhen.FINISHED)
    async with up(Supervisor(home, clock=clock), *specs, once) as supervisor:
        assert process(supervisor, "migrate").phase is Phase.FINISHED
    expected = ["once", "start trading", "start edge", "stop edge", "stop trading"]
    assert record.read_text().splitlines() == expected


async def test_failed_one_shot_process_keeps_the_next_stage_from_starting(home: Home, clock: Clock) -> None:
    once = replace(python("migrate", "raise SystemExit('MIGRATION_DRIFT')"), ready=ReadyWhen.FINISHED)
    mark = home.run / "started"
    later = python("trading", f"open({str(mark)!r}, 'w')\n" + SERVE, stage=2)
    with pytest.raises(AlphintraError, match="MIGRATION_DRIFT"):
        async with up(Supervisor(home, clock=clock), once, later):
            pytest.fail("it must not come up")
    assert not mark.exists()


async def test_child_knows_its_own_credentials_and_no_others(
    home: Home, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPHINTRA_DATABASE_ADMIN_URL", "postgresql://root:canary@db/x")
    monkeypatch.setenv("SOME_TOKEN", "canary")
    dump = home.run / "environment"
    code = f"import json, os; json.dump(dict(os.environ), open({str(dump)!r}, 'w'))\n" + SERVE
    spec = replace(python("risk", code), env={"ALPHINTRA_RISK_DATABASE_URL": "postgresql://risk:own@db/risk"})
    async with up(Supervisor(home, clock=clock), spec, replace(python("user", SERVE), env={"X": "canary"})):
        environment = json.loads(dump.read_text())
    assert environment["ALPHINTRA_RISK_DATABASE_URL"] == "postgresql://risk:own@db/risk"
    assert "canary" not in json.dumps(environment)


async def test_state_that_cannot_be_written_does_not_end_the_watch(
    home: Home, clock: Clock, eventually: Eventually
) -> None:
    async with up(Supervisor(home, clock=clock), python("edge", SERVE)) as supervisor:
        home.run.rename(home.path / "away")
        os.kill(pid_of(supervisor, "edge"), signal.SIGKILL)
        await eventually(lambda: process(supervisor, "edge").restarts == 1)
        await eventually(lambda: process(supervisor, "edge").phase is Phase.READY)


async def test_what_a_child_started_ends_with_it(home: Home, clock: Clock, eventually: Eventually) -> None:
    code = "import os\nif os.fork() == 0:\n    import time; time.sleep(600)\n" + SERVE
    async with up(Supervisor(home, clock=clock), python("strategy", code)) as supervisor:
        family = marked(home)
        assert len(family) == 2
        os.kill(pid_of(supervisor, "strategy"), signal.SIGKILL)
        await eventually(lambda: not any(is_alive(pid) for pid in family))


async def test_output_of_children_reaches_their_logs(home: Home, clock: Clock) -> None:
    code = "import sys; print('hello', flush=True); print('oh', file=sys.stderr, flush=True)\n" + SERVE
    async with up(Supervisor(home, clock=clock), python("edge", code)):
        pass
    assert (home.logs / "edge.log").read_text().splitlines() == ["hello", "oh"]
    assert (home.logs / "edge.log").stat().st_mode & 0o777 == 0o600


async def test_second_supervisor_is_refused_with_the_number_of_the_first(home: Home, clock: Clock) -> None:
    async with up(Supervisor(home, clock=clock)):
        with pytest.raises(AlphintraError) as caught:
            async with up(Supervisor(home, clock=clock)):
                pytest.fail("two must not run")
        assert caught.value.code == "ALREADY_RUNNING"
        assert str(os.getpid()) in caught.value.detail
        assert status(home).is_running


async def test_looking_at_a_platform_that_does_not_run_says_so(home: Home) -> None:
    assert status(home).to_json() == {"is_running": False, "was_killed": False, "state": None, "memory_kib": {}}
    with pytest.raises(AlphintraError) as caught:
        down(home)
    assert caught.value.code == "NOT_RUNNING"


async def test_killed_servers_come_back_with_their_data(home: Home, clock: Clock, eventually: Eventually) -> None:
    postgres, bus = EmbeddedPostgres(home), EmbeddedNats(home, users={})
    async with up(Supervisor(home, clock=clock, servers=[postgres, bus])) as supervisor:
        assert supervisor.state.ports == {"postgres": postgres.port, "nats": bus.port}
        await write(postgres.admin_dsn(), "committed")
        ports = postgres.port, bus.port
        for server in ("postgres", "nats"):
            os.kill(pid_of(supervisor, server), signal.SIGKILL)
        for server in ("postgres", "nats"):
            await eventually(lambda server=server: process(supervisor, server).restarts == 1)  # type: ignore[misc]
        await eventually(lambda: supervisor.state.phase is Phase.READY)
        assert await read(postgres.admin_dsn()) == ["committed"]
        assert (postgres.port, bus.port) == ports
    assert processes_in(postgres.data) == processes_in(bus.work) == []


async def test_stop_asked_during_the_start_ends_it_cleanly(home: Home, clock: Clock) -> None:
    supervisor = Supervisor(home, clock=clock, servers=[EmbeddedPostgres(home)])
    slow = python("slow", "import time; time.sleep(60)")

    async def prepare() -> Sequence[ProcessSpec]:
        supervisor.request_stop()
        return [slow]

    await supervisor.run(prepare, on_ready=lambda _: pytest.fail("it was asked to stop"))
    assert marked(home) == processes_in(home.postgres / "data") == []
    assert status(home).was_killed is False


@asynccontextmanager
async def other_process(home: Home, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Yield a supervisor in a process of its own that is up."""
    program = Path(__file__).with_name("platform_process.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), str(home.path), *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"up\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        for pid in marked(home):  # whatever the outcome: those that ignore SIGTERM would stay for ever
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def test_killed_supervisor_leaves_nothing_that_clashes_and_loses_nothing(home: Home, clock: Clock) -> None:
    async with other_process(home) as killed:
        seen = status(home)
        assert seen.is_running
        assert seen.state is not None
        port = seen.state.ports["postgres"]
        query = f"host={EmbeddedPostgres(home).socket_folder}&port={port}"
        await write(f"postgresql://postgres@/postgres?{query}", "committed")
        killed.kill()
        await killed.wait()
        assert status(home).was_killed
    postgres = EmbeddedPostgres(home)
    async with up(Supervisor(home, clock=clock, servers=[postgres, EmbeddedNats(home, users={})])) as supervisor:
        assert postgres.port == port
        assert await read(postgres.admin_dsn()) == ["committed"]
        assert pid_of(supervisor, "postgres") == first_process(postgres.data)
    assert processes_in(postgres.data) == []


async def test_servers_of_a_killed_supervisor_end_by_themselves_in_order(home: Home, eventually: Eventually) -> None:
    async with other_process(home) as killed:
        killed.kill()
        await killed.wait()
        folders = home.postgres / "data", home.nats / "data"
        await eventually(lambda: not any(processes_in(folder) for folder in folders))
    log = (home.logs / "postgres.log").read_text()
    assert not (home.postgres / "data" / "postmaster.pid").exists(), log


async def test_hanging_children_of_a_killed_supervisor_are_ended_by_the_next_start(home: Home) -> None:
    async with other_process(home, "with-children") as killed:
        family = marked(home)
        assert len(family) == 2
        killed.kill()
        await killed.wait()
        assert all(is_alive(pid) for pid in family)  # they ignore SIGTERM
        assert await stop_leftovers(home)
        assert not any(is_alive(pid) for pid in family)
        assert not await stop_leftovers(home)


async def test_interrupt_stops_in_order_and_a_second_one_at_once(home: Home, eventually: Eventually) -> None:
    async with other_process(home, "with-children") as process:
        process.send_signal(signal.SIGINT)
        await eventually(lambda: phase(home) is Phase.STOPPING)  # two signals sent at once may arrive as one
        assert len(marked(home)) == 2, "its child ignores SIGTERM and has two minutes"
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0
        assert processes_in(home.postgres / "data") == []
        await eventually(lambda: marked(home) == [])
    assert status(home).was_killed is False


async def test_down_stops_everything_and_waits_for_it(home: Home) -> None:
    async with other_process(home) as process:
        await asyncio.to_thread(down, home)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    assert processes_in(home.postgres / "data") == processes_in(home.nats / "data") == []
    assert not status(home).is_running
    log = (home.logs / "postgres.log").read_text()
    assert "received fast shutdown request" in log


async def test_down_that_takes_too_long_says_so(home: Home) -> None:
    async with other_process(home, "with-children"):
        with pytest.raises(AlphintraError) as caught:
            await asyncio.to_thread(down, home, timeout_s=0.3)
        assert caught.value.code == "DOWN_TIMEOUT"


async def test_child_that_ignores_the_request_to_stop_is_killed_in_bounded_time(home: Home, tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log")
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE
    env = {"PATH": os.environ["PATH"]}
    child = Child.start(Command(argv=(sys.executable, "-c", code), env=env, cwd=home.path, announces=True), log)
    await asyncio.wait_for(child.wait_announced(), 20)
    await asyncio.wait_for(child.stop([(signal.SIGTERM, 0.2)]), 10)
    assert child.returncode == -signal.SIGKILL
    log.close()


async def write(dsn: str, word: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    await connection.execute("create table if not exists kept (word text primary key)")
    await connection.execute("insert into kept values ($1)", word)
    await connection.close()


async def read(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn, timeout=10)
    rows = await connection.fetch("select word from kept")
    await connection.close()
    return [row["word"] for row in rows]

"""The process an algorithm runs in: ``python -m alphintra.strategy.gateways.algorithm_child FD``.

It has none of the service's credentials, connections or files: a channel to the service and an environment without
secrets. It ends with the channel, and ends itself when the algorithm takes more than its time, whoever still listens.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alphintra.engine.algorithm_runs import AlgorithmId
from alphintra.engine.algorithms import Answer, Moment, bound, require_answer
from alphintra.engine.graph.catalogue import param_document
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.gateways.algorithm_wire import (
    STATE_BYTES_MAX,
    Answered,
    Begin,
    Begun,
    Described,
    Failed,
    GetState,
    OnBar,
    Question,
    Reply,
    StateIs,
    receive,
    send,
)
from alphintra.strategy.gateways.packages import require_content

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from alphintra.engine.algorithms import Algorithm

__all__ = ["main"]

LOAD_S: Final = (5.0, 30.0)
"""Seconds of computing, and on the clock, a package has to be loaded."""
MEMORY_BYTES_MAX: Final = 4 * 1024**3
_DETAIL_CHARS: Final = 300
_decoder = msgspec.json.Decoder(Question)


def _plain_number(value: object) -> object:
    """Return what an array library's number is to everybody else."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return value.item()
    raise TypeError(f"{type(value).__name__} is no plain data")


_encode = msgspec.json.Encoder(decimal_format="string", order="sorted", enc_hook=_plain_number).encode


class _Loaded:
    """An algorithm between two bars."""

    def __init__(self, kind: type[Algorithm], values: dict[str, Any], warm_up: int) -> None:
        self._kind = kind
        self._values = values
        made = kind(values)
        needed = _whole(made.warm_up())
        if needed > warm_up:
            message = (
                f"with these parameters the algorithm needs {needed} bars to warm up, its node says {warm_up}: set "
                f"warm_up to at least {needed}"
            )
            raise AlphintraError("ALGORITHM_WARM_UP", message)
        self.state = _plain(made.begin())

    def on_bar(self, moment: Moment) -> Answer:
        """Make it anew, show it the bar, and keep its state as the text that a restart would read."""
        state = _read(self.state)
        found = self._kind(dict(self._values)).on_bar(moment, state)
        if found is None:
            found = Answer()
        if not isinstance(found, Answer):
            message = f"the algorithm answered {type(found).__name__}: return an Answer, or None"
            raise AlphintraError("ALGORITHM_ANSWER", message)
        try:
            answer = msgspec.json.decode(_encode(found), type=Answer)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            message = f"the algorithm's answer cannot be used: {str(error)[:_DETAIL_CHARS]}"
            raise AlphintraError("ALGORITHM_ANSWER", message) from error
        self.state = _plain(state)
        return require_answer(answer)


def main(descriptor: int) -> None:
    """Answer questions until the channel ends."""
    _restrain()
    held = bytearray()
    loaded: _Loaded | None = None
    allowed = LOAD_S
    with socket.socket(fileno=descriptor) as channel:
        while (raw := receive(channel, held)) is not None:
            question = _decoder.decode(raw)
            _limit_time(*allowed)
            try:
                loaded, reply = _reply(loaded, question)
            except AlphintraError as error:
                reply = Failed(error.code, error.detail)
            except MemoryError:
                reply = Failed("ALGORITHM_FAILED", "the algorithm wants more memory than it may have")
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a package's code raises
                reply = Failed("ALGORITHM_FAILED", _where(error))
            _limit_time(0, 0)
            if isinstance(question, Begin):
                allowed = (question.cpu_s, question.wall_s)
            send(channel, reply)


def _reply(loaded: _Loaded | None, question: Question) -> tuple[_Loaded | None, Reply]:
    if isinstance(question, Begin):
        kind = _load(question)
        if question.is_described:
            return None, _described(kind)
        return _Loaded(kind, bound(kind.parameters, question.params), question.warm_up), Begun()
    if loaded is None:
        raise AlphintraError("ALGORITHM_FAILED", "no algorithm was loaded")
    if isinstance(question, OnBar):
        return loaded, Answered(loaded.on_bar(question.moment))
    if isinstance(question, GetState):
        return loaded, StateIs(loaded.state)
    loaded.state = _plain(_read(question.state))
    return loaded, Begun()


def _load(question: Begin) -> type[Algorithm]:
    """Import the class an entry point names, after its package's files are known to be those that were asked for."""
    algorithm = AlgorithmId(
        algorithm=question.algorithm,
        package=question.package,
        release=question.release,
        content_hash=question.content_hash,
        params=question.params,
        warm_up=question.warm_up,
    )
    point, distribution = require_content(algorithm, question.search)
    sys.path[:0] = [folder for folder in question.search if folder not in sys.path]
    importlib.invalidate_caches()
    kind = point.load()
    _require_own(sys.modules[point.module].__file__, point.module, distribution)
    lacking = [name for name in ("parameters", "warm_up", "begin", "on_bar") if not hasattr(kind, name)]
    if not isinstance(kind, type) or lacking:
        message = f"{point.value} is no algorithm: it lacks {', '.join(lacking) or 'being a class'}"
        raise AlphintraError("ALGORITHM_FAILED", message)
    return kind


def _require_own(file: str | None, module: str, distribution: Distribution) -> None:
    """Check that the code that was loaded is among the files whose hash was taken."""
    own = {Path(str(distribution.locate_file(path))).resolve() for path in distribution.files or ()}
    if file is None or Path(file).resolve() not in own:
        message = f"{module} was loaded from {file}, which is no file of {distribution.metadata['Name']}"
        raise AlphintraError("ALGORITHM_CHANGED", message)


def _described(kind: type[Algorithm]) -> Described:
    made = kind(bound(kind.parameters, {}))
    lines = (kind.__doc__ or "").strip().splitlines()
    return Described(
        lines[0][:_DETAIL_CHARS] if lines else "",
        [param_document(spec) for spec in kind.parameters],
        _whole(made.warm_up()),
    )


def _plain(state: object) -> str:
    """Return a state as text. Raises ALGORITHM_STATE for what is no plain data, or too much of it."""
    if not isinstance(state, dict):
        raise AlphintraError("ALGORITHM_STATE", f"the state is a {type(state).__name__}: make it a dictionary")
    try:
        text = _encode(state)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"the state holds what cannot be kept ({error}): use plain data"
        raise AlphintraError("ALGORITHM_STATE", message) from error
    if len(text) > STATE_BYTES_MAX:
        message = f"the state has {len(text)} bytes, at most {STATE_BYTES_MAX} are kept: forget what is not needed"
        raise AlphintraError("ALGORITHM_STATE", message)
    return text.decode()


def _read(state: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(state, type=dict[str, Any])
    return found


def _whole(bars: object) -> int:
    if not isinstance(bars, int) or isinstance(bars, bool) or bars < 0:
        raise AlphintraError("ALGORITHM_WARM_UP", f"warm_up returned {bars!r}: return a number of bars")
    return bars


def _where(error: BaseException) -> str:
    """Return what went wrong in a package's code, and at which of its lines."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "alphintra/strategy" not in frame.filename
    ]
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"the algorithm failed{place}: {type(error).__name__}: {str(error)[:_DETAIL_CHARS]}"


def _limit_time(cpu_s: float, wall_s: float) -> None:
    """Let the system end this process after so much time; zero takes the limit away."""
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, wall_s)


def _restrain() -> None:
    """Keep the algorithm from what a strategy has no use for; its output goes nowhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service decides when it ends
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.umask(0o077)


if __name__ == "__main__":
    main(int(sys.argv[1]))

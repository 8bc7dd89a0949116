"""Trials on Ray: a cluster computes what this machine's processes would, to the same bits.

A worker of the cluster has this very version of Alphintra installed and gets everything else with the trial: the files
of its bars, each once, and the strategy as text.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from alphintra import __version__
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import DatasetId
from alphintra.strategy.domain.trials import Trial, TrialOutcome, run_trial
from alphintra.strategy.gateways.catalogue import Catalogue
from alphintra.strategy.gateways.trial_runs import ProcessTrials, market_of

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.strategy.gateways.trial_runs import SubmitTrial, TrialRunner

__all__ = ["LOCAL", "RAY_VARIABLE", "RayTrials", "runner_of"]

RAY_VARIABLE: Final = "ALPHINTRA_STRATEGY_RAY_ADDRESS"
"""Names the cluster: ``ray://host:10001``, ``host:6379``, or ``local`` for one on this machine that lasts a sweep."""

LOCAL: Final = "local"
_STORE_BYTES: Final = 128 * 1024 * 1024
_ANSWER_S: Final = 300.0  # the first worker of a cluster may have to be started
_NICE: Final = 10
_STARTS: Final = 3
_SAID_MAX: Final = 200


class RayTrials:
    """Workers of a Ray cluster.

    Args:
        folder: of the catalogue, here.
        address: as RAY_VARIABLE has it.
        host: where algorithms run; each worker starts those of its trials, so their packages are installed there.
        processes: of a local cluster; one for each core by default.
    """

    def __init__(self, folder: Path, address: str, *, host: Host | None = None, processes: int | None = None) -> None:
        self._catalogue = Catalogue(folder)
        self._address = address
        self._host = host
        self._processes = processes or os.cpu_count() or 1

    @contextmanager
    def session(self) -> Iterator[SubmitTrial]:
        """Connect, and let go of the cluster at the end; what is still queued then is dropped.

        Raises RAY_MISSING, RAY_UNREACHABLE or RAY_VERSION.
        """
        ray = _library()
        self._connect(ray)
        open_refs: set[Any] = set()
        try:
            self._require_version(ray)
            compute = ray.remote(_compute).options(num_cpus=1, max_retries=3)
            files: dict[UUID, Any] = {}

            def submit(trial: Trial) -> Future[TrialOutcome]:
                for part in trial.parts:
                    if part.dataset_id not in files:
                        path = self._catalogue.path_of(DatasetId(part.dataset_id))
                        files[part.dataset_id] = ray.put(path.read_bytes())
                its = {part.dataset_id: files[part.dataset_id] for part in trial.parts}
                ref = compute.remote(trial, its, self._host)
                open_refs.add(ref)
                found: Future[TrialOutcome] = Future()

                def ended(told: Future[TrialOutcome]) -> None:
                    open_refs.discard(ref)
                    _hand_on(told, found)

                ref.future().add_done_callback(ended)
                return found

            yield submit
        finally:
            for ref in list(open_refs):
                with suppress(Exception):  # a cluster that is gone computes nothing any more
                    ray.cancel(ref, force=True)
            ray.shutdown()

    def _connect(self, ray: Any) -> None:  # noqa: ANN401 - the library has no types
        quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._address == LOCAL:
            quiet |= {
                "num_cpus": self._processes,
                "object_store_memory": _STORE_BYTES,
                "include_dashboard": False,
                "_node_ip_address": "127.0.0.1",
            }
        # Ray gives a node of its own 30 seconds to start, which a busy machine does not always keep.
        for left in reversed(range(_STARTS if self._address == LOCAL else 1)):
            try:
                ray.init(address=self._address, **quiet)
            except Exception as error:
                ray.shutdown()
                if left:
                    continue
                message = (
                    f"no Ray cluster answers at {self._address!r} ({_brief(error)}): start it, or take "
                    f"{RAY_VARIABLE} out of the environment to search on this machine's processes"
                )
                raise AlphintraError("RAY_UNREACHABLE", message, kind=Kind.UNAVAILABLE) from error
            return

    def _require_version(self, ray: Any) -> None:  # noqa: ANN401 - as above
        try:
            found = ray.get(ray.remote(_version).remote(), timeout=_ANSWER_S)
        except Exception as error:  # noqa: BLE001 - whatever a cluster fails with, it is told
            found = f"no version that could be asked for ({_brief(error)})"
        if found != __version__:
            message = f"workers of the Ray cluster have Alphintra {found}, this is {__version__}: install it there"
            raise AlphintraError("RAY_VERSION", message, kind=Kind.UNAVAILABLE)


def runner_of(environ: Mapping[str, str], folder: Path, *, host: Host | None = None) -> TrialRunner:
    """Return where trials are computed: on the cluster the environment names, else in processes of this machine."""
    address = environ.get(RAY_VARIABLE, "").strip()
    return RayTrials(folder, address, host=host) if address else ProcessTrials(folder, host=host)


def _library() -> Any:  # noqa: ANN401 - the library has no types
    # What is computed here is nobody else's business: the library reports its use to its makers unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray  # noqa: PLC0415 - an extra, and heavy
    except ImportError as error:
        message = (
            f"{RAY_VARIABLE} is set and Ray is not installed: pip install 'alphintra[ray]' (images: --build-arg "
            "EXTRAS=ray), or take the variable out of the environment"
        )
        raise AlphintraError("RAY_MISSING", message, kind=Kind.UNAVAILABLE) from error
    return ray


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:_SAID_MAX]}" if text else type(error).__name__


def _hand_on(told: Future[TrialOutcome], found: Future[TrialOutcome]) -> None:
    """Hand an outcome on; one that nobody waits for any more is dropped."""
    error = told.exception()
    with suppress(InvalidStateError):
        if error is None:
            found.set_result(told.result())
        else:
            found.set_exception(error)


_folders: list[tempfile.TemporaryDirectory[str]] = []


def _version() -> str:
    return __version__


def _compute(trial: Trial, files: dict[UUID, Any], host: Host | None) -> TrialOutcome:
    """Compute a trial in a worker of the cluster; it keeps the files it got until it ends."""
    import ray  # noqa: PLC0415 - as in _library

    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="alphintra-ray-"))
        os.nice(_NICE)
    catalogue = Catalogue(Path(_folders[0].name))
    for dataset_id, ref in files.items():
        path = catalogue.path_of(DatasetId(dataset_id))
        if not path.exists():
            path.write_bytes(ray.get(ref))
    return run_trial(trial, market_of(trial, catalogue.folder), host=host)

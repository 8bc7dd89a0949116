"""Runs an assessment on scratch servers and makes its report."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.assess.figures import SCHEMA, Findings, Report
from alphintra.dataplane.assess.ledger import judge
from alphintra.dataplane.assess.report import describe_machine
from alphintra.dataplane.assess.runner import measure_all
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.accounts import server_account
from alphintra.runtime.postgres_files import major_version
from alphintra.runtime.programs import postgres_programs
from alphintra.runtime.scratch import scratch_lab

if TYPE_CHECKING:
    from alphintra.dataplane.assess.runner import Extent, Told

__all__ = ["require_room", "run_assessment"]

_BASE_BYTES: Final = 1_500_000_000
_BYTES_PER_ORDER: Final = 24_000
_BYTES_PER_OPTIMISED_ROW: Final = 900


def require_room(extent: Extent) -> None:
    """Raise DISK_SPACE unless the temporary folder has room for the largest layout with its backups."""
    folder = tempfile.gettempdir()
    needed = _BASE_BYTES + extent.orders * _BYTES_PER_ORDER + extent.optimised_rows * _BYTES_PER_OPTIMISED_ROW
    free = shutil.disk_usage(folder).free
    if free < needed:
        detail = (
            f"{folder} has {free / 1e9:.1f} GB free, the assessment needs about {needed / 1e9:.1f}: free some, set "
            "TMPDIR to a larger disk, or measure less with --quick or --rows"
        )
        raise AlphintraError("DISK_SPACE", detail, pointer="TMPDIR")


async def run_assessment(
    layouts: Sequence[str],
    extent: Extent,
    *,
    is_quick: bool,
    told: Told,
    reproduce: str,
    tables: Findings | None = None,
) -> Report:
    """Measure layouts in a lab that is thrown away, judge the claims, and return the report.

    Raises what building a layout raises; everything is stopped and removed then too, as when it is cancelled, which
    SIGTERM does as Ctrl-C.
    """
    made_at = SystemClock().now()
    began = time.perf_counter()
    me = asyncio.current_task()
    if me is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    async with scratch_lab() as lab:
        findings = await measure_all(lab, layouts, extent, told, tables=tables)
    postgres = f"PostgreSQL {major_version(postgres_programs(server_account()))}"
    return Report(
        schema=SCHEMA,
        made_at=made_at.isoformat(timespec="seconds"),
        is_quick=is_quick,
        rows=extent.orders,
        optimisation_rows=round(findings[0].value("optimised_rows") or 0),
        seconds=time.perf_counter() - began,
        machine=describe_machine(postgres),
        reproduce=reproduce,
        findings=findings,
        claims=judge(findings),
    )

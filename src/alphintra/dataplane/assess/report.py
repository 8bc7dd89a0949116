"""The saved report: written whole as JSON, read back only in the version this program knows."""

from __future__ import annotations

import os
import platform
import secrets
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import psutil  # type: ignore[import-untyped]

from alphintra.dataplane.assess.figures import SCHEMA, Machine, Report
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["JSON_NAME", "PAGE_NAME", "TEXT_NAME", "describe_machine", "read_report", "write_files"]

JSON_NAME: Final = "assess.json"
PAGE_NAME: Final = "assess.html"
TEXT_NAME: Final = "assess.md"
_GIB: Final = 1024**3


def describe_machine(server_version: str) -> Machine:
    """Return what this machine is; nothing that names its owner."""
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        cpu_model=_cpu_model(),
        memory_gib=round(psutil.virtual_memory().total / _GIB, 1),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        postgres=server_version,
        python=platform.python_version(),
        alphintra=version("alphintra"),
    )


def write_files(report: Report, folder: Path, *, page: str, text: str) -> tuple[Path, ...]:
    """Replace ``assess.json``, ``assess.html`` and ``assess.md`` in a folder, made if absent; return their paths.

    Raises REPORT_FOLDER if they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        document = msgspec.json.format(msgspec.json.encode(report), indent=1)
        written = (
            _replace(folder / JSON_NAME, document),
            _replace(folder / PAGE_NAME, page.encode()),
            _replace(folder / TEXT_NAME, text.encode()),
        )
    except OSError as error:
        detail = f"cannot write the report to {folder}: {error.strerror}; choose another folder with --out"
        raise AlphintraError("REPORT_FOLDER", detail, pointer="--out") from error
    return written


def read_report(path: Path) -> Report:
    """Read a saved report. Raises REPORT_MISSING, REPORT_FORMAT for another version or a damaged file."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        detail = (
            f"there is no report at {path}: make one with `alphintra db assess --all --quick`, or name it with --report"
        )
        raise AlphintraError("REPORT_MISSING", detail, kind=Kind.NOT_FOUND, pointer="--report") from error
    try:
        report = msgspec.json.decode(raw, type=Report)
    except msgspec.DecodeError as error:
        raise AlphintraError(
            "REPORT_FORMAT", f"{path} is no report of an assessment: {error}", pointer="--report"
        ) from error
    if report.schema != SCHEMA:
        detail = f"{path} is of version {report.schema!r}, this program reads {SCHEMA!r}: make a new one"
        raise AlphintraError("REPORT_FORMAT", detail, pointer="--report")
    return report


def _replace(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")

"""What the operator says about backups in ``alphintra.toml``, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from alphintra.dataplane.backup.retention import Keep
from alphintra.dataplane.schedule import Schedule
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.settings import RuntimeSettings
from alphintra.runtime.tables import require_known, service_schedules

__all__ = ["BackupChoices", "External", "backup_choices"]

_WORDS: Final = ("target", "endpoint", "region")
_SCHEDULES: Final = ("full", "incremental", "verify")
_NUMBERS: Final = ("keep_last", "keep_days", "keep_months")
_NUMBER_MAX: Final = 10_000
_TOOLS: Final = ("pgbackrest", "barman")


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """What backs up an instance that is not ours: pgBackRest and its stanza, or Barman and its server's name."""

    tool: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupChoices:
    """What the operator chose.

    Attributes:
        target: absolute path or ``s3://bucket/prefix``; empty for no backups.
        endpoint: of an S3-compatible server that is not Amazon's.
        region: of the bucket.
        full: when whole instances are backed up in full.
        incremental: when what changed is.
        verify: when the newest backup of each scope is restored for real, into a scratch instance.
        services: when each service is dumped.
        keep: how many backups are kept.
        external: what backs up instances that are not ours.
    """

    target: str = ""
    endpoint: str = ""
    region: str = ""
    full: Schedule | None = None
    incremental: Schedule | None = None
    verify: Schedule | None = None
    services: Mapping[str, Schedule] = field(default_factory=dict)
    keep: Keep = field(default_factory=Keep)
    external: Mapping[str, External] = field(default_factory=dict)


def backup_choices(settings: RuntimeSettings) -> BackupChoices:
    """Return what the settings say. Raises CONFIG_UNKNOWN, CONFIG_RANGE, CONFIG_VALUE, SCHEDULE."""
    said = settings.backup
    require_known(said, (*_WORDS, *_SCHEDULES, *_NUMBERS), "backup")
    services = service_schedules(settings.backup_schedules, "backup_schedules")
    if not said.get("target") and (said or settings.backup_schedules):
        message = "backup.target is missing: write an absolute path or s3://bucket/prefix"
        raise AlphintraError("CONFIG_VALUE", message, pointer="backup.target")
    schedules = {name: Schedule.parse(said[name], pointer=f"backup.{name}") for name in _SCHEDULES if name in said}
    numbers = {name.removeprefix("keep_"): _number(name, said[name]) for name in _NUMBERS if name in said}
    return BackupChoices(
        target=said.get("target", ""),
        endpoint=said.get("endpoint", ""),
        region=said.get("region", ""),
        full=schedules.get("full"),
        incremental=schedules.get("incremental"),
        verify=schedules.get("verify"),
        services=services,
        keep=Keep(**numbers),
        external={name: _external(name, text) for name, text in settings.backup_external.items()},
    )


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text[:6]) > _NUMBER_MAX:
        message = f"backup.{name} is {text[:20]!r}: write a whole number from 0 to {_NUMBER_MAX}"
        raise AlphintraError("CONFIG_RANGE", message, pointer=f"backup.{name}")
    return int(text)


def _external(instance: str, text: str) -> External:
    tool, _, name = text.partition(":")
    if tool not in _TOOLS or not name or not name.replace("-", "").replace("_", "").isalnum():
        message = f"backup_external.{instance} is {text[:60]!r}: write pgbackrest:STANZA or barman:SERVER"
        raise AlphintraError("CONFIG_VALUE", message, pointer=f"backup_external.{instance}")
    return External(tool=tool, name=name)

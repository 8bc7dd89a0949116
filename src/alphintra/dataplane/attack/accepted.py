"""Which open probes are known and borne, where, and why; everything else that is open is a finding to act on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.attack.model import Attack, Floor, Level, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FOREIGN", "LEFT_OPEN", "ONE_ROLE", "REFUSALS", "UNAVOIDABLE", "UNPRIVILEGED", "Pair", "Standing", "accept"]


class Standing(StrEnum):
    """How an instance is run, as far as it decides what can be closed on it."""

    OURS = "ours"
    """Alphintra's alone, with a superuser to administer it."""
    FOREIGN = "foreign"
    """Other people's databases, or a pg_hba.conf that is not ours."""
    UNPRIVILEGED = "unprivileged"
    """As foreign, and the administrator is no superuser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """How near two services live to each other.

    Attributes:
        shares_instance: one PostgreSQL serves both.
        shares_database: one database holds both.
        shares_role: one role logs in for both.
        standing: how the victim's instance is run.
        level: how far the victim's instance is hardened.
    """

    shares_instance: bool
    shares_database: bool
    shares_role: bool
    standing: Standing
    level: Level


UNAVOIDABLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "own_role.password": "every role may set its own password: PostgreSQL has no privilege for it; it shows",
        "own_role.settings": "every role may set its own defaults: PostgreSQL has no privilege for it; definer "
        "functions pin their search_path, so only the holder is misled",
        "own_role.session_bounds": "timeouts, memory and search_path are the session's own in PostgreSQL",
        "own_role.application_name": "the name is the client's to choose; nothing of Alphintra trusts it",
        "names.regrole": "casts have no privilege; a role's name opens nothing without its password",
        "names.error_texts": "error messages have no privilege; a name opens nothing without a password",
        "wal.transaction_numbers": "rows bear their transaction's number, and the instance counts once: the rate of "
        "writes shows, no content",
        "catalog.schema_names": "asyncpg and psycopg read these columns to learn types; names show, no row",
        "catalog.columns": "asyncpg and psycopg read these columns to learn types; names show, no row",
        "catalog.types": "asyncpg and psycopg read these columns to learn types; names show, no row",
        "catalog.names_by_number": "casts have no privilege; names show, no row",
        "messages.listen": "LISTEN has no privilege; no service says anything by NOTIFY (they speak over the bus)",
        "messages.forge": "NOTIFY has no privilege; no service listens (they hear over the bus)",
        "locks.old_snapshot": "a transaction may stay open in the database one is admitted to; "
        "idle_in_transaction_session_timeout ends honest ones, monitoring shows the others",
    }
)
"""Open under `strict` because PostgreSQL, or the drivers every service uses, cannot do without; by probe."""

LEFT_OPEN: Final[Mapping[Level, str]] = MappingProxyType(
    {
        Level.USUAL: "the usual set-up leaves PostgreSQL's defaults as they are; `hardened` or `strict` closes it",
        Level.HARDENED: "`hardened` leaves PostgreSQL's catalogue as it is shipped; `strict` closes it",
    }
)
"""Why a level leaves open what a higher one closes."""

ONE_ROLE: Final = "the layout gives both services one role: they are one to PostgreSQL, in this and in all they own"

UNPRIVILEGED: Final = (
    "the administrator is no superuser: what PUBLIC has on PostgreSQL's own objects is the operator's to revoke"
)
"""Why what only a superuser can close stays open where there is none."""

_OWNERS: Final = frozenset({"roles.drop_owned", "roles.reassign_owned"})
_SUPERUSERS: Final = frozenset({"code.do_block"})  # beside all that `strict` closes

FOREIGN: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(
        ("connect.postgres", "connect.template1", "connect.other_databases"),
        "the server is not Alphintra's alone: these databases, and who may enter them, are their operator's",
    )
)
"""Open on a server that others use too."""

REFUSALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "connect.refusal_tells": "this server's pg_hba.conf is not ours (embedded servers use `samerole`); "
        "error messages tell the same names anyway",
    }
)
"""Open wherever pg_hba.conf is somebody else's, whatever the level."""


def accept(attack: Attack, pair: Pair) -> str:
    """Return why an open probe may stay open between two services, or nothing if it may not."""
    name, level = attack.name, pair.level
    # The running role made the tables, and so owns them.
    owns_all = level is Level.USUAL and (attack.place is Place.DATABASE or name in _OWNERS)
    needs_superuser = name in _SUPERUSERS or (attack.closed_by is Level.STRICT and level is Level.STRICT)
    reasons = (
        ((attack.within_role or owns_all) and pair.shares_role, ONE_ROLE),
        (_reaches(attack.floor, pair), UNAVOIDABLE.get(name, "")),
        (pair.shares_instance, REFUSALS.get(name, "")),
        (pair.standing is not Standing.OURS, FOREIGN.get(name, "")),
        (attack.closed_by.rank > level.rank, LEFT_OPEN.get(level, "")),
        (pair.standing is Standing.UNPRIVILEGED and needs_superuser and attack.floor is Floor.NONE, UNPRIVILEGED),
    )
    return next((reason for holds, reason in reasons if holds and reason), "")


def _reaches(floor: Floor, pair: Pair) -> bool:
    match floor:
        case Floor.ANYWHERE:
            return True
        case Floor.SHARED_INSTANCE:
            return pair.shares_instance
        case Floor.SHARED_DATABASE:
            return pair.shares_database
        case Floor.NONE:
            return False

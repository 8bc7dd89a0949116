"""The shape of a service's declaration; everything granted anywhere is generated from these values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["SERVICE_NAMES", "ServiceSpec", "TableSpec"]

SERVICE_NAMES: Final = ("auth", "broker", "nocode", "notification", "risk", "strategy", "trading", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """One table of a service and what its service role may do with it.

    Attributes:
        name: table name inside the service's schema.
        data_class: key of the retention and classification rules the rows fall under.
        grants: table-wide privileges of the service role, out of select, insert, update, delete.
        insert_columns: columns the service role may set when a table-wide insert would let it forge identities.
        update_columns: columns the service role may change when a table-wide update would be too much.
        triggers: triggers that migrations put on it.
        functions: functions that migrations make for it, which its triggers call.
        by_month: column of time that cuts the table into months, each a part of its own; empty for one piece.
    """

    name: str
    data_class: str
    grants: tuple[str, ...] = ("select",)
    insert_columns: tuple[str, ...] = ()
    update_columns: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    by_month: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """One of the eight services: what it owns, answers, tells, hears and asks.

    Attributes:
        name: service, process, subject prefix and log field.
        tables: tables owned beside the common ones (see ``COMMON_TABLES``).
        commands: commands answered, as in ``trading.cmd.<command>``.
        events: events published, as in ``trading.evt.<event>``.
        hears: events of other services consumed, as ``<service>.<event>``.
        asks: commands of other services called, as ``<service>.<command>``.
        functions: functions of the schema's owner that the service role may call, with the types of their arguments.
        connections_max: upper bound of database connections over all its processes.
    """

    name: str
    tables: tuple[TableSpec, ...]
    commands: tuple[str, ...]
    events: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    connections_max: int = 20

    @property
    def schema(self) -> str:
        """Schema that holds the service's tables, the same in every layout."""
        return f"{self.name}_schema"

    @property
    def event_stream(self) -> str:
        """JetStream stream that carries this service's events."""
        return f"EVT_{self.name.upper()}"

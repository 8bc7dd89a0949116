"""A layout standing in a lab, provisioned and full of rows, with the ways in that the measurements use."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from alphintra.dataplane.assess.figures import Figure
from alphintra.dataplane.assess.rows import row_statements
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout, instances_of
from alphintra.dataplane.provision import provision
from alphintra.dataplane.quoting import qualified
from alphintra.dataplane.server import admin_connection
from alphintra.infrastructure.postgres import Database, Queries
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.dataplane.assess.lab import Instance, Lab
    from alphintra.dataplane.layouts import Placement

__all__ = ["LAYOUTS", "Bench", "Notes", "build"]

LAYOUTS: Final[Mapping[str, LayoutChoice]] = MappingProxyType(
    {
        "separate": LayoutChoice(name=LayoutName.SEPARATE),
        "hybrid": LayoutChoice(name=LayoutName.HYBRID),
        "central": LayoutChoice(name=LayoutName.CENTRAL),
        "consolidated": LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
        "instances": LayoutChoice(name=LayoutName.SEPARATE, is_isolated=True),
    }
)
"""What can be assessed; `instances` is `separate` with a PostgreSQL instance for each service."""


@dataclass(slots=True)
class Notes:
    """What the measurements of one layout write down as they go."""

    figures: dict[str, Figure] = field(default_factory=dict)
    facts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def put(self, key: str, value: float, unit: str) -> None:
        """Keep a value that was measured once, or counted."""
        self.figures[key] = Figure(value=value, unit=unit)

    def spread(self, key: str, values: list[float], unit: str) -> None:
        """Keep the median of several rounds with the smallest and the largest."""
        ordered = sorted(values)
        half = len(ordered) // 2
        median = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
        self.figures[key] = Figure(value=median, unit=unit, low=ordered[0], high=ordered[-1], rounds=len(ordered))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One layout that stands.

    Attributes:
        name: key of `LAYOUTS`.
        lab: where it stands.
        layout: the eight placements.
        instances: by name.
        statements: SQL statements that provisioning ran, out of nothing.
    """

    name: str
    lab: Lab
    layout: tuple[Placement, ...]
    instances: Mapping[str, Instance]
    statements: int

    def placed(self, service: str) -> Placement:
        """Return where a service lives."""
        return next(placement for placement in self.layout if placement.service == service)

    def instance_of(self, placement: Placement) -> Instance:
        """Return the instance a service lives on."""
        return self.instances[placement.instance]

    def url(self, placement: Placement, *, role: str = "", database: str = "") -> str:
        """Return the address of a service as its own process would get it, with its own credential.

        Args:
            placement: the service.
            role: another login role instead of the service's.
            database: another database instead of the service's.
        """
        role = role or placement.service_role
        server = self.instance_of(placement).server
        password = quote(self.lab.passwords(role), safe="")
        url = f"postgresql://{role}:{password}@{server.host}:{server.port}/{database or placement.database}"
        path = quote(", ".join(placement.search_path), safe="")
        return f"{url}?search_path={path}" if placement.merged_schema or self._is_shared(role) else url

    async def open(self, placement: Placement, *, connections_max: int = 2) -> Database:
        """Open a service's own database with its own named statements, as its process does."""
        queries = Queries.load(f"alphintra.{placement.service}")
        return await Database.open(
            self.url(placement), queries=queries, application="assess", connections_max=connections_max
        )

    async def row_counts(self) -> dict[tuple[str, str], int]:
        """Count the rows of every table of every service, as the administrator."""
        counts: dict[tuple[str, str], int] = {}
        for placement in self.layout:
            async with admin_connection(self.instance_of(placement).server, database=placement.database) as connection:
                for table in service_tables(placement.spec):
                    where = qualified(*placement.location(table.name))
                    counts[placement.service, table.name] = await connection.fetchval(f"select count(*) from {where}")  # noqa: S608 - quoted
        return counts

    def _is_shared(self, role: str) -> bool:
        return len({item.service for item in self.layout if item.service_role == role}) > 1


async def build(lab: Lab, name: str, *, orders: int, notes: Notes) -> Bench:
    """Start the instances of a layout, provision it and load rows.

    Raises what provisioning raises.
    """
    layout = choose_layout(LAYOUTS[name])
    names = instances_of(layout)
    started = await lab.open_instances(names)
    notes.facts["hardening"] = tuple(sorted({instance.server.hardening.value for instance in started}))
    statements = 0
    for instance in started:
        done = await provision(instance.server, layout=layout, passwords=lab.passwords)
        statements += len(done.actions)
    bench = Bench(
        name=name, lab=lab, layout=layout, instances=dict(zip(names, started, strict=True)), statements=statements
    )
    for placement in layout:
        await _load(bench, placement, orders=orders)
    return bench


async def _load(bench: Bench, placement: Placement, *, orders: int) -> None:
    """Fill a service's tables where its own statements would find them."""
    path = ", ".join(placement.search_path)
    async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
        await connection.execute(f"set search_path = {path}; set synchronous_commit = off; set statement_timeout = 0")
        for statement in row_statements(placement.service, orders=orders):
            await connection.execute(statement, timeout=600)
        # Now, and not by autovacuum in the middle of what is measured.
        await connection.execute("vacuum (analyze)", timeout=600)

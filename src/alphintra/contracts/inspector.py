"""What the inspector answers: how the installation itself stands, told to operators alone.

Every view says when it was looked (``at``). Where looking again failed, the last one known stands, and ``problem`` says
what went wrong since.
"""

from __future__ import annotations

from enum import StrEnum

from alphintra.kernel.messages import Command, Utc, View

__all__ = [
    "AccessView",
    "AuditsView",
    "DatabasesView",
    "GetAccess",
    "GetAudits",
    "GetDatabases",
    "GetProcesses",
    "GetQueues",
    "ProbeAccess",
    "ProcessesView",
    "QueuesView",
    "Reach",
]


class Reach(StrEnum):
    """What one service can do with the data of another, as far as it was tried."""

    OWN = "own"  # its own: reads and writes
    DENIED = "denied"  # tried, and refused by the server
    SHARED = "shared"  # the layout gives both one role: nothing lies between them
    REACHABLE = "reachable"  # tried, and got through, though it should not have
    UNPROVEN = "unproven"  # tried, and the answer proves nothing
    UNPROBED = "unprobed"  # not tried in this place


class TryView(View, frozen=True):
    """One thing that was tried with a service's own credential.

    Attributes:
        name: what, such as ``connect alphintra_risk``.
        is_declared: whether the manifest allows it.
        outcome: allowed, denied or error.
        code: SQLSTATE of the refusal.
        answer: the server's own words.
    """

    name: str
    is_declared: bool
    outcome: str
    code: str
    answer: str


class AccessCellView(View, frozen=True):
    """One service against the data of one service.

    Attributes:
        user: whose credential was used.
        target: whose data was tried.
        role: the role it logged in as.
        instance: where the target lives.
        database: which database that is.
        reach: what came of it.
        tries: the last attempt, step by step.
        grants: what PostgreSQL's catalogue gives that role there, in words.
    """

    user: str
    target: str
    role: str
    instance: str
    database: str
    reach: Reach
    tries: tuple[TryView, ...]
    grants: tuple[str, ...]


class AccessView(View, frozen=True):
    """Who gets at whose data, as the services' own credentials found out.

    Attributes:
        at: when it was last tried; None if it never was.
        asked_by: who had it tried.
        took_s: how long that took.
        next_at: when it is tried by itself the next time.
        breaches: cells where something got through that should not.
        cells: every service against every service.
        drift: what is granted or missing against the declaration.
        limits: what no probe can prove here.
        problem: why the latest try came to nothing; empty if it did not.
    """

    at: Utc | None
    asked_by: str
    took_s: float
    next_at: Utc | None
    breaches: int
    cells: tuple[AccessCellView, ...]
    drift: tuple[str, ...]
    limits: tuple[str, ...]
    problem: str = ""


class GetAccess(Command[AccessView], tag="inspector.get_access.v1", frozen=True):
    """Ask what the last probe of the borders found."""


class ProbeAccess(Command[AccessView], tag="inspector.probe_access.v1", frozen=True):
    """Have every service's credential tried on every database now; what is written is rolled back."""


class ProcessView(View, frozen=True):
    """One supervised process; ``last_exit`` is its last unasked-for exit status, negative for a signal."""

    name: str
    phase: str
    since: Utc
    restarts: int
    last_exit: int | None
    memory_kib: int | None
    services: tuple[str, ...]


class ProcessesView(View, frozen=True):
    """The supervisor's view of its processes."""

    at: Utc
    phase: str
    started_at: Utc
    version: str
    supervisor_kib: int
    processes: tuple[ProcessView, ...]
    problem: str = ""


class GetProcesses(Command[ProcessesView], tag="inspector.get_processes.v1", frozen=True):
    """Ask which processes run, since when, and how often they were started again."""


class InstanceView(View, frozen=True):
    """One PostgreSQL instance; ``is_own`` tells whether the home runs it."""

    name: str
    version: str
    started_at: Utc
    connections: int
    connections_max: int
    is_own: bool


class TableSizeView(View, frozen=True):
    """One table with its indexes and parts; ``rows`` is PostgreSQL's estimate."""

    name: str
    bytes: int
    rows: int


class ServiceDatabaseView(View, frozen=True):
    """Where one service's data lies and how much there is.

    Attributes:
        bytes: of the service's own tables with their indexes.
        database_bytes: of the whole database, which others may share.
        connections: open in that database by the service's roles.
        migration: the last one that was applied.
        pending: migrations that were not.
        tables: the largest ones.
    """

    service: str
    instance: str
    database: str
    schema: str
    role: str
    bytes: int
    database_bytes: int
    connections: int
    migrations: int
    migration: str
    migrated_at: Utc | None
    pending: int
    tables: tuple[TableSizeView, ...]


class DatabasesView(View, frozen=True):
    """The layout in force, its instances and databases."""

    at: Utc
    layout: str
    instances: tuple[InstanceView, ...]
    databases: tuple[ServiceDatabaseView, ...]
    problem: str = ""


class GetDatabases(Command[DatabasesView], tag="inspector.get_databases.v1", frozen=True):
    """Ask where the data of each service lies, and how much it is."""


class OutboxView(View, frozen=True):
    """Events of one service that are not published yet, and the oldest of them."""

    service: str
    waiting: int
    oldest_at: Utc | None
    attempts_max: int


class ConsumerView(View, frozen=True):
    """How far one service is in hearing another.

    Attributes:
        waiting: events it has not been given yet.
        unacknowledged: given and not acted on yet.
        redelivered: of those, given more than once.
        heard_at: when it last acknowledged one; None if it never did since the bus was started.
    """

    producer: str
    consumer: str
    waiting: int
    unacknowledged: int
    redelivered: int
    heard_at: Utc | None


class QueuesView(View, frozen=True):
    """What waits between the services."""

    at: Utc
    outboxes: tuple[OutboxView, ...]
    consumers: tuple[ConsumerView, ...]
    problem: str = ""


class GetQueues(Command[QueuesView], tag="inspector.get_queues.v1", frozen=True):
    """Ask what waits to be published, and how far consumers are behind."""


class AuditView(View, frozen=True):
    """How the audit log of one service stands.

    Attributes:
        sealed: records that are leaves of its tree.
        sealed_at: when the last became one.
        signed: leaves that the last signed checkpoint covers.
        signed_at: when it was signed.
        unsealed: records that are not sealed yet, the oldest of them from ``oldest_unsealed_at``.
    """

    service: str
    sealed: int
    sealed_at: Utc | None
    signed: int
    signed_at: Utc | None
    unsealed: int
    oldest_unsealed_at: Utc | None


class AuditsView(View, frozen=True):
    """The audit logs of all services."""

    at: Utc
    audits: tuple[AuditView, ...]
    problem: str = ""


class GetAudits(Command[AuditsView], tag="inspector.get_audits.v1", frozen=True):
    """Ask how the audit logs stand and how far they are sealed."""

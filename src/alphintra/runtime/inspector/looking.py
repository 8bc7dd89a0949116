"""What of the home, its servers and its bus operators are shown."""

from __future__ import annotations

from datetime import datetime

from alphintra import __version__
from alphintra.contracts.inspector import (
    AuditsView,
    AuditView,
    ConsumerView,
    DatabasesView,
    InstanceView,
    OutboxView,
    ProcessesView,
    ProcessView,
    QueuesView,
    ServiceDatabaseView,
    TableSizeView,
)
from alphintra.dataplane.layouts import layout_label
from alphintra.dataplane.standing import DatabaseStanding, find_audits, find_databases, find_instances, find_outboxes
from alphintra.dataplane.streams import BusLogin, consumer_lags
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import SERVICES
from alphintra.runtime.control import status
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.layout import process_plans
from alphintra.runtime.nats_keys import nats_seed

__all__ = ["look_at_audits", "look_at_databases", "look_at_processes", "look_at_queues"]


async def look_at_processes(home: Home, *, at: datetime) -> ProcessesView:
    """Return the supervisor's processes. Raises STATE_UNREADABLE, NOT_PROVISIONED, NOT_RUNNING."""
    found = status(home)
    if found.state is None:
        message = "no supervisor has said how its processes are: start the platform with `alphintra up`"
        raise AlphintraError("NOT_RUNNING", message, kind=Kind.UNAVAILABLE)
    services = {plan.name: plan.services for plan in process_plans(provisioned_order(home).processes)}
    return ProcessesView(
        at=at,
        phase=found.state.phase.value,
        started_at=found.state.started_at,
        version=__version__,
        supervisor_kib=found.memory_kib.get("supervisor", 0),
        processes=tuple(
            ProcessView(
                name=process.name,
                phase=process.phase.value,
                since=process.since,
                restarts=process.restarts,
                last_exit=process.last_exit,
                memory_kib=found.memory_kib.get(process.name),
                services=services.get(process.name, ()),
            )
            for process in found.state.processes
        ),
    )


async def look_at_databases(home: Home, *, at: datetime) -> DatabasesView:
    """Return where each service's data lies. Raises NOT_PROVISIONED, TOPOLOGY_CONNECT, INSPECTION_CUT."""
    order = provisioned_order(home)
    instances = await find_instances(order.instances)
    databases = await find_databases(order.instances, order.layout)
    return DatabasesView(
        at=at,
        layout=layout_label(order.layout),
        instances=tuple(
            InstanceView(
                name=each.instance,
                version=each.version,
                started_at=each.started_at,
                connections=each.connections,
                connections_max=each.connections_max,
                is_own=each.is_exclusive,
            )
            for each in instances
        ),
        databases=tuple(_database(each) for each in databases),
    )


def _database(found: DatabaseStanding) -> ServiceDatabaseView:
    placement = found.placement
    return ServiceDatabaseView(
        service=placement.service,
        instance=placement.instance,
        database=placement.database,
        schema=placement.merged_schema or placement.schema,
        role=placement.service_role,
        bytes=found.bytes,
        database_bytes=found.database_bytes,
        connections=found.connections,
        migrations=found.migrations,
        migration=found.migration,
        migrated_at=found.migrated_at,
        pending=found.pending,
        tables=tuple(TableSizeView(name=each.name, bytes=each.bytes, rows=each.rows) for each in found.tables),
    )


async def look_at_queues(home: Home, *, at: datetime) -> QueuesView:
    """Return what waits between the services. Raises as `look_at_databases`, STREAM_FAILED."""
    order = provisioned_order(home)
    producers = {spec.event_stream: spec.name for spec in SERVICES.values()}
    outboxes = await find_outboxes(order.instances, order.layout)
    deployer = BusLogin(url=order.nats_url, user="deployer", seed=nats_seed(home, "deployer"))
    lags = await consumer_lags(deployer)
    return QueuesView(
        at=at,
        outboxes=tuple(
            OutboxView(
                service=each.service,
                waiting=each.waiting,
                oldest_at=each.oldest_at,
                attempts_max=each.attempts_max,
            )
            for each in outboxes
        ),
        consumers=tuple(
            ConsumerView(
                producer=producers[each.stream],
                consumer=each.durable,
                waiting=each.waiting,
                unacknowledged=each.unacknowledged,
                redelivered=each.redelivered,
                heard_at=each.heard_at,
            )
            for each in lags
        ),
    )


async def look_at_audits(home: Home, *, at: datetime) -> AuditsView:
    """Return how the audit logs stand. Raises as `look_at_databases`."""
    order = provisioned_order(home)
    return AuditsView(
        at=at,
        audits=tuple(
            AuditView(
                service=each.service,
                sealed=each.sealed,
                sealed_at=each.sealed_at,
                signed=each.signed,
                signed_at=each.signed_at,
                unsealed=each.unsealed,
                oldest_unsealed_at=each.oldest_unsealed_at,
            )
            for each in await find_audits(order.instances, order.layout)
        ),
    )

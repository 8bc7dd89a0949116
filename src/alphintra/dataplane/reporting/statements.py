"""Statements of the standard report: its parts, one per service, and the same as one join within a database.

Pure: names of tables come from the placements, values are parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.quoting import qualified
from alphintra.manifest.reporting import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alphintra.dataplane.layouts import Placement

__all__ = ["ReportParts", "joined_sql", "parts_of"]

_NO_BOOK: Final = "'00000000-0000-0000-0000-000000000000'::uuid"  # trading's book of orders that no strategy sent

# Columns in the order of OrderLine, then what only joins the parts.
_ORDERS: Final = f"""
    select o.order_id, o.client_order_id, o.account_id, a.name, a.mode, a.currency, o.symbol, o.side, o.type, o.qty,
        o.limit_price, o.status, o.filled_qty, o.filled_amount, o.reason_code, o.created_at, o.updated_at,
        p.qty as position_qty, p.cost as position_cost, o.owner_id, o.book_id
    from {{orders}} as o
    join {{accounts}} as a on a.account_id = o.account_id
    left join {{positions}} as p
        on p.account_id = o.account_id and p.book_id = coalesce(o.book_id, {_NO_BOOK}) and p.symbol = o.symbol
    where ($1::timestamptz is null or o.created_at >= $1) and ($2::timestamptz is null or o.created_at < $2)
        and ($3::uuid is null or o.account_id = $3)
    order by o.created_at desc, o.order_id desc
    limit $4
"""  # noqa: S608 - a constant

_FILLS: Final = "select order_id, execution_id from {executions} where order_id = any($1::uuid[])"

_ASSESSMENTS: Final = """
    select distinct on (order_id) order_id, decision_id, attempt, approved, findings, limit_version, decided_at
    from {assessments}
    where order_id = any($1::uuid[])
    order by order_id, attempt desc
"""

_DEPLOYMENTS: Final = """
    select deployment_id, version_id, status from {deployments} where deployment_id = any($1::uuid[])
"""

_WORKFLOWS: Final = """
    select v.version_id, w.name, v.version
    from {workflow_versions} as v join {workflows} as w on w.workflow_id = v.workflow_id
    where v.version_id = any($1::uuid[])
"""

_NEWEST: Final = """
    count(*) as notifications, count(*) filter (where m.read_at is null) as unread,
    (array_agg(m.kind order by m.created_at desc, m.dedupe_key desc))[1] as notified_kind,
    (array_agg(m.severity order by m.created_at desc, m.dedupe_key desc))[1] as notified_severity,
    max(m.created_at) as notified_at
"""

_MESSAGES: Final = f"""
    select k.order_id, {_NEWEST}
    from unnest($1::uuid[], $2::uuid[], $3::text[]) as k (order_id, owner_id, dedupe_key)
    join {{messages}} as m on m.user_id = k.owner_id and m.dedupe_key = k.dedupe_key
    group by k.order_id
"""  # noqa: S608 - a constant

_JOINED: Final = f"""
    with page as materialized ({_ORDERS}),
    fills as (
        select e.order_id, e.account_id, e.execution_id from {{executions}} as e join page using (order_id)
    ),
    filled as (select order_id, count(*) as fills from fills group by order_id),
    assessed as (
        select distinct on (s.order_id) s.order_id, s.decision_id, s.attempt, s.approved, s.findings,
            s.limit_version, s.decided_at
        from {{assessments}} as s join page using (order_id)
        order by s.order_id, s.attempt desc
    ),
    keys as (
        select order_id, owner_id, 'order_denied:' || order_id as dedupe_key from page where status = 'denied'
        union all
        select order_id, owner_id, 'order_closed:' || order_id from page
        where status in ('canceled', 'expired', 'rejected')
        union all
        select f.order_id, page.owner_id, 'fill_booked:' || f.account_id || ':' || f.execution_id
        from fills as f join page using (order_id)
    ),
    told as (
        select k.order_id, {_NEWEST}
        from keys as k join {{messages}} as m on m.user_id = k.owner_id and m.dedupe_key = k.dedupe_key
        group by k.order_id
    )
    select page.order_id, page.client_order_id, page.account_id, page.name, page.mode, page.currency, page.symbol,
        page.side, page.type, page.qty, page.limit_price, page.status, page.filled_qty, page.filled_amount,
        page.reason_code, page.created_at, page.updated_at, page.position_qty, page.position_cost,
        coalesce(filled.fills, 0), assessed.decision_id, assessed.attempt, assessed.approved, assessed.findings,
        assessed.limit_version, assessed.decided_at, d.deployment_id, d.status, w.name, v.version,
        coalesce(told.notifications, 0), coalesce(told.unread, 0), told.notified_kind, told.notified_severity,
        told.notified_at
    from page
    left join filled on filled.order_id = page.order_id
    left join assessed on assessed.order_id = page.order_id
    left join {{deployments}} as d on d.deployment_id = page.book_id
    left join {{workflow_versions}} as v on v.version_id = d.version_id
    left join {{workflows}} as w on w.workflow_id = v.workflow_id
    left join told on told.order_id = page.order_id
    order by page.created_at desc, page.order_id desc
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportParts:
    """One statement per part; each reads one database."""

    orders: str
    fills: str
    assessments: str
    deployments: str
    workflows: str
    messages: str


def parts_of(placements: Mapping[str, Placement]) -> ReportParts:
    """Return the statements of the parts, by service's placement."""
    tables = _tables(placements.values())
    return ReportParts(
        orders=_ORDERS.format_map(tables),
        fills=_FILLS.format_map(tables),
        assessments=_ASSESSMENTS.format_map(tables),
        deployments=_DEPLOYMENTS.format_map(tables),
        workflows=_WORKFLOWS.format_map(tables),
        messages=_MESSAGES.format_map(tables),
    )


def joined_sql(placements: Mapping[str, Placement]) -> str:
    """Return the whole report as one statement, for tables that can be reached in one database."""
    return _JOINED.format_map(_tables(placements.values()))


def _tables(placements: Iterable[Placement]) -> dict[str, str]:
    return {
        table: qualified(*placement.visible(table))
        for placement in placements
        for table in REPORTED.get(placement.service, ())
    }

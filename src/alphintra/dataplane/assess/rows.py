"""Rows for a scratch installation: the same people, orders, decisions and messages in every layout.

Everything is derived from a number, so that a row of one service finds its fellow in another's by id, as it would in a
running platform, and two layouts hold the same bytes. Each service's rows go into its own tables, named as its own
statements name them.
"""

# ruff: noqa: S608 - statements are put together from the constants of this file

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ORDERS_PER_PERSON", "SAMPLE_ORDER", "row_statements"]

ORDERS_PER_PERSON: Final = 100
SAMPLE_ORDER: Final = 1
"""Number of an order that has everything: assessment, intent, execution, venue order and message."""

_START: Final = "timestamptz '2025-01-02 09:30:00+00'"


def _id(kind: str, number: str = "n") -> str:
    return f"md5('{kind}' || {number})::uuid"


_PERSON_OF: Final = f"((n - 1) / {ORDERS_PER_PERSON} + 1)"
_WHEN: Final = f"{_START} + n * interval '7 seconds'"
_SYMBOL: Final = "(array['AAPL', 'MSFT', 'NVDA', 'SPY', 'TLT'])[n % 5 + 1]"

# Per service: statements over n = 1 … {orders} or 1 … {people}.
_ROWS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "auth": (
            f"""insert into users (user_id, email, role, password_hash, created_at)
            select {_id("person")}, 'person' || n || '@example.org', 'trader',
                '$argon2id$v=19$m=19456,t=2,p=1$' || md5('salt' || n) || '$' || md5('hash' || n), {_WHEN}
            from generate_series(1, {{people}}) as n""",
            f"""insert into sessions (session_id, user_id, token_hash, rotations, signed_in_at, rotated_at, expires_at)
            select {_id("session")}, {_id("person")}, sha256(convert_to('token' || n, 'UTF8')), 3, {_WHEN}, {_WHEN},
                {_WHEN} + interval '30 days'
            from generate_series(1, {{people}}) as n""",
        ),
        "user": (
            f"""insert into profiles (user_id, email, display_name, locale, time_zone, version, updated_at)
            select {_id("person")}, 'person' || n || '@example.org', 'Person ' || n, 'en-GB', 'Europe/London', 1,
                {_WHEN}
            from generate_series(1, {{people}}) as n""",
            f"""insert into preferences (user_id, name, value, updated_at)
            select {_id("person")}, p.name, p.value, {_WHEN}
            from generate_series(1, {{people}}) as n
            cross join (values ('theme', 'dark'), ('digest', 'daily')) as p (name, value)""",
        ),
        "trading": (
            f"""insert into accounts (account_id, owner_id, name, mode, currency, feed_id, is_risk_ready,
                is_venue_ready, starting_cash, cash, created_at)
            select {_id("account")}, {_id("person")}, 'main', 'paper', 'USD', {_id("feed", "1")}, true, true,
                100000, 100000, {_WHEN}
            from generate_series(1, {{people}}) as n""",
            f"""insert into orders (order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type,
                time_in_force, qty, status, filled_qty, filled_amount, decision_id, version, created_at, updated_at)
            select {_id("order")}, 'd1-' || n, {_id("account", _PERSON_OF)}, {_id("person", _PERSON_OF)},
                {_id("deployment", _PERSON_OF)}, {_SYMBOL}, case when n % 2 = 0 then 'sell' else 'buy' end, 'market',
                'day', 10, 'filled', 10, 1000 + n % 97, {_id("decision")}, 3, {_WHEN}, {_WHEN}
            from generate_series(1, {{orders}}) as n""",
            f"""insert into order_events (order_id, version, kind, status, detail, occurred_at)
            select {_id("order")}, v.version, v.kind, v.status, '{{{{}}}}', {_WHEN}
            from generate_series(1, {{orders}}) as n
            cross join (values (1, 'submitted', 'pending_new'), (2, 'acknowledged', 'new'), (3, 'filled', 'filled'))
                as v (version, kind, status)""",
            f"""insert into executions (account_id, execution_id, order_id, book_id, symbol, side, qty, price, fee,
                realized_pnl, executed_at, booked_at, transaction_id)
            select {_id("account", _PERSON_OF)}, 'x' || n, {_id("order")}, {_id("deployment", _PERSON_OF)}, {_SYMBOL},
                case when n % 2 = 0 then 'sell' else 'buy' end, 10, 100 + (n % 97) / 10.0, 0.35, 0, {_WHEN}, {_WHEN},
                {_id("booking")}
            from generate_series(1, {{orders}}) as n""",
            f"""insert into ledger_entries (transaction_id, account_id, ledger_account, amount, currency, booked_at)
            select {_id("booking")}, {_id("account", _PERSON_OF)}, l.ledger_account, l.sign * (1000 + n % 97), 'USD',
                {_WHEN}
            from generate_series(1, {{orders}}) as n
            cross join (values ('cash', 1), ('securities', -1)) as l (ledger_account, sign)""",
        ),
        "risk": (
            f"""insert into balances (account_id, owner_id, feed_id, currency, cash, updated_at)
            select {_id("account")}, {_id("person")}, {_id("feed", "1")}, 'USD', 100000, {_WHEN}
            from generate_series(1, {{people}}) as n""",
            f"""insert into limit_sets (account_id, version, order_qty_max, order_notional_max, position_qty_max,
                may_short, set_by, set_at)
            select {_id("account")}, 1, 1000, 250000, 5000, false, 'operator', {_WHEN}
            from generate_series(1, {{people}}) as n""",
            f"""insert into assessments (decision_id, order_id, attempt, account_id, approved, findings, limit_version,
                kill_epoch, leaf, inputs, decided_at)
            select {_id("decision")}, {_id("order")}, 1, {_id("account", _PERSON_OF)}, n % 20 <> 0,
                case when n % 20 <> 0 then '[]' else '[{{{{"code": "RISK_QTY_MAX", "limit": "1000"}}}}]' end::jsonb,
                1, 0,
                sha256(convert_to('leaf' || n, 'UTF8')),
                jsonb_build_object('symbol', {_SYMBOL}, 'qty', '10', 'price', 100 + (n % 97) / 10.0), {_WHEN}
            from generate_series(1, {{orders}}) as n""",
        ),
        "strategy": (
            f"""insert into feeds (feed_id, name, symbols, dataset_ids, status, seq, steps, interval_ms, created_at)
            select {_id("feed")}, 'feed ' || n, array['AAPL', 'MSFT', 'NVDA', 'SPY', 'TLT'], '{{{{}}}}', 'running',
                1000, 5000, 0, {_WHEN}
            from generate_series(1, 1) as n""",
            f"""insert into datasets (dataset_id, symbol, timeframe, source, row_count, first_ts, last_ts, splits,
                findings, data_hash, imported_at)
            select {_id("dataset")}, {_SYMBOL}, '1d', 'sample', 2500, {_START}, {_WHEN}, '{{{{}}}}', '{{{{}}}}',
                md5('data' || n), {_WHEN}
            from generate_series(1, 5) as n""",
            f"""insert into deployments (deployment_id, owner_id, version_id, graph_hash, graph, account_id, feed_id,
                symbol, capital, status, last_seq, executor_state, cash, created_at)
            select {_id("deployment")}, {_id("person")}, {_id("version")}, md5('graph' || n) || md5('hash' || n),
                '{{{{"nodes": []}}}}', {_id("account")}, {_id("feed", "1")}, {_SYMBOL}, 10000, 'active', 1000,
                '{{{{}}}}', 10000, {_WHEN}
            from generate_series(1, {{people}}) as n""",
            f"""insert into decisions (deployment_id, seq, bar_ts, outcome, node_values)
            select {_id("deployment", _PERSON_OF)}, (n - 1) % {ORDERS_PER_PERSON} + 1, {_WHEN},
                case when n % 3 = 0 then 'order' else 'hold' end, repeat(md5('values' || n), 6)
            from generate_series(1, {{orders}}) as n""",
            f"""insert into intents (client_order_id, deployment_id, seq, intent_index, side, qty, type, time_in_force,
                tag, status, order_id, created_at)
            select 'd1-' || n, {_id("deployment", _PERSON_OF)}, (n - 1) % {ORDERS_PER_PERSON} + 1, 0,
                case when n % 2 = 0 then 'sell' else 'buy' end, 10, 'market', 'day', 'entry', 'closed', {_id("order")},
                {_WHEN}
            from generate_series(1, {{orders}}) as n""",
        ),
        "broker": (
            f"""insert into connections (account_id, owner_id, adapter, feed_id, status, opened_at)
            select {_id("account")}, {_id("person")}, 'paper', {_id("feed", "1")}, 'open', {_WHEN}
            from generate_series(1, {{people}}) as n""",
            f"""insert into markets (feed_id, last_seq, last_ts, working, created_at)
            select {_id("feed")}, 1000, {_WHEN}, 0, {_WHEN} from generate_series(1, 1) as n""",
            f"""insert into verdicts (order_id, is_sent, code, reason, decided_at)
            select {_id("order")}, true, '', '', {_WHEN} from generate_series(1, {{orders}}) as n""",
            f"""insert into venue_orders (order_id, client_order_id, account_id, feed_id, symbol, side, type,
                time_in_force, qty, filled_qty, status, venue_order_id, accepted_seq, sent_at, accepted_at, closed_at)
            select {_id("order")}, 'd1-' || n, {_id("account", _PERSON_OF)}, {_id("feed", "1")}, {_SYMBOL},
                case when n % 2 = 0 then 'sell' else 'buy' end, 'market', 'day', 10, 10, 'filled', 'v' || n, 1,
                {_WHEN}, {_WHEN}, {_WHEN}
            from generate_series(1, {{orders}}) as n""",
        ),
        "nocode": (
            f"""insert into workflows (workflow_id, owner_id, name, version, layout, created_at, updated_at)
            select {_id("workflow")}, {_id("person")}, 'strategy', 1, '{{{{}}}}', {_WHEN}, {_WHEN}
            from generate_series(1, {{people}}) as n""",
            f"""insert into workflow_versions (version_id, workflow_id, version, graph, graph_hash, warmup_bars,
                created_at)
            select {_id("version")}, {_id("workflow")}, 1, '{{{{"nodes": []}}}}', md5('graph' || n) || md5('hash' || n),
                20, {_WHEN}
            from generate_series(1, {{people}}) as n""",
        ),
        "notification": (
            f"""insert into recipients (user_id, registered_at)
            select {_id("person")}, {_WHEN} from generate_series(1, {{people}}) as n""",
            f"""insert into account_owners (account_id, owner_id)
            select {_id("account")}, {_id("person")} from generate_series(1, {{people}}) as n""",
            f"""insert into messages (message_id, user_id, dedupe_key, kind, severity, title, body, subject, created_at)
            select {_id("message")}, {_id("person", _PERSON_OF)},
                'fill_booked:' || {_id("account", _PERSON_OF)} || ':x' || n, 'fill_booked', 'info', 'Order filled',
                'Bought or sold 10 at the market', 'order:' || {_id("order")}, {_WHEN}
            from generate_series(1, {{orders}}) as n""",
            f"""insert into deliveries (message_id, channel, delivered_at)
            select {_id("message")}, 'in_app', {_WHEN} from generate_series(1, {{orders}}) as n""",
        ),
    }
)

# Every service's own record of what happened: one event and one audit row for every tenth order.
_COMMON: Final = (
    f"""insert into event_log (event_id, subject, aggregate_id, payload, occurred_at)
    select {_id("{service} event")}, '{{service}}.evt.loaded', {_id("order")}, repeat('x', 200), {_WHEN}
    from generate_series(1, {{tenth}}) as n""",
    f"""insert into audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
    select {_id("{service} audit")}, 'service:{{service}}', 'row.load', 'order:' || n, repeat('x', 80),
        md5('trace' || n), {_WHEN}
    from generate_series(1, {{tenth}}) as n""",
)


def row_statements(service: str, *, orders: int) -> tuple[str, ...]:
    """Return the statements that fill one service's tables, for a session that finds them by its search path.

    Args:
        service: which of the eight.
        orders: how many orders; a person for every hundred, a record for every tenth.
    """
    counts = {"orders": orders, "people": max(orders // ORDERS_PER_PERSON, 1), "tenth": max(orders // 10, 1)}
    return tuple(text.replace("{service}", service).format(**counts) for text in (*_ROWS[service], *_COMMON))

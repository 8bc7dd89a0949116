"""Declaration of broker: connections, what was sent to venues and what they answered."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

_WRITE = ("select", "insert", "update")

SPEC = ServiceSpec(
    name="broker",
    tables=(
        TableSpec(name="connections", data_class="connection", grants=_WRITE),
        TableSpec(name="markets", data_class="connection", grants=_WRITE),
        TableSpec(name="kill_blocks", data_class="risk_decision", grants=_WRITE),
        TableSpec(name="verdicts", data_class="venue_message", grants=("select", "insert")),
        TableSpec(name="venue_orders", data_class="venue_message", grants=_WRITE),
        TableSpec(name="venue_executions", data_class="venue_message", grants=("select", "insert")),
        TableSpec(name="paper_positions", data_class="venue_message", grants=_WRITE),
        TableSpec(name="protection_breaks", data_class="venue_message", grants=("select", "insert")),
        TableSpec(name="links", data_class="connection", grants=_WRITE),
        TableSpec(name="link_credentials", data_class="credential", grants=(*_WRITE, "delete")),
        TableSpec(name="live_orders", data_class="venue_message", grants=_WRITE),
        TableSpec(name="live_executions", data_class="venue_message", grants=("select", "insert")),
        TableSpec(name="adoptions", data_class="venue_message", grants=("select", "insert")),
        TableSpec(name="live_prices", data_class="venue_message", grants=_WRITE),
        TableSpec(name="breaks", data_class="venue_message", grants=_WRITE),
    ),
    commands=(
        "health",
        "advance_market",
        "get_connection",
        "list_connections",
        "list_venue_orders",
        "add_connection",
        "check_connection",
        "close_connection",
        "reconcile_connection",
        "list_breaks",
        "resolve_break",
        "adopt_execution",
        "rotate_connection_keys",
        "set_paper_settings",
        "watch_prices",
        "list_watched_prices",
    ),
    events=(
        "connection_opened",
        "order_acknowledged",
        "order_refused",
        "order_canceled",
        "order_expired",
        "order_replaced",
        "order_triggered",
        "order_trailed",
        "order_uncertain",
        "order_suspended",
        "cancel_refused",
        "execution_reported",
        "external_order_adopted",
        "break_found",
        "connection_changed",
        "prices_stalled",
    ),
    hears=(
        "trading.account_opened",
        "trading.order_submitted",
        "trading.cancel_requested",
        "trading.cash_booked",
        "trading.split_applied",
        "risk.kill_state_changed",
        "risk.kill_scope_changed",
    ),
    asks=("risk.renew_approval", "risk.mark_prices", "trading.mark_portfolios"),
)

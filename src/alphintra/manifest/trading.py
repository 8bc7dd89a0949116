"""Declaration of trading: accounts, orders, executions, positions, the cash ledger."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

_WRITE = ("select", "insert", "update")

SPEC = ServiceSpec(
    name="trading",
    tables=(
        TableSpec(name="accounts", data_class="account", grants=_WRITE),
        TableSpec(name="orders", data_class="order", grants=_WRITE),
        TableSpec(name="order_events", data_class="order", grants=("select", "insert")),
        TableSpec(name="executions", data_class="order", grants=("select", "insert")),
        TableSpec(name="positions", data_class="position", grants=_WRITE),
        TableSpec(name="lots", data_class="position", grants=_WRITE),
        TableSpec(name="lot_closes", data_class="position", grants=("select", "insert")),
        TableSpec(name="trades", data_class="position", grants=_WRITE),
        TableSpec(name="books", data_class="position", grants=_WRITE),
        TableSpec(name="booking_breaks", data_class="order", grants=("select", "insert")),
        TableSpec(
            name="ledger_entries",
            data_class="cash",
            grants=("select", "insert"),
            triggers=("ledger_entries_balanced",),
            functions=("refuse_unbalanced_entries",),
        ),
    ),
    commands=(
        "health",
        "open_account",
        "get_account",
        "list_accounts",
        "submit_order",
        "replace_order",
        "cancel_order",
        "cancel_orders",
        "close_positions",
        "get_order",
        "list_orders",
        "list_order_events",
        "list_executions",
        "list_positions",
        "list_ledger",
        "list_lots",
        "list_lot_closes",
        "list_trades",
        "list_booking_breaks",
    ),
    events=(
        "account_opened",
        "order_submitted",
        "order_denied",
        "order_updated",
        "order_closed",
        "cancel_requested",
        "fill_booked",
        "execution_flagged",
    ),
    hears=(
        "broker.order_acknowledged",
        "broker.order_refused",
        "broker.order_canceled",
        "broker.order_expired",
        "broker.order_replaced",
        "broker.order_triggered",
        "broker.order_uncertain",
        "broker.order_suspended",
        "broker.cancel_refused",
        "broker.execution_reported",
        "broker.connection_opened",
        "risk.limits_changed",
        "risk.kill_state_changed",
    ),
    asks=("risk.assess_order", "risk.release_order"),
)

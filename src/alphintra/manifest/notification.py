"""Declaration of notification: the in-app inbox and its delivery log."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

SPEC = ServiceSpec(
    name="notification",
    tables=(
        TableSpec(name="messages", data_class="message", grants=("select", "insert", "update")),
        TableSpec(name="deliveries", data_class="delivery", grants=("select", "insert")),
        TableSpec(name="recipients", data_class="message", grants=("select", "insert")),
        TableSpec(name="account_owners", data_class="message", grants=("select", "insert")),
    ),
    commands=("health", "list_messages", "mark_read"),
    events=("message_delivered", "hold_changed"),
    hears=(
        "auth.user_registered",
        "trading.account_opened",
        "trading.order_denied",
        "trading.fill_booked",
        "trading.order_closed",
        "trading.months_missing",
        "risk.kill_state_changed",
        "risk.alert_raised",
        "risk.alert_escalated",
        "strategy.backtest_finished",
        "strategy.feed_finished",
        "strategy.drift_found",
    ),
)

"""Declaration of notification: inboxes, channels beside them, and what was sent."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

SPEC = ServiceSpec(
    name="notification",
    tables=(
        TableSpec(name="messages", data_class="message", grants=("select", "insert", "update")),
        TableSpec(name="deliveries", data_class="delivery", grants=("select", "insert")),
        TableSpec(name="recipients", data_class="message", grants=("select", "insert")),
        TableSpec(name="account_owners", data_class="message", grants=("select", "insert")),
        TableSpec(name="channels", data_class="preference", grants=("select", "insert", "update")),
        TableSpec(name="channel_secrets", data_class="credential", grants=("select", "insert", "update", "delete")),
        TableSpec(name="rules", data_class="preference", grants=("select", "insert", "update", "delete")),
        TableSpec(name="schedules", data_class="preference", grants=("select", "insert", "update")),
        TableSpec(name="sendings", data_class="delivery", grants=("select", "insert", "update")),
    ),
    commands=(
        "health",
        "list_messages",
        "mark_read",
        "acknowledge_messages",
        "list_channels",
        "add_channel",
        "confirm_channel",
        "send_test",
        "rotate_channel_secret",
        "remove_channel",
        "set_rules",
        "get_schedule",
        "set_schedule",
        "list_sendings",
        "rotate_channel_keys",
        "report_job",
    ),
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

"""Declaration of risk: limits, assessments, reservations, kill states, exposure."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

_WRITE = ("select", "insert", "update")

SPEC = ServiceSpec(
    name="risk",
    tables=(
        TableSpec(name="limit_sets", data_class="risk_decision", grants=("select", "insert")),
        TableSpec(name="assessments", data_class="risk_decision", grants=("select", "insert")),
        TableSpec(name="reservations", data_class="risk_decision", grants=_WRITE),
        TableSpec(name="kill_states", data_class="risk_decision", grants=("select", "insert")),
        TableSpec(name="exposures", data_class="risk_metric", grants=_WRITE),
        TableSpec(name="balances", data_class="risk_metric", grants=_WRITE),
        TableSpec(name="feed_marks", data_class="market_data", grants=_WRITE),
        TableSpec(name="prices", data_class="market_data", grants=_WRITE),
        TableSpec(name="booked_executions", data_class="risk_metric", grants=("select", "insert")),
        TableSpec(name="price_closes", data_class="market_data", grants=_WRITE),
        TableSpec(name="equity_days", data_class="risk_metric", grants=_WRITE),
        TableSpec(name="book_exposures", data_class="risk_metric", grants=_WRITE),
        TableSpec(name="risk_metrics", data_class="risk_metric", grants=("select", "insert")),
        TableSpec(
            name="alerts",
            data_class="risk_decision",
            grants=("select", "insert"),
            update_columns=("escalated_at", "acknowledged_by", "acknowledged_at", "note"),
        ),
        TableSpec(name="alert_rules", data_class="risk_decision", grants=("select", "insert")),
    ),
    commands=(
        "health",
        "assess_order",
        "release_order",
        "renew_approval",
        "get_limits",
        "set_limits",
        "set_kill_state",
        "get_risk_state",
        "list_assessments",
        "mark_prices",
        "get_risk_report",
        "keep_risk_report",
        "list_risk_reports",
        "list_alerts",
        "acknowledge_alert",
        "list_alert_rules",
        "set_alert_rule",
    ),
    events=("limits_changed", "limit_breached", "kill_state_changed", "alert_raised", "alert_escalated"),
    hears=(
        "trading.account_opened",
        "trading.order_submitted",
        "trading.fill_booked",
        "trading.order_closed",
        "trading.cash_booked",
        "trading.split_applied",
        "trading.position_transferred",
        "broker.order_uncertain",
        "broker.break_found",
        "broker.connection_changed",
        "strategy.feed_finished",
    ),
)

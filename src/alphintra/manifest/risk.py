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
        TableSpec(
            name="order_stream", data_class="order", grants=("select", "insert"), update_columns=("is_seen",)
        ),
        TableSpec(name="surveillance_parameters", data_class="risk_decision", grants=("select", "insert")),
        TableSpec(
            name="surveillance_cases",
            data_class="risk_decision",
            grants=("select", "insert"),
            update_columns=(
                "state",
                "reviewer",
                "proposed_by",
                "outcome",
                "reason",
                "closed_by",
                "closed_at",
                "version",
            ),
        ),
        TableSpec(name="case_steps", data_class="risk_decision", grants=("select", "insert")),
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
        "list_cases",
        "get_case",
        "move_case",
        "list_detectors",
        "set_detector",
        "replay_detector",
    ),
    events=("limits_changed", "limit_breached", "kill_state_changed", "alert_raised", "alert_escalated", "case_opened", "case_changed"),
    hears=(
        "trading.account_opened",
        "trading.order_submitted",
        "trading.fill_booked",
        "trading.order_closed",
        "broker.order_uncertain",
        "broker.break_found",
        "broker.connection_changed",
        "strategy.feed_finished",
    ),
)

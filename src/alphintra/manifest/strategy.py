"""Declaration of strategy: market-data catalogue, backtests, feeds, deployments and their persisted state."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

_WRITE = ("select", "insert", "update")

SPEC = ServiceSpec(
    name="strategy",
    tables=(
        TableSpec(name="datasets", data_class="market_data", grants=_WRITE),
        TableSpec(name="imports", data_class="market_data", grants=_WRITE),
        TableSpec(name="backtests", data_class="backtest", grants=_WRITE),
        TableSpec(name="feeds", data_class="market_data", grants=_WRITE),
        TableSpec(name="feed_splits", data_class="market_data", grants=("select", "insert")),
        TableSpec(name="deployments", data_class="deployment", grants=_WRITE),
        TableSpec(name="decisions", data_class="decision", grants=("select", "insert")),
        TableSpec(name="intents", data_class="decision", grants=_WRITE),
        TableSpec(name="capital_claims", data_class="deployment", grants=("select", "insert", "update", "delete")),
    ),
    commands=(
        "health",
        "stage_upload",
        "import_dataset",
        "get_import",
        "list_datasets",
        "get_dataset",
        "list_bars",
        "start_backtest",
        "get_backtest",
        "list_backtests",
        "cancel_backtest",
        "create_feed",
        "get_feed",
        "list_feeds",
        "control_feed",
        "create_deployment",
        "get_deployment",
        "list_deployments",
        "stop_deployment",
        "list_decisions",
    ),
    events=("backtest_finished", "intent_submitted", "feed_finished", "feed_status_changed", "protection_lost"),
    hears=("trading.split_applied",),
    asks=(
        "nocode.get_workflow_version",
        "trading.submit_order",
        "trading.cancel_order",
        "trading.get_order",
        "trading.list_positions",
        "trading.get_account",
        "trading.list_executions",
        "risk.mark_prices",
        "risk.report_instance",
        "risk.get_limits",
        "risk.get_instrument",
        "trading.mark_portfolios",
        "trading.claim_capital",
        "trading.release_book",
        "broker.advance_market",
    ),
)

"""Declaration of nocode: workflow graphs, their immutable versions, who may use them, templates, validation."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

SPEC = ServiceSpec(
    name="nocode",
    tables=(
        TableSpec(
            name="workflows",
            data_class="workflow",
            grants=("select", "insert"),
            update_columns=("name", "version", "layout", "updated_at", "archived_at"),
        ),
        TableSpec(name="workflow_versions", data_class="workflow", grants=("select", "insert")),
        TableSpec(
            name="workflow_grants",
            data_class="workflow",
            grants=("select", "insert"),
            update_columns=("revoked_at", "revoked_by"),
        ),
        TableSpec(
            name="workflow_drafts",
            data_class="workflow",
            grants=("select", "insert", "delete"),
            update_columns=("base_version", "revision", "graph", "updated_at"),
        ),
        TableSpec(
            name="workflow_executions",
            data_class="workflow",
            grants=("select", "insert"),
            update_columns=("status", "ended_at", "figures"),
        ),
        TableSpec(name="people", data_class="personal", grants=("select", "insert")),
    ),
    commands=(
        "health",
        "list_nodes",
        "list_templates",
        "validate_graph",
        "create_workflow",
        "save_workflow",
        "get_workflow",
        "list_workflows",
        "get_workflow_version",
        "use_workflow_version",
        "list_workflow_versions",
        "compare_workflow_versions",
        "restore_workflow_version",
        "rename_workflow",
        "archive_workflow",
        "unarchive_workflow",
        "duplicate_workflow",
        "export_workflow_version",
        "import_workflow",
        "share_workflow",
        "revoke_share",
        "list_shares",
        "save_draft",
        "get_draft",
        "discard_draft",
        "list_workflow_executions",
        "list_newest_executions",
    ),
    events=(
        "workflow_versioned",
        "workflow_renamed",
        "workflow_archived",
        "workflow_unarchived",
        "workflow_shared",
        "share_revoked",
        "hold_changed",
    ),
    hears=(
        "auth.user_registered",
        "strategy.backtest_finished",
        "strategy.deployment_started",
        "strategy.deployment_ended",
    ),
)

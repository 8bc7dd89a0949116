"""Declaration of nocode: workflow graphs, their immutable versions, templates, validation."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

SPEC = ServiceSpec(
    name="nocode",
    tables=(
        TableSpec(
            name="workflows",
            data_class="workflow",
            grants=("select", "insert"),
            update_columns=("version", "layout", "updated_at"),
        ),
        TableSpec(name="workflow_versions", data_class="workflow", grants=("select", "insert")),
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
    ),
    events=("workflow_versioned",),
)

"""Declaration of user: profiles and preferences."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

_WRITE = ("select", "insert", "update")

SPEC = ServiceSpec(
    name="user",
    tables=(
        TableSpec(name="profiles", data_class="personal", grants=_WRITE),
        TableSpec(name="preferences", data_class="preference", grants=("select", "insert", "delete")),
    ),
    commands=("health", "get_profile", "update_profile"),
    events=("preferences_changed",),
    hears=("auth.user_registered",),
)

"""Declaration of user: profiles, preferences and watchlists."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

_WRITE = ("select", "insert", "update")

SPEC = ServiceSpec(
    name="user",
    tables=(
        TableSpec(name="profiles", data_class="personal", grants=_WRITE),
        TableSpec(name="preferences", data_class="preference", grants=("select", "insert", "delete")),
        TableSpec(
            name="watchlists",
            data_class="preference",
            grants=("select", "insert", "delete"),
            update_columns=("name", "symbols", "updated_at"),
        ),
    ),
    commands=(
        "health",
        "get_profile",
        "update_profile",
        "create_watchlist",
        "get_watchlist",
        "list_watchlists",
        "change_watchlist",
        "delete_watchlist",
    ),
    events=("preferences_changed", "hold_changed"),
    hears=("auth.user_registered",),
)

"""Declaration of auth: credentials, sessions, API keys, signing keys."""

from alphintra.manifest.model import ServiceSpec, TableSpec

__all__ = ["SPEC"]

_WRITE = ("select", "insert", "update")

SPEC = ServiceSpec(
    name="auth",
    tables=(
        TableSpec(name="users", data_class="credential", grants=_WRITE),
        TableSpec(name="sessions", data_class="session", grants=_WRITE),
        TableSpec(name="api_keys", data_class="credential", grants=_WRITE),
        TableSpec(name="second_factors", data_class="credential", grants=(*_WRITE, "delete")),
        TableSpec(name="recovery_codes", data_class="credential", grants=(*_WRITE, "delete")),
        TableSpec(name="login_failures", data_class="session", grants=("select", "insert", "update", "delete")),
        TableSpec(name="setup_tokens", data_class="session", grants=_WRITE),
    ),
    commands=(
        "health",
        "create_setup_token",
        "set_up_owner",
        "register_user",
        "log_in",
        "refresh_session",
        "log_out",
        "step_up",
        "offer_second_factor",
        "confirm_second_factor",
        "remove_second_factor",
        "get_second_factor",
        "get_signing_keys",
        "create_api_key",
        "list_api_keys",
        "revoke_api_key",
        "verify_api_key",
        "list_users",
        "disable_user",
        "enable_user",
        "list_sessions",
        "revoke_session",
    ),
    events=("user_registered", "session_revoked", "api_key_revoked", "hold_changed"),
)

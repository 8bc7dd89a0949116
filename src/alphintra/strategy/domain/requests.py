"""What may be asked for, by whom: checks every use case shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.kernel.messages import Context

__all__ = ["may_see", "require_label", "require_timeframe"]


def require_label(text: str, name: str, *, length_max: int) -> None:
    """Check a text a person chose. Raises FIELD_LENGTH or FIELD_CHARS for what cannot be printed."""
    if not 0 < len(text) <= length_max:
        raise AlphintraError("FIELD_LENGTH", f"{name} must have 1 to {length_max} characters", pointer=f"/{name}")
    if not text.isprintable():
        message = f"{name} holds characters that cannot be printed: remove them"
        raise AlphintraError("FIELD_CHARS", message, pointer=f"/{name}")


def require_timeframe(wanted: str, found: str, *, symbol: str) -> None:
    """Check that a strategy gets bars of the interval it was written for. Raises TIMEFRAME_MISMATCH."""
    if wanted != found:
        message = (
            f"the strategy is for {wanted} bars, {symbol} has bars of {found}: a template takes --timeframe {found}"
        )
        raise AlphintraError("TIMEFRAME_MISMATCH", message, pointer="/symbol")


def may_see(owner_id: UUID | None, context: Context) -> bool:
    """Tell whether something of this owner may be shown: to the owner, to the operator and to services."""
    actor = context.actor
    trusted = actor.id == "operator" or actor.id.startswith("service:")
    return trusted or (owner_id is not None and owner_id == actor.user_id)

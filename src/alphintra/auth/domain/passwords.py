"""Decisions about passwords."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from alphintra.kernel.errors import AlphintraError

__all__ = [
    "check_password",
    "check_password_size",
]

PASSWORD_LENGTH_MIN: Final = 8
PASSWORD_BYTES_MAX: Final = 1024
CONTEXT_WORD_LENGTH_MIN: Final = 3
PRODUCT_WORD: Final = "alphintra"


def check_password_size(password: str) -> None:
    """Refuse what is never hashed: raises PASSWORD_TOO_LONG, or ENCODING for text that is no Unicode."""
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        message = "the password holds a lone surrogate: send it as UTF-8"
        raise AlphintraError("ENCODING", message, pointer="/password") from None
    if size > PASSWORD_BYTES_MAX:
        message = f"a password has at most {PASSWORD_BYTES_MAX} bytes"
        raise AlphintraError("PASSWORD_TOO_LONG", message, pointer="/password")


def check_password(password: str, *, email: str, common: AbstractSet[str]) -> None:
    """Refuse a new password that is too long, too short or easily guessed; any characters are welcome.

    Args:
        password: taken as it is: neither trimmed nor normalised.
        email: normalised address; the part before the @ may not occur in the password.
        common: passwords known to everybody, in folded case.

    Raises:
        AlphintraError: PASSWORD_TOO_LONG, PASSWORD_TOO_SHORT, PASSWORD_CONTEXT, PASSWORD_BREACHED or ENCODING.
    """
    check_password_size(password)
    if len(password) < PASSWORD_LENGTH_MIN:
        message = f"a password has at least {PASSWORD_LENGTH_MIN} characters, better 15"
        raise AlphintraError("PASSWORD_TOO_SHORT", message, pointer="/password")
    folded = password.casefold()
    local = email.partition("@")[0].casefold()
    if PRODUCT_WORD in folded or (len(local) >= CONTEXT_WORD_LENGTH_MIN and local in folded):
        message = "the password holds the e-mail name or the product's name: choose one that has neither"
        raise AlphintraError("PASSWORD_CONTEXT", message, pointer="/password")
    if folded in common:
        message = "this password stands on the lists every attacker tries first: choose another"
        raise AlphintraError("PASSWORD_BREACHED", message, pointer="/password")

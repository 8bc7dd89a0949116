"""Decisions about second factors: codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from alphintra.auth.domain.guessing import hash_secret
from alphintra.kernel.ids import UserId

__all__ = [
    "RECOVERY_CODES",
    "RECOVERY_CODE_BYTES",
    "SEED_BYTES",
    "Factor",
    "is_code_form",
    "matching_step",
    "new_recovery_code",
    "otpauth_uri",
    "recovery_hash",
    "seed_text",
]

SEED_BYTES: Final = 20  # what RFC 4226 recommends, and what every authenticator app takes
RECOVERY_CODES: Final = 10
RECOVERY_CODE_BYTES: Final = 10

_STEP: Final = timedelta(seconds=30)
_DIGITS: Final = 6
_ISSUER: Final = "Alphintra"
_CODE = re.compile(r"[0-9]{6}")
_RECOVERY_CODE = re.compile(r"[A-Z2-7]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A person's authenticator app.

    Attributes:
        user_id: whose it is.
        sealed_seed: the shared secret, encrypted.
        created_at: when it was offered.
        confirmed_at: when the first code was given; before, it is asked for nowhere.
        last_step: number of the half minute whose code was used last; it and those before are used up.
    """

    user_id: UserId
    sealed_seed: bytes = field(repr=False)
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0


def is_code_form(text: str) -> bool:
    """Tell whether a text has the form of a code of an app, blanks aside; a recovery code has another."""
    return _CODE.fullmatch(_bare(text)) is not None


def matching_step(seed: bytes, text: str, *, at: datetime) -> int | None:
    """Return the half minute the code belongs to: this one, the one before or the one after; None for a wrong code."""
    if not is_code_form(text):
        return None
    now = int(at.timestamp()) // int(_STEP.total_seconds())
    app = TOTP(seed, _DIGITS, SHA1(), int(_STEP.total_seconds()), enforce_key_length=False)  # noqa: S303 - RFC 6238's
    given = _bare(text).encode()
    found = None
    for step in (now - 1, now, now + 1):  # all of them, so that time tells nothing
        if hmac.compare_digest(app.generate(step * int(_STEP.total_seconds())), given):
            found = step
    return found


def otpauth_uri(seed: bytes, *, email: str) -> str:
    """Return what an authenticator app reads from a QR code."""
    query = urlencode({"secret": seed_text(seed), "issuer": _ISSUER, "digits": _DIGITS, "period": 30})
    return f"otpauth://totp/{_ISSUER}:{quote(email)}?{query}"


def seed_text(seed: bytes) -> str:
    """Return the shared secret as people type it into an app."""
    return base64.b32encode(seed).decode().rstrip("=")


def new_recovery_code(secret: bytes) -> tuple[str, bytes]:
    """Return a recovery code as it is shown, in four groups of four, and what it is stored as."""
    text = base64.b32encode(secret).decode()
    return "-".join(text[index : index + 4] for index in range(0, len(text), 4)), hash_secret(text.encode())


def recovery_hash(text: str) -> bytes | None:
    """Return what a recovery code is stored as; None for what has not the form of one.

    A code has 80 random bits, so that a fast hash gives nothing away.
    """
    bare = _bare(text).upper()
    return hash_secret(bare.encode()) if _RECOVERY_CODE.fullmatch(bare) else None


def _bare(text: str) -> str:
    return text.replace(" ", "").replace("-", "")

"""SCRAM-SHA-256 verifiers as PostgreSQL stores them (RFC 5803), so that no server ever sees a password. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import Final

from alphintra.kernel.errors import AlphintraError

__all__ = ["SALT_BYTES", "fits", "verifier_of"]

SALT_BYTES: Final = 16
_ITERATIONS: Final = 4096  # PostgreSQL's default; the secrets are random, stretching adds nothing to them
_VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")


def verifier_of(password: str, *, salt: bytes, iterations: int = _ITERATIONS) -> str:
    """Return the verifier of a password for ``ALTER ROLE … PASSWORD``.

    Raises PASSWORD_FORMAT for anything but printable ASCII: other text would need SASLprep to mean the same
    to every client.
    """
    if not password or not password.isascii() or not password.isprintable():
        raise AlphintraError("PASSWORD_FORMAT", "a database password is printable ASCII and not empty")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def fits(password: str, verifier: str | None) -> bool:
    """Tell whether the stored verifier is one of this password; an md5 hash or none at all never fits."""
    match = _VERIFIER.fullmatch(verifier or "")
    if match is None:
        return False
    try:
        salt = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(verifier_of(password, salt=salt, iterations=int(match[1])), verifier or "")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

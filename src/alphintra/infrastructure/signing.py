"""Ed25519 signatures (RFC 8032) with keys given as base64 seeds."""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["SigningKey", "VerifyKey"]


class VerifyKey:
    """A public key."""

    def __init__(self, raw: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    @classmethod
    def from_text(cls, text: str) -> VerifyKey:
        """Read a key as written by ``SigningKey.public_text``."""
        return cls(base64.b64decode(text, validate=True))

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the signature over the message is this key's."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """A private key; never printed."""

    def __init__(self, seed_text: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed_text, validate=True))

    def __repr__(self) -> str:
        """Hide the key."""
        return "SigningKey(…)"

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over a message."""
        return self._key.sign(message)

    @property
    def public_text(self) -> str:
        """The public key as base64."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    @property
    def verify_key(self) -> VerifyKey:
        """The public key."""
        return VerifyKey(self._key.public_key().public_bytes_raw())

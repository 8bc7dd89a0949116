"""What auth signs and derives from its one secret seed."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.jwk import OKPKey

from alphintra.auth.domain import Session, User
from alphintra.infrastructure.access_token import ALGORITHM, AUDIENCE, ISSUER, TOKEN_TYPE
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["ACCESS_TOKEN_LIFE", "NONCE_BYTES", "TokenIssuer"]

ACCESS_TOKEN_LIFE: Final = timedelta(minutes=15)
NONCE_BYTES: Final = 12
_SEED_BYTES: Final = 32


class TokenIssuer:
    """Signs access tokens, and holds the key that chains refresh tokens.

    Args:
        seed_text: 32 random bytes as base64. Raises SECRET_FORMAT if it is anything else.
    """

    def __init__(self, seed_text: str) -> None:
        seed = _seed(seed_text)
        self._key = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(seed))
        self._key_id = self._key.thumbprint()
        self._chain_key = HKDF(SHA256(), length=32, salt=None, info=b"alphintra.auth.refresh.v1").derive(seed)
        self._factor_key = AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"alphintra.auth.factor.v1").derive(seed))

    def __repr__(self) -> str:
        """Name the public key, hide the secrets."""
        return f"TokenIssuer(key_id={self._key_id!r})"

    @property
    def chain_key(self) -> bytes:
        """Key of the chain of refresh tokens, see ``domain.refresh``; never stored, never sent."""
        return self._chain_key

    @property
    def jwks(self) -> str:
        """The public key as a JSON Web Key Set (RFC 7517); its ``kid`` is its thumbprint (RFC 7638)."""
        public = self._key.as_dict(private=False)
        return json.dumps({"keys": [{**public, "kid": self._key_id, "alg": ALGORITHM, "use": "sig"}]})

    def seal(self, secret: bytes, *, user_id: UUID, nonce: bytes) -> bytes:
        """Encrypt the secret of a person's second factor; it opens for that person alone.

        Args:
            secret: what their authenticator app holds.
            user_id: whose it is.
            nonce: 12 random bytes, never used before.
        """
        return nonce + self._factor_key.encrypt(nonce, secret, user_id.bytes)

    def open(self, sealed: bytes, *, user_id: UUID) -> bytes:
        """Decrypt what `seal` made. Raises FACTOR_UNREADABLE if it was changed, or sealed under another seed."""
        try:
            return self._factor_key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], user_id.bytes)
        except InvalidTag:
            message = "the second factor cannot be read with the secret auth was started with"
            raise AlphintraError("FACTOR_UNREADABLE", message, kind=Kind.UNAVAILABLE) from None

    def issue(self, user: User, session: Session, *, token_id: UUID, at: datetime) -> tuple[str, datetime]:
        """Return an access token and when it expires: 15 min from now, never after its session."""
        expires_at = min(at + ACCESS_TOKEN_LIFE, session.expires_at)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user.user_id),
            "role": user.role.value,
            "sid": str(session.session_id),
            "jti": str(token_id),
            "iat": int(at.timestamp()),
            "nbf": int(at.timestamp()),
            "exp": int(expires_at.timestamp()),
            "auth_time": int(session.authenticated_at.timestamp()),
        }
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self._key_id}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM]), expires_at


def _seed(text: str) -> bytes:
    try:
        seed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != _SEED_BYTES:
        message = f"the secret jwt_seed must be {_SEED_BYTES} bytes as base64: make a new one"
        raise AlphintraError("SECRET_FORMAT", message, kind=Kind.UNAVAILABLE, pointer="jwt_seed")
    return seed

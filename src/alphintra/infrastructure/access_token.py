"""Access tokens: what they say, and how whoever gets one checks it without asking auth.

An access token is a JWT (RFC 7519) of type ``at+jwt`` (RFC 9068), signed with Ed25519 (RFC 8037, algorithm name of
RFC 9864). Auth issues them; the edge verifies them with the public keys auth publishes.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final
from uuid import UUID

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["ALGORITHM", "AUDIENCE", "ISSUER", "TOKEN_TYPE", "AccessClaims", "AccessTokens"]

ALGORITHM: Final = "Ed25519"
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - a media type, no secret
ISSUER: Final = "alphintra-auth"
AUDIENCE: Final = "alphintra"
CLOCK_SKEW_MAX: Final = timedelta(seconds=5)
TOKEN_LENGTH_MAX: Final = 4096

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified access token says.

    Attributes:
        user_id: whose it is (``sub``).
        role: owner, operator, trader or viewer.
        session_id: the log-in it came from (``sid``).
        token_id: the token itself (``jti``).
        signed_in_at: when the password was given (``auth_time``).
        issued_at: when it was made (``iat``).
        expires_at: from when on it is refused (``exp``).
    """

    user_id: UUID
    role: str
    session_id: UUID
    token_id: str
    signed_in_at: datetime
    issued_at: datetime
    expires_at: datetime


class _Algorithm(msgspec.Struct):
    alg: str


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    # Nothing else is let in: no jku, jwk, x5u or x5c that would bring a key along, no crit, no b64.
    alg: str
    typ: str
    kid: str


class _Payload(msgspec.Struct):
    iss: str
    aud: str
    sub: UUID
    role: str
    sid: UUID
    jti: str
    iat: _Seconds
    nbf: _Seconds
    exp: _Seconds
    auth_time: _Seconds


class _PublicKey(msgspec.Struct):
    kty: str
    kid: str = ""
    crv: str = ""
    x: str = ""
    alg: str = ALGORITHM
    use: str = "sig"


class _PublicKeys(msgspec.Struct):
    keys: list[_PublicKey]


class AccessTokens:
    """The check of access tokens; holds nothing but rules, so one instance serves everybody."""

    def __init__(self, *, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str, jwks: str, *, at: datetime) -> AccessClaims:
        """Return what the token says, if one of the keys signed it and it is valid now.

        Args:
            token: compact serialisation, as it stands behind ``Bearer``.
            jwks: JSON Web Key Set as auth answers ``get_signing_keys``; Ed25519 keys alone are looked at.
            at: now, aware UTC.

        Raises:
            AlphintraError: kind unauthenticated, with code TOKEN_ALG (signed in another way or not at all),
                TOKEN_EXPIRED, TOKEN_AUDIENCE (meant for somebody else) or TOKEN_INVALID (anything else);
                JWKS_INVALID, kind unavailable, if the keys are unreadable.
        """
        payload = _signed_payload(token, jwks)
        if payload.iss != self._issuer:
            raise _invalid("another issuer made it")
        if payload.aud != self._audience:
            message = f"the access token is not meant for {self._audience}: log in here"
            raise AlphintraError("TOKEN_AUDIENCE", message, kind=Kind.UNAUTHENTICATED)
        if at >= _time(payload.exp):
            message = "the access token has expired: refresh the session or log in again"
            raise AlphintraError("TOKEN_EXPIRED", message, kind=Kind.UNAUTHENTICATED)
        if at + CLOCK_SKEW_MAX < _time(max(payload.nbf, payload.iat)):
            raise _invalid("it is not valid yet")
        return AccessClaims(
            user_id=payload.sub,
            role=payload.role,
            session_id=payload.sid,
            token_id=payload.jti,
            signed_in_at=_time(payload.auth_time),
            issued_at=_time(payload.iat),
            expires_at=_time(payload.exp),
        )


def _signed_payload(token: str, jwks: str) -> _Payload:
    if len(token) > TOKEN_LENGTH_MAX or _COMPACT.fullmatch(token) is None:
        raise _invalid("it is no compact JWT")
    try:
        raw_header = binascii.a2b_base64(_padded(token.partition(".")[0]))
        algorithm = msgspec.json.decode(raw_header, type=_Algorithm).alg
        if algorithm != ALGORITHM:
            message = f"the access token must be signed with {ALGORITHM}: log in again"
            raise AlphintraError("TOKEN_ALG", message, kind=Kind.UNAUTHENTICATED)
        header = msgspec.json.decode(raw_header, type=_Header)
    except (msgspec.DecodeError, ValueError) as error:
        raise _invalid("its header is not that of an access token") from error
    if header.typ != TOKEN_TYPE:
        raise _invalid("it is of another type")
    key = _keys_of(jwks).get(header.kid)
    if key is None:
        raise _invalid("no published key signed it")
    try:
        signed = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
        return msgspec.json.decode(signed.payload, type=_Payload)
    except (JoseError, ValueError) as error:  # msgspec's errors are ValueErrors too
        raise _invalid("its signature or its claims are wrong") from error


@lru_cache(maxsize=8)
def _keys_of(jwks: str) -> dict[str, OKPKey]:
    try:
        published = msgspec.json.decode(jwks, type=_PublicKeys).keys
        return {
            key.kid: OKPKey.import_key({"kty": "OKP", "crv": ALGORITHM, "x": key.x})
            for key in published
            if (key.kty, key.crv, key.alg, key.use) == ("OKP", ALGORITHM, ALGORITHM, "sig") and key.kid
        }
    except (JoseError, ValueError) as error:
        message = "the published signing keys cannot be read: ask auth for them again"
        raise AlphintraError("JWKS_INVALID", message, kind=Kind.UNAVAILABLE) from error


def _padded(text: str) -> bytes:
    return (text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)).encode()


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _invalid(reason: str) -> AlphintraError:
    message = f"the access token is refused, {reason}: log in again"
    return AlphintraError("TOKEN_INVALID", message, kind=Kind.UNAUTHENTICATED)

"""Access tokens: what is accepted, and the table of what is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from alphintra.auth.domain import Role, Session, User, new_session
from alphintra.auth.service.tokens import TokenIssuer
from alphintra.infrastructure.access_token import AccessTokens
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
SEED = base64.b64encode(bytes(range(32))).decode()
OTHER_SEED = base64.b64encode(bytes(32)).decode()
USER = User(
    user_id=UserId(UUID(int=1)), email="ada@example.org", role=Role.TRADER, password_hash="$argon2id$x", created_at=NOW
)
SESSION = new_session(UUID(int=2), USER.user_id, bytes(32), at=NOW)
TOKEN_ID = UUID(int=3)


def token_of(issuer: TokenIssuer, *, at: datetime = NOW, session: Session = SESSION) -> str:
    return issuer.issue(USER, session, token_id=TOKEN_ID, at=at)[0]


ISSUER = TokenIssuer(SEED)
JWKS = ISSUER.jwks
KEY_ID: str = json.loads(JWKS)["keys"][0]["kid"]
PRIVATE = OKPKey.import_key(
    {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": json.loads(JWKS)["keys"][0]["x"],
        "d": base64.urlsafe_b64encode(bytes(range(32))).rstrip(b"=").decode(),
    }
)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims(**changes: object) -> dict[str, object]:
    text = token_of(ISSUER).split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(text + "=="))
    return {name: value for name, value in (found | changes).items() if value is not None}


def header(**changes: object) -> dict[str, object]:
    whole = {"alg": "Ed25519", "typ": "at+jwt", "kid": KEY_ID} | changes
    return {name: value for name, value in whole.items() if value is not None}


def signed(head: dict[str, object] | None = None, **changes: object) -> str:
    """Sign whatever header and claims with the true key, past every check of a library."""
    text = f"{part(head or header())}.{part(claims(**changes))}"
    signature = PRIVATE.private_key.sign(text.encode())  # type: ignore[union-attr] # an Ed25519 key
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def verify_error(token: str, *, at: datetime = NOW, jwks: str = JWKS) -> str:
    with pytest.raises(AlphintraError) as caught:
        AccessTokens().verify(token, jwks, at=at)
    assert caught.value.kind is Kind.UNAUTHENTICATED
    assert token not in caught.value.detail or not token
    return caught.value.code


def test_a_token_says_whose_it_is_and_how_long_it_lives() -> None:
    found = AccessTokens().verify(token_of(ISSUER, at=NOW + timedelta(minutes=1)), JWKS, at=NOW + timedelta(minutes=2))
    assert (found.user_id, found.role, found.session_id, found.token_id) == (
        USER.user_id,
        "trader",
        SESSION.session_id,
        str(TOKEN_ID),
    )
    assert found.signed_in_at == NOW
    assert found.issued_at == NOW + timedelta(minutes=1)
    assert found.expires_at == NOW + timedelta(minutes=16)


def test_a_token_carries_exactly_the_published_claims() -> None:
    assert set(claims()) == {"iss", "aud", "sub", "role", "sid", "jti", "iat", "nbf", "exp", "auth_time"}
    assert claims()["aud"] == "alphintra"
    assert json.loads(base64.urlsafe_b64decode(token_of(ISSUER).split(".")[0] + "==")) == header()


def test_a_token_never_outlives_its_session() -> None:
    late = SESSION.expires_at - timedelta(minutes=5)
    _, expires_at = ISSUER.issue(USER, SESSION, token_id=TOKEN_ID, at=late)
    assert expires_at == SESSION.expires_at


def test_the_published_key_is_public_and_named_by_its_thumbprint() -> None:
    (key,) = json.loads(JWKS)["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "alg", "use"}
    assert key["kid"] == PRIVATE.thumbprint()
    assert SEED not in JWKS + repr(ISSUER)


def test_the_signature_is_that_of_the_key_another_library_reads() -> None:
    decoded = jwt.decode(token_of(ISSUER), OKPKey.import_key(json.loads(JWKS)["keys"][0]), algorithms=["Ed25519"])
    assert decoded.claims == claims()


def test_a_token_is_valid_until_the_second_it_expires() -> None:
    token = token_of(ISSUER)
    last = NOW + timedelta(minutes=15) - timedelta(microseconds=1)
    assert AccessTokens().verify(token, JWKS, at=last).user_id == USER.user_id
    assert verify_error(token, at=NOW + timedelta(minutes=15)) == "TOKEN_EXPIRED"


def test_another_key_of_the_set_does_not_disturb() -> None:
    keys = [*json.loads(TokenIssuer(OTHER_SEED).jwks)["keys"], *json.loads(JWKS)["keys"], {"kty": "oct", "k": "AAAA"}]
    assert AccessTokens().verify(token_of(ISSUER), json.dumps({"keys": keys}), at=NOW).role == "trader"


def hs256_with_the_public_key() -> str:
    public = json.loads(JWKS)["keys"][0]["x"]
    secret = OctKey.import_key(base64.urlsafe_b64decode(public + "="))
    return jwt.encode(header(alg="HS256"), claims(), secret, algorithms=["HS256"])


def signed_by_a_key_it_brings() -> str:
    own = OKPKey.generate_key("Ed25519")
    head = header(jwk=own.as_dict(private=False))
    return jwt.encode(head, claims(), own, algorithms=["Ed25519"])


def tampered() -> str:
    head, _, signature = token_of(ISSUER).split(".")
    return f"{head}.{part(claims(role='owner'))}.{signature}"


NEGATIVE: dict[str, tuple[Callable[[], str], str]] = {
    "empty": (lambda: "", "TOKEN_INVALID"),
    "no JWT": (lambda: "a.b", "TOKEN_INVALID"),
    "API key": (lambda: "AK" + "A" * 18, "TOKEN_INVALID"),
    "encrypted, five parts": (lambda: "a.b.c.d.e", "TOKEN_INVALID"),
    "header is no JSON": (lambda: f"{'A' * 8}.{part({})}.AAAA", "TOKEN_INVALID"),
    "header is a list": (lambda: f"{part([])}.{part({})}.AAAA", "TOKEN_INVALID"),
    "white space around": (lambda: f" {token_of(ISSUER)}\n", "TOKEN_INVALID"),
    "too long": (lambda: signed(padding="x" * 4096), "TOKEN_INVALID"),
    "alg none": (lambda: f"{part(header(alg='none'))}.{part(claims())}.", "TOKEN_ALG"),
    "alg None, signature kept": (lambda: signed(header(alg="None")), "TOKEN_ALG"),
    "alg HS256 with the public key": (hs256_with_the_public_key, "TOKEN_ALG"),
    "alg EdDSA": (lambda: signed(header(alg="EdDSA")), "TOKEN_ALG"),
    "alg ES256": (lambda: signed(header(alg="ES256")), "TOKEN_ALG"),
    "alg missing": (lambda: signed(header(alg=None)), "TOKEN_INVALID"),
    "typ JWT, as an id token has": (lambda: signed(header(typ="JWT")), "TOKEN_INVALID"),
    "typ missing": (lambda: signed(header(typ=None)), "TOKEN_INVALID"),
    "kid missing": (lambda: signed(header(kid=None)), "TOKEN_INVALID"),
    "kid of nobody": (lambda: signed(header(kid="x")), "TOKEN_INVALID"),
    "kid is a path": (lambda: signed(header(kid="../../dev/null")), "TOKEN_INVALID"),
    "jku": (lambda: signed(header(jku="https://evil.example/jwks")), "TOKEN_INVALID"),
    "jwk": (signed_by_a_key_it_brings, "TOKEN_INVALID"),
    "x5u": (lambda: signed(header(x5u="https://evil.example/x")), "TOKEN_INVALID"),
    "x5c": (lambda: signed(header(x5c=["AAAA"])), "TOKEN_INVALID"),
    "crit": (lambda: signed(header(crit=["exp"])), "TOKEN_INVALID"),
    "b64 false": (lambda: signed(header(b64=False)), "TOKEN_INVALID"),
    "claims changed": (tampered, "TOKEN_INVALID"),
    "signature cut off": (lambda: token_of(ISSUER).rpartition(".")[0] + ".", "TOKEN_INVALID"),
    "signature of another key under our kid": (
        lambda: jwt.encode(header(), claims(), OKPKey.generate_key("Ed25519"), algorithms=["Ed25519"]),
        "TOKEN_INVALID",
    ),
    "another installation's": (lambda: token_of(TokenIssuer(OTHER_SEED)), "TOKEN_INVALID"),
    "aud of another service": (lambda: signed(aud="trading"), "TOKEN_AUDIENCE"),
    "aud empty": (lambda: signed(aud=""), "TOKEN_AUDIENCE"),
    "aud a list": (lambda: signed(aud=["alphintra", "trading"]), "TOKEN_INVALID"),
    "aud missing": (lambda: signed(aud=None), "TOKEN_INVALID"),
    "iss of another": (lambda: signed(iss="https://evil.example"), "TOKEN_INVALID"),
    "iss missing": (lambda: signed(iss=None), "TOKEN_INVALID"),
    "expired": (lambda: token_of(ISSUER, at=NOW - timedelta(minutes=15)), "TOKEN_EXPIRED"),
    "exp missing": (lambda: signed(exp=None), "TOKEN_INVALID"),
    "exp as text": (lambda: signed(exp="4102444800"), "TOKEN_INVALID"),
    "exp past the calendar": (lambda: signed(exp=10**18), "TOKEN_INVALID"),
    "exp infinite": (lambda: signed(exp=float("inf")), "TOKEN_INVALID"),
    "not yet valid": (lambda: signed(nbf=int(NOW.timestamp()) + 6), "TOKEN_INVALID"),
    "issued in the future": (lambda: signed(iat=int(NOW.timestamp()) + 6), "TOKEN_INVALID"),
    "sub no uuid": (lambda: signed(sub="admin"), "TOKEN_INVALID"),
    "sid missing": (lambda: signed(sid=None), "TOKEN_INVALID"),
    "jti missing": (lambda: signed(jti=None), "TOKEN_INVALID"),
    "auth_time missing": (lambda: signed(auth_time=None), "TOKEN_INVALID"),
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_a_bad_token_is_refused_with_its_code(name: str) -> None:
    make, code = NEGATIVE[name]
    assert verify_error(make()) == code


def test_the_maker_of_bad_tokens_makes_good_ones_when_nothing_is_changed() -> None:
    assert AccessTokens().verify(signed(), JWKS, at=NOW).user_id == USER.user_id
    assert AccessTokens().verify(signed(nbf=int(NOW.timestamp()) + 5), JWKS, at=NOW).user_id == USER.user_id


@pytest.mark.parametrize("jwks", ["", "[]", "{}", '{"keys": [{}]}', '{"keys": 1}'])
def test_unreadable_keys_are_nobodys_fault_but_the_services(jwks: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        AccessTokens().verify(token_of(ISSUER), jwks, at=NOW)
    assert (caught.value.code, caught.value.kind) == ("JWKS_INVALID", Kind.UNAVAILABLE)


def test_a_key_that_is_not_for_ed25519_signatures_verifies_nothing() -> None:
    key = json.loads(JWKS)["keys"][0]
    for changed in ({"use": "enc"}, {"alg": "HS256"}, {"crv": "X25519"}, {"kty": "oct"}):
        assert verify_error(token_of(ISSUER), jwks=json.dumps({"keys": [key | changed]})) == "TOKEN_INVALID"


@pytest.mark.parametrize("seed", ["", "short", base64.b64encode(bytes(31)).decode(), "ä" * 44, SEED + "\n"])
def test_a_seed_that_is_not_32_bytes_is_refused_without_being_shown(seed: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        TokenIssuer(seed)
    assert caught.value.code == "SECRET_FORMAT"
    assert not seed or seed not in str(caught.value)


def test_signing_key_and_chain_key_differ() -> None:
    assert ISSUER.chain_key != bytes(range(32))
    assert len(ISSUER.chain_key) == 32
    assert ISSUER.chain_key != TokenIssuer(OTHER_SEED).chain_key

"""Who is asking and what they may do; everything not declared as allowed is refused."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic
from types import MappingProxyType
from typing import Final, Generic, TypeVar, cast
from uuid import UUID

from starlette.requests import HTTPConnection, Request

from alphintra.contracts.auth import ApiKeyPrincipal, GetSigningKeys, VerifyApiKey
from alphintra.edge.browser import Csrf, access_cookie, is_safe, require_own_page
from alphintra.edge.limits import Limits
from alphintra.edge.settings import EdgeSettings
from alphintra.infrastructure.access_token import AccessClaims, AccessTokens
from alphintra.infrastructure.bus import REQUEST_TIMEOUT_S, Bus
from alphintra.infrastructure.telemetry import get_logger, new_trace_id
from alphintra.kernel.clock import Clock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import IdSource
from alphintra.kernel.messages import Actor, Command, Context
from alphintra.kernel.vocabulary import AccountMode

__all__ = ["EDGE", "Caller", "Gate", "Scope", "gate_of"]

R = TypeVar("R")
V = TypeVar("V")

OPERATOR_TOKEN_PREFIX: Final = "alp_op_"  # noqa: S105 - how such a token begins
PROVEN_FOR: Final = timedelta(seconds=5)  # how long a proof of identity is believed without asking again
PROVEN_MAX: Final = 1024
SIGNING_KEYS_FOR: Final = timedelta(minutes=5)
SIGNING_KEYS_AGAIN: Final = timedelta(seconds=5)
TOKEN_LIFE_MAX: Final = timedelta(minutes=15)
STEP_UP_FOR: Final = timedelta(minutes=5)

EDGE: Final = Actor(id="service:edge")
ANONYMOUS: Final = Actor(id="anonymous")
OPERATOR: Final = Actor(id="operator", roles=("operator",))


class Scope(StrEnum):
    """What a route needs.

    ``SESSION`` is a person signed in or the operator, ``HALT`` one of them who may trade; an API key is neither unless
    it has ``admin``. What exactly may be halted and released by whom, risk decides.
    """

    PUBLIC = "public"
    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"
    SESSION = "session"
    HALT = "halt"


_ALL: Final = frozenset({Scope.SESSION, Scope.READ, Scope.TRADE, Scope.ADMIN, Scope.HALT})
_SCOPES_OF_ROLE: Final = MappingProxyType(
    {
        "owner": _ALL,
        "operator": _ALL,
        "trader": frozenset({Scope.SESSION, Scope.READ, Scope.TRADE, Scope.HALT}),
        "viewer": frozenset({Scope.SESSION, Scope.READ}),
    }
)


@dataclass(slots=True, kw_only=True)
class Caller:
    """Who made a request, and their way to the services.

    Attributes:
        context: actor and trace, as they travel on the bus.
        address: where the request came from.
        session_id: the session behind it, None for keys and the operator.
        authenticated_at: when the person of the session last proved who they are, None for keys and the operator.
        gate: the gate that let them in.
        status: status of the answer where it is not the route's usual one.
        headers: further headers of the answer.
        cookies: Set-Cookie lines of the answer.
    """

    context: Context
    address: str
    session_id: UUID | None
    authenticated_at: datetime | None
    gate: Gate
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)

    async def ask(self, command: Command[R], *, timeout_s: float = REQUEST_TIMEOUT_S) -> R:
        """Send one command to its service as this caller. Raises the service's AlphintraError."""
        return await self.gate.bus.ask(command, self.context, timeout_s=timeout_s)

    @property
    def is_recent(self) -> bool:
        """Whether nothing has to be proven again: see `require_recent`."""
        return self.authenticated_at is None or self.gate.clock.now() - self.authenticated_at <= STEP_UP_FOR

    def require_recent(self) -> None:
        """Refuse a session whose person has not proven who they are lately. Raises AUTH_STEP_UP.

        For what a stolen session must not do: let trading on, lift a kill, widen limits, make credentials. A key was
        made by somebody who had just proven it, and the operator's token is read from the machine's own disk.
        """
        if self.is_recent:
            return
        message = (
            "prove again who you are (POST /api/v1/auth/step-up, or log in anew), then repeat this within 5 minutes"
        )
        raise AlphintraError("AUTH_STEP_UP", message, kind=Kind.FORBIDDEN)


class _Proofs(Generic[V]):
    """What was proven lately, by the hash of the secret that proved it; bounded in number and time."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, tuple[V, datetime]] = OrderedDict()

    def find(self, key: bytes, *, at: datetime) -> V | None:
        found = self._entries.get(key)
        if found is None or found[1] <= at:
            return None
        return found[0]

    def keep(self, key: bytes, value: V, *, until: datetime) -> None:
        self._entries[key] = (value, until)
        self._entries.move_to_end(key)
        if len(self._entries) > PROVEN_MAX:
            self._entries.popitem(last=False)

    def forget(self, is_meant: Callable[[V], bool]) -> None:
        for key in [key for key, (value, _) in self._entries.items() if is_meant(value)]:
            del self._entries[key]


class Gate:
    """Turns credentials into an Actor and compares what it may do with what a route needs."""

    def __init__(self, *, bus: Bus, settings: EdgeSettings, clock: Clock, ids: IdSource) -> None:
        self.bus = bus
        self.ids = ids
        self.version = settings.version
        self.inspector_bell = settings.inspector_bell
        self.csrf = Csrf()
        self._tokens = AccessTokens()
        self._limits = Limits(settings.rate_limit)
        self._operator_hash = settings.operator_token_sha256
        self._clock = clock
        self._keys: _Proofs[ApiKeyPrincipal] = _Proofs()
        self._claims: _Proofs[AccessClaims] = _Proofs()
        self._ended: _Proofs[UUID] = _Proofs()
        self._jwks = ""
        self._jwks_at: datetime | None = None

    async def admit(self, request: Request, needed: Scope) -> Caller:
        """Return the caller of a request.

        Raises AUTH_REQUIRED, AUTH_AMBIGUOUS, AUTH_SCOPE, RATE_LIMITED or what auth says of the credentials.
        """
        trace_id: str = request.state.trace_id
        address = request.client.host if request.client else ""
        if needed is Scope.PUBLIC:
            self._limits.take(f"address:{address}", is_reserved=False, at=monotonic())
            return self._caller(Context(trace_id=trace_id, actor=ANONYMOUS), address, None)
        actor, session = await self._identify(request, address, trace_id)
        request.state.actor = actor.id
        is_reserved = needed is Scope.HALT or request.method == "DELETE"
        self._limits.take(actor.id, is_reserved=is_reserved, at=monotonic())
        if not _may(actor, needed):
            get_logger().warning("http.denied", actor=actor.id, needed=needed.value, path=request.url.path[:200])
            raise _lacks(actor, needed)
        return self._caller(Context(trace_id=trace_id, actor=actor), address, session)

    async def admit_socket(self, socket: HTTPConnection, *, is_again: bool = False) -> Caller:
        """Return the person of a session, or the operator, who opens a WebSocket; again while it is open.

        A cookie counts from a page of this origin alone: browsers add it to whatever connects here. Raises as `admit`
        does, ORIGIN_FORBIDDEN or SESSION_REQUIRED.
        """
        address = socket.client.host if socket.client else ""
        trace_id = new_trace_id()
        if "authorization" not in socket.headers:
            require_own_page(socket)
        actor, session = await self._identify(socket, address, trace_id)
        if session is None and actor is not OPERATOR:
            raise AlphintraError("SESSION_REQUIRED", "these credentials are no session", kind=Kind.FORBIDDEN)
        if not is_again:
            self._limits.take(actor.id, is_reserved=False, at=monotonic())
        if not _may(actor, Scope.READ):
            raise _lacks(actor, Scope.READ)
        return self._caller(Context(trace_id=trace_id, actor=actor), address, session)

    async def admit_key(self, key_id: str, secret: str, needed: Scope, *, address: str, trace_id: str) -> Caller:
        """Return the caller an API key stands for, where it did not come in headers. Raises as `admit` does."""
        actor = await self._by_key(key_id, secret, address, trace_id)
        if not _may(actor, needed):
            raise _lacks(actor, needed)
        return self._caller(Context(trace_id=trace_id, actor=actor), address, None)

    async def admit_token(self, token: str, needed: Scope, *, trace_id: str) -> Caller:
        """Return the caller an access token stands for, where it did not come in headers. Raises as `admit` does."""
        actor, session = await self._by_access_token(token, trace_id)
        if not _may(actor, needed):
            raise _lacks(actor, needed)
        return self._caller(Context(trace_id=trace_id, actor=actor), "", session)

    def _caller(self, context: Context, address: str, session: AccessClaims | None) -> Caller:
        return Caller(
            context=context,
            address=address,
            session_id=None if session is None else session.session_id,
            authenticated_at=None if session is None else session.signed_in_at,
            gate=self,
        )

    @property
    def clock(self) -> Clock:
        """The clock proofs are judged by."""
        return self._clock

    def end_session(self, session_id: UUID) -> None:
        """Refuse the access tokens of a session at once, though they have not expired yet."""
        self._claims.forget(lambda claims: claims.session_id == session_id)
        self._ended.keep(session_id.bytes, session_id, until=self._clock.now() + TOKEN_LIFE_MAX)

    def end_key(self, key_id: str) -> None:
        """Refuse a revoked API key at once."""
        self._keys.forget(lambda principal: principal.key_id == key_id)

    async def _identify(
        self, request: HTTPConnection, address: str, trace_id: str
    ) -> tuple[Actor, AccessClaims | None]:
        bearers = request.headers.getlist("authorization")
        key_id = request.headers.get("apca-api-key-id")
        secret = request.headers.get("apca-api-secret-key")
        if len(bearers) + (key_id is not None or secret is not None) > 1:
            raise _unauthenticated("AUTH_AMBIGUOUS", "send one kind of credentials, once")
        if key_id is not None or secret is not None:
            return await self._by_key(key_id or "", secret or "", address, trace_id), None
        cookie = None if bearers else access_cookie(request)
        if cookie is not None:
            return await self._by_cookie(request, cookie, trace_id)
        scheme, _, token = bearers[0].partition(" ") if bearers else ("", "", "")
        if scheme.lower() != "bearer" or not token.strip():
            message = "send Authorization: Bearer <access token>, or APCA-API-KEY-ID and APCA-API-SECRET-KEY"
            raise _unauthenticated("AUTH_REQUIRED", message)
        if token.startswith(OPERATOR_TOKEN_PREFIX):
            return self._by_operator_token(token.strip()), None
        return await self._by_access_token(token.strip(), trace_id)

    def _by_operator_token(self, token: str) -> Actor:
        given = sha256(token.encode()).hexdigest()
        # Compared even where there is no operator token, so that time tells nothing.
        is_same = hmac.compare_digest(given, self._operator_hash or "0" * len(given))
        if not (is_same and self._operator_hash):
            raise _unauthenticated("TOKEN_INVALID", "this operator token is not the one in force")
        return OPERATOR

    async def _by_cookie(self, request: HTTPConnection, token: str, trace_id: str) -> tuple[Actor, AccessClaims | None]:
        if not is_safe(request) or request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            require_own_page(request)
        actor, claims = await self._by_access_token(token, trace_id)
        if claims is not None and not is_safe(request):
            self.csrf.require(request, claims.session_id)
        return actor, claims

    async def _by_key(self, key_id: str, secret: str, address: str, trace_id: str) -> Actor:
        at = self._clock.now()
        proof = sha256(f"{key_id}\0{secret}".encode()).digest()
        principal = self._keys.find(proof, at=at)
        if principal is None:
            command = VerifyApiKey(key_id=key_id, secret=secret)
            principal = await self.bus.ask(command, Context(trace_id=trace_id, actor=EDGE))
            self._keys.keep(proof, principal, until=at + PROVEN_FOR)
        if principal.addresses and not _is_among(address, principal.addresses):
            get_logger().warning("http.key_elsewhere", key_id=principal.key_id, address=address)
            message = "this API key is not for the address it was sent from"
            raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN)
        return Actor(
            id=f"key:{principal.key_id}",
            user_id=principal.user_id,
            roles=(principal.role,),
            scopes=principal.scopes,
            mode=AccountMode(principal.mode),
            account_id=principal.account_id,
        )

    async def _by_access_token(self, token: str, trace_id: str) -> tuple[Actor, AccessClaims | None]:
        at = self._clock.now()
        proof = sha256(token.encode()).digest()
        claims = self._claims.find(proof, at=at)
        if claims is None:
            claims = await self._verify(token, trace_id, at)
            self._claims.keep(proof, claims, until=min(at + PROVEN_FOR, claims.expires_at))
        if self._ended.find(claims.session_id.bytes, at=at) is not None:
            raise _unauthenticated("SESSION_ENDED", "this session was ended: log in again")
        actor = Actor(id=f"user:{claims.user_id}", user_id=claims.user_id, roles=(claims.role,))
        return actor, claims

    async def _verify(self, token: str, trace_id: str, at: datetime) -> AccessClaims:
        jwks = await self._signing_keys(trace_id, at, SIGNING_KEYS_FOR)
        try:
            return self._tokens.verify(token, jwks, at=at)
        except AlphintraError as error:
            if error.code != "TOKEN_INVALID":
                raise
            newest = await self._signing_keys(trace_id, at, SIGNING_KEYS_AGAIN)
            if newest == jwks:
                raise
        # Perhaps it was signed with a key that was published only now.
        return self._tokens.verify(token, newest, at=at)

    async def _signing_keys(self, trace_id: str, at: datetime, believed: timedelta) -> str:
        if self._jwks_at is None or at - self._jwks_at >= believed:
            view = await self.bus.ask(GetSigningKeys(), Context(trace_id=trace_id, actor=EDGE))
            self._jwks, self._jwks_at = view.jwks, at
            for session_id in view.ended_sessions:  # by another edge, or by this one before it was started again
                self.end_session(session_id)
        return self._jwks


def gate_of(request: Request) -> Gate:
    """Return the gate of the application a request came to."""
    return cast("Gate", request.app.state.gate)


def _may(actor: Actor, needed: Scope) -> bool:
    is_in_role = any(needed in _SCOPES_OF_ROLE.get(role, ()) for role in actor.roles)
    if not actor.id.startswith("key:"):
        return is_in_role
    needed_of_key = Scope.ADMIN if needed in {Scope.SESSION, Scope.HALT} else needed
    # Who may trade may look at what they trade.
    is_granted = needed_of_key in actor.scopes or (needed is Scope.READ and Scope.TRADE in actor.scopes)
    return is_in_role and is_granted


def _is_among(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:  # no network connection, or a zone behind it
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ip_network(network) for network in networks)


def _lacks(actor: Actor, needed: Scope) -> AlphintraError:
    holders = " or ".join(role for role, scopes in _SCOPES_OF_ROLE.items() if needed in scopes)
    held = ", ".join(actor.roles) or "none"
    message = (
        f"this needs the scope {needed.value!r}, which these credentials do not have: "
        f"it is for the role {holders}, theirs is {held}"
    )
    return AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN)


def _unauthenticated(code: str, detail: str) -> AlphintraError:
    return AlphintraError(code, detail, kind=Kind.UNAUTHENTICATED)

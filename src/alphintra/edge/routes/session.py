"""Sessions of browsers, whose tokens stay in cookies: see `edge.browser`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends
from starlette.requests import Request

from alphintra.contracts.auth import LogIn, LogOut, RefreshSession, StepUp, TokensView
from alphintra.edge import browser
from alphintra.edge.guards import Caller
from alphintra.edge.routes.identity import LogInBody, SessionEnded, StepUpBody
from alphintra.edge.routing import Body, Public, Routes, Session
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Utc

__all__ = ["routes"]

routes = Routes("session")


class BrowserSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session in cookies; ``csrf_token`` goes with whatever changes something, ``role`` is the person's.

    ``authenticated_at`` is when the person last proved who they are, None where it has just begun.
    """

    session_id: UUID
    user_id: UUID
    role: str
    csrf_token: str
    authenticated_at: Utc | None = None


@routes.post("/session")
async def begin_session(
    caller: Public, request: Request, body: Annotated[LogInBody, Depends(Body(LogInBody))]
) -> BrowserSession:
    """Sign in from one of the platform's own pages; the tokens come as cookies that scripts cannot read."""
    browser.require_own_page(request)
    command = LogIn(email=body.email, password=body.password, address=caller.address, code=body.code)
    return _kept(caller, request, await caller.ask(command))


@routes.post("/session/refresh")
async def refresh_browser_session(caller: Public, request: Request) -> BrowserSession:
    """Go on with the session of the refresh cookie, which is exchanged; using one twice ends the session."""
    browser.require_own_page(request)
    token = browser.refresh_cookie(request)
    if token is None:
        raise AlphintraError("AUTH_REQUIRED", "there is no session: sign in", kind=Kind.UNAUTHENTICATED)
    return _kept(caller, request, await caller.ask(RefreshSession(refresh_token=token)))


@routes.get("/session")
async def get_browser_session(caller: Session) -> BrowserSession:
    """Tell whose session this is, and the token that changes need."""
    session_id, user_id = _session_of(caller)
    return BrowserSession(
        session_id=session_id,
        user_id=user_id,
        role=caller.context.actor.roles[0],
        csrf_token=caller.gate.csrf.token(session_id),
        authenticated_at=caller.authenticated_at,
    )


@routes.post("/session/step-up")
async def prove_browser_session(
    caller: Session, request: Request, body: Annotated[StepUpBody, Depends(Body(StepUpBody))]
) -> BrowserSession:
    """Prove again who one is; for five minutes the session may do what needs that."""
    session_id, user_id = _session_of(caller)
    command = StepUp(session_id=session_id, password=body.password, code=body.code, address=caller.address)
    proven = await caller.ask(command)
    caller.cookies += browser.written(request, access=proven.access_token)
    return BrowserSession(
        session_id=session_id,
        user_id=user_id,
        role=caller.context.actor.roles[0],
        csrf_token=caller.gate.csrf.token(session_id),
        authenticated_at=caller.gate.clock.now(),
    )


@routes.delete("/session")
async def end_browser_session(caller: Session, request: Request) -> SessionEnded:
    """Sign out: the session ends, and its cookies go."""
    session_id, _ = _session_of(caller)
    await caller.ask(LogOut(session_id=session_id))
    caller.gate.end_session(session_id)
    caller.cookies += browser.cleared(request)
    return SessionEnded(session_id=session_id)


def _kept(caller: Caller, request: Request, tokens: TokensView) -> BrowserSession:
    caller.cookies += browser.written(request, access=tokens.access_token, refresh=tokens.refresh_token)
    return BrowserSession(
        session_id=tokens.session_id,
        user_id=tokens.user_id,
        role=tokens.role,
        csrf_token=caller.gate.csrf.token(tokens.session_id),
    )


def _session_of(caller: Caller) -> tuple[UUID, UUID]:
    user_id = caller.context.actor.user_id
    if caller.session_id is None or user_id is None:
        raise AlphintraError("SESSION_REQUIRED", "these credentials are no session", kind=Kind.INVALID)
    return caller.session_id, user_id

"""As whom the command line calls: the local operator, a person who logged in, or the owner of an API key."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from alphintra.cli.client import ApiClient, ApiError
from alphintra.cli.installation import KEY_ID_VARIABLE, KEY_SECRET_VARIABLE, base_url, existing_home
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home

__all__ = ["anonymous", "anyone", "by_key", "log_in", "log_out", "operator", "person"]

_SECRET = "cli-session"  # noqa: S105 - the name of a file
_LOCK = "cli-session.lock"


def anonymous() -> ApiClient:
    """Return a client without credentials. Raises NOT_RUNNING."""
    return ApiClient(base_url(existing_home()))


def operator() -> ApiClient:
    """Return a client of the local operator: whoever can read this home. Raises NOT_RUNNING."""
    home = existing_home()
    return _by_operator_token(home, base_url(home))


def person() -> ApiClient:
    """Return a client of the person whose API key is in the environment, or who logged in.

    Raises LOGIN_REQUIRED, API_KEY_INCOMPLETE or NOT_RUNNING.
    """
    home = existing_home()
    url = base_url(home)
    found = _by_key(url) or _by_session(home, url)
    if found is None:
        detail = (
            "this acts for a person: run `alphintra login --email ...` (after `alphintra user create --email ... "
            f"--role trader`, if there is nobody yet), or set {KEY_ID_VARIABLE} and {KEY_SECRET_VARIABLE}"
        )
        raise AlphintraError("LOGIN_REQUIRED", detail, kind=Kind.UNAUTHENTICATED)
    return found


def anyone() -> ApiClient:
    """Return a person's client if there is a person, else the operator's. Raises API_KEY_INCOMPLETE or NOT_RUNNING."""
    home = existing_home()
    url = base_url(home)
    return _by_key(url) or _by_session(home, url) or _by_operator_token(home, url)


def by_key(key_id: str, secret: str) -> ApiClient:
    """Return a client of the person an API key stands for. Raises NOT_RUNNING."""
    return _with_key(base_url(existing_home()), key_id, secret)


def log_in(email: str, password: str, code: str) -> dict[str, Any]:
    """Start a session and keep its tokens in the home, readable by its account alone; return it without tokens."""
    home = existing_home()
    with ApiClient(base_url(home)) as api, _locked(home):
        tokens = api.post("/auth/login", {"email": email, "password": password, "code": code})
        _keep(home, tokens)
    return {"email": email, "user_id": tokens["user_id"], "role": tokens["role"]}


def log_out() -> bool:
    """End the session and forget its tokens, also where the platform knows it no more; False if there was none."""
    home = existing_home()
    url = base_url(home)
    api = _by_session(home, url)
    if api is None:
        return False
    try:
        with api:
            api.post("/auth/logout")
    except ApiError as error:
        if error.kind is not Kind.UNAUTHENTICATED:
            raise
    home.secret_path(_SECRET).unlink(missing_ok=True)
    return True


def _by_operator_token(home: Home, url: str) -> ApiClient:
    from alphintra.runtime.credentials import operator_token  # noqa: PLC0415 - loads every driver; people need none

    return ApiClient(url, operator_token(home))


def _by_key(url: str) -> ApiClient | None:
    key_id, secret = os.environ.get(KEY_ID_VARIABLE, ""), os.environ.get(KEY_SECRET_VARIABLE, "")
    if not key_id and not secret:
        return None
    if not key_id or not secret:
        detail = f"set both {KEY_ID_VARIABLE} and {KEY_SECRET_VARIABLE}, or neither"
        raise AlphintraError("API_KEY_INCOMPLETE", detail, pointer=KEY_ID_VARIABLE)
    return _with_key(url, key_id, secret)


def _with_key(url: str, key_id: str, secret: str) -> ApiClient:
    return ApiClient(url, headers={"APCA-API-KEY-ID": key_id, "APCA-API-SECRET-KEY": secret})


def _by_session(home: Home, url: str) -> ApiClient | None:
    kept = _kept(home)
    if kept is None:
        return None
    return ApiClient(
        url,
        kept["access_token"],
        renew=lambda: _renewed(home, url, kept["access_token"]),
        prove=lambda: _proven(home, url),
    )


def _proven(home: Home, url: str) -> str | None:
    """Ask the person for a code or the password, and keep the token that says so; None where nobody can be asked."""
    if not sys.stdin.isatty():
        return None
    kept = _kept(home)
    if kept is None:
        return None
    with ApiClient(url, kept["access_token"], renew=lambda: _renewed(home, url, kept["access_token"])) as api:
        has_factor = api.get("/auth/second-factor")["confirmed_at"] is not None
        name, prompt = ("code", "Code of the authenticator app") if has_factor else ("password", "Password, once more")
        answer = api.post("/auth/step-up", {name: click.prompt(prompt, hide_input=not has_factor, err=True)})
    with _locked(home):
        now = _kept(home) or kept
        return _keep(home, {**now, "access_token": answer["access_token"]})


def _renewed(home: Home, url: str, expired: str) -> str:
    """Exchange the refresh token, which works once, unless another command has done so meanwhile."""
    with _locked(home):
        kept = _kept(home)
        if kept is not None and kept["access_token"] != expired:
            return kept["access_token"]
        try:
            with ApiClient(url) as api:
                tokens = api.post("/auth/refresh", {"refresh_token": kept["refresh_token"] if kept else ""})
        except ApiError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise
            home.secret_path(_SECRET).unlink(missing_ok=True)
            detail = "the session has ended: run `alphintra login --email ...` again"
            raise AlphintraError("LOGIN_REQUIRED", detail, kind=Kind.UNAUTHENTICATED) from error
        return _keep(home, tokens)


def _kept(home: Home) -> dict[str, str] | None:
    text = home.read_secret(_SECRET)
    if text is None:
        return None
    kept: dict[str, str] = json.loads(text)
    return kept


def _keep(home: Home, tokens: dict[str, Any]) -> str:
    kept = {name: tokens[name] for name in ("access_token", "refresh_token")}
    home.write_secret(_SECRET, json.dumps(kept))
    return str(kept["access_token"])


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    descriptor = os.open(home.run / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

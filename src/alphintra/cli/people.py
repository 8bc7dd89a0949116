"""Logging in and out, people and their API keys."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from alphintra.cli.output import AS_JSON, moment, print_answer, print_fields, print_json, print_table
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.cli.client import ApiClient

__all__ = ["COMMANDS"]

_EMAIL = click.option("--email", required=True, help="Of the person.")
_PASSWORD_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.command()
@_EMAIL
@_PASSWORD_STDIN
@click.option("--code", default="", help="Of the authenticator app, or a recovery code; else it is asked for.")
@AS_JSON
def login(*, email: str, password_stdin: bool, code: str, as_json: bool) -> int:
    """Log a person in.

    Further commands act for this person, until `alphintra logout`.
    """
    from alphintra.cli import session

    password = _password("", from_stdin=password_stdin, is_new=False)
    try:
        found = session.log_in(email, password, code)
    except AlphintraError as error:
        if error.code != "OTP_REQUIRED" or not sys.stdin.isatty():
            raise
        found = session.log_in(email, password, click.prompt("Code of the authenticator app", err=True))
    print_answer(found, f"logged in as {found['email']} ({found['role']})", as_json=as_json)
    return 0


@click.command()
def logout() -> int:
    """End the session."""
    from alphintra.cli import session

    click.echo("logged out" if session.log_out() else "nobody was logged in")
    return 0


@click.group()
def user() -> None:
    """People and their API keys."""


@user.command("create")
@_EMAIL
@click.option("--role", required=True, type=click.Choice(["owner", "operator", "trader", "viewer"]))
@click.option("--password", default="", help="Stays in your shell's history: better let it be asked for.")
@_PASSWORD_STDIN
@AS_JSON
def create_user(*, email: str, role: str, password: str, password_stdin: bool, as_json: bool) -> int:
    """Register a person."""
    from alphintra.cli import session

    chosen = _password(password, from_stdin=password_stdin, is_new=True)
    with session.operator() as api:
        created = api.post("/users", {"email": email, "password": chosen, "role": role})
    print_answer(created, f"registered {created['email']} as {created['role']} ({created['user_id']})", as_json=as_json)
    return 0


@user.command("list")
@AS_JSON
def list_users(*, as_json: bool) -> int:
    """List registered people."""
    from alphintra.cli import session

    with session.operator() as api:
        found = api.get("/users")
    if as_json:
        print_json(found)
    else:
        rows = [(each["user_id"], each["email"], each["role"], moment(each["created_at"])) for each in found["users"]]
        print_table(("user", "e-mail", "role", "registered (UTC)"), rows)
    return 0


@user.group("second-factor")
def second_factor() -> None:
    """An authenticator app beside the password."""


@second_factor.command("on")
@AS_JSON
def add_factor(*, as_json: bool) -> int:
    """Show the secret of an app to take in; `confirm` it with the first code the app shows."""
    from alphintra.cli import session

    with session.person() as api:
        offered = api.post("/auth/second-factor")
    if as_json:
        print_json(offered)
    else:
        print_fields({"secret": offered["secret"], "for a QR code": offered["uri"]})
        click.echo("Add it to your app, then run `alphintra user second-factor confirm CODE`.", err=True)
    return 0


@second_factor.command("confirm")
@click.argument("code")
@AS_JSON
def confirm_factor(*, code: str, as_json: bool) -> int:
    """Turn the app on with the first CODE it shows, and print recovery codes."""
    from alphintra.cli import session

    with session.person() as api:
        confirmed = api.post("/auth/second-factor/confirm", {"code": code})
    if as_json:
        print_json(confirmed)
    else:
        click.echo("\n".join(confirmed["recovery_codes"]))
        click.echo("Each is good once, when the app is lost. They are shown this once: keep them safe.", err=True)
    return 0


@second_factor.command("off")
@click.option("--code", default="", help="Of the app, or a recovery code.")
@click.option("--user", "email", help="E-mail of a person who lost both; by the operator at this machine.")
@AS_JSON
def remove_factor(*, code: str, email: str | None, as_json: bool) -> int:
    """Stop asking for a second factor."""
    from alphintra.cli import session

    with session.person() if email is None else session.operator() as api:
        body = {"code": code, "user_id": None if email is None else _user_id(api, email)}
        removed = api.post("/auth/second-factor/remove", body)
    print_answer(removed, "no second factor is asked for any more", as_json=as_json)
    return 0


@second_factor.command("show")
@AS_JSON
def show_factor(*, as_json: bool) -> int:
    """Tell whether there is one, and how many recovery codes are left."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/auth/second-factor")
    if as_json:
        print_json(found)
    elif found["confirmed_at"] is None:
        click.echo("there is no second factor: `alphintra user second-factor on` adds one")
    else:
        print_fields({"since": moment(found["confirmed_at"]), "recovery codes left": found["recovery_codes_left"]})
    return 0


@user.group("api-key")
def api_key() -> None:
    """Keys with which programs act for a person."""


@api_key.command("create")
@click.option("--user", "email", help="E-mail of the person; without it, the one logged in.")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(["read", "trade", "admin"]), help="Repeatable."
)
@click.option("--paper/--live", "is_paper", default=True, show_default=True, help="Which accounts it may trade.")
@click.option("--account", "account_id", type=click.UUID, help="The one account it is for; all of its mode without.")
@click.option("--address", "addresses", multiple=True, help="Address or network it is taken from; repeatable.")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@AS_JSON
def create_key(  # noqa: PLR0913 - a command's options
    *,
    email: str | None,
    scopes: tuple[str, ...],
    is_paper: bool,
    account_id: UUID | None,
    addresses: tuple[str, ...],
    name: str,
    as_json: bool,
) -> int:
    """Make an API key; its secret is shown this once.

    A paper key that trades gets an account: where the person has no paper account yet, one is opened.
    """
    from alphintra.cli import session
    from alphintra.cli.paper_account import ensure_paper_account

    with session.person() if email is None else session.operator() as api:
        body = {
            "name": name,
            "scopes": sorted(set(scopes)),
            "mode": "paper" if is_paper else "live",
            "user_id": None if email is None else _user_id(api, email),
            "account_id": None if account_id is None else str(account_id),
            "addresses": list(addresses),
        }
        created = api.post("/api-keys", body)
        traded = created["account_id"]
        if traded is None and is_paper and "trade" in scopes:
            traded = ensure_paper_account(api, created)
    if as_json:
        print_json({**created, "account_id": traded})
    else:
        print_fields({"key id": created["key_id"], "secret": created["secret"], "account": traded})
        click.echo("The secret is stored nowhere and shown this once.", err=True)
    return 0


@api_key.command("list")
@AS_JSON
def list_keys(*, as_json: bool) -> int:
    """List the API keys of the person logged in."""
    from alphintra.cli import session

    with session.person() as api:
        found = api.get("/api-keys")
    if as_json:
        print_json(found)
    else:
        rows = [
            (
                each["key_id"],
                each["name"],
                each["scopes"],
                each["mode"],
                ", ".join(each["addresses"]) or "anywhere",
                moment(each["created_at"]),
                moment(each["revoked_at"]),
            )
            for each in found["keys"]
        ]
        print_table(("key", "name", "scopes", "mode", "from", "made (UTC)", "revoked (UTC)"), rows)
    return 0


@api_key.command("revoke")
@click.argument("key_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def revoke_key(*, key_id: str, yes: bool, as_json: bool) -> int:
    """Revoke an API key; programs that use it are refused from now on."""
    from urllib.parse import quote

    from alphintra.cli import session
    from alphintra.cli.parameters import require_confirmed

    require_confirmed(f"Revoke the API key {key_id}?", is_confirmed=yes)
    with session.person() as api:
        revoked = api.delete(f"/api-keys/{quote(key_id, safe='')}")
    print_answer(revoked, f"revoked {revoked['key_id']}", as_json=as_json)
    return 0


def _user_id(api: ApiClient, email: str) -> str:
    found = [each for each in api.get("/users")["users"] if each["email"] == email.strip().lower()]
    if not found:
        detail = f"there is no person {email[:80]!r}: see `alphintra user list`"
        raise AlphintraError("USER_NOT_FOUND", detail, kind=Kind.NOT_FOUND, pointer="--user")
    return str(found[0]["user_id"])


def _password(given: str, *, from_stdin: bool, is_new: bool) -> str:
    """Return the password from the option, from standard input or from the keyboard, where it does not show."""
    if given and from_stdin:
        raise AlphintraError("PASSWORD_TWICE", "use --password or --password-stdin, not both", pointer="--password")
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    elif not given and sys.stdin.isatty():
        given = click.prompt("Password", hide_input=True, confirmation_prompt=is_new, err=True)
    if not given:
        detail = "no password was given: pass it with --password-stdin, e.g. `... --password-stdin < FILE`"
        raise AlphintraError("PASSWORD_REQUIRED", detail, pointer="--password-stdin")
    return given


COMMANDS: tuple[click.Command, ...] = (login, logout, user)

"""Sharing strategies: who may see, change or execute them beside their owner."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from alphintra.cli.output import AS_JSON, moment, print_answer, print_json, print_table
from alphintra.cli.parameters import require_confirmed
from alphintra.kernel.errors import AlphintraError

__all__ = ["COMMANDS"]


@click.command("share")
@click.argument("strategy")
@click.argument("permission", type=click.Choice(["view", "edit", "execute"]))
@click.option("--with", "user", help="Person, by e-mail or id.")
@click.option("--role", help="Everybody in a role: owner, operator, trader or viewer.")
@click.option("--until", help="When it ends, e.g. 2027-01-31T00:00:00Z; never by default.")
@AS_JSON
def share(
    *, strategy: str, permission: str, user: str | None, role: str | None, until: str | None, as_json: bool
) -> int:
    """Grant somebody to view, edit or execute a STRATEGY.

    Each PERMISSION lets them see its versions as well.
    """
    from alphintra.cli import naming, session

    if (user is None) == (role is None):
        raise AlphintraError("SHARE_WITH", "say --with or --role, one of them", pointer="--with")
    body = {"permission": permission, "user": user, "role": role, "expires_at": until}
    with session.person() as api:
        made = api.post(f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/shares", body)
    print_answer(made, f"{_whom(made)} may {permission} it{_until(made)} (grant {made['grant_id']})", as_json=as_json)
    return 0


@click.command("shares")
@click.argument("strategy")
@AS_JSON
def list_shares(*, strategy: str, as_json: bool) -> int:
    """List who may use a STRATEGY."""
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.get(f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/shares")
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["grant_id"],
            _whom(each),
            each["permission"],
            moment(each["granted_at"]),
            f"{moment(each['expires_at'])}{' (ended)' if each['is_expired'] else ''}",
        )
        for each in found["shares"]
    ]
    print_table(("grant", "with", "permission", "since (UTC)", "until (UTC)"), rows)
    return 0


@click.command("unshare")
@click.argument("grant")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def revoke_share(*, grant: str, yes: bool, as_json: bool) -> int:
    """Take a GRANT back.

    What runs already goes on.
    """
    from alphintra.cli import naming, session

    ident = naming.as_uuid(grant, pointer="GRANT")
    require_confirmed(f"Take the grant {ident} back?", is_confirmed=yes)
    with session.person() as api:
        revoked = api.delete(f"/workflow-shares/{ident}")
    print_answer(revoked, f"{_whom(revoked)} may no longer {revoked['permission']} it", as_json=as_json)
    return 0


def _whom(share: Mapping[str, Any]) -> str:
    if share["role"] is not None:
        return f"every {share['role']}"
    return str(share["email"] or share["user_id"])


def _until(share: Mapping[str, Any]) -> str:
    return "" if share["expires_at"] is None else f" until {moment(share['expires_at'])} UTC"


COMMANDS: tuple[click.Command, ...] = (share, list_shares, revoke_share)

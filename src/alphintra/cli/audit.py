"""``alphintra audit``: whether the services' audit logs are what was sealed, and proofs of it for others."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that connect

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from alphintra.cli.installation import existing_home, servers_home, settings
from alphintra.cli.output import AS_JSON, moment, print_json, print_table
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from alphintra.dataplane.chain.notes import NoteKey
    from alphintra.dataplane.chain.verify import Verified
    from alphintra.dataplane.chain.witness import Witness
    from alphintra.runtime.chain.work import LogStatus
    from alphintra.runtime.home import Home

__all__ = ["COMMANDS"]

_SERVICES = click.option("--service", "services", multiple=True, help="Only this one; may be given several times.")


@click.group("audit")
def audit() -> None:
    """Audit logs of the services: sealed, signed, witnessed, verified."""


@audit.command("verify")
@_SERVICES
@click.option(
    "--unsealed-max", type=click.FloatRange(0), default=30.0, show_default=True, help="Seconds a row may be unsealed."
)
@AS_JSON
def verify(*, services: tuple[str, ...], unsealed_max: float, as_json: bool) -> int:
    """Hash every audit row anew, and compare with its leaf, the signed checkpoints and the witness.

    Exit status: 0 sound, 2 altered, 3 cut short, 4 another log than the witness has seen, 5 rows unsealed for too long,
    6 the witness is behind. The first leaf that is wrong is named.
    """
    from alphintra.runtime.chain.work import verify_logs

    began = perf_counter()
    home = servers_home()
    found = asyncio.run(
        verify_logs(
            home,
            services,
            _witness(home),
            at=_now(),
            unsealed_max=timedelta(seconds=unsealed_max),
            tell=lambda service: click.echo(f"{service} …", err=True),
        )
    )
    if as_json:
        print_json({service: _facts(each) for service, each in found.items()})
    else:
        _print_verified(found, seconds=perf_counter() - began)
    faults = {each.status for each in found.values()} - {0}
    return next((status for status in (2, 4, 3, 5, 6) if status in faults), 0)


@audit.command("status")
@_SERVICES
@AS_JSON
def status(*, services: tuple[str, ...], as_json: bool) -> int:
    """Show how far each log is sealed, signed and witnessed, and which losses were declared; verifies nothing."""
    from alphintra.runtime.chain.work import logs_of

    home = servers_home()
    found = asyncio.run(logs_of(home, services, _witness(home)))
    if as_json:
        print_json({service: _standing(each) for service, each in found.items()})
        return 0
    print_table(
        ("service", "leaves", "unsealed", "signed", "signed at", "witnessed", "witnessed at"),
        [
            (
                service,
                each.standing.leaves,
                each.standing.pending,
                each.standing.signed,
                moment(each.standing.signed_at),
                each.seen.size if each.seen else 0,
                moment(each.seen.at) if each.seen else "never",
            )
            for service, each in found.items()
        ],
    )
    for service, each in found.items():
        for loss in each.recoveries:
            onwards = "not shown again yet" if loss.size is None else f"went on from {loss.size} leaves"
            declared = f"{moment(loss.declared_at)} by {loss.declared_by}"
            click.echo(f"{service}: loss of {declared}: had {loss.lost_size} leaves, {onwards}: {loss.reason}")
    return 0


@audit.command("keys")
def keys() -> int:
    """Print the public keys of logs and witness, a line each, for whoever is to check bundles and checkpoints."""
    for key in _public_keys(existing_home()):
        click.echo(key.text)
    return 0


@audit.command("prove")
@click.argument("subject")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
def prove(*, subject: str, out: Path) -> int:
    """Write all that the audit logs hold of an order (its id, or kind:id), with proofs, into one file."""
    import msgspec

    from alphintra.runtime.chain.work import prove as prove_subject

    if out.exists():
        message = f"{out} is there already: choose another name"
        raise AlphintraError("EXISTS", message, kind=Kind.CONFLICT, pointer="--out")
    home = servers_home()
    named = subject if ":" in subject else f"order:{subject}"
    bundle = asyncio.run(prove_subject(home, named, _witness(home), at=_now()))
    out.write_bytes(msgspec.json.format(msgspec.json.encode(bundle), indent=1) + b"\n")
    rows, waiting = sum(len(log.rows) for log in bundle.logs), sum(log.waiting for log in bundle.logs)
    more = f"; {waiting} newer ones are not witnessed yet" if waiting else ""
    click.echo(f"{out}: {rows} audit rows about {named} of {len(bundle.logs)} logs{more}")
    return 0


@audit.command("check-bundle")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Public keys to trust, as `audit keys` prints them; those in the bundle if left out.",
)
@AS_JSON
def check_bundle(*, file: Path, key_file: Path | None, as_json: bool) -> int:
    """Check a bundle of `audit prove` by itself: no server, no home.

    Without --keys it shows that the bundle is whole, and not who made it.
    """
    from alphintra.dataplane.chain.notes import public_key
    from alphintra.dataplane.chain.proofs import check_bundle as check

    trusted: Sequence[NoteKey] = ()
    if key_file is not None:
        trusted = [public_key(line) for line in key_file.read_text(encoding="utf-8").splitlines() if line.strip()]
    bundle, found = check(file.read_bytes(), trusted=trusted)
    if as_json:
        import msgspec

        print_json({"subject": bundle.subject, "is_trusted": bool(trusted), "logs": msgspec.to_builtins(found)})
        return 0
    print_table(
        ("service", "at", "who", "did", "leaves", "witnessed"),
        [
            (
                log.service,
                moment(row.occurred_at),
                row.actor,
                row.action,
                log.size,
                moment(max(log.seen_at)) if log.seen_at else "no",
            )
            for log in found
            for row in log.rows
        ],
        title=bundle.subject,
    )
    if not trusted:
        click.echo("signed by the keys in the bundle itself: compare them with those of `alphintra audit keys`")
    return 0


@audit.command("recover")
@click.option("--service", required=True, help="Whose log went back.")
@click.option("--reason", required=True, help="Why; it is kept for good, signed.")
@click.option("--by", default="operator", show_default=True, help="Who declares it.")
def recover(*, service: str, reason: str, by: str) -> int:
    """Declare that a log lost rows because its database was brought back to an earlier moment.

    Until then the platform does not start with it, and nothing more of it is sealed. The loss stays on record.
    """
    from alphintra.runtime.chain.work import declare_recovery

    home = existing_home()
    loss = declare_recovery(home, service, _witness(home), reason=reason, by=by, at=_now())
    click.echo(f"{service}: the loss is declared; the log had {loss.lost_size} leaves when it was last seen")
    return 0


def _witness(home: Home) -> Witness:
    from alphintra.runtime.audit_keys import witness_of

    return witness_of(home, settings().witness)


def _now() -> datetime:
    from alphintra.infrastructure.system import SystemClock

    return SystemClock().now()


def _public_keys(home: Home) -> list[NoteKey]:
    from alphintra.manifest import SERVICE_NAMES
    from alphintra.runtime.audit_keys import log_keys

    held = [log_keys(home, service).trusted for service in SERVICE_NAMES]
    return [key for trusted in (*held, _witness(home).keys.trusted) for key in trusted]


def _standing(found: LogStatus) -> dict[str, object]:
    import msgspec

    return {
        "origin": found.origin,
        "leaves": found.standing.leaves,
        "pending": found.standing.pending,
        "signed": found.standing.signed,
        "signed_at": found.standing.signed_at.isoformat() if found.standing.signed_at else None,
        "witnessed": found.seen.size if found.seen else 0,
        "witnessed_at": found.seen.at.isoformat() if found.seen else None,
        "recoveries": [msgspec.to_builtins(each) for each in found.recoveries],
    }


def _print_verified(found: Mapping[str, Verified], *, seconds: float) -> None:
    print_table(
        ("service", "leaves", "checkpoints", "unsealed", "root", "result"),
        [
            (
                service,
                each.leaves,
                each.checkpoints,
                each.pending,
                each.root.hex()[:16],
                each.findings[0].fault.name.lower() if each.findings else "sound",
            )
            for service, each in found.items()
        ],
    )
    for service, each in found.items():
        for finding in each.findings:
            click.echo(f"{service}: {finding.fault.name}: {finding.detail}")
    leaves = sum(each.leaves for each in found.values())
    click.echo(f"{leaves} leaves in {seconds:.2f} s")


def _facts(found: Verified) -> dict[str, object]:
    return {
        "origin": found.origin,
        "status": found.status,
        "leaves": found.leaves,
        "root": found.root.hex(),
        "checkpoints": found.checkpoints,
        "pending": found.pending,
        "pending_age_s": found.pending_age.total_seconds(),
        "findings": [
            {"fault": each.fault.name, "exit_status": int(each.fault), "leaf": each.leaf, "detail": each.detail}
            for each in found.findings
        ],
    }


COMMANDS: tuple[click.Command, ...] = (audit,)

"""``alphintra audit``: whether the services' audit logs are what was sealed, and proofs of it for others."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that connect

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import click

from alphintra.cli.installation import servers_home
from alphintra.cli.output import AS_JSON, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.dataplane.chain.verify import Verified

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
    found = asyncio.run(
        verify_logs(
            servers_home(),
            services,
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

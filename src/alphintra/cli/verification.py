"""``alphintra db verify``: every credential tried on everything, and what got through."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that look

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.database_audit import audit, is_audit
from alphintra.cli.installation import servers_home
from alphintra.cli.output import AS_JSON, print_json, progress_bar

if TYPE_CHECKING:
    from alphintra.dataplane.attack.findings import Assessment, Finding
    from alphintra.dataplane.matrix import AccessMatrix, Cell
    from alphintra.runtime.home import Home

__all__ = ["verify"]


@click.command("verify")
@click.option("--url", help="Audit this PostgreSQL instead, as postgresql://admin@host/db (or ALPHINTRA_AUDIT_URL).")
@click.option("--map", "entries", multiple=True, help="With --url: SERVICE=DATABASE:ROLE[:SCHEMA]; once per service.")
@click.option(
    "--password-file", type=click.Path(path_type=Path), help="With --url: the roles' passwords, in a file like .pgpass."
)
@click.option("--sql", "as_sql", is_flag=True, help="With --url: print the statements that close what is found.")
@click.option("--quick", is_flag=True, help="Try the data and the bus alone, without the other probes.")
@click.option("--findings", "only_findings", is_flag=True, help="Show what got through alone, with the reasons.")
@click.option("--details", is_flag=True, help="Show every probe with PostgreSQL's own answer.")
@AS_JSON
def verify(  # noqa: PLR0913 - the options of the command
    *,
    url: str | None,
    entries: tuple[str, ...],
    password_file: Path | None,
    as_sql: bool,
    quick: bool,
    only_findings: bool,
    details: bool,
    as_json: bool,
) -> int:
    """Attack every border and show what got through.

    Tries every service's credential on every database and subject: its data, and over 300 other probes of what
    PostgreSQL gives away. Leaves nothing behind; safe while the platform trades. Exit status 1 unless all ends as the
    layout declares, nothing drifted and nothing is open beyond the accepted list. With --url and --map it audits a
    PostgreSQL that Alphintra did not build, and changes nothing there.
    """
    import asyncio

    if is_audit(url, entries):
        return audit(url, entries, password_file=password_file, as_json=as_json, as_sql=as_sql, is_quick=quick)
    matrices, found = asyncio.run(_look(servers_home(), is_quick=quick))
    is_isolated = all(matrix.is_isolated for matrix in matrices) and (found is None or found.is_as_accepted)
    if as_json:
        print_json(_document(matrices, found, is_isolated=is_isolated, with_details=details))
    else:
        from alphintra.cli.verification_tables import print_verification

        print_verification(matrices, found, only_findings=only_findings, with_details=details)
    return 0 if is_isolated else 1


async def _look(home: Home, *, is_quick: bool) -> tuple[tuple[AccessMatrix, ...], Assessment | None]:
    from alphintra.runtime.inspection import attack_databases, probe_access

    matrices = await probe_access(home)
    if is_quick:
        return matrices, None
    bar = progress_bar("attacking every service as every other") if sys.stderr.isatty() else nullcontext()
    with bar as progress:
        return matrices, await attack_databases(home, progress=progress)


def _document(
    matrices: tuple[AccessMatrix, ...], found: Assessment | None, *, is_isolated: bool, with_details: bool
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "is_isolated": is_isolated,
        "matrices": [_matrix(matrix) for matrix in matrices],
    }
    return document if found is None else document | _assessment(found, with_details=with_details)


def _assessment(found: Assessment, *, with_details: bool) -> dict[str, Any]:
    from alphintra.dataplane.attack.model import Effect

    document: dict[str, Any] = {
        "layout": found.layout,
        "level": found.level.value,
        "counts": {
            "probes": len(found.probes),
            "tries": len(found.results),
            "open": len(found.findings),
            "access": found.count(Effect.ACCESS),
            "leaks": found.count(Effect.LEAK),
            "accepted": len(found.findings) - len(found.unaccepted),
            "unaccepted": len(found.unaccepted),
            "inconclusive": len(found.errors),
        },
        "findings": [_finding(finding) for finding in found.findings],
        "pairs": [
            {
                "attacker": pair.attacker,
                "victim": pair.victim,
                "verdict": pair.verdict.value,
                "counts": dict(pair.counts),
                "open": list(pair.open),
            }
            for pair in found.pairs
        ],
        "inconclusive": [
            {
                "probe": result.attack.name,
                "attacker": result.attacker,
                "victim": result.victim,
                "code": result.answer.code,
                "answer": result.answer.text,
            }
            for result in found.errors
        ],
        "probes": [
            {
                "id": attack.name,
                "category": attack.category,
                "place": attack.place.value,
                "effect": attack.effect.value,
                "means": attack.means,
                "close": attack.close,
                "closed_by": attack.closed_by.value,
                "not_closable_in": attack.floor.value,
            }
            for attack in found.probes
        ],
    }
    if with_details:
        document["results"] = [
            {
                "probe": result.attack.name,
                "attacker": result.attacker,
                "victim": result.victim,
                "outcome": result.answer.outcome.value,
                "is_declared": result.is_declared,
                "code": result.answer.code,
                "answer": result.answer.text,
            }
            for result in found.results
        ]
    return document


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.attack.name,
        "effect": finding.attack.effect.value,
        "means": finding.attack.means,
        "close": finding.attack.close,
        "closes_under": finding.closes_under,
        "is_accepted": finding.is_accepted,
        "reasons": list(finding.reasons),
        "pairs": [list(pair) for pair in finding.pairs],
        "unaccepted_pairs": [list(pair) for pair in finding.unaccepted],
        "code": finding.answer.code,
        "answer": finding.answer.text,
    }


def _matrix(matrix: AccessMatrix) -> dict[str, Any]:
    return {
        "kind": matrix.kind,
        "is_isolated": matrix.is_isolated,
        "allowed": matrix.allowed_count,
        "denied": matrix.denied_count,
        "cells": [_cell(cell) for cell in matrix.cells],
        "outsiders": [_cell(cell) for cell in matrix.outsiders],
        "faults": list(matrix.faults),
        "drift": list(matrix.drift),
        "limits": list(matrix.limits),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "user": cell.user,
        "target": cell.target,
        "is_allowed": cell.is_allowed,
        "is_as_declared": cell.is_as_declared,
        "declared": list(cell.declared),
        "probes": [
            {"name": probe.name, "may": probe.may, "outcome": probe.outcome.value, "answer": probe.answer}
            for probe in cell.probes
        ],
    }

"""``alphintra retention``: how long records are kept, what is due, legal holds, and the proof of what was done."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that connect

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.installation import servers_home, settings
from alphintra.cli.output import AS_JSON, print_answer, print_json, print_table
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.dataplane.retention.find import Found
    from alphintra.dataplane.retention.journal import Item
    from alphintra.dataplane.retention.rules import Due
    from alphintra.dataplane.retention.run import Outcome

__all__ = ["COMMANDS"]

_SERVICES = click.option("--service", "services", multiple=True, help="Only this one; may be given several times.")
_PROFILE = click.option("--profile", default="", help="default, eu or us, instead of the settings' retention.")
_OPERATOR = "operator"


@click.group("retention")
def retention() -> None:
    """How long records are kept: what is due, archives, legal holds."""


@retention.command("plan")
@_SERVICES
@_PROFILE
@AS_JSON
def plan(*, services: tuple[str, ...], profile: str, as_json: bool) -> int:
    """Show each rule and what is due by it now; changes nothing."""
    _show_plan(services, profile, as_json=as_json)
    return 0


@retention.command("run")
@_SERVICES
@_PROFILE
@click.option("--dry-run", is_flag=True, help="Show what is due and change nothing, as `plan` does.")
@AS_JSON
def run(*, services: tuple[str, ...], profile: str, dry_run: bool, as_json: bool) -> int:
    """Archive what is no longer hot, and take away what need not be kept.

    Archives are sealed and read back before anything is taken away. A run that was cut is ended by the next. Exit
    status 1 if a service failed.
    """
    if dry_run:
        _show_plan(services, profile, as_json=as_json)
        return 0
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.places import writer_of
    from alphintra.runtime.retention import run_retention

    writer = writer_of(_OPERATOR, at=SystemClock().now())
    done, failed = asyncio.run(
        run_retention(
            servers_home(),
            services,
            profile=_profile(profile),
            writer=writer,
            tell=lambda words: click.echo(words, err=True),
        )
    )
    if as_json:
        print_json(
            {
                "services": {service: [_facts(each) for each in outcomes] for service, outcomes in done.items()},
                "failed": {service: {"code": each.code, "detail": str(each)} for service, each in failed.items()},
            }
        )
    else:
        _print_outcomes(done)
        for service, error in failed.items():
            click.echo(f"{service}: {error.code}: {error}", err=True)
    return 1 if failed else 0


@retention.command("schedule")
@AS_JSON
def schedule(*, as_json: bool) -> int:
    """Show which services' retention is run by itself: when it comes next, and what came of it the last time.

    Set in `alphintra.toml` under [retention_schedules]; off unless it is. Exit status 1 while one fails.
    """
    from alphintra.cli.installation import existing_home
    from alphintra.cli.schedules import print_schedules, schedules

    chosen = settings()
    found = [each for each in schedules(existing_home(), chosen) if each["job"].startswith("retention:")]
    if as_json:
        print_json({"profile": chosen.retention, "schedules": found})
    elif found:
        print_schedules(found)
    else:
        click.echo("no service: write its name and a schedule under [retention_schedules] in alphintra.toml")
    return 1 if any(each["code"] for each in found) else 0


@retention.group("holds", invoke_without_command=True)
@_SERVICES
@AS_JSON
@click.pass_context
def holds(context: click.Context, *, services: tuple[str, ...], as_json: bool) -> int:
    """List legal holds; `set` and `lift` change them."""
    if context.invoked_subcommand is not None:
        return 0
    from alphintra.runtime.retention import holds_of

    found = asyncio.run(holds_of(servers_home(), services))
    rows = [(service, each) for service, records in found.items() for each in records]
    if as_json:
        import msgspec

        print_json([{"service": service} | msgspec.to_builtins(each) for service, each in rows])
        return 0
    print_table(
        ("service", "hold", "covers", "why"),
        [
            (
                service,
                str(each.hold_id),
                " ".join(
                    (
                        f"{each.kind} {each.subject}".strip(),
                        *([f"from {_day(each.from_at)}"] if each.from_at else []),
                        *([f"to {_day(each.to_at)}"] if each.to_at else []),
                    )
                ),
                f"{each.reason} ({each.set_by}, {_day(each.set_at)})"
                + (
                    f"; lifted: {each.lift_reason} ({each.lifted_by}, {_day(each.lifted_at)})" if each.lifted_by else ""
                ),
            )
            for service, each in rows
        ],
    )
    return 0


@holds.command("set")
@_SERVICES
@click.option("--user", help="Records of this person (id).")
@click.option("--account", help="Records of this account (id).")
@click.option("--order", help="Records of this order (id).")
@click.option("--from", "from_text", help="Only records from this instant on; UTC where no zone is given.")
@click.option("--to", "to_text", help="Only records before this instant.")
@click.option("--reason", required=True, help="Why; it stays in the audit log.")
@AS_JSON
def set_hold(  # noqa: PLR0913 - one parameter per option
    *,
    services: tuple[str, ...],
    user: str | None,
    account: str | None,
    order: str | None,
    from_text: str | None,
    to_text: str | None,
    reason: str,
    as_json: bool,
) -> int:
    """Keep records whatever their age, until the hold is lifted: of the named services, or of all."""
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.places import writer_of
    from alphintra.runtime.retention import HoldTerms, put_under_hold

    named = [(kind, text) for kind, text in (("user", user), ("account", account), ("order", order)) if text]
    if len(named) > 1:
        message = "a hold is on one person, one account, one order, or on all: set one for each"
        raise AlphintraError("HOLD_SUBJECT", message, pointer="--user")
    kind, subject = named[0] if named else ("all", "")
    terms = HoldTerms(
        kind=kind,
        subject=subject,
        from_at=_moment(from_text, "--from"),
        to_at=_moment(to_text, "--to"),
        reason=reason,
    )
    writer = writer_of(_OPERATOR, at=SystemClock().now())
    made = asyncio.run(put_under_hold(servers_home(), services, terms, writer=writer))
    if as_json:
        print_json({service: str(hold_id) for service, hold_id in made.items()})
    else:
        print_table(("service", "hold"), [(service, str(hold_id)) for service, hold_id in made.items()])
    return 0


@holds.command("lift")
@click.argument("hold_id", type=click.UUID)
@click.option("--service", required=True, help="Whose hold it is.")
@click.option("--reason", required=True, help="Why; it stays in the audit log.")
@AS_JSON
def lift_hold(*, hold_id: Any, service: str, reason: str, as_json: bool) -> int:  # noqa: ANN401 - a UUID, of click
    """Lift a hold: what it kept goes its way with the next run."""
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.places import writer_of
    from alphintra.runtime.retention import lift

    writer = writer_of(_OPERATOR, at=SystemClock().now())
    asyncio.run(lift(servers_home(), service, hold_id, reason=reason, writer=writer))
    print_answer(
        {"service": service, "hold_id": str(hold_id), "state": "lifted"},
        f"{service}: the hold {hold_id} is lifted",
        as_json=as_json,
    )
    return 0


@retention.command("evidence")
@_SERVICES
@click.option("--verify", "is_verified", is_flag=True, help="Read every archive back, and check seal and sums.")
@AS_JSON
def evidence(*, services: tuple[str, ...], is_verified: bool, as_json: bool) -> int:
    """Show what retention did: what, how many, by which rule, who, and the archives' hashes.

    Exit status 1 if an archive does not prove what it should hold.
    """
    from alphintra.runtime.retention import evidence_of

    found = asyncio.run(evidence_of(servers_home(), services, is_verified=is_verified))
    rows = [(service, item, proof) for service, known in found.items() for item, proof in known]
    if as_json:
        print_json([_item(service, item, proof) for service, item, proof in rows])
    else:
        print_table(
            ("service", "what", "state", "rows", "removed", "rule", "by", "sha256", "archive"),
            [
                (
                    service,
                    item.part or item.table_name,
                    item.state,
                    item.rows_found,
                    item.rows_removed,
                    f"{item.retention}, {item.terms} ({item.profile})",
                    item.actor,
                    item.archive_sha256[:16],
                    proof or ("sound" if item.archive else ""),
                )
                for service, item, proof in rows
            ],
        )
    return 1 if is_verified and any(proof for _, _, proof in rows) else 0


def _show_plan(services: tuple[str, ...], profile: str, *, as_json: bool) -> None:
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.retention import find_all_due

    chosen = _profile(profile)
    found = asyncio.run(find_all_due(servers_home(), services, profile=chosen, at=SystemClock().now()))
    rows = [(service, due, each) for service, rules in found.items() for due, each in rules]
    if as_json:
        print_json({"profile": chosen, "rules": [_rule(*row) for row in rows]})
        return
    print_table(
        ("service", "table", "class", "kept", "older than", "due", "held", "not at rest"),
        [
            (
                service,
                due.table.name,
                due.disposal.retention,
                str(due.terms),
                f"{due.cutoff:%Y-%m-%d}",
                each.due,
                each.held,
                each.blocked,
            )
            for service, due, each in rows
        ],
        title=f"profile {chosen}",
    )
    for service, due, each in rows:
        for month in each.months:
            click.echo(f"{service}.{due.table.name}: {month.part} may go")
        for part, reason in each.months_kept:
            click.echo(f"{service}.{due.table.name}: {part} stays: {reason}")


def _rule(service: str, due: Due, found: Found) -> dict[str, object]:
    return {
        "service": service,
        "table": due.table.name,
        "class": due.disposal.retention,
        "why": due.disposal.rule.why,
        "terms": str(due.terms),
        "is_archived": due.is_archived,
        "older_than": due.cutoff.isoformat(),
        "due": found.due,
        "held": found.held,
        "not_at_rest": found.blocked,
        "months": [month.part for month in found.months],
        "months_kept": [{"part": part, "reason": reason} for part, reason in found.months_kept],
    }


def _print_outcomes(done: Mapping[str, tuple[Outcome, ...]]) -> None:
    print_table(
        ("service", "what", "", "rows", "rule", "sha256", "note"),
        [
            (
                service,
                each.part or each.table,
                each.what,
                each.rows,
                f"{each.retention}, {each.terms}",
                each.archive_sha256[:16],
                each.reason,
            )
            for service, outcomes in done.items()
            for each in outcomes
        ],
    )


def _facts(outcome: Outcome) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}


def _item(service: str, item: Item, proof: str) -> dict[str, object]:
    facts: dict[str, object] = {"service": service}
    for name in item.__dataclass_fields__:
        value = getattr(item, name)
        facts[name] = value if isinstance(value, int) or value is None else str(value)
    return facts | {"proof": proof}


def _profile(name: str) -> str:
    from alphintra.manifest.retention import profile_named

    return profile_named(name) if name else settings().retention


def _moment(text: str | None, pointer: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text[:40]!r} is no time: write it as 2024-05-31 or 2024-05-31T22:00:00+02:00"
        raise AlphintraError("HOLD_RANGE", message, pointer=pointer) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


COMMANDS: tuple[click.Command, ...] = (retention,)

"""``alphintra backup restore``: one service brought back to a moment while the others go on."""

# ruff: noqa: PLC0415 - drivers and codecs are loaded by the command that needs them

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from alphintra.cli.backup_opening import opened, watched
from alphintra.cli.output import AS_JSON, print_answer, print_fields, print_json
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.dataplane.backup.programs import Task
    from alphintra.runtime.backups.restoring import Restored

__all__ = ["restore"]


@click.command("restore")
@click.option("--service", default="", help="Which service.")
@click.option("--instance", default="", help="A whole instance whose data is lost; the platform must be down.")
@click.option("--at", default="", help="Moment, such as 2026-11-23T14:05:00Z; the last one there is if left out.")
@click.option("--backup", "ident", default="", help="A dump of the service to take, instead of a moment.")
@click.option("--resume", is_flag=True, help="Go on where a run was cut.")
@click.option("--rollback", is_flag=True, help="Put back what was there before; what was written since is lost.")
@click.option("--finish", is_flag=True, help="Drop what was there before, for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def restore(  # noqa: PLR0913 - one parameter per option
    *,
    service: str,
    instance: str,
    at: str,
    ident: str,
    resume: bool,
    rollback: bool,
    finish: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Bring one service back to a moment, while the seven others go on.

    It is made beside the running one, every row is compared, then it takes over within a moment and hears from the
    others what they have told since. Until --finish, --rollback puts back what was there before.
    """
    from alphintra.cli.parameters import require_confirmed

    is_told = sum((bool(service), bool(instance), resume, rollback, finish)) == 1
    if not is_told or (at and not service + instance) or (ident and not service):
        message = (
            "say one of --service NAME (with --at or --backup), --instance NAME (with --at), --resume, --rollback "
            "and --finish"
        )
        raise AlphintraError("RESTORE_USAGE", message, pointer="--service")
    moment = _moment(at)
    if instance:
        return _rebuild(instance, moment, is_confirmed=yes, as_json=as_json)
    questions = {
        service: f"Bring {service} back? What was asked of it since that moment is undone.",
        "finish" if finish else "": "Drop what was there before the restore for good?",
        "rollback" if rollback else "": "Put back what was there before, without what was written since?",
    }
    question = next((text for word, text in questions.items() if word), "")
    if question:
        require_confirmed(question, is_confirmed=yes)
    what = "resume" if resume else "rollback" if rollback else "finish" if finish else ""
    done = _run(service, moment, ident, what)
    if as_json:
        print_json(msgspec.to_builtins(done))
    else:
        _print(done, what)
    return 0


def _rebuild(instance: str, moment: datetime | None, *, is_confirmed: bool, as_json: bool) -> int:
    from alphintra.cli.parameters import require_confirmed
    from alphintra.runtime.backups.side import restore_instance

    require_confirmed(f"Make {instance} anew from its backup, with all services on it?", is_confirmed=is_confirmed)
    backups = opened()

    async def work(task: Task) -> str:
        made = await restore_instance(
            backups, instance, at=moment, task=task, tell=lambda doing: click.echo(doing, err=True)
        )
        return made.ident

    ident = watched("restoring", work)
    print_answer(
        {"instance": instance, "backup": ident},
        f"{instance} is there again, from {ident}: start with `alphintra up`",
        as_json=as_json,
    )
    return 0


def _run(service: str, moment: datetime | None, ident: str, what: str) -> Restored:
    from alphintra.runtime.backups.restoring import Restoring, Wanted

    backups = opened(needs_servers=True)

    async def work(task: Task) -> Restored:
        with Restoring.opened(backups, task=task, tell=lambda doing: click.echo(doing, err=True)) as restoring:
            if what == "resume":
                return await restoring.resume()
            if what == "rollback":
                return await restoring.rollback()
            if what == "finish":
                return await restoring.finish()
            return await restoring.begin(Wanted(service=service, at=moment, backup=ident))

    return watched("restoring", work)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text[:40]!r} is no moment: write it as 2026-11-23T14:05:00Z"
        raise AlphintraError("PITR_RANGE", message, pointer="--at") from error
    if found.tzinfo is None:
        message = f"{text} has no time zone: write it as {text}Z for UTC"
        raise AlphintraError("TIME_NO_ZONE", message, pointer="--at")
    return found.astimezone(UTC)


def _print(done: Restored, what: str) -> None:
    if what in {"finish", "rollback"}:
        word = "what was there before is dropped" if what == "finish" else "back as it was before"
        click.echo(f"{done.service}: {word}")
        return
    print_fields(
        {
            "service": done.service,
            "as of": done.at.isoformat(),
            "from": done.backup,
            "rows": f"{done.rows:,}, every one compared",
            "requests waited": f"{done.pause_ms:.0f} ms",
            "heard again": f"{done.heard_again} events" + (f", {done.lost} nobody knows any more" if done.lost else ""),
            "undone": ", ".join(f"{count} {subject}" for subject, count in done.forgotten.items()),
            "seconds": ", ".join(f"{name} {value}" for name, value in done.seconds.items()),
        }
    )
    click.echo("undo by `alphintra backup restore --rollback`; drop what was there before by --finish", err=True)

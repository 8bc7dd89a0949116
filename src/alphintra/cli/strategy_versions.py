"""The life of a strategy: its versions, what differs between them, copies, and documents to carry away."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.output import AS_JSON, moment, print_answer, print_json, print_table
from alphintra.cli.parameters import json_object_text, require_confirmed
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.cli.client import ApiClient

__all__ = ["COMMANDS"]

_NUMBER = click.IntRange(min=1)


@click.command("versions")
@click.argument("strategy")
@click.option("--lines", "-n", type=click.IntRange(1, 1000), default=20, show_default=True)
@AS_JSON
def list_versions(*, strategy: str, lines: int, as_json: bool) -> int:
    """List the versions of a STRATEGY: who saved them, when and why.

    Newest first.
    """
    from alphintra.cli import naming, session

    with session.person() as api:
        found = api.get(f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/versions", limit=lines)
    if as_json:
        print_json(found)
        return 0
    rows = [
        (
            each["version"],
            moment(each["created_at"]),
            each["created_by_email"] or each["created_by"],
            each["graph_hash"][:12],
            each["note"].partition("\n")[0],
        )
        for each in found["versions"]
    ]
    print_table(("version", "saved (UTC)", "by", "graph hash", "note"), rows)
    if found["has_more"]:
        click.echo("there are older ones: ask for more with --lines")
    return 0


@click.command("diff")
@click.argument("strategy")
@click.option("--from", "before", type=_NUMBER, help="Version to begin with; the one before the other by default.")
@click.option("--to", "after", type=_NUMBER, help="Version to end with; the newest by default.")
@AS_JSON
def compare_versions(*, strategy: str, before: int | None, after: int | None, as_json: bool) -> int:
    """Tell how a version of a STRATEGY differs from another."""
    from alphintra.cli import naming, session

    with session.person() as api:
        workflow = naming.workflow(api, strategy)
        later = after or workflow["version"]
        earlier = before or later - 1
        if earlier < 1:
            raise AlphintraError(
                "VERSION_NOT_FOUND", "there is no version before 1: say --from and --to", pointer="--to"
            )
        ends = (_version_id(api, workflow, earlier), _version_id(api, workflow, later))
        found = api.get(f"/workflow-versions/{ends[0]}/compare/{ends[1]}")
    if as_json:
        print_json(found)
    elif found["is_same"]:
        click.echo(f"versions {earlier} and {later} are the same strategy")
    else:
        for sentence in found["sentences"]:
            click.echo(sentence)
    return 0


@click.command("restore")
@click.argument("strategy")
@click.option("--version", type=_NUMBER, required=True, help="One of `alphintra strategy versions`.")
@click.option("--note", default="", help="Why; shown in the list of versions.")
@AS_JSON
def restore_version(*, strategy: str, version: int, note: str, as_json: bool) -> int:
    """Save an older version of a STRATEGY as the newest; no version is lost."""
    from alphintra.cli import naming, session

    with session.person() as api:
        workflow = naming.workflow(api, strategy)
        body = {"base_version": workflow["version"], "note": note}
        made = api.post(f"/workflows/{workflow['workflow_id']}/versions/{version}/restore", body)
    if as_json:
        print_json(made)
    elif made["version"] == workflow["version"]:
        click.echo(f"version {version} is what version {made['version']} is: nothing to restore")
    else:
        click.echo(f"version {version} is back as version {made['version']}")
    return 0


@click.command("save")
@click.argument("strategy")
@click.option("--file", type=click.Path(path_type=Path), required=True, help="The changed graph as JSON.")
@click.option("--base", type=_NUMBER, help="Version the change was made from; the newest by default.")
@click.option("--note", default="", help="What changed; shown in the list of versions.")
@AS_JSON
def save_version(*, strategy: str, file: Path, base: int | None, note: str, as_json: bool) -> int:
    """Save a changed graph as the next version of a STRATEGY."""
    from alphintra.cli import naming, session

    graph = json_object_text(file)
    with session.person() as api:
        workflow = naming.workflow(api, strategy)
        fields = {"base_version": base or workflow["version"], "note": note}
        made = api.post_document(f"/workflows/{workflow['workflow_id']}/versions", "graph", graph, fields)
    print_answer(made, f"{made['name']!r} is at version {made['version']}", as_json=as_json)
    return 0


@click.command("rename")
@click.argument("strategy")
@click.argument("name")
@AS_JSON
def rename(*, strategy: str, name: str, as_json: bool) -> int:
    """Give a STRATEGY another NAME."""
    from alphintra.cli import naming, session

    with session.person() as api:
        made = api.post(f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/rename", {"name": name})
    print_answer(made, f"the strategy is called {made['name']!r} now", as_json=as_json)
    return 0


@click.command("archive")
@click.argument("strategy")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def archive(*, strategy: str, yes: bool, as_json: bool) -> int:
    """Put a STRATEGY away: kept, but neither changed nor executed.

    Deployments that run go on.
    """
    from alphintra.cli import naming, session

    require_confirmed(f"Archive the strategy {strategy}?", is_confirmed=yes)
    with session.person() as api:
        made = api.post(f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/archive")
    print_answer(made, f"archived {made['name']!r}; `alphintra strategy list --archived` shows it", as_json=as_json)
    return 0


@click.command("unarchive")
@click.argument("strategy")
@AS_JSON
def unarchive(*, strategy: str, as_json: bool) -> int:
    """Take a STRATEGY, by its id, out of the archive."""
    from alphintra.cli import naming, session

    with session.person() as api:
        made = api.post(f"/workflows/{naming.workflow(api, strategy)['workflow_id']}/unarchive")
    print_answer(made, f"{made['name']!r} is in use again", as_json=as_json)
    return 0


@click.command("duplicate")
@click.argument("strategy")
@click.argument("name")
@click.option("--version", type=_NUMBER, help="Version to copy; the newest by default.")
@AS_JSON
def duplicate(*, strategy: str, name: str, version: int | None, as_json: bool) -> int:
    """Copy a STRATEGY, also one shared with you, as a new one of yours under NAME."""
    from alphintra.cli import naming, session

    with session.person() as api:
        workflow = naming.workflow(api, strategy)
        made = api.post(f"/workflow-versions/{_version_id(api, workflow, version)}/duplicate", {"name": name})
    print_answer(made, f"stored {made['name']!r} ({made['workflow_id']})", as_json=as_json)
    return 0


@click.command("export")
@click.argument("strategy")
@click.option("--version", type=_NUMBER, help="Version to export; the newest by default.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; printed where none is given.")
@AS_JSON
def export(*, strategy: str, version: int | None, out: Path | None, as_json: bool) -> int:
    """Write a version of a STRATEGY as a document that `alphintra strategy import` takes."""
    from alphintra.cli import naming, session

    if out is not None and out.exists():
        raise AlphintraError(
            "EXISTS", f"{out} is there already: name another file", kind=Kind.CONFLICT, pointer="--out"
        )
    with session.person() as api:
        workflow = naming.workflow(api, strategy)
        found = api.get(f"/workflow-versions/{_version_id(api, workflow, version)}/export")
    text = json.dumps(found["document"], indent=2, ensure_ascii=False) + "\n"
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        print_json(found)
    elif out is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"wrote {out}")
    return 0


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name to store it under; its own by default.")
@AS_JSON
def import_document(*, file: Path, name: str | None, as_json: bool) -> int:
    """Store the strategy in an exported FILE as a new one of yours.

    It is stored whole or not at all.
    """
    from alphintra.cli import session

    text = json_object_text(file)
    with session.person() as api:
        made = api.post_document("/workflows/import", "document", text, {"name": name})
    print_answer(
        made, f"stored {made['name']!r} ({made['workflow_id']}), graph hash {made['graph_hash']}", as_json=as_json
    )
    return 0


def _version_id(api: ApiClient, workflow: Mapping[str, Any], version: int | None) -> str:
    """Return the id of a version by its number. Raises VERSION_NOT_FOUND."""
    if version is None or version == workflow["version"]:
        return str(workflow["version_id"])
    found = api.get(f"/workflows/{workflow['workflow_id']}/versions", before=version + 1, limit=1)["versions"]
    if not found or found[0]["version"] != version:
        message = f"the strategy has no version {version}: it has 1 to {workflow['version']}"
        raise AlphintraError("VERSION_NOT_FOUND", message, kind=Kind.NOT_FOUND)
    return str(found[0]["version_id"])


COMMANDS: tuple[click.Command, ...] = (
    list_versions,
    compare_versions,
    restore_version,
    save_version,
    rename,
    archive,
    unarchive,
    duplicate,
    export,
    import_document,
)

"""The catalogue of bars, and the feeds that replay it."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.output import AS_JSON, moment, print_fields, print_json, print_table, progress_bar
from alphintra.cli.parameters import DAY, SYMBOL, check_range, readable_bytes
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.cli.client import ApiClient

__all__ = ["COMMANDS"]

IMPORT_TIMEOUT_S = 3600.0
_ENDED = {"finished", "failed", "canceled"}


@click.group()
def data() -> None:
    """Market data: import it, see what there is."""


@data.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--symbol", type=SYMBOL, help="Where the file has no symbol column.")
@click.option("--source", default="upload", show_default=True, help="Where the data is from.")
@AS_JSON
def import_file(*, file: Path, symbol: str | None, source: str, as_json: bool) -> int:
    """Import the bars of a CSV FILE.

    Plain or gzip; waits until they are there.
    """
    from alphintra.cli import session

    content = readable_bytes(file)
    with session.anyone() as api:
        started = api.upload("/datasets", content, filename=file.name, source=source, symbol=symbol)
        _await_import(api, started["import_id"], file.name)
        imported = api.get(f"/imports/{started['import_id']}")["dataset_ids"]
        datasets = [each for each in api.get("/datasets")["datasets"] if each["dataset_id"] in imported]
    if as_json:
        print_json({"import_id": started["import_id"], "datasets": datasets})
        return 0
    _print_datasets(datasets)
    for dataset in datasets:
        for finding in dataset["findings"]:
            click.echo(f"{dataset['symbol']}: {finding}")
    return 0


@data.command("list")
@AS_JSON
def list_datasets(*, as_json: bool) -> int:
    """List the bars in the catalogue."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/datasets")
    if as_json:
        print_json(found)
    else:
        _print_datasets(found["datasets"])
    return 0


@data.command("show")
@click.argument("symbol", type=SYMBOL)
@AS_JSON
def show_dataset(*, symbol: str, as_json: bool) -> int:
    """Show a SYMBOL's bars and what is odd."""
    from urllib.parse import quote

    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get(f"/datasets/{quote(symbol, safe='')}")
    if as_json:
        print_json(found)
        return 0
    print_fields(
        {
            "symbol": found["symbol"],
            "interval": found["timeframe"],
            "bars": found["rows"],
            "first (UTC)": moment(found["first_ts"]),
            "last (UTC)": moment(found["last_ts"]),
            "source": found["source"],
            "imported (UTC)": moment(found["imported_at"]),
            "splits": found["splits"],
            "hash": found["data_hash"],
            "findings": len(found["findings"]),
        }
    )
    for finding in found["findings"]:
        click.echo(f"  {finding}")
    return 0


@click.group()
def feed() -> None:
    """Price feeds: history replayed."""


@feed.command("list")
@AS_JSON
def list_feeds(*, as_json: bool) -> int:
    """List the replays and how far they are."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/feeds")
    if as_json:
        print_json(found)
    else:
        rows = [
            (each["feed_id"], each["name"], each["status"], f"{each['seq']}/{each['steps']}", moment(each["last_ts"]))
            for each in found["feeds"]
        ]
        print_table(("feed", "name", "status", "step", "replayed to (UTC)"), rows)
    return 0


@feed.command("create")
@click.option("--name", required=True, help="Say that it is a replay.")
@click.option("--symbol", "symbols", type=SYMBOL, multiple=True, required=True, help="Repeatable.")
@click.option("--start", type=DAY, help="First day (UTC).")
@click.option("--end", type=DAY, help="Day before which it ends (UTC).")
@click.option("--interval-ms", type=click.IntRange(0, 86_400_000), default=1000, show_default=True, help="Each step.")
@AS_JSON
def create_feed(*, as_json: bool, **chosen: Any) -> int:  # noqa: ANN401 - click passes each option by name
    """Make a paused replay of the catalogue's bars."""
    from alphintra.cli import session
    from alphintra.cli.client import wait_for

    check_range(chosen["start"], chosen["end"])
    with session.anyone() as api:
        path = f"/feeds/{api.post('/feeds', chosen)['feed_id']}"
        made = wait_for("the feed", lambda: api.get(path), lambda found: found["status"] != "preparing")
    _print_feed(made, as_json=as_json)
    return 1 if made["status"] == "failed" else 0


@feed.command("resume")
@click.argument("feed")
@click.option("--interval-ms", type=click.IntRange(0, 86_400_000), help="A new pace.")
@click.option("--pause-at", type=click.IntRange(1, 2**31), help="Step after which it pauses by itself.")
@AS_JSON
def resume_feed(*, feed: str, interval_ms: int | None, pause_at: int | None, as_json: bool) -> int:
    """Let a FEED (id or name) run."""
    return _control(feed, "resume", {"interval_ms": interval_ms, "pause_at": pause_at}, as_json=as_json)


@feed.command("pause")
@click.argument("feed")
@AS_JSON
def pause_feed(*, feed: str, as_json: bool) -> int:
    """Stop a FEED (id or name) after its present step."""
    return _control(feed, "pause", {}, as_json=as_json)


def _control(feed: str, action: str, body: Mapping[str, object], *, as_json: bool) -> int:
    from alphintra.cli import naming, session

    with session.anyone() as api:
        found = api.post(f"/feeds/{naming.feed_id(api, feed)}/{action}", body)
    _print_feed(found, as_json=as_json)
    return 0


def _await_import(api: ApiClient, import_id: str, name: str) -> None:
    """Return when the import is finished. Raises its failure's code, naming the file."""
    from alphintra.cli.client import wait_for

    with progress_bar(f"importing {name}") as tell:

        def fetch() -> Any:  # noqa: ANN401 - JSON
            found = api.get(f"/imports/{import_id}")
            tell(found["progress"])
            return found

        ended = wait_for("the import", fetch, lambda found: found["status"] in _ENDED, timeout_s=IMPORT_TIMEOUT_S)
    if ended["status"] != "finished":
        raise AlphintraError(ended["error_code"] or "IMPORT_FAILED", f"{name}: {ended['error']}", pointer="FILE")


def _print_datasets(datasets: list[Mapping[str, Any]]) -> None:
    rows = [
        (
            each["symbol"],
            each["timeframe"],
            each["rows"],
            each["first_ts"][:10],
            each["last_ts"][:10],
            len(each["splits"]),
            len(each["findings"]),
            each["source"],
        )
        for each in datasets
    ]
    print_table(("symbol", "interval", "bars", "first", "last", "splits", "findings", "source"), rows)


def _print_feed(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "feed": found["feed_id"],
            "name": found["name"],
            "symbols": found["symbols"],
            "status": found["status"],
            "step": f"{found['seq']} of {found['steps']}",
            "each step": f"{found['interval_ms']} ms",
            "replayed to (UTC)": moment(found["last_ts"]),
            "error": found["error"],
        }
    )


COMMANDS: tuple[click.Command, ...] = (data, feed)

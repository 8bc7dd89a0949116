"""The catalogue of bars, and the feeds: replays of it, and live bars."""

# ruff: noqa: PLC0415 - the client is loaded by the commands that call

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.output import AS_JSON, WIDTH_MAX, moment, print_fields, print_json, print_table, progress_bar
from alphintra.cli.parameters import DAY, SYMBOL, check_range, readable_bytes
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.cli.client import ApiClient

__all__ = ["COMMANDS"]

CHECK_TIMEOUT_S = 300.0
IMPORT_TIMEOUT_S = 3600.0
DOWNLOAD_TIMEOUT_S = 86_400.0
FORMATS = ("auto", "csv", "yahoo", "alpaca", "ccxt", "kraken", "stooq", "binance")
_ENDED = {"finished", "failed", "canceled"}


@click.group()
def data() -> None:
    """Market data: import it, check it, see what there is."""


@data.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--symbol", type=SYMBOL, help="Where the file has no symbol column.")
@click.option("--source", default="upload", show_default=True, help="Where the data is from.")
@click.option("--licence", help="Terms the data is kept under, or its attribution.")
@click.option("--format", type=click.Choice(FORMATS), default="auto", show_default=True, help="Layout of the file.")
@click.option(
    "--column", multiple=True, metavar="NAME=TITLE", help="ts, symbol, open, high, low, close, volume, adjusted."
)
@click.option("--zone", help="Time zone of times that name none, e.g. America/New_York.")
@click.option(
    "--stamps", type=click.Choice(("open", "close")), default="open", show_default=True, help="What times are."
)
@click.option("--timeframe", help="Interval of the bars, where the file cannot show it.")
@click.option("--allow", type=click.Choice(("sort", "duplicates")), multiple=True, help="What may be mended.")
@click.option("--split", multiple=True, metavar="DAY=NEW/OLD", help="A split the prices are not adjusted for.")
@AS_JSON
def import_file(*, file: Path, as_json: bool, **said: Any) -> int:  # noqa: ANN401 - click passes each option by name
    """Import the bars of a FILE.

    CSV (plain, gzip or zip), JSON arrays or Parquet, as Yahoo, Alpaca, CCXT, Kraken, Stooq and Binance write them;
    waits until they are there, and names what is odd.
    """
    from alphintra.cli import session

    content = readable_bytes(file)
    listed = {"columns": ";".join(said.pop("column")), "splits": ",".join(said.pop("split"))}
    listed["allow"] = ",".join(said.pop("allow"))
    with session.anyone() as api:
        started = api.upload("/datasets", content, filename=file.name, **said, **listed)
        _await_import(api, started["import_id"], file.name)
        imported = api.get(f"/imports/{started['import_id']}")["dataset_ids"]
        datasets = [each for each in api.get("/datasets")["datasets"] if each["dataset_id"] in imported]
    if as_json:
        print_json({"import_id": started["import_id"], "datasets": datasets})
        return 0
    _print_datasets(datasets)
    for dataset in datasets:
        _print_issues(dataset["issues"], f"{dataset['symbol']}: ")
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
        found = api.get(f"/datasets/{quote(symbol)}")
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
            "licence": found["licence"],
            "format": found["file_format"],
            "times": f"{found['stamps']} of the interval, {found['zone']}" if found["zone"] else "dates of sessions",
            "prices": found["price_basis"],
            "imported (UTC)": moment(found["imported_at"]),
            "splits": found["splits"],
            "dividends": len(found["dividends"]),
            "hash": found["data_hash"],
            "file hash": found["file_hash"],
            "findings": len(found["findings"]),
        }
    )
    _print_issues(found["issues"], "  ")
    return 0


@data.command("check")
@click.argument("symbols", type=SYMBOL, nargs=-1)
@click.option("--hash", "has_hash", is_flag=True, help="Compare the bars with the hash they were entered with.")
@AS_JSON
def check_datasets(*, symbols: tuple[str, ...], has_hash: bool, as_json: bool) -> int:
    """Check the bars of SYMBOLS, of all if none is named.

    Holds them against the sessions of their exchange; exit status 1 if bars were changed since their import.
    """
    from alphintra.cli import session

    with session.anyone() as api:
        names = symbols or tuple(each["symbol"] for each in api.get("/datasets")["datasets"])
        checks = [_checked(api, name, has_hash=has_hash) for name in names]
    if as_json:
        print_json({"checks": checks})
    else:
        _print_checks(checks)
    return 1 if any(check["is_intact"] is False for check in checks) else 0


@data.command("download")
@click.option("--source", required=True, help="alpaca, yahoo, or ccxt:kraken for an exchange of ccxt.")
@click.option("--symbol", type=SYMBOL, required=True, help="AAPL, or BTC/USD.")
@click.option("--timeframe", required=True, help="1m, 5m, 1h, 1d ...")
@click.option("--from", "start", type=DAY, help="First day (UTC); without it, where the bars of the source end.")
@click.option("--to", "end", type=DAY, help="Day before which it ends (UTC); without it, now.")
@click.option("--licence", default="", help="Terms the data is kept under, or its attribution.")
@click.option("--detach", is_flag=True, help="Return at once; `alphintra data downloads` shows how far it is.")
@AS_JSON
def download(*, detach: bool, as_json: bool, **wanted: Any) -> int:  # noqa: ANN401 - click passes each option by name
    """Download bars into the catalogue.

    Goes on by itself after a restart of the platform; what has come stays when it fails or is cancelled.
    """
    from alphintra.cli import session

    check_range(wanted["start"], wanted["end"])
    with session.anyone() as api:
        ended = api.post("/downloads", wanted)
        if not detach:
            ended = _await_download(api, ended["download_id"], wanted["symbol"])
    if as_json:
        print_json(ended)
    else:
        _print_downloads([ended])
    if ended["status"] == "failed":
        raise AlphintraError(ended["error_code"], ended["error"])
    return 0


@data.command("downloads")
@AS_JSON
def list_downloads(*, as_json: bool) -> int:
    """List downloads and how far they are, newest first."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/downloads")
    if as_json:
        print_json(found)
    else:
        _print_downloads(found["downloads"])
    return 0


@data.command("cancel")
@click.argument("download_id", metavar="DOWNLOAD")
@AS_JSON
def cancel_download(*, download_id: str, as_json: bool) -> int:
    """Stop a DOWNLOAD (id); what has come stays."""
    from urllib.parse import quote

    from alphintra.cli import session

    with session.anyone() as api:
        found = api.post(f"/downloads/{quote(download_id, safe='')}/cancel")
    if as_json:
        print_json(found)
    else:
        _print_downloads([found])
    return 0


@click.group()
def feed() -> None:
    """Price feeds: history replayed, or live bars."""


@feed.command("list")
@AS_JSON
def list_feeds(*, as_json: bool) -> int:
    """List the feeds and how far they are."""
    from alphintra.cli import session

    with session.anyone() as api:
        found = api.get("/feeds")
    if as_json:
        print_json(found)
    else:
        rows = [
            (
                each["feed_id"],
                each["name"],
                each["source"] or "replay",
                each["status"],
                f"{each['seq']}/{each['steps']}",
                moment(each["last_ts"]),
                each["error"][:40],
            )
            for each in found["feeds"]
        ]
        print_table(("feed", "name", "bars of", "status", "step", "at (UTC)", "error"), rows)
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


@feed.command("live")
@click.option("--name", required=True, help="What it is called.")
@click.option("--source", required=True, help="alpaca (IEX), alpaca:sip, or ccxt:kraken for an exchange of ccxt.")
@click.option("--symbol", "symbols", type=SYMBOL, multiple=True, required=True, help="Repeatable.")
@click.option("--timeframe", required=True, help="1m, 5m, 1h or 1d.")
@click.option("--account", help="Live account, by id or name, whose connection lends its keys.")
@click.option("--history", type=click.IntRange(0, 5000), default=500, show_default=True, help="Bars to warm up on.")
@click.option("--extended", "is_extended", is_flag=True, help="With bars before and after the regular session.")
@AS_JSON
def create_live_feed(*, account: str | None, as_json: bool, **chosen: Any) -> int:  # noqa: ANN401 - as above
    """Make a paused feed of live bars.

    Once resumed it takes each bar when it is over, records it, and asks for what it missed after an interruption.
    """
    from alphintra.cli import naming, session
    from alphintra.cli.client import wait_for

    with session.anyone() as api:
        connection = None if account is None else naming.account_id(api, account)
        path = f"/feeds/{api.post('/feeds', {**chosen, 'connection': connection})['feed_id']}"
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
        path = f"/feeds/{naming.feed_id(api, feed)}/{action}"
        try:
            found = api.post(path, body)
        except AlphintraError as error:
            if error.code != "FEED_NOT_FOUND":
                raise
            with session.operator() as operator:  # the sample's feed is nobody's: whoever has this home runs it
                found = operator.post(path, body)
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


def _await_download(api: ApiClient, download_id: str, symbol: str) -> Any:  # noqa: ANN401 - JSON
    from alphintra.cli.client import wait_for

    with progress_bar(f"downloading {symbol} ({download_id})") as tell:

        def fetch() -> Any:  # noqa: ANN401 - JSON
            found = api.get(f"/downloads/{download_id}")
            tell(found["progress"])
            return found

        return wait_for("the download", fetch, lambda found: found["status"] in _ENDED, timeout_s=DOWNLOAD_TIMEOUT_S)


def _print_downloads(downloads: list[Mapping[str, Any]]) -> None:
    rows = [
        (
            each["download_id"],
            each["source"],
            each["symbol"],
            each["timeframe"],
            each["status"],
            f"{100 * each['progress']:.0f} %",
            each["rows"],
            each["error_code"],
        )
        for each in downloads
    ]
    print_table(("download", "source", "symbol", "interval", "status", "done", "bars", "error"), rows)


def _checked(api: ApiClient, name: str, *, has_hash: bool) -> Any:  # noqa: ANN401 - JSON
    from urllib.parse import quote

    return api.get_slow(f"/datasets/{quote(name)}/check", {"has_hash": has_hash or None}, timeout_s=CHECK_TIMEOUT_S)


def _print_checks(checks: list[Mapping[str, Any]]) -> None:
    rows = []
    for check in checks:
        coverage = check["coverage"]
        gap = f"{coverage['gap_bars']} after {coverage['gap_after'][:10]}" if coverage["gaps"] else ""
        sessions = f"{coverage['sessions_found']}/{coverage['sessions_expected']}"
        bars = f"{coverage['bars_found']}/{coverage['bars_expected']}"
        span = (check["first_ts"][:10], check["last_ts"][:10])
        share = f"{100 * coverage['share']:.2f} %"
        rows.append((check["symbol"], check["timeframe"], coverage["calendar"], *span, sessions, bars, share, gap))
    print_table(("symbol", "interval", "calendar", "first", "last", "sessions", "bars", "there", "largest gap"), rows)
    for check in checks:
        if check["is_intact"] is False:
            click.echo(f"{check['symbol']}: HASH_MISMATCH: the stored bars are not those that were imported")
        _print_issues(check["issues"], f"{check['symbol']}: ")


def _print_issues(issues: list[Mapping[str, Any]], before: str) -> None:
    for issue in issues:
        for detail in issue["details"]:
            _print_wrapped(f"{before}{issue['code']} ({issue['action']}): {detail}", before)
        if issue["fix"]:
            _print_wrapped(f"{before}  fix: {issue['fix']}", before)


def _print_wrapped(text: str, before: str) -> None:
    indent = " " * (len(text) - len(text.lstrip()) or len(before) or 2) + "  "
    lines = textwrap.wrap(text, WIDTH_MAX, subsequent_indent=indent, drop_whitespace=True, break_on_hyphens=False)
    click.echo("\n".join(lines))


def _print_datasets(datasets: list[Mapping[str, Any]]) -> None:
    rows = [
        (
            each["symbol"],
            each["timeframe"],
            each["rows"],
            each["first_ts"][:10],
            each["last_ts"][:10],
            len(each["splits"]),
            len(each["dividends"]),
            sum(issue["count"] for issue in each["issues"]),
            each["price_basis"],
            each["source"],
        )
        for each in datasets
    ]
    print_table(
        ("symbol", "interval", "bars", "first", "last", "splits", "divs", "findings", "prices", "source"),
        rows,
    )


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
            "bars of": found["source"] or "the catalogue",
            "each step": found["timeframe"] or f"{found['interval_ms']} ms",
            "at (UTC)": moment(found["last_ts"]),
            "error": found["error"],
        }
    )


COMMANDS: tuple[click.Command, ...] = (data, feed)

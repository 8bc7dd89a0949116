"""Bars come page by page over real HTTP, go on where a crash or the catalogue left off, and say why they do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from alphintra.contracts.strategy import (
    CancelDownload,
    DownloadView,
    GetDataset,
    GetDownload,
    ListDownloads,
    StartDownload,
)
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import DatasetId
from alphintra.strategy.gateways import bar_sources
from alphintra.strategy.gateways.bar_sources import Sources
from alphintra.strategy.service import downloads
from fixtures.exchange.books import ASSETS, PAIRS
from fixtures.single_service import PowerCutError, stop_at
from fixtures.venue.server import serving
from unit.strategy.yahoo_answers import AAPL

if TYPE_CHECKING:
    from starlette.requests import Request

    from integration.strategy.stage import Stage

OPEN = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAGE = 40


class Market:
    """A source of bars of a minute that speaks as Alpaca's market data and as Kraken do; spoilt on demand."""

    def __init__(self) -> None:
        self.bars = 100
        self.price = "10.125"
        self.asked: list[dict[str, str]] = []
        self.keys: set[str] = set()
        self.spoilt: list[Response] = []

    def routes(self) -> list[Route]:
        return [
            Route("/v2/stocks/bars", self.alpaca),
            Route("/0/public/{name}", self.kraken),
            Route("/v8/finance/chart/{name}", self.yahoo),
        ]

    def openings(self, query: dict[str, str]) -> list[datetime]:
        start, end = datetime.fromisoformat(query["start"]), datetime.fromisoformat(query["end"])
        return [at for at in (OPEN + index * MINUTE for index in range(self.bars)) if start <= at <= end]

    async def alpaca(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.asked.append(query)
        self.keys.add(request.headers.get("apca-api-secret-key", ""))
        if self.spoilt:
            return self.spoilt.pop(0)
        found = self.openings(query)
        bar = f'"o":{self.price},"h":11,"l":9.5,"c":10.25,"v":100,"n":3,"vw":10.1'
        bars = ",".join(f'{{"t":"{at.isoformat().replace("+00:00", "Z")}",{bar}}}' for at in found[:PAGE])
        token = '"abc"' if len(found) > PAGE else "null"
        return Response(f'{{"bars":{{"AAPL":[{bars}]}},"next_page_token":{token}}}', media_type="application/json")

    async def yahoo(self, request: Request) -> Response:
        self.asked.append(dict(request.query_params))
        return self.spoilt.pop(0) if self.spoilt else JSONResponse(AAPL)

    async def kraken(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == "OHLC":
            if self.spoilt:
                return self.spoilt.pop(0)
            query = {"start": datetime.fromtimestamp(int(request.query_params["since"]) + 1, UTC).isoformat()}
            found = self.openings(query | {"end": "2100-01-01T00:00:00Z"})[:PAGE]
            rows = [[int(at.timestamp()), self.price, "11.0", "9.5", "10.25", "10.1", "0.5", 3] for at in found]
            return JSONResponse({"error": [], "result": {"XXBTZUSD": rows, "last": 0}})
        return JSONResponse({"error": [], "result": {"Assets": ASSETS, "AssetPairs": PAIRS}[name]})


@pytest.fixture
async def market(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Market]:
    monkeypatch.setattr(downloads, "WAIT_S", 0.0)
    found = Market()
    async with serving([*found.routes()]) as url:
        stage.urls.update({"alpaca": url, "ccxt:kraken": url, "yahoo": url})
        yield found


async def start(stage: Stage, **wishes: Any) -> DownloadView:  # noqa: ANN401 - fields of the command
    command: dict[str, Any] = {
        "source": "alpaca",
        "symbol": "AAPL",
        "timeframe": "1Min",
        "start": OPEN,
        "end": OPEN + 100 * MINUTE,
    }
    return await stage.endpoints.start_download(StartDownload(**(command | wishes)), stage.owner)


async def ended(stage: Stage, started: DownloadView) -> DownloadView:
    while await stage.downloader().do_next():
        pass
    return await stage.endpoints.get_download(GetDownload(download_id=started.download_id), stage.owner)


async def closes(stage: Stage, symbol: str = "AAPL") -> list[datetime]:
    found = await stage.endpoints.get_dataset(GetDataset(symbol=symbol), stage.owner)
    return stage.catalogue.read_frame(DatasetId(found.dataset_id))["ts"].to_list()


async def test_alpacas_pages_become_bars_of_the_catalogue(stage: Stage, market: Market) -> None:
    found = await ended(stage, await start(stage, licence="for own use"))
    assert (found.error, found.status, found.rows, found.progress, found.timeframe) == ("", "finished", 100, 1.0, "1m")
    assert [query["start"][11:19] for query in market.asked] == ["14:30:00", "15:09:00", "15:49:00"]
    assert {(query["timeframe"], query["adjustment"], query["symbols"]) for query in market.asked} == {
        ("1Min", "raw", "AAPL")
    }
    assert market.keys == {"canary-source-key"}
    assert await closes(stage) == [OPEN + (index + 1) * MINUTE for index in range(100)]
    dataset = await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)
    assert (dataset.source, dataset.licence, dataset.file_format) == ("alpaca", "for own use", "download")
    (bar, *_) = stage.catalogue.read(DatasetId(dataset.dataset_id), ())
    assert str(bar.open) == "10.125000000"


async def test_yahoos_bars_are_kept_as_they_were_traded_with_splits_and_dividends(stage: Stage, market: Market) -> None:
    market.spoilt = [Response("Too Many Requests", 429)]
    terms = {"source": "yahoo", "timeframe": "1d", "start": datetime(2014, 6, 1, tzinfo=UTC)}
    found = await ended(stage, await start(stage, **terms, end=datetime(2014, 7, 1, tzinfo=UTC)))
    assert (found.status, found.error, found.rows) == ("finished", "", 4)
    dataset = await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)
    assert [text.split("T")[0] for text in dataset.splits] == ["2014-06-09"]
    raw = stage.catalogue.read(DatasetId(dataset.dataset_id), ())
    assert [str(bar.close.normalize()) for bar in raw] == ["647.35", "645.57", "93.7", "94.25"]
    adjusted = stage.catalogue.read(DatasetId(dataset.dataset_id), dataset.splits)
    assert [round(float(bar.close), 2) for bar in adjusted] == [92.48, 92.22, 93.7, 94.25]
    assert not [each for each in dataset.findings if "SPLIT" in each]


@pytest.mark.slow
async def test_ccxts_own_client_brings_the_candles_of_an_exchange(stage: Stage, market: Market) -> None:
    del market
    pytest.importorskip("ccxt")
    found = await ended(stage, await start(stage, source="ccxt:kraken", symbol="BTC/USD"))
    assert (found.status, found.error, found.rows) == ("finished", "", 100)
    assert await closes(stage, "BTC/USD") == [OPEN + (index + 1) * MINUTE for index in range(100)]


async def test_a_download_without_a_start_goes_on_where_the_bars_of_its_source_end(
    stage: Stage, market: Market
) -> None:
    with pytest.raises(AlphintraError, match="START_REQUIRED"):
        await start(stage, start=None)
    market.bars = 50
    await ended(stage, await start(stage))
    market.bars, market.asked = 100, []
    stage.clock.pass_time(seconds=1)
    again = await ended(stage, await start(stage, start=None))
    assert (again.status, again.rows) == ("finished", 50)
    assert market.asked[0]["start"] == "2024-01-02T15:20:00Z"
    assert await closes(stage) == [OPEN + (index + 1) * MINUTE for index in range(100)]


async def test_bars_that_come_otherwise_than_before_are_told(stage: Stage, market: Market) -> None:
    await ended(stage, await start(stage))
    market.price = "10.5"
    stage.clock.pass_time(seconds=1)
    await ended(stage, await start(stage, start=OPEN + 20 * MINUTE, end=OPEN + 30 * MINUTE))
    found = await stage.endpoints.get_dataset(GetDataset(symbol="AAPL"), stage.owner)
    assert ("BAR_REVISED", 10) in [(issue.code, issue.count) for issue in found.issues]
    assert found.rows == 100


@pytest.mark.parametrize("point", ["strategy.download_page", "strategy.download_fetched", "strategy.download_stored"])
async def test_a_download_whose_worker_was_killed_goes_on_from_its_last_page(
    stage: Stage, market: Market, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    started = await start(stage)
    with monkeypatch.context() as crashing:
        stop_at(crashing, downloads, point)
        with pytest.raises(PowerCutError):
            await stage.downloader().do_next()
    assert not await stage.downloader().do_next()  # the lease of the dead worker still holds
    stage.clock.pass_time(seconds=downloads.LEASE.total_seconds() + 1)
    found = await ended(stage, started)
    assert (found.status, found.rows) == ("finished", 100)
    assert await closes(stage) == [OPEN + (index + 1) * MINUTE for index in range(100)]
    assert len(market.asked) == (4 if point == "strategy.download_page" else 3)
    assert len(await stage.audited("dataset.enter")) == 1


async def test_a_cancelled_download_keeps_what_has_come(stage: Stage, market: Market) -> None:
    waiting = await start(stage)
    canceled = await stage.endpoints.cancel_download(CancelDownload(download_id=waiting.download_id), stage.owner)
    assert canceled.status == "canceled"
    assert not await stage.downloader().do_next()
    running = await start(stage)
    real = Market.alpaca

    async def alpaca(request: Request) -> Response:
        if len(market.asked) == 1:
            command = CancelDownload(download_id=running.download_id)
            await stage.endpoints.cancel_download(command, stage.owner)
        return await real(market, request)

    market.alpaca = alpaca  # type: ignore[method-assign]
    async with serving([Route("/v2/stocks/bars", alpaca)]) as url:
        stage.urls["alpaca"] = url
        found = await ended(stage, running)
    assert (found.status, found.rows) == ("canceled", 80)
    assert len(await closes(stage)) == 80
    listed = await stage.endpoints.list_downloads(ListDownloads(), stage.owner)
    assert [each.status for each in listed.downloads] == ["canceled", "canceled"]


async def test_a_source_that_is_busy_is_asked_again_and_in_the_end_named(stage: Stage, market: Market) -> None:
    market.spoilt = [JSONResponse({}, status) for status in (429, 503, 500)]
    assert (await ended(stage, await start(stage))).status == "finished"
    market.spoilt = [JSONResponse({}, 429) for _ in range(downloads.ATTEMPTS)]
    found = await ended(stage, await start(stage))
    assert (found.status, found.error_code, found.rows) == ("failed", "SOURCE_BUSY", 0)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (JSONResponse({"message": "forbidden."}, 403), "SOURCE_REFUSED"),
        (HTMLResponse("<html>maintenance</html>"), "SOURCE_PROTOCOL"),
        (JSONResponse({"bars": {"AAPL": [{"t": "2024-01-02", "o": "x"}]}}), "SOURCE_PROTOCOL"),
        (JSONResponse({"bars": {}, "next_page_token": None}), "DOWNLOAD_EMPTY"),
    ],
    ids=["forbidden", "html", "other", "nothing"],
)
async def test_an_answer_that_brings_no_bars_ends_the_download_with_a_code(
    stage: Stage, market: Market, answer: Response, code: str
) -> None:
    market.spoilt = [answer]
    found = await ended(stage, await start(stage))
    assert (found.status, found.error_code, found.dataset_id) == ("failed", code, None)
    assert "canary" not in found.error


async def test_what_came_before_a_failure_stays(stage: Stage, market: Market) -> None:
    real, spoilt = Market.alpaca, JSONResponse({}, 403)

    async def alpaca(request: Request) -> Response:
        return spoilt if len(market.asked) == 1 else await real(market, request)

    async with serving([Route("/v2/stocks/bars", alpaca)]) as url:
        stage.urls["alpaca"] = url
        found = await ended(stage, await start(stage))
    assert (found.status, found.error_code, found.rows) == ("failed", "SOURCE_REFUSED", 40)
    assert len(await closes(stage)) == 40


async def test_endless_answers_are_cut_off(stage: Stage, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    del market
    monkeypatch.setattr(bar_sources, "ANSWER_BYTES_MAX", 1000)
    assert (await ended(stage, await start(stage))).error_code == "SOURCE_PROTOCOL"


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"source": "stooq"}, "SOURCE_UNKNOWN"),
        ({"source": "ccxt:../x"}, "SOURCE_UNKNOWN"),
        ({"symbol": "aapl"}, "SYMBOL_FORMAT"),
        ({"timeframe": "7y"}, "TIMEFRAME_INVALID"),
        ({"end": OPEN}, "RANGE"),
        ({"licence": "a\nb"}, "FIELD_CHARS"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_before_anything_is_asked(
    stage: Stage, wishes: dict[str, Any], code: str
) -> None:
    with pytest.raises(AlphintraError) as caught:
        await start(stage, **wishes)
    assert caught.value.code == code


def test_alpaca_without_keys_says_where_they_go() -> None:
    with pytest.raises(AlphintraError, match="APCA_API_KEY_ID") as caught:
        Sources({}).require("alpaca")
    assert caught.value.code == "SOURCE_KEYS"

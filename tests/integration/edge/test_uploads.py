"""A file goes to strategy piece by piece, never as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from alphintra.contracts.strategy import CheckDataset, GetDataset, ImportDataset, StageUpload
from alphintra.edge import front
from fixtures.edge import Gateway

PIECE = 512 * 1024
URL = "/api/v1/datasets?filename=prices.csv.gz&source=Sample&symbol=AAPL"


def staged(gateway: Gateway) -> list[StageUpload]:
    return [one for one in gateway.services.commands(StageUpload) if isinstance(one, StageUpload)]


async def upload(gateway: Gateway, *chunks: bytes, url: str = URL, media: str = "application/gzip") -> tuple[int, str]:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    headers = {**gateway.bearer(), "Content-Type": media}
    answer = await gateway.client.post(url, content=body(), headers=headers)
    return answer.status_code, answer.json().get("code", "")


async def test_a_file_arrives_whole_in_pieces_of_at_most_512_kib(gateway: Gateway) -> None:
    content = bytes(range(256)) * 5000  # 1.28 MB
    sizes = (1, PIECE - 1, PIECE + 7, 100)
    chunks, at = [], 0
    for size in sizes:
        chunks.append(content[at : at + size])
        at += size
    assert await upload(gateway, *chunks, content[at:]) == (202, "")
    pieces = staged(gateway)
    assert b"".join(one.data for one in pieces) == content
    assert [one.offset for one in pieces] == [0, PIECE, 2 * PIECE]
    assert max(len(one.data) for one in pieces) == PIECE
    assert len({one.upload_id for one in pieces}) == 1
    expected = ImportDataset(upload_id=pieces[0].upload_id, file_name="prices.csv.gz", source="Sample", symbol="AAPL")
    assert gateway.services.last() == expected


async def test_what_is_said_of_a_file_goes_with_it(gateway: Gateway) -> None:
    said = "&format=csv&columns=ts%3DWhen%3Bopen%3D2&zone=Europe/Berlin&stamps=close&timeframe=5m&licence=CC0"
    assert await upload(gateway, b"a", url=f"{URL}{said}&allow=sort,duplicates&splits=2024-01-04%3D2/1") == (202, "")
    assert gateway.services.last() == ImportDataset(
        upload_id=staged(gateway)[0].upload_id,
        file_name="prices.csv.gz",
        source="Sample",
        symbol="AAPL",
        format="csv",
        columns={"ts": "When", "open": "2"},
        zone="Europe/Berlin",
        stamps="close",
        timeframe="5m",
        allow=("sort", "duplicates"),
        splits=("2024-01-04=2/1",),
        licence="CC0",
    )
    assert await upload(gateway, b"a", url=f"{URL}&columns=When") == (422, "CSV_COLUMN")
    assert await upload(gateway, b"a", url=f"{URL}&zones=UTC") == (422, "FIELD_UNKNOWN")


@pytest.mark.parametrize("symbol", ["AAPL", "ETH/BTC"])
async def test_a_symbol_with_a_slash_has_its_pages_too(gateway: Gateway, symbol: str) -> None:
    await gateway.client.get(f"/api/v1/datasets/{symbol}", headers=gateway.bearer())
    assert gateway.services.last() == GetDataset(symbol=symbol)
    await gateway.client.get(f"/api/v1/datasets/{symbol}/check?has_hash=true", headers=gateway.bearer())
    assert gateway.services.last() == CheckDataset(symbol=symbol, has_hash=True)


async def test_the_answer_says_where_the_import_is(gateway: Gateway) -> None:
    headers = {**gateway.bearer(), "Content-Type": "text/csv"}
    answer = await gateway.client.post(URL, content=b"date,close\n", headers=headers)
    assert answer.headers["location"] == f"/api/v1/imports/{answer.json()['import_id']}"


async def test_two_uploads_never_share_an_id(gateway: Gateway) -> None:
    await upload(gateway, b"a")
    await upload(gateway, b"b")
    assert len({one.upload_id for one in staged(gateway)}) == 2


async def test_an_empty_file_is_refused(gateway: Gateway) -> None:
    assert await upload(gateway, b"") == (400, "BODY_EMPTY")
    assert gateway.services.commands(ImportDataset) == []


async def test_a_file_beyond_the_limit_is_refused_and_never_imported(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = front._BodyRule(frozenset({"application/gzip"}), 2 * PIECE, 30.0)
    monkeypatch.setattr(front, "_UPLOADS", {("POST", "/api/v1/datasets"): rule})
    assert await upload(gateway, *[b"x" * PIECE] * 3) == (413, "BODY_TOO_LARGE")
    assert gateway.services.commands(ImportDataset) == []


async def test_a_declared_length_beyond_64_mib_is_refused_before_a_byte_is_read(gateway: Gateway) -> None:
    headers = {**gateway.bearer(), "Content-Type": "text/csv", "Content-Length": str(64 * 1024 * 1024 + 1)}
    answer = await gateway.client.post(URL, content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert staged(gateway) == []


@pytest.mark.parametrize(
    ("url", "media", "status", "code"),
    [
        (URL, "application/json", 415, "CONTENT_TYPE"),
        (URL, "text/plain", 415, "CONTENT_TYPE"),
        ("/api/v1/datasets?source=x", "text/csv", 422, "FIELD_REQUIRED"),
        ("/api/v1/datasets?filename=", "text/csv", 422, "FIELD_LENGTH"),
        ("/api/v1/datasets?filename=a%00b", "text/csv", 422, "FIELD_CHARS"),
        ("/api/v1/datasets?filename=a%E2%80%AEb", "text/csv", 422, "FIELD_CHARS"),
        ("/api/v1/datasets?filename=a&source=x%0Ay", "text/csv", 422, "FIELD_CHARS"),
        (f"/api/v1/datasets?filename={'x' * 201}", "text/csv", 422, "FIELD_LENGTH"),
        ("/api/v1/datasets?filename=a&symbl=AAPL", "text/csv", 422, "FIELD_UNKNOWN"),
    ],
)
async def test_an_upload_that_cannot_be_meant_is_refused_before_anything_is_staged(
    gateway: Gateway, url: str, media: str, status: int, code: str
) -> None:
    assert await upload(gateway, b"date,close\n", url=url, media=media) == (status, code)
    assert staged(gateway) == []

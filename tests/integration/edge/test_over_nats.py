"""The gateway and a service in processes of their own: the same answers over NATS, under the edge's own rights."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from alphintra.contracts.strategy import ImportDataset, ImportView, StagedView, StageUpload
from alphintra.contracts.trading import GetAccount
from alphintra.edge.app import build_app
from alphintra.edge.settings import EdgeSettings
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Context
from alphintra.manifest import EDGE_ASKS
from fixtures.edge import OPERATOR, OPERATOR_TOKEN, SOME_ID, sample

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fixtures.nats import NatsServer


async def bus_of(server: NatsServer, name: str, asks: frozenset[str]) -> Bus:
    login = server.login(name)
    nats = await connect_nats(NatsCredentials(url=server.url, user=login.user, seed=login.seed))
    return Bus(name=name, asks=asks, local=LocalDirectory(), nats=nats)


class Answers:
    """What two services answer in this test."""

    def __init__(self) -> None:
        self.pieces: list[StageUpload] = []

    async def stage(self, command: StageUpload, _context: Context) -> StagedView:
        self.pieces.append(command)
        return StagedView(received=len(command.data))

    async def start_import(self, _command: ImportDataset, _context: Context) -> ImportView:
        view: ImportView = sample(ImportView)
        return view

    async def account(self, command: GetAccount, _context: Context) -> object:
        raise AlphintraError("ACCOUNT_NOT_FOUND", f"no account {command.account_id}", kind=Kind.NOT_FOUND)


@pytest.fixture
async def answers(nats_server: NatsServer) -> AsyncIterator[Answers]:
    found = Answers()
    strategy = await bus_of(nats_server, "strategy", frozenset())
    trading = await bus_of(nats_server, "trading", frozenset())
    strategy.answer(StageUpload, found.stage)
    strategy.answer(ImportDataset, found.start_import)
    trading.answer(GetAccount, found.account)
    await strategy.start()
    await trading.start()
    yield found
    await strategy.close()
    await trading.close()


@pytest.fixture
async def client(nats_server: NatsServer) -> AsyncIterator[httpx.AsyncClient]:
    asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in EDGE_ASKS)
    bus = await bus_of(nats_server, "edge", asks)
    settings = EdgeSettings(version="1", operator_token_sha256=sha256(OPERATOR_TOKEN.encode()).hexdigest())
    app = build_app(bus=bus, settings=settings, clock=SystemClock(), ids=SystemIds())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as opened:
        yield opened
    await bus.close()


async def test_a_piece_of_a_file_fits_into_a_message(client: httpx.AsyncClient, answers: Answers) -> None:
    content = bytes(range(256)) * 4096
    headers = {**OPERATOR, "Content-Type": "text/csv"}
    answer = await client.post("/api/v1/datasets?filename=a.csv", content=content, headers=headers)
    assert answer.status_code == 202, answer.text
    assert b"".join(piece.data for piece in answers.pieces) == content
    assert msgspec.json.decode(answer.content, type=ImportView) == sample(ImportView)


async def test_a_refusal_keeps_its_code_and_kind_on_the_way(client: httpx.AsyncClient, answers: Answers) -> None:
    assert answers.pieces == []
    answer = await client.get(f"/api/v1/accounts/{SOME_ID}", headers=OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (404, "ACCOUNT_NOT_FOUND")


async def test_a_service_nobody_runs_is_unavailable(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/messages", headers=OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (503, "NOTIFICATION_UNAVAILABLE")

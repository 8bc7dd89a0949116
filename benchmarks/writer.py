"""Trading's writer alone: its queue, its statement and its database; risk approves in process and stores nothing.

``python -m benchmarks.writer`` with ``{"admin_url", "port", "seconds", "in_flight", "stored"}`` on standard input;
``stored`` is how many orders there are to be before, made up where there are fewer.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import json
import os
import resource
import sys
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import asyncpg
import uvloop

from alphintra.contracts.approval import Approval, ApprovalSeal, approval_leaf, proofs, seal_bytes
from alphintra.contracts.risk import Assessment, AssessOrder
from alphintra.contracts.trading import OpenAccount, SubmitOrder
from alphintra.dataplane.layouts import separate_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.postgres import Database, Queries
from alphintra.infrastructure.signing import SigningKey
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.kernel.ids import AccountId
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from alphintra.trading.endpoints import OrderQueue
from alphintra.trading.gateways import RiskGateway
from alphintra.trading.repository.books import Books
from alphintra.trading.service.accounts import open_account
from alphintra.trading.service.submission import read_order

__all__ = ["main"]

_HOST: Final = "127.0.0.1"
_ACCOUNTS: Final = 8
_WARM_S: Final = 1.0
_CHUNK: Final = 50_000
_HISTORY: Final = (Path(__file__).parent / "history.sql").read_text(encoding="utf-8")


class _Approver:
    """Risk's way of answering, one signature a batch, without its books: what is measured is the writer."""

    def __init__(self) -> None:
        self._key = SigningKey(base64.b64encode(os.urandom(32)).decode())
        self._ids = SystemIds()
        self._clock = SystemClock()

    async def approve(self, requests: Sequence[tuple[AssessOrder, Context]]) -> Sequence[Assessment]:
        decisions = [(command.terms, self._ids.new()) for command, _context in requests]
        leaves = tuple(approval_leaf(terms, decision_id=decision, limit_version=1) for terms, decision in decisions)
        root, paths = proofs(leaves)
        expires_at = self._clock.now() + timedelta(seconds=5)
        seal = ApprovalSeal(root=root, size=len(leaves), kill_epoch=0, expires_at=expires_at)
        signature = self._key.sign(seal_bytes(seal))
        return [
            Assessment(
                decision_id=decision,
                order_id=terms.order_id,
                findings=(),
                limit_version=1,
                kill_epoch=0,
                approval=Approval(
                    decision_id=decision,
                    limit_version=1,
                    seal=seal,
                    signature=signature,
                    index=index,
                    path=paths[index],
                ),
            )
            for index, (terms, decision) in enumerate(decisions)
        ]


def _password(role: str) -> str:
    return hashlib.sha256(f"benchmark {role}".encode()).hexdigest()


async def _database(order: dict[str, Any]) -> Database:
    (placement,) = (item for item in separate_layout() if item.service == "trading")
    server = Server(admin_url=order["admin_url"], host=_HOST, port=order["port"])
    await provision(server, layout=(placement,), passwords=_password)
    role = placement.service_role
    return await Database.open(
        f"postgresql://{role}:{_password(role)}@{_HOST}:{order['port']}/{placement.database}",
        queries=Queries.load("alphintra.trading"),
        application="benchmark-writer",
        connections_max=6,
    )


async def _accounts(books: Books, context: Context) -> list[UUID]:
    clock, ids = SystemClock(), SystemIds()
    made = []
    for _ in range(_ACCOUNTS):
        command = OpenAccount(name=f"bench {ids.new()}", starting_cash=Decimal(10**9), feed_id=ids.new())
        account = await open_account(command, context, books=books, ids=ids, at=clock.now())
        async with books.transaction() as tx:
            await tx.mark_risk_ready(AccountId(account.account_id))
            await tx.mark_venue_ready(AccountId(account.account_id))
        made.append(account.account_id)
    return made


async def _fill(order: dict[str, Any], accounts: list[UUID], stored: int) -> int:
    """Bring the tables of the path to so many orders: closed ones, with two events, a message and an audit row each.

    Returns how many there are now. Each chunk is committed by itself.
    """
    (placement,) = (item for item in separate_layout() if item.service == "trading")
    role = placement.service_role
    url = f"postgresql://{role}:{_password(role)}@{_HOST}:{order['port']}/{placement.database}"
    connection = await asyncpg.connect(url)
    try:
        held: int = await connection.fetchval("SELECT count(*) FROM orders")
        missing = stored - held
        for first in range(0, max(missing, 0), _CHUNK):
            await connection.execute(_HISTORY, accounts, min(_CHUNK, missing - first))
        if missing > 0:
            await connection.execute("ANALYZE orders, order_events, event_log, audit_events")
        return max(held, stored)
    finally:
        await connection.close()


async def _bus() -> Bus:
    local = LocalDirectory()
    risk = Bus(name="risk", asks=frozenset(), local=local, nats=None)
    risk.answer_many(AssessOrder, _Approver().approve)
    await risk.start()
    return Bus(name="trading", asks=frozenset({"risk.cmd.assess_order"}), local=local, nats=None)


async def _measure(order: dict[str, Any]) -> dict[str, float]:
    database = await _database(order)
    books, ids = Books(database), SystemIds()
    context = Context(trace_id="0" * 32, actor=Actor(id="user:bench", user_id=ids.new(), roles=("trader",)))
    accounts = await _accounts(books, context)
    stored = await _fill(order, accounts, order.get("stored", 0))
    if not order["seconds"]:
        await database.close()
        return {"stored": stored}
    queue = OrderQueue(books=books, risk=RiskGateway(await _bus()), clock=SystemClock(), ids=ids)
    writing = asyncio.create_task(queue.run())
    latencies: list[float] = []
    begins = perf_counter() + _WARM_S
    ends = begins + order["seconds"]

    async def customer(account_id: UUID) -> None:
        while (sent_at := perf_counter()) < ends:
            command = SubmitOrder(
                account_id=account_id,
                client_order_id=str(ids.new()),
                symbol="AAPL",
                side=Side.BUY,
                qty=Decimal(1),
                type=OrderType.LIMIT,
                time_in_force=TimeInForce.GTC,
                limit_price=Decimal("101.25"),
            )
            await queue.submit(read_order(command, context))
            if sent_at >= begins:
                latencies.append(perf_counter() - sent_at)

    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    used: list[float] = []
    loop = asyncio.get_running_loop()
    loop.call_later(_WARM_S, partial(_note_cpu, used))
    await asyncio.gather(*(customer(accounts[n % _ACCOUNTS]) for n in range(order["in_flight"])))
    _note_cpu(used)
    writing.cancel()
    await database.close()
    latencies.sort()
    return {
        "rate": len(latencies) / order["seconds"],
        "cpu_us": (used[1] - used[0]) / len(latencies) * 1e6,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
    }


def _note_cpu(used: list[float]) -> None:
    now = resource.getrusage(resource.RUSAGE_SELF)
    used.append(now.ru_utime + now.ru_stime)


def main() -> None:
    """Carry out the order on standard input."""
    sys.stdout.write(json.dumps(uvloop.run(_measure(json.load(sys.stdin)))))


if __name__ == "__main__":
    main()

"""A closed-loop HTTP client over raw sockets: each connection sends its next request when the last is answered.

``python -m benchmarks.load`` with its order as JSON on standard input; see `Order`.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections import Counter
from time import perf_counter
from typing import Final, cast

import httptools
import msgspec
import uvloop

__all__ = ["Order", "Outcome"]

_LINGER_S: Final = 10.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: ``GET path``, or orders for the accounts in turn where there are any."""

    port: int
    connections: int
    warm_s: float
    seconds: float
    path: str
    token: str = ""
    accounts: tuple[str, ...] = ()
    prefix: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: counts by status in the measured time, latencies of it, and all that was sent."""

    sent: int
    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p99_ms: float
    cpu_s: float


class _Run:
    """What the connections of a run share."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._heads = [self._order_parts(account) for account in order.accounts]
        self.sent = 0
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.begins = perf_counter() + order.warm_s
        self.ends = self.begins + order.seconds

    def next_request(self) -> bytes:
        self.sent += 1
        if not self._heads:
            return (
                f"GET {self._order.path} HTTP/1.1\r\nHost: 127.0.0.1:{self._order.port}\r\n{self._authorization()}\r\n"
            ).encode()
        head, tail = self._heads[self.sent % len(self._heads)]
        return b"%s%010d%s" % (head, self.sent, tail)

    def answered(self, status: int, sent_at: float) -> None:
        now = perf_counter()
        if self.begins <= now < self.ends:
            self.statuses[status] += 1
            self.latencies.append(now - sent_at)

    def _authorization(self) -> str:
        return f"Authorization: Bearer {self._order.token}\r\n" if self._order.token else ""

    def _order_parts(self, account: str) -> tuple[bytes, bytes]:
        """Return what stands before and after the counter in the request for one account."""
        before = (
            f'{{"account_id":"{account}","symbol":"MSFT","side":"buy","qty":"1","type":"limit","limit_price":"0.01",'
            f'"time_in_force":"gtc","client_order_id":"{self._order.prefix}-'
        )
        after = '"}'
        length = len(before) + 10 + len(after)
        head = (
            f"POST {self._order.path} HTTP/1.1\r\nHost: 127.0.0.1:{self._order.port}\r\n{self._authorization()}"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
        return (head + before).encode(), after.encode()


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = 0.0
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class, which is no subclass
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._run.answered(self._parser.get_status_code(), self._sent_at)
        if perf_counter() < self._run.ends:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.closed.done():
            return
        if error is None and perf_counter() >= self._run.ends:
            self.closed.set_result(None)
        else:
            self.closed.set_exception(error or ConnectionError("the server closed a connection"))

    def _send(self) -> None:
        self._sent_at = perf_counter()
        self._transport.write(self._run.next_request())


async def _load(order: Order) -> Outcome:
    run = _Run(order)
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: _Connection(run), "127.0.0.1", order.port))[1]
        for _ in range(order.connections)
    ]
    async with asyncio.timeout(order.warm_s + order.seconds + _LINGER_S):
        await asyncio.gather(*(connection.closed for connection in connections))
    used = resource.getrusage(resource.RUSAGE_SELF)
    latencies = sorted(run.latencies)
    if not latencies:
        raise ConnectionError("no request was answered in the measured time")
    return Outcome(
        sent=run.sent,
        seconds=order.seconds,
        statuses={str(status): count for status, count in run.statuses.items()},
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p99_ms=latencies[len(latencies) * 99 // 100] * 1000,
        cpu_s=used.ru_utime + used.ru_stime,
    )


def main() -> None:
    """Carry out the order on standard input."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.write(msgspec.json.encode(uvloop.run(_load(order))).decode())


if __name__ == "__main__":
    main()

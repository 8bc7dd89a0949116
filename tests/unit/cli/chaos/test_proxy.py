"""The proxy of chaos runs: forwards, delays, cuts, resets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from alphintra.cli.chaos.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """Run a server that says everything again; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=repeat, args=(peer,), daemon=True).start()

    def repeat(peer: socket.socket) -> None:
        with peer:
            try:
                while data := peer.recv(4096):
                    peer.sendall(data)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(echo) as made:
        yield made


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def said_again(client: socket.socket, words: bytes) -> bytes:
    client.sendall(words)
    return client.recv(4096)


def test_what_is_sent_arrives_both_ways(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said_again(client, b"order") == b"order"


def test_latency_is_added_in_either_direction(proxy: Proxy) -> None:
    with connected(proxy) as client:
        said_again(client, b"warm")
        proxy.latency_s = 0.1
        began = time.monotonic()
        assert said_again(client, b"slow") == b"slow"
        assert time.monotonic() - began >= 0.2


def test_a_cut_line_passes_nothing_and_loses_nothing(proxy: Proxy) -> None:
    with connected(proxy) as client:
        said_again(client, b"before")
        proxy.is_cut = True
        client.sendall(b"held")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(4096)
        proxy.is_cut = False
        client.settimeout(5)
        assert client.recv(4096) == b"held"


def test_a_reset_drops_every_connection_and_new_ones_work(proxy: Proxy) -> None:
    with connected(proxy) as client:
        said_again(client, b"before")
        proxy.reset()
        with suppress(ConnectionResetError):
            assert client.recv(4096) == b""
    with connected(proxy) as client:
        assert said_again(client, b"after") == b"after"

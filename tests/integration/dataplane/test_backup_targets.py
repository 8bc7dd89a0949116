"""Backups on an S3-compatible server: moto's, as a process of its own."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import httpx
import pytest

from alphintra.dataplane.backup.catalogue import Catalogue
from alphintra.dataplane.backup.model import BackupKind, Manifest
from alphintra.dataplane.backup.sealing import Key
from alphintra.dataplane.backup.targets import Target, open_target
from alphintra.kernel.errors import AlphintraError

CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
AT: Final = datetime(2026, 11, 23, tzinfo=UTC)
_SERVER: Final = """
from werkzeug.serving import make_server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print("port", server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", _SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        found = re.fullmatch(r"port (\d+)\n", process.stdout.readline())
        assert found is not None
        url = f"http://127.0.0.1:{found[1]}"
        httpx.put(f"{url}/backups", timeout=30).raise_for_status()
        yield url
    finally:
        process.kill()
        process.communicate()


def target(endpoint: str, bucket: str = "backups") -> Target:
    return open_target(f"s3://{bucket}/alphintra", environ=CREDENTIALS, endpoint=endpoint)


def catalogue(endpoint: str) -> Catalogue:
    return Catalogue(
        target=target(endpoint), origin="home", scope="service-risk", keyring=lambda _scope: (Key(b"k" * 32),)
    )


def test_a_backup_is_stored_in_parts_found_again_read_and_removed(endpoint: str) -> None:
    noise = random.Random(1).randbytes(20_000_000)  # noqa: S311 - bytes that do not compress: more than one part
    found = catalogue(endpoint)
    entry = found.add("b1", "schema.dump", [noise])
    assert found.backups() == ()  # half a backup does not count
    made = found.complete(
        Manifest(
            ident="b1",
            scope=found.scope,
            kind=BackupKind.DUMP,
            origin="home",
            began_at=AT,
            ended_at=AT,
            server_version=180006,
            databases={},
            key="",
            files=(entry,),
        )
    )
    again = catalogue(endpoint)
    assert again.backups() == (made,)
    assert b"".join(again.read(again.find("b1"), "schema.dump")) == noise
    again.remove(["b1"])
    assert again.target.names("home/") == []


def test_what_cannot_be_read_leaves_nothing_in_the_bucket_and_says_why(endpoint: str) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 1000
        raise AlphintraError("BACKUP_FAILED", "pg_dump failed: planted")

    with pytest.raises(AlphintraError, match="BACKUP_FAILED"):
        target(endpoint).put("half", broken())
    assert target(endpoint).names("half") == []


def test_what_is_not_there_and_a_bucket_that_is_not_there_are_told(endpoint: str) -> None:
    with pytest.raises(AlphintraError, match="BACKUP_MISSING"):
        b"".join(target(endpoint).get("nothing"))
    with pytest.raises(AlphintraError, match=r"BACKUP_(TARGET|MISSING)"):
        target(endpoint, "absent").put("name", [b"x"])


def test_a_server_that_does_not_answer_is_one_clear_error() -> None:
    with pytest.raises(AlphintraError, match=r"BACKUP_TARGET.*s3://backups/alphintra at http://127\.0\.0\.1:9"):
        target("http://127.0.0.1:9").names("")

"""The web interface is served with a policy of its own, and nothing else depends on its being there."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fixtures.edge import Gateway, opened_gateway

PAGE = '<!doctype html><meta name="csp-nonce" content="__NONCE__"><title>Alphintra</title>'
ENDED_PID = 2**22 + 1  # beyond what Linux gives


def make_bundle(folder: Path, *, script: str = "one") -> None:
    made = folder.with_name("made")
    (made / "assets").mkdir(parents=True)
    (made / "index.html").write_text(PAGE)
    (made / "favicon.svg").write_text("<svg/>")
    (made / "assets" / f"{script}.js").write_text(script)
    (made / "assets" / f"{script}.js.gz").write_bytes(gzip.compress(script.encode()))
    (made / ".stamp").write_text(script)
    if folder.exists():
        folder.rename(folder.with_name("old"))
    made.rename(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "webdist"


@pytest.fixture
async def web(folder: Path) -> AsyncIterator[Gateway]:
    """Give a gateway that looks for the bundle in `folder`."""
    async with opened_gateway(web_folder=folder) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/", "/setup", "/strategies/7f2b", "/index"])
async def test_every_page_is_the_same_document_with_a_nonce_of_its_own(web: Gateway, folder: Path, path: str) -> None:
    make_bundle(folder)
    answers = [await web.client.get(path) for _ in range(2)]
    nonces = [re.findall(r'content="([^"]+)"', answer.text)[0] for answer in answers]
    assert nonces[0] != nonces[1]
    for answer, nonce in zip(answers, nonces, strict=True):
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert f"style-src 'self' 'nonce-{nonce}'" in policy
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/v2/orders",
        "/api/v1/nope",
        "/alpaca/nope",
        "/assets/nope.js",
        "/assets",
        "/nope.map",
        "/metrics/x",
        "/.stamp",
        "/assets/one.js.gz",
        "/assets/../../../edge/web.py",
        "/%2e%2e/edge/web.py",
        "/index.html",
    ],
)
async def test_what_is_no_page_and_no_file_is_not_found(web: Gateway, folder: Path, path: str) -> None:
    make_bundle(folder)
    answer = await web.client.get(path)
    assert answer.status_code == 404
    assert "<" not in answer.text


async def test_pages_are_only_read(web: Gateway, folder: Path) -> None:
    make_bundle(folder)
    assert (await web.client.post("/strategies")).status_code == 404
    assert (await web.client.head("/strategies")).status_code == 200


async def test_named_by_their_hash_files_are_kept_forever_and_others_asked_for_again(
    web: Gateway, folder: Path
) -> None:
    make_bundle(folder)
    script = await web.client.get("/assets/one.js", headers={"Accept-Encoding": "identity"})
    icon = await web.client.get("/favicon.svg")
    assert (script.text, script.headers["cache-control"]) == ("one", "public, max-age=31536000, immutable")
    assert script.headers["content-type"].startswith("text/javascript")
    assert (icon.headers["cache-control"], icon.headers["content-type"]) == ("no-cache", "image/svg+xml")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, br", "gzip"),
        ("GZIP", "gzip"),
        ("br", None),
        ("gzip;q=0, identity", None),
        ("gzip; q=0", None),
        ("", None),
    ],
)
async def test_compressed_files_go_to_those_who_take_them(
    web: Gateway, folder: Path, accepted: str, encoding: str | None
) -> None:
    make_bundle(folder)
    answer = await web.client.get("/assets/one.js", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.text == "one"


async def test_a_new_bundle_is_taken_over_and_pages_of_the_old_still_find_their_files(
    web: Gateway, folder: Path
) -> None:
    make_bundle(folder, script="one")
    assert (await web.client.get("/assets/one.js")).text == "one"
    make_bundle(folder, script="two")
    stamp = folder / ".stamp"
    os.utime(stamp, ns=(1, 1))  # whatever the resolution of the file system's clock
    assert (await web.client.get("/assets/two.js")).text == "two"
    assert (await web.client.get("/assets/one.js")).text == "one"


async def test_until_the_bundle_is_built_a_page_says_so_and_looks_again(web: Gateway, folder: Path) -> None:
    said_state(folder, "building", pid=os.getpid())
    answer = await web.client.get("/strategies")
    assert answer.status_code == 503
    assert "being built" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert (await web.client.get("/api/v1/health")).status_code == 200
    assert "Create owner" in (await web.client.get("/setup?token=x")).text
    make_bundle(folder)
    assert (await web.client.get("/strategies")).status_code == 200


@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [("failed", "no <network>", "no &lt;network&gt;"), ("building", "", "ended before it was done")],
)
async def test_a_build_that_failed_or_was_killed_says_so_and_does_not_go_on_looking(
    web: Gateway, folder: Path, state: str, reason: str, shown: str
) -> None:
    said_state(folder, state, reason=reason, pid=ENDED_PID)
    answer = await web.client.get("/")
    assert shown in answer.text
    assert "tools/build_web.py" in answer.text
    assert "http-equiv" not in answer.text


async def test_an_installation_without_the_interface_says_what_runs(web: Gateway) -> None:
    answer = await web.client.get("/")
    assert answer.status_code == 200
    assert "eight services" in answer.text
    assert (await web.client.get("/strategies")).status_code == 404


def said_state(folder: Path, state: str, *, pid: int, reason: str = "") -> None:
    found = json.dumps({"state": state, "reason": reason, "pid": pid})
    (folder.parent / "webdist.state").write_text(found)

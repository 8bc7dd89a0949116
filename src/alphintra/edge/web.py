"""Serves the web interface: a table of files read once, and one page with a policy and a nonce of its own.

The bundle is made beside the running platform (`tools/build_web.py`), so it may come, and be replaced, while this runs.
Nothing else depends on it: without one there is a page that says how it stands.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from alphintra.edge.pages import home_page, setup_page, waiting_page
from alphintra.infrastructure.telemetry import get_logger

__all__ = ["WebInterface"]

INDEX: Final = "index.html"
NONCE_MARK: Final = "__NONCE__"
NONCE_BYTES: Final = 18
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'"
)
FOREVER: Final = "public, max-age=31536000, immutable"
_OTHERS: Final = frozenset({"api", "alpaca", "assets", "metrics"})


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: bytes | None
    media: str
    cache: str


class _BuildState(msgspec.Struct, frozen=True):
    state: str
    reason: str
    pid: int


class WebInterface:
    """Answers whatever path no route has.

    Args:
        folder: where the bundle is or will be.
        version: of the platform, for the page that stands in for the bundle.
    """

    def __init__(self, folder: Path, *, version: str) -> None:
        self._folder = folder
        self._version = version
        self._made_at = 0
        self._files: Mapping[str, _File] = {}
        self._earlier: Mapping[str, _File] = {}

    def behind(self, unknown: ASGIApp) -> ASGIApp:
        """Return what answers paths no route has: pages and files to who reads, ``unknown`` to all others."""

        async def web(scope: Scope, receive: Receive, send: Send) -> None:
            answer = None
            if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
                answer = self.answer(Request(scope, receive))
            if answer is None:
                await unknown(scope, receive, send)
                return
            scope["endpoint"] = web  # by which requests are counted
            await answer(scope, receive, send)

        return web

    def answer(self, request: Request) -> Response | None:
        """Return the file or page of a path; None where there is none."""
        self._read()
        name = request.url.path.lstrip("/")
        file = self._files.get(name) or self._earlier.get(name)
        if file is not None and name != INDEX:
            return _file_response(file, request.headers.get("accept-encoding", ""))
        if name.partition("/")[0] in _OTHERS or "." in name.rpartition("/")[2]:
            return None
        index = self._files.get(INDEX)
        if index is not None:
            return _index_response(index)
        if name == "setup":
            return setup_page()
        state = self._state()
        if state is None:
            return home_page(self._version) if name == "" else None
        return waiting_page(state.reason if state.state == "failed" else "")

    def _read(self) -> None:
        """Take over a bundle that is new; one that vanishes while it is read leaves what there was."""
        try:
            made_at = (self._folder / ".stamp").stat().st_mtime_ns
            if made_at == self._made_at:
                return
            files = {
                path.relative_to(self._folder).as_posix(): _load(path, self._folder)
                for path in sorted(self._folder.rglob("*"))
                if path.is_file() and path.suffix != ".gz" and path.name != ".stamp"
            }
        except OSError:
            return
        if INDEX in files:
            # Pages that were opened before the change still ask for the files of theirs.
            self._earlier = {name: file for name, file in self._files.items() if file.cache == FOREVER}
            self._files, self._made_at = files, made_at
            get_logger().info("web.loaded", files=len(files))

    def _state(self) -> _BuildState | None:
        try:
            state = msgspec.json.decode((self._folder.parent / "webdist.state").read_bytes(), type=_BuildState)
        except (OSError, msgspec.DecodeError):
            return None
        if state.state == "building" and not Path(f"/proc/{state.pid}").exists():
            return _BuildState(state="failed", reason="the build was ended before it was done", pid=state.pid)
        return state


def _load(path: Path, folder: Path) -> _File:
    packed = path.with_name(f"{path.name}.gz")
    is_hashed = path.relative_to(folder).parts[0] == "assets"
    return _File(
        body=path.read_bytes(),
        packed=packed.read_bytes() if packed.is_file() else None,
        media=guess_type(path.name)[0] or "application/octet-stream",
        cache=FOREVER if is_hashed else "no-cache",
    )


def _file_response(file: _File, accepted: str) -> Response:
    headers = {"Cache-Control": file.cache, "Vary": "Accept-Encoding"}
    taken = {
        part.partition(";")[0].strip().lower() for part in accepted.split(",") if ";q=0" not in part.replace(" ", "")
    }
    if file.packed is not None and "gzip" in taken:
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.media)
    return Response(file.body, headers=headers, media_type=file.media)


def _index_response(index: _File) -> Response:
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    page = index.body.decode().replace(NONCE_MARK, nonce)
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY.format(nonce=nonce)})

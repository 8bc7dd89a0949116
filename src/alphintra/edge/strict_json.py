"""JSON read without mercy: one meaning per text, numbers exact, nothing PostgreSQL could not store."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import accumulate
from typing import Final

from alphintra.kernel.errors import AlphintraError

__all__ = ["DEPTH_MAX", "parse_json"]

DEPTH_MAX: Final = 64
INTEGER_DIGITS_MAX: Final = 20  # longer ones are kept as Decimal: int() of a megabyte takes seconds

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_SUSPECT_ESCAPE: Final = re.compile(rb"\\u(0000|[dD][89a-fA-F])")


def parse_json(body: bytes) -> object:
    """Read one JSON document; numbers with a fraction or exponent come as Decimal, exactly as written.

    NaN and the infinities come as Decimal too, so that the field they stand in can be named.

    Raises BODY_EMPTY, ENCODING, JSON_SYNTAX (with the offset), JSON_DUPLICATE_KEY, JSON_TOO_DEEP or FIELD_CHARS.
    """
    if not body.strip():
        raise AlphintraError("BODY_EMPTY", "the body is empty: send a JSON object")
    _check_depth(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AlphintraError("ENCODING", f"the body is not UTF-8 at byte {error.start}") from error
    try:
        tree: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        message = f"the body is not JSON at character {error.pos} (line {error.lineno}): {error.msg}"
        raise AlphintraError("JSON_SYNTAX", message) from error
    except RecursionError as error:
        raise _too_deep() from error
    if _SUSPECT_ESCAPE.search(body):
        _check_texts(tree, "")
    return tree


def _check_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return
    brackets = _STRING.sub(b"", body).translate(None, delete=_NOT_BRACKETS)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > DEPTH_MAX:
        raise _too_deep()


def _too_deep() -> AlphintraError:
    return AlphintraError("JSON_TOO_DEEP", f"the JSON is nested more than {DEPTH_MAX} deep")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise AlphintraError("JSON_DUPLICATE_KEY", f"{twice[:60]!r} is there twice: keep one", pointer=f"/{twice}")
    return found


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= INTEGER_DIGITS_MAX else Decimal(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Decimal, parse_int=_integer, parse_constant=Decimal
)


def _check_texts(node: object, pointer: str) -> None:
    if isinstance(node, dict):
        for name, value in node.items():
            _check_text(name, pointer)
            _check_texts(value, f"{pointer}/{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            _check_texts(value, f"{pointer}/{index}")
    elif isinstance(node, str):
        _check_text(node, pointer)


def _check_text(text: str, pointer: str) -> None:
    if "\0" in text:
        raise AlphintraError("FIELD_CHARS", "holds the character U+0000: remove it", pointer=pointer)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise AlphintraError("ENCODING", "holds half of a surrogate pair: send whole characters", pointer="")

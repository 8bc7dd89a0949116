"""Graph bytes from outside are read strictly."""

from __future__ import annotations

import msgspec
import pytest

from alphintra.engine.graph import parse_graph
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError

FRAME = b'{"schema":1,"name":"x","timeframe":"1d","nodes":[%s],"edges":[]}'


def test_a_graph_survives_the_way_through_json() -> None:
    graph = crossover()
    assert parse_graph(msgspec.json.encode(graph)) == graph


@pytest.mark.parametrize(
    ("raw", "code", "pointer"),
    [
        (b"  ", "BODY_EMPTY", ""),
        (b'{"schema":1,', "JSON_SYNTAX", ""),
        (b'{"name":"a","name":"b"}', "JSON_DUPLICATE_KEY", ""),
        (b'{"name":"\xff"}', "ENCODING", ""),
        (b'{"name":"\\ud800"}', "ENCODING", ""),
        (b"[" * 200_000, "JSON_TOO_DEEP", ""),
        (b" " * 1_048_576 + b"{}", "GRAPH_TOO_LARGE", ""),
        (b'{"schema":' + b"9" * 5000 + b"}", "JSON_SYNTAX", ""),
        (FRAME % b'{"id":"a","type":"Const","params":{"value":NaN}}', "NUMBER_NOT_FINITE", ""),
        (FRAME % b'{"id":"a","typ":"Const"}', "FIELD_UNKNOWN", "/nodes/0/typ"),
        (FRAME % b'{"id":"a"}', "FIELD_REQUIRED", "/nodes/0/type"),
        (FRAME % b'{"id":7,"type":"Const"}', "FIELD_TYPE", "/nodes/0/id"),
        (FRAME % b'{"id":"a","type":"Const","version":"1"}', "FIELD_TYPE", "/nodes/0/version"),
        (b'{"schema":1,"name":"x","timeframe":"1d","nodes":[],"edge":[]}', "FIELD_UNKNOWN", "/edge"),
        (b"[]", "FIELD_TYPE", ""),
    ],
)
def test_broken_bytes_are_refused_with_a_code_and_a_pointer(raw: bytes, code: str, pointer: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        parse_graph(raw)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_an_unknown_field_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(AlphintraError, match='did you mean "version"'):
        parse_graph(FRAME % b'{"id":"a","type":"Const","vesion":1}')

"""Documents to carry away: what is written is read with the same hash, and each fault is named where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.graph import Graph, graph_hash
from alphintra.engine.graph.wire import Exposure
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import UserId, WorkflowId, WorkflowVersionId
from alphintra.nocode.domain.exchange import read_document, write_document
from alphintra.nocode.domain.workflows import NamedVersion, Stamp, new_workflow

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def document_of(graph: Graph, name: str = "Mine") -> str:
    stamp = Stamp(version_id=WorkflowVersionId(UUID(int=3)), author_id=UserId(UUID(int=1)), at=AT)
    _, version = new_workflow(WorkflowId(UUID(int=2)), stamp, name=name, graph=graph)
    return write_document(NamedVersion(name=name, version=version))


@given(
    periods=st.tuples(st.integers(2, 40), st.integers(41, 200)),
    average=st.sampled_from(["ema", "sma"]),
    percent=st.sampled_from(["1", "33.30", "95", "100.0"]),
    layout=st.dictionaries(
        st.sampled_from(["fast", "slow", "bars"]), st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
    ),
    name=st.text("abcé ñ字", min_size=1, max_size=20).filter(lambda text: text.strip() == text != ""),
    is_exposed=st.booleans(),
)
def test_what_is_written_is_read_with_the_same_hash_name_and_layout(
    periods: tuple[int, int],
    average: Any,  # noqa: ANN401 - one of two words
    percent: str,
    layout: dict[str, tuple[float, float]],
    name: str,
    is_exposed: bool,  # noqa: FBT001 - drawn
) -> None:
    graph = crossover(*periods, average=average, percent=percent)
    exposed = {"fast.period": Exposure(min=1, max=300, step=1)} if is_exposed else {}
    constraints = ("fast.period < slow.period",) if is_exposed else ()
    graph = msgspec.structs.replace(graph, layout=layout, exposed=exposed, constraints=constraints)
    text = document_of(graph, name)
    found = read_document(text)
    assert (found.name, found.graph_hash, graph_hash(found.graph)) == (name, graph_hash(graph), graph_hash(graph))
    assert found.graph.layout == layout
    assert found.graph.constraints == constraints
    assert document_of(found.graph, name) == text


def broken(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(document_of(crossover()))
    change(document)
    return json.dumps(document)


def at(document: dict[str, Any], node_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(node for node in document["graph"]["nodes"] if node["id"] == node_id)
    return found


@pytest.mark.parametrize(
    ("text", "code", "pointer"),
    [
        (" ", "BODY_EMPTY", ""),
        ("{", "JSON_SYNTAX", ""),
        ('{"format":"a","format":"b"}', "JSON_DUPLICATE_KEY", ""),
        ('{"name":"\ud800"}', "ENCODING", ""),
        ("[" * 200_000, "JSON_TOO_DEEP", ""),
        ("[]", "FIELD_TYPE", ""),
        (" " * 1_048_577, "BODY_EMPTY", ""),
        ("{" + " " * 1_048_577 + "}", "DOCUMENT_TOO_LARGE", ""),
        ("{}", "DOCUMENT_FORMAT", "/format"),
        (broken(lambda d: d.update(format="zipline")), "DOCUMENT_FORMAT", "/format"),
        (broken(lambda d: d.update(format_version=2)), "DOCUMENT_VERSION", "/format_version"),
        (broken(lambda d: d.update(format_version=True)), "DOCUMENT_VERSION", "/format_version"),
        (broken(lambda d: d.update(colour="red")), "FIELD_UNKNOWN", "/colour"),
        (broken(lambda d: d["origin"].update(colour="red")), "FIELD_UNKNOWN", "/origin/colour"),
        (broken(lambda d: d["origin"].update(version="one")), "FIELD_TYPE", "/origin/version"),
        (broken(lambda d: d.pop("graph_hash")), "FIELD_REQUIRED", "/graph_hash"),
        (broken(lambda d: d.update(graph=[])), "FIELD_TYPE", "/graph"),
        (broken(lambda d: d["graph"].update(colour="red")), "FIELD_UNKNOWN", "/graph/colour"),
        (broken(lambda d: d["graph"].update(layout={})), "FIELD_UNKNOWN", "/graph/layout"),
        (broken(lambda d: d["layout"].update(ghost=[1, 2])), "FIELD_UNKNOWN", "/layout/ghost"),
        (broken(lambda d: d["layout"].update(fast=[1])), "FIELD_TYPE", "/layout/..."),
        (broken(lambda d: at(d, "fast").update(type="EMMA")), "NODE_UNKNOWN", "/graph/nodes/4/type"),
        (broken(lambda d: at(d, "fast").update(version=9)), "NODE_VERSION", "/graph/nodes/4/version"),
        (broken(lambda d: at(d, "fast")["params"].update(perod=9)), "FIELD_UNKNOWN", "/graph/nodes/4/params/perod"),
        (broken(lambda d: at(d, "fast")["params"].update(period=0)), "FIELD_RANGE", "/graph/nodes/4/params/period"),
        (broken(lambda d: at(d, "fast")["params"].update(period=21)), "HASH_MISMATCH", "/graph_hash"),
        (broken(lambda d: d.update(graph_hash="0" * 64)), "HASH_MISMATCH", "/graph_hash"),
    ],
)
def test_each_fault_of_a_document_is_one_error_where_it_stands(text: str, code: str, pointer: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        read_document(text)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert caught.value.detail


def test_a_fault_of_a_node_names_the_node_and_the_field() -> None:
    with pytest.raises(AlphintraError, match="node fast, period: "):
        read_document(broken(lambda d: at(d, "fast")["params"].update(period=0)))
    with pytest.raises(AlphintraError, match=r'did you mean "EMA"'):
        read_document(broken(lambda d: at(d, "fast").update(type="EMMA")))


def test_a_document_needs_neither_layout_nor_origin() -> None:
    found = read_document(broken(lambda d: [d.pop("layout"), d.pop("origin")]))
    assert (found.origin, found.graph.layout) == (None, {})

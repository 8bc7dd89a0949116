"""What a graph must be to become a workflow, and what a save yields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.graph import Graph, Node, compile_plan, graph_hash, parse_graph, validate
from alphintra.engine.templates import GALLERY, crossover
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId, WorkflowId, WorkflowVersionId
from alphintra.nocode.domain.workflows import (
    WORKFLOWS_MAX,
    Stamp,
    Workflow,
    examine,
    laid_out,
    name_of,
    new_workflow,
    read_graph,
    require_room,
    save,
    template,
    with_layout,
)

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
OWNER = UserId(UUID(int=1))
WORKFLOW = WorkflowId(UUID(int=2))
FIRST = WorkflowVersionId(UUID(int=3))
NEXT = WorkflowVersionId(UUID(int=4))
EMA = crossover()


def stamp(version_id: WorkflowVersionId, at: datetime) -> Stamp:
    return Stamp(version_id=version_id, author_id=OWNER, at=at)


def stored(graph: Graph = EMA) -> Workflow:
    return new_workflow(WORKFLOW, stamp(FIRST, AT), name="Mine", graph=graph)[0]


def with_param(graph: Graph, node: str, **params: bool | float | str) -> Graph:
    changed = [
        msgspec.structs.replace(item, params={**item.params, **params}) if item.id == node else item
        for item in graph.nodes
    ]
    return msgspec.structs.replace(graph, nodes=tuple(changed))


def moved(graph: Graph) -> Graph:
    return msgspec.structs.replace(graph, layout={**graph.layout, "fast": (1.5, -2.0)})


def refused(action: Callable[[], object]) -> AlphintraError:
    with pytest.raises(AlphintraError) as caught:
        action()
    return caught.value


@pytest.mark.parametrize("name", sorted(GALLERY))
def test_a_template_is_valid_and_named_as_it_is_asked_for(name: str) -> None:
    found = template(name)
    assert found.name == name
    assert validate(found.graph) == []


@pytest.mark.parametrize("name", sorted(GALLERY))
def test_every_number_in_a_templates_description_is_one_of_its_graph(name: str) -> None:
    item = GALLERY[name]
    nodes = item.graph.nodes
    values = {str(value).removesuffix(".0").lstrip("-") for node in nodes for value in node.params.values()}
    values |= set(re.findall(r"\d+", item.graph.timeframe))
    clock = {f"{minutes // 60}:{minutes % 60:02}" for text in values if text.isdigit() for minutes in [int(text)]}
    found = set(re.findall(r"\d+(?::\d+|\.\d+)?", item.description))
    assert found <= values | clock


def test_an_unknown_template_is_answered_with_the_nearest_name() -> None:
    error = refused(lambda: template("ema_crosover"))
    assert (error.code, error.pointer) == ("TEMPLATE_UNKNOWN", "/template")
    assert '"ema_crossover"' in error.detail


def test_a_template_that_resembles_none_is_answered_with_all_of_them() -> None:
    detail = refused(lambda: template("zzz")).detail
    assert all(name in detail for name in GALLERY)


def test_a_name_is_stored_in_one_normal_form() -> None:
    assert name_of("  Cafe\u0301 1 ") == "Café 1"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "FIELD_LENGTH"),
        ("   ", "FIELD_LENGTH"),
        ("x" * 121, "FIELD_LENGTH"),
        ("a\u200bb", "FIELD_CHARS"),
        ("a\nb", "FIELD_CHARS"),
        ("a\ud800", "FIELD_CHARS"),
        ("a\x00", "FIELD_CHARS"),
        ("a\u2028b", "FIELD_CHARS"),
    ],
)
def test_a_name_nobody_could_read_is_refused(name: str, code: str) -> None:
    error = refused(lambda: name_of(name))
    assert (error.code, error.pointer) == (code, "/name")


def test_the_longest_name_is_accepted() -> None:
    assert name_of("x" * 120) == "x" * 120


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "BODY_EMPTY"),
        ('{"name": "x",', "JSON_SYNTAX"),
        ('{"name": "x", "name": "y"}', "JSON_DUPLICATE_KEY"),
        ('{"name": NaN}', "NUMBER_NOT_FINITE"),
        ('"\ud800"', "ENCODING"),
        ("[]", "FIELD_TYPE"),
    ],
)
def test_text_that_is_no_graph_is_refused_with_the_reason(text: str, code: str) -> None:
    assert refused(lambda: read_graph(text)).code == code


def test_a_fault_in_the_text_is_pointed_at_below_the_graph_field() -> None:
    document = json.loads(laid_out(EMA))
    document["nodes"][1]["typ"] = "EMA"
    error = refused(lambda: read_graph(json.dumps(document)))
    assert (error.code, error.pointer) == ("FIELD_UNKNOWN", "/graph/nodes/1/typ")


def test_an_examination_names_every_problem_and_hashes_only_what_has_none() -> None:
    broken = with_param(with_param(EMA, "fast", period=0), "slow", period="x")
    found = examine(broken)
    assert [problem.node for problem in found.problems] == ["fast", "slow"]
    assert (found.graph_hash, found.warmup_bars) == ("", 0)
    sound = examine(EMA)
    assert sound.problems == ()
    assert sound.graph_hash == graph_hash(EMA)
    assert sound.warmup_bars == compile_plan(EMA).warm_up_bars > 0


def test_an_invalid_graph_is_refused_with_its_first_problem_naming_node_port_and_fix() -> None:
    broken = with_param(with_param(EMA, "fast", period=0), "slow", period="x")
    first = examine(broken).problems[0]
    error = refused(lambda: stored(broken))
    assert error.code == first.code
    assert error.kind is Kind.INVALID
    assert error.pointer == "/graph/nodes/1/params/period"
    assert error.detail.startswith("node fast, period: ")
    assert first.fix in error.detail
    assert "1 more" in error.detail


def test_a_problem_of_the_whole_graph_names_the_graph() -> None:
    error = refused(lambda: stored(msgspec.structs.replace(EMA, timeframe="7d")))
    assert (error.code, error.pointer) == ("FIELD_CHOICE", "/graph/timeframe")
    assert error.detail.startswith("the graph: ")


def test_a_new_workflow_is_at_version_one_with_the_hash_of_its_graph() -> None:
    workflow, version = new_workflow(WORKFLOW, stamp(FIRST, AT), name=" Mine ", graph=EMA)
    assert (workflow.name, workflow.owner_id, workflow.version, workflow.version_id) == ("Mine", OWNER, 1, FIRST)
    assert (version.version, version.version_id, version.workflow_id) == (1, FIRST, WORKFLOW)
    assert workflow.graph_hash == version.graph_hash == graph_hash(EMA)
    assert workflow.warmup_bars == version.warmup_bars == compile_plan(EMA).warm_up_bars
    assert (workflow.created_at, workflow.updated_at, version.created_at) == (AT, AT, AT)


def test_a_changed_graph_becomes_the_next_version() -> None:
    before = stored()
    graph = with_param(EMA, "fast", period=10)
    after, version = save(before, graph, stamp(NEXT, LATER), base_version=1)
    assert version is not None
    assert (version.version, version.version_id, version.graph_hash) == (2, NEXT, graph_hash(graph))
    assert (after.version, after.version_id, after.graph_hash) == (2, NEXT, graph_hash(graph))
    assert (after.created_at, after.updated_at, version.created_at) == (AT, LATER, LATER)
    assert after.warmup_bars == compile_plan(graph).warm_up_bars


def test_the_same_strategy_written_otherwise_changes_nothing() -> None:
    before = stored()
    otherwise = with_param(EMA, "size", percent="95.0")
    otherwise = msgspec.structs.replace(
        otherwise, nodes=tuple(reversed(otherwise.nodes)), edges=tuple(reversed(otherwise.edges))
    )
    assert otherwise != EMA
    assert save(before, otherwise, stamp(NEXT, LATER), base_version=1) == (before, None)


def test_a_moved_node_changes_the_layout_but_makes_no_version() -> None:
    before = stored()
    after, version = save(before, moved(EMA), stamp(NEXT, LATER), base_version=1)
    assert version is None
    assert (after.version, after.version_id, after.updated_at) == (1, FIRST, LATER)
    assert json.loads(after.layout)["fast"] == [1.5, -2.0]


@pytest.mark.parametrize("base_version", [0, 2, 99, -1])
def test_a_save_on_another_base_is_a_conflict(base_version: int) -> None:
    graph = with_param(EMA, "fast", period=10)
    error = refused(lambda: save(stored(), graph, stamp(NEXT, LATER), base_version=base_version))
    assert (error.code, error.kind, error.pointer) == ("VERSION_CONFLICT", Kind.CONFLICT, "/base_version")
    assert "version 1" in error.detail


def test_a_save_repeated_after_its_answer_was_lost_is_answered_alike() -> None:
    graph = with_param(EMA, "fast", period=10)
    after, _ = save(stored(), graph, stamp(NEXT, LATER), base_version=1)
    again = WorkflowVersionId(UUID(int=5))
    assert save(after, graph, stamp(again, LATER + timedelta(seconds=1)), base_version=1) == (after, None)


def test_the_newest_graph_on_a_base_two_behind_is_still_a_conflict() -> None:
    first = stored()
    second, _ = save(first, with_param(EMA, "fast", period=10), stamp(NEXT, LATER), base_version=1)
    third, _ = save(second, EMA, stamp(WorkflowVersionId(UUID(int=5)), LATER), base_version=2)
    error = refused(lambda: save(third, EMA, stamp(NEXT, LATER), base_version=1))
    assert error.code == "VERSION_CONFLICT"


def test_going_back_to_an_earlier_graph_is_a_version_of_its_own() -> None:
    second, _ = save(stored(), with_param(EMA, "fast", period=10), stamp(NEXT, LATER), base_version=1)
    third, version = save(second, EMA, stamp(WorkflowVersionId(UUID(int=5)), LATER), base_version=2)
    assert version is not None
    assert (third.version, third.graph_hash) == (3, graph_hash(EMA))


def test_an_invalid_graph_is_refused_by_a_save_too() -> None:
    graph = msgspec.structs.replace(EMA, nodes=(*EMA.nodes, Node(id="fast", type="SMA", params={"period": 3})))
    assert refused(lambda: save(stored(), graph, stamp(NEXT, LATER), base_version=1)).code == "GRAPH_DUP_ID"


def test_another_layout_is_put_on_a_stored_graph_and_nothing_else_changes() -> None:
    shown = parse_graph(with_layout(laid_out(EMA), '{"fast":[1,2]}').encode())
    assert shown.layout == {"fast": (1.0, 2.0)}
    assert graph_hash(shown) == graph_hash(EMA)


periods = st.integers(2, 400)
places = st.floats(-1e6, 1e6, allow_nan=False)


@given(fast=periods, slow=periods, percent=st.integers(1, 99).map(str), x=places, y=places)
def test_what_is_stored_reads_back_valid_with_its_hash_and_layout(
    *, fast: int, slow: int, percent: str, x: float, y: float
) -> None:
    graph = with_param(with_param(EMA, "fast", period=fast), "slow", period=slow)
    graph = msgspec.structs.replace(with_param(graph, "size", percent=percent), layout={"order": (x, y)})
    shown = parse_graph(laid_out(graph).encode())
    assert graph_hash(shown) == graph_hash(graph)
    assert shown.layout == {"order": (x, y)}
    assert validate(shown) == []
    assert laid_out(shown) == laid_out(graph)


def test_the_last_workflow_a_person_may_have_is_accepted_and_the_next_refused() -> None:
    require_room(WORKFLOWS_MAX - 1)
    error = refused(lambda: require_room(WORKFLOWS_MAX))
    assert (error.code, error.kind) == ("WORKFLOW_LIMIT", Kind.LIMITED)

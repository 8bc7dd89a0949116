"""Workflows on a real database: stored once, versioned, seen by their owner alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable

import asyncpg
import msgspec
import pytest

from alphintra.contracts.nocode import (
    CreateWorkflow,
    GetWorkflow,
    GetWorkflowVersion,
    ListNodes,
    ListTemplates,
    ListWorkflows,
    ValidateGraph,
    WorkflowVersioned,
    WorkflowView,
)
from alphintra.engine.graph import SCHEMA, TIMEFRAMES, catalogue_document
from alphintra.engine.templates import GALLERY
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Command, Context, EventEnvelope, View
from alphintra.nocode import app
from alphintra.nocode.domain import workflows as domain
from alphintra.nocode.service import workflows as service
from fixtures.services import StartService, operator_context
from fixtures.single_service import NOON, SettableClock, stop_at
from integration.nocode.studio import ADA, BOB, EMA, Studio, edited, moved, saving

WAITING = """
select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
"""


async def refusal(answer: Awaitable[object]) -> AlphintraError:
    with pytest.raises(AlphintraError) as caught:
        await answer
    return caught.value


async def test_a_workflow_made_from_a_template_equals_one_made_from_its_graph(studio: Studio) -> None:
    templates = (await studio.ask(ListTemplates())).templates
    assert [item.name for item in templates] == sorted(GALLERY)
    for item in templates:
        by_name = await studio.ask(CreateWorkflow(name=f"{item.name} by name", template=item.name))
        by_graph = await studio.ask(CreateWorkflow(name=f"{item.name} by graph", graph=item.graph))
        assert by_name.graph_hash == by_graph.graph_hash
        assert by_name.workflow_id != by_graph.workflow_id
        stored = await studio.ask(GetWorkflowVersion(version_id=by_name.version_id))
        assert stored.graph == item.graph


async def test_a_template_is_taken_to_bars_of_another_interval(studio: Studio) -> None:
    made = await studio.ask(CreateWorkflow(name="hourly", template="ema_crossover", timeframe="1h"))
    stored = json.loads((await studio.ask(GetWorkflowVersion(version_id=made.version_id))).graph)
    assert stored.pop("timeframe") == "1h"
    assert stored == {key: value for key, value in json.loads(EMA).items() if key != "timeframe"}


async def test_the_nodes_are_listed_as_the_engine_declares_them(studio: Studio) -> None:
    document = json.loads((await studio.ask(ListNodes())).document)
    assert document == json.loads(
        json.dumps({"schema": SCHEMA, "timeframes": TIMEFRAMES, "nodes": catalogue_document()})
    )


async def test_validating_stores_nothing_and_tells_hash_and_warm_up(studio: Studio) -> None:
    found = await studio.ask(ValidateGraph(graph=EMA))
    workflow = await studio.create()
    assert found.problems == ()
    assert (found.graph_hash, found.warmup_bars) == (workflow.graph_hash, workflow.warmup_bars)
    assert await studio.counts() == (1, 1, 1, 1)


async def test_validating_tells_every_problem_with_its_place_and_fix(studio: Studio) -> None:
    document = json.loads(edited(period=0))
    document["timeframe"] = "9d"
    found = await studio.ask(ValidateGraph(graph=json.dumps(document)))
    assert [(problem.code, problem.node, problem.port) for problem in found.problems] == [
        ("FIELD_CHOICE", "", ""),
        ("FIELD_RANGE", "fast", "period"),
    ]
    assert [problem.pointer.rpartition("/")[2] for problem in found.problems] == ["timeframe", "period"]
    assert all(problem.message and problem.fix for problem in found.problems)
    assert (found.graph_hash, found.warmup_bars) == ("", 0)


async def test_text_that_is_no_json_is_refused_by_validation(studio: Studio) -> None:
    error = await refusal(studio.ask(ValidateGraph(graph='{"nodes": [,]}')))
    assert (error.code, error.pointer) == ("JSON_SYNTAX", "/graph")


async def test_a_new_workflow_is_stored_with_version_event_and_audit(studio: Studio) -> None:
    workflow = await studio.create(name="  Mine ")
    assert (workflow.name, workflow.version, workflow.updated_at) == ("Mine", 1, NOON)
    assert await studio.ask(GetWorkflow(workflow_id=workflow.workflow_id)) == workflow
    version = await studio.ask(GetWorkflowVersion(version_id=workflow.version_id))
    assert (version.workflow_id, version.version, version.name) == (workflow.workflow_id, 1, "Mine")
    assert (version.graph, version.graph_hash, version.created_at) == (EMA, workflow.graph_hash, NOON)
    (told,) = await studio.service.query("select subject, aggregate_id, payload from event_log")
    assert (told["subject"], told["aggregate_id"]) == ("nocode.evt.workflow_versioned", workflow.workflow_id)
    envelope = msgspec.json.decode(told["payload"], type=EventEnvelope)
    assert msgspec.json.decode(envelope.event, type=WorkflowVersioned) == WorkflowVersioned(
        workflow_id=workflow.workflow_id,
        version_id=workflow.version_id,
        version=1,
        graph_hash=workflow.graph_hash,
    )
    (audit,) = await studio.service.query("select actor, action, object, detail from audit_events")
    assert (audit["actor"], audit["action"]) == (f"user:{ADA}", "workflow.create")
    assert audit["object"] == f"workflow:{workflow.workflow_id}"
    assert json.loads(audit["detail"]) == {
        "graph_hash": workflow.graph_hash,
        "version": 1,
        "version_id": str(workflow.version_id),
    }


@pytest.mark.parametrize(
    ("command", "code", "pointer"),
    [
        (CreateWorkflow(name="x"), "FIELD_REQUIRED", "/graph"),
        (CreateWorkflow(name="x", graph=EMA, template="ema_crossover"), "FIELD_FORBIDDEN", "/template"),
        (CreateWorkflow(name="x", template="ema"), "TEMPLATE_UNKNOWN", "/template"),
        (CreateWorkflow(name="x", graph=EMA, timeframe="1h"), "FIELD_FORBIDDEN", "/timeframe"),
        (CreateWorkflow(name="x", template="ema_crossover", timeframe="7m"), "FIELD_CHOICE", "/timeframe"),
        (CreateWorkflow(name=" ", graph=EMA), "FIELD_LENGTH", "/name"),
        (CreateWorkflow(name="a\x00b", graph=EMA), "FIELD_CHARS", "/name"),
        (CreateWorkflow(name="x", graph=""), "BODY_EMPTY", "/graph"),
        (CreateWorkflow(name="x", graph="{"), "JSON_SYNTAX", "/graph"),
        (CreateWorkflow(name="x", graph=edited(period=0)), "FIELD_RANGE", "/graph/nodes/4/params/period"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_makes_no_workflow_is_refused_and_nothing_is_written(
    studio: Studio, command: CreateWorkflow, code: str, pointer: str
) -> None:
    error = await refusal(studio.ask(command))
    assert (error.code, error.kind, error.pointer) == (code, Kind.INVALID, pointer)
    assert await studio.counts() == (0, 0, 0, 0)


async def test_a_name_is_taken_once_per_person(studio: Studio) -> None:
    await studio.create("Mine")
    error = await refusal(studio.ask(CreateWorkflow(name=" Mine", template="sma_crossover")))
    assert (error.code, error.kind, error.pointer) == ("WORKFLOW_NAME_TAKEN", Kind.CONFLICT, "/name")
    assert await studio.counts() == (1, 1, 1, 1)
    theirs = await studio.ask(CreateWorkflow(name="Mine", graph=EMA), user=BOB)
    assert theirs.name == "Mine"


async def test_of_two_workflows_made_under_one_name_at_once_one_is_stored(studio: Studio) -> None:
    outcomes = await asyncio.gather(*(studio.create("Mine") for _ in range(4)), return_exceptions=True)
    refused = [outcome.code for outcome in outcomes if isinstance(outcome, AlphintraError)]
    assert refused == ["WORKFLOW_NAME_TAKEN"] * 3
    assert await studio.counts() == (1, 1, 1, 1)


async def test_a_person_at_the_limit_gets_no_further_workflow(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "WORKFLOWS_MAX", 1)
    await studio.create("one")
    assert (await refusal(studio.create("two"))).code == "WORKFLOW_LIMIT"
    assert (await studio.ask(CreateWorkflow(name="one", graph=EMA), user=BOB)).version == 1


async def test_a_changed_graph_is_the_next_version_and_the_first_one_stays(studio: Studio) -> None:
    first = await studio.create()
    studio.clock.pass_time(seconds=60)
    second = await studio.ask(saving(first, edited(period=10)))
    assert (second.version, second.name, second.updated_at) == (2, first.name, studio.clock.at)
    assert second.version_id != first.version_id
    assert await studio.ask(GetWorkflow(workflow_id=first.workflow_id)) == second
    old = await studio.ask(GetWorkflowVersion(version_id=first.version_id))
    new = await studio.ask(GetWorkflowVersion(version_id=second.version_id))
    assert (old.version, old.graph) == (1, EMA)
    assert (new.version, new.graph_hash) == (2, second.graph_hash)
    assert '"period":10' in new.graph
    audits = await studio.service.query("select action from audit_events order by audit_id")
    assert [audit["action"] for audit in audits] == ["workflow.create", "workflow.save"]
    assert await studio.counts() == (1, 2, 2, 2)


async def test_an_unchanged_strategy_keeps_its_version_and_tells_nobody(studio: Studio) -> None:
    first = await studio.create()
    studio.clock.pass_time(seconds=60)
    same = json.dumps(json.loads(edited(period=20)), indent=4)
    assert await studio.ask(saving(first, same)) == first
    assert await studio.counts() == (1, 1, 1, 1)


async def test_a_moved_node_is_remembered_without_a_version_or_an_event(studio: Studio) -> None:
    first = await studio.create()
    studio.clock.pass_time(seconds=60)
    saved = await studio.ask(saving(first, moved()))
    assert (saved.version_id, saved.version, saved.graph_hash) == (first.version_id, 1, first.graph_hash)
    assert saved.updated_at == studio.clock.at
    shown = await studio.ask(GetWorkflowVersion(version_id=first.version_id))
    assert json.loads(shown.graph) == json.loads(moved())
    assert await studio.counts() == (1, 1, 1, 1)


async def test_an_older_version_is_shown_with_the_layout_it_was_stored_with(studio: Studio) -> None:
    first = await studio.create()
    graph = moved(edited(period=10))
    second = await studio.ask(saving(first, graph))
    old = await studio.ask(GetWorkflowVersion(version_id=first.version_id))
    new = await studio.ask(GetWorkflowVersion(version_id=second.version_id))
    assert json.loads(old.graph)["layout"] == json.loads(EMA)["layout"]
    assert json.loads(new.graph)["layout"]["fast"] == [7.0, 8.0]


async def test_a_save_on_an_old_base_is_a_conflict_and_changes_nothing(studio: Studio) -> None:
    first = await studio.create()
    await studio.ask(saving(first, edited(period=10)))
    late = saving(first, edited(period=15))
    error = await refusal(studio.ask(late))
    assert (error.code, error.kind) == ("VERSION_CONFLICT", Kind.CONFLICT)
    assert await studio.counts() == (1, 2, 2, 2)


async def test_a_save_sent_twice_makes_one_version(studio: Studio) -> None:
    first = await studio.create()
    command = saving(first, edited(period=10))
    assert await studio.ask(command) == await studio.ask(command)
    assert await studio.counts() == (1, 2, 2, 2)


async def test_of_different_saves_on_one_base_at_once_one_wins(studio: Studio) -> None:
    first = await studio.create()

    async def attempt(period: int) -> WorkflowView | str:
        try:
            return await studio.ask(saving(first, edited(period=period)))
        except AlphintraError as error:
            return error.code

    connection = await asyncpg.connect(studio.service.database.admin_dsn)
    try:
        # Both meet at the workflow's row, held by a third, and go on together.
        async with asyncio.timeout(10), connection.transaction():
            await connection.execute("select 1 from nocode_schema.workflows for update")
            attempts = [asyncio.create_task(attempt(period)) for period in (5, 6)]
            while len(await studio.service.query(WAITING)) < len(attempts):  # noqa: ASYNC110 - the server knows
                await asyncio.sleep(0.01)
        outcomes = await asyncio.gather(*attempts)
    finally:
        await connection.close()
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == ["VERSION_CONFLICT"]
    assert await studio.ask(GetWorkflow(workflow_id=first.workflow_id)) in outcomes
    assert await studio.counts() == (1, 2, 2, 2)


async def test_an_invalid_graph_is_not_saved(studio: Studio) -> None:
    first = await studio.create()
    bad = saving(first, edited(period=0))
    error = await refusal(studio.ask(bad))
    assert error.code == "FIELD_RANGE"
    assert error.detail.startswith("node fast, period: ")
    assert await studio.counts() == (1, 1, 1, 1)


@pytest.mark.parametrize("point", ["nocode.version_stored", "nocode.version_committed"])
async def test_a_save_cut_short_is_whole_or_absent_and_can_be_repeated(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    first = await studio.create()
    command = saving(first, edited(period=10))
    with monkeypatch.context() as cut:
        stop_at(cut, service, point)
        assert (await refusal(studio.ask(command))).code == "INTERNAL"
    stored = 2 if point == "nocode.version_committed" else 1
    assert await studio.counts() == (1, stored, stored, stored)
    assert (await studio.ask(command)).version == 2
    assert await studio.counts() == (1, 2, 2, 2)


async def test_another_person_finds_none_of_it(studio: Studio) -> None:
    mine = await studio.create()
    asked: tuple[Command[View], ...] = (
        GetWorkflow(workflow_id=mine.workflow_id),
        GetWorkflowVersion(version_id=mine.version_id),
        saving(mine, edited(period=10)),
    )
    for command in asked:
        error = await refusal(studio.ask(command, user=BOB))
        assert (error.code, error.kind) == ("WORKFLOW_NOT_FOUND", Kind.NOT_FOUND)
    assert (await studio.ask(ListWorkflows(), user=BOB)).workflows == ()
    assert await studio.counts() == (1, 1, 1, 1)


async def test_a_deployment_reads_the_version_of_the_person_it_acts_for(studio: Studio) -> None:
    mine = await studio.create()
    deployment = Context(trace_id="0" * 32, actor=Actor(id="deployment:7", user_id=ADA, roles=("trader",)))
    found = await studio.service.ask(GetWorkflowVersion(version_id=mine.version_id), deployment)
    assert found.version_id == mine.version_id


@pytest.mark.parametrize(
    "command", [ListWorkflows(), CreateWorkflow(name="x", graph=EMA), GetWorkflow(workflow_id=ADA)]
)
async def test_who_is_no_person_has_no_workflows(studio: Studio, command: Command[View]) -> None:
    error = await refusal(studio.service.ask(command, operator_context()))
    assert (error.code, error.kind) == ("USER_REQUIRED", Kind.FORBIDDEN)
    assert await studio.counts() == (0, 0, 0, 0)


async def test_workflows_are_listed_with_the_newest_change_first(studio: Studio) -> None:
    first = await studio.create("first")
    studio.clock.pass_time(seconds=1)
    second = await studio.create("second")
    await studio.ask(CreateWorkflow(name="theirs", graph=EMA), user=BOB)
    assert (await studio.ask(ListWorkflows())).workflows == (second, first)
    studio.clock.pass_time(seconds=1)
    save = saving(first, edited(period=10))
    changed = await studio.ask(save)
    assert (await studio.ask(ListWorkflows())).workflows == (changed, second)


@pytest.mark.parametrize(
    "statement",
    [
        "update nocode_schema.workflow_versions set graph = graph",
        "delete from nocode_schema.workflow_versions",
        "delete from nocode_schema.workflows",
        "update nocode_schema.workflows set owner_id = owner_id",
        "update nocode_schema.workflow_versions set note = note",
        "delete from nocode_schema.workflow_grants",
        "update nocode_schema.workflow_grants set expires_at = null",
        "update nocode_schema.workflow_grants set permission = 'edit'",
    ],
)
async def test_the_service_itself_may_not_rewrite_history(studio: Studio, statement: str) -> None:
    await studio.create()
    connection = await asyncpg.connect(studio.service.database.dsn())
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_what_was_stored_is_published(start_service: StartService) -> None:
    service = await start_service("nocode", app.wire)
    await Studio(service=service, clock=SettableClock()).create()
    async with asyncio.timeout(10):
        while await service.query("select event_id from outbox"):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    assert len(await service.query("select event_id from event_log")) == 1

"""The life of a workflow on a real database: versions listed, compared and restored, names, archive, documents."""

from __future__ import annotations

import json

import pytest

from alphintra.contracts.nocode import (
    ArchiveWorkflow,
    CompareWorkflowVersions,
    DuplicateWorkflow,
    ExportWorkflowVersion,
    GetWorkflowVersion,
    ImportWorkflow,
    ListWorkflows,
    ListWorkflowVersions,
    RenameWorkflow,
    RestoreWorkflowVersion,
    SaveWorkflow,
    UnarchiveWorkflow,
)
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.nocode.service import exchange, history
from fixtures.single_service import stop_at
from integration.nocode.studio import ADA, BOB, EMA, Studio, edited, saving


async def test_versions_are_listed_with_who_when_and_why_page_by_page(studio: Studio) -> None:
    first = await studio.create()
    for version in (1, 2, 3):
        studio.clock.pass_time(seconds=60)
        command = SaveWorkflow(
            workflow_id=first.workflow_id,
            base_version=version,
            graph=edited(period=4 + version),
            note=f" try {version} ",
        )
        saved = await studio.ask(command)
    page = await studio.ask(ListWorkflowVersions(workflow_id=first.workflow_id, limit=2))
    assert [(each.version, each.note, each.created_by) for each in page.versions] == [
        (4, "try 3", ADA),
        (3, "try 2", ADA),
    ]
    assert page.has_more
    assert (page.versions[0].version_id, page.versions[0].created_at) == (saved.version_id, studio.clock.at)
    rest = await studio.ask(ListWorkflowVersions(workflow_id=first.workflow_id, before=3, limit=2))
    assert [(each.version, each.note) for each in rest.versions] == [(2, "try 1"), (1, "")]
    assert not rest.has_more
    with pytest.raises(AlphintraError, match="PAGE_LIMIT"):
        await studio.ask(ListWorkflowVersions(workflow_id=first.workflow_id, limit=0))


@pytest.mark.parametrize(("note", "code"), [("x" * 1001, "FIELD_LENGTH"), ("a\u202eb", "FIELD_CHARS")])
async def test_a_note_that_is_none_is_refused_with_the_save(studio: Studio, note: str, code: str) -> None:
    first = await studio.create()
    command = SaveWorkflow(workflow_id=first.workflow_id, base_version=1, graph=edited(period=5), note=note)
    with pytest.raises(AlphintraError) as caught:
        await studio.ask(command)
    assert (caught.value.code, caught.value.pointer) == (code, "/note")
    assert await studio.counts() == (1, 1, 1, 1)


async def test_two_versions_are_compared_in_words_and_as_data(studio: Studio) -> None:
    first = await studio.create()
    command = saving(first, edited(period=10))
    second = await studio.ask(command)
    found = await studio.ask(
        CompareWorkflowVersions(before_version_id=first.version_id, after_version_id=second.version_id)
    )
    assert found.sentences == ("fast (EMA): period was 20 and is 10.",)
    (change,) = json.loads(found.difference)["changed"]
    assert change["params"] == [{"name": "period", "before": 20, "after": 10}]
    same = await studio.ask(
        CompareWorkflowVersions(before_version_id=first.version_id, after_version_id=first.version_id)
    )
    assert (same.is_same, same.sentences, found.is_same) == (True, (), False)


async def test_restoring_saves_the_old_graph_as_a_new_version_and_loses_none(studio: Studio) -> None:
    first = await studio.create()
    change = saving(first, edited(period=10))
    await studio.ask(change)
    command = RestoreWorkflowVersion(workflow_id=first.workflow_id, version=1, base_version=2, note="it was better")
    third = await studio.ask(command)
    assert (third.version, third.graph_hash) == (3, first.graph_hash)
    assert await studio.ask(command) == third  # the same again, its answer lost
    shown = await studio.ask(GetWorkflowVersion(version_id=third.version_id))
    assert (shown.graph, shown.origin_version_id, shown.note) == (EMA, first.version_id, "it was better")
    listed = (await studio.ask(ListWorkflowVersions(workflow_id=first.workflow_id))).versions
    assert [each.version for each in listed] == [3, 2, 1]
    audits = await studio.service.query("select action, detail from audit_events order by audit_id")
    assert [each["action"] for each in audits] == ["workflow.create", "workflow.save", "workflow.restore"]
    assert json.loads(audits[-1]["detail"])["restored_version"] == 1
    assert await studio.counts() == (1, 3, 3, 3)


@pytest.mark.parametrize(
    ("version", "base_version", "code", "kind"),
    [(9, 2, "VERSION_NOT_FOUND", Kind.NOT_FOUND), (1, 1, "VERSION_CONFLICT", Kind.CONFLICT)],
)
async def test_what_cannot_be_restored_is_refused(
    studio: Studio, version: int, base_version: int, code: str, kind: Kind
) -> None:
    first = await studio.create()
    change = saving(first, edited(period=10))
    await studio.ask(change)
    with pytest.raises(AlphintraError) as caught:
        await studio.ask(
            RestoreWorkflowVersion(workflow_id=first.workflow_id, version=version, base_version=base_version)
        )
    assert (caught.value.code, caught.value.kind) == (code, kind)
    assert await studio.counts() == (1, 2, 2, 2)


async def test_a_restore_cut_short_is_absent(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await studio.create()
    change = saving(first, edited(period=10))
    await studio.ask(change)
    stop_at(monkeypatch, history, "nocode.restore_stored")
    with pytest.raises(AlphintraError, match="INTERNAL"):
        await studio.ask(RestoreWorkflowVersion(workflow_id=first.workflow_id, version=1, base_version=2))
    assert await studio.counts() == (1, 2, 2, 2)


async def test_a_workflow_is_renamed_archived_and_taken_out_with_event_and_audit(studio: Studio) -> None:
    first = await studio.create("one")
    await studio.create("two")
    for _ in range(2):  # repeated they change nothing
        renamed = await studio.ask(RenameWorkflow(workflow_id=first.workflow_id, name=" three "))
    assert (renamed.name, renamed.version_id) == ("three", first.version_id)
    for name, code in (("two", "WORKFLOW_NAME_TAKEN"), ("", "FIELD_LENGTH")):
        with pytest.raises(AlphintraError) as caught:
            await studio.ask(RenameWorkflow(workflow_id=first.workflow_id, name=name))
        assert (caught.value.code, caught.value.pointer) == (code, "/name")
    for _ in range(2):
        await studio.ask(ArchiveWorkflow(workflow_id=first.workflow_id))
    assert [each.name for each in (await studio.ask(ListWorkflows())).workflows] == ["two"]
    for _ in range(2):
        back = await studio.ask(UnarchiveWorkflow(workflow_id=first.workflow_id))
    assert (back.name, back.archived_at) == ("three", None)
    events = await studio.service.query("select subject from event_log order by seq")
    changes = ["workflow_renamed", "workflow_archived", "workflow_unarchived"]
    assert [each["subject"].rpartition(".")[2] for each in events[2:]] == changes
    audits = await studio.service.query("select action from audit_events order by audit_id")
    assert [each["action"] for each in audits[2:]] == ["workflow.rename", "workflow.archive", "workflow.unarchive"]


async def test_what_is_exported_is_imported_elsewhere_with_the_same_hash(studio: Studio) -> None:
    first = await studio.create()
    exported = await studio.ask(ExportWorkflowVersion(version_id=first.version_id))
    theirs = await studio.ask(ImportWorkflow(document=exported.document), user=BOB)
    assert (theirs.name, theirs.graph_hash, theirs.owner_id) == ("Mine", first.graph_hash, BOB)
    shown = await studio.ask(GetWorkflowVersion(version_id=theirs.version_id), user=BOB)
    assert (shown.graph, shown.note) == (EMA, "imported")
    audits = await studio.service.query("select action, object, detail from audit_events order by audit_id")
    assert [each["action"] for each in audits] == ["workflow.create", "workflow.export", "workflow.import"]
    assert json.loads(audits[2]["detail"])["origin_version_id"] == str(first.version_id)
    with pytest.raises(AlphintraError, match="WORKFLOW_NAME_TAKEN"):
        await studio.ask(ImportWorkflow(document=exported.document))
    assert (await studio.ask(ImportWorkflow(document=exported.document, name="again"))).name == "again"


async def test_a_document_with_one_fault_stores_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await studio.create()
    document = json.loads((await studio.ask(ExportWorkflowVersion(version_id=first.version_id))).document)
    before = await studio.counts()
    document["graph"]["nodes"][0]["colour"] = "red"
    with pytest.raises(AlphintraError) as caught:
        await studio.ask(ImportWorkflow(document=json.dumps(document), name="x"))
    assert (caught.value.code, caught.value.pointer) == ("FIELD_UNKNOWN", "/document/graph/nodes/0/colour")
    del document["graph"]["nodes"][0]["colour"]
    stop_at(monkeypatch, exchange, "nocode.import_stored")
    with pytest.raises(AlphintraError, match="INTERNAL"):
        await studio.ask(ImportWorkflow(document=json.dumps(document), name="x"))
    assert await studio.counts() == before


async def test_a_copy_is_a_workflow_of_its_own(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await studio.create()
    copy = await studio.ask(DuplicateWorkflow(version_id=first.version_id, name="Copy"))
    assert (copy.graph_hash, copy.version, copy.workflow_id == first.workflow_id) == (first.graph_hash, 1, False)
    with pytest.raises(AlphintraError, match="WORKFLOW_NAME_TAKEN"):
        await studio.ask(DuplicateWorkflow(version_id=first.version_id, name="Copy"))
    stop_at(monkeypatch, history, "nocode.duplicate_stored")
    with pytest.raises(AlphintraError, match="INTERNAL"):
        await studio.ask(DuplicateWorkflow(version_id=first.version_id, name="Other"))
    assert await studio.counts() == (2, 2, 2, 2)

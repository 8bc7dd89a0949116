"""Who may do what with a workflow: every command of nocode against every kind of grant, on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from alphintra.contracts import nocode as messages
from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.nocode import WorkflowView
from alphintra.contracts.workflows import ShareView
from alphintra.infrastructure.events import Delivery
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Command, subject_of
from alphintra.manifest import SERVICES
from alphintra.nocode.endpoints import Endpoints
from alphintra.nocode.repository import Workflows
from fixtures.services import person_context
from fixtures.single_service import delivery_of
from integration.nocode.studio import ADA, EMA, Studio, edited

OWNER = "owner"
NOT_FOUND = {"WORKFLOW_NOT_FOUND", "SHARE_NOT_FOUND"}
# name → (permission, role the grant is to instead of the person)
GRANTEES = {
    "viewer": ("view", None),
    "editor": ("edit", None),
    "executor": ("execute", None),
    "by role": ("execute", "operator"),
}
STRANGERS = ("stranger", "expired", "revoked", "other role")
PEOPLE = {name: UUID(int=0x100 + place) for place, name in enumerate((*GRANTEES, *STRANGERS))} | {OWNER: ADA}
ROLES = {"by role": ("operator",), "other role": ("viewer",)}


@dataclass(slots=True)
class Scene:
    """A workflow of Ada's at version 2, shared in every way there is."""

    studio: Studio
    workflow: WorkflowView
    first_version: UUID
    spare_grant: UUID
    calls: int = 0

    async def ask(self, command: Command[Any], name: str) -> Any:  # noqa: ANN401 - the reply of the command
        context = person_context(*ROLES.get(name, ("trader",)), user_id=PEOPLE[name])
        if isinstance(command, messages.UseWorkflowVersion):  # no person may send it: strategy does, in their name
            return await endpoints(self.studio).use_workflow_version(command, context)
        return await self.studio.service.ask(command, context)

    async def refresh(self) -> None:
        """Read the newest version again, and make a grant that may be revoked."""
        self.calls += 1
        self.workflow = await self.ask(messages.GetWorkflow(workflow_id=self.workflow.workflow_id), OWNER)
        if self.workflow.archived_at is not None:
            await self.ask(messages.UnarchiveWorkflow(workflow_id=self.workflow.workflow_id), OWNER)


Make = Callable[[Scene], Command[Any]]
ALL = frozenset({OWNER, *GRANTEES})
EDIT = frozenset({OWNER, "editor"})
EXECUTE = frozenset({OWNER, "executor", "by role"})
ONLY_OWNER = frozenset({OWNER})

# Each command that names a workflow, and who may send it. The others concern nobody's workflow.
TABLE: dict[type[Command[Any]], tuple[Make, frozenset[str]]] = {
    messages.GetWorkflow: (lambda s: messages.GetWorkflow(workflow_id=s.workflow.workflow_id), ALL),
    messages.GetWorkflowVersion: (lambda s: messages.GetWorkflowVersion(version_id=s.first_version), ALL),
    messages.UseWorkflowVersion: (lambda s: messages.UseWorkflowVersion(version_id=s.first_version), EXECUTE),
    messages.ListWorkflowVersions: (lambda s: messages.ListWorkflowVersions(workflow_id=s.workflow.workflow_id), ALL),
    messages.CompareWorkflowVersions: (
        lambda s: messages.CompareWorkflowVersions(
            before_version_id=s.first_version, after_version_id=s.workflow.version_id
        ),
        ALL,
    ),
    messages.SaveWorkflow: (
        lambda s: messages.SaveWorkflow(
            workflow_id=s.workflow.workflow_id, base_version=s.workflow.version, graph=edited(period=21 + s.calls % 9)
        ),
        EDIT,
    ),
    messages.RestoreWorkflowVersion: (
        lambda s: messages.RestoreWorkflowVersion(
            workflow_id=s.workflow.workflow_id, version=1, base_version=s.workflow.version
        ),
        EDIT,
    ),
    messages.RenameWorkflow: (
        lambda s: messages.RenameWorkflow(workflow_id=s.workflow.workflow_id, name=f"n{s.calls}"),
        ONLY_OWNER,
    ),
    messages.ArchiveWorkflow: (lambda s: messages.ArchiveWorkflow(workflow_id=s.workflow.workflow_id), ONLY_OWNER),
    messages.UnarchiveWorkflow: (lambda s: messages.UnarchiveWorkflow(workflow_id=s.workflow.workflow_id), ONLY_OWNER),
    messages.DuplicateWorkflow: (
        lambda s: messages.DuplicateWorkflow(version_id=s.first_version, name=f"copy {s.calls}"),
        ALL,
    ),
    messages.ExportWorkflowVersion: (lambda s: messages.ExportWorkflowVersion(version_id=s.first_version), ALL),
    messages.ShareWorkflow: (
        lambda s: messages.ShareWorkflow(
            workflow_id=s.workflow.workflow_id, permission="view", user=str(PEOPLE["stranger"]), expires_at=None
        ),
        ONLY_OWNER,
    ),
    messages.RevokeShare: (lambda s: messages.RevokeShare(grant_id=s.spare_grant), ONLY_OWNER),
    messages.SaveDraft: (
        lambda s: messages.SaveDraft(
            workflow_id=s.workflow.workflow_id, base_version=1, revision=0, graph=edited(period=0)
        ),
        EDIT,
    ),
    messages.GetDraft: (lambda s: messages.GetDraft(workflow_id=s.workflow.workflow_id), EDIT),
    messages.DiscardDraft: (lambda s: messages.DiscardDraft(workflow_id=s.workflow.workflow_id), EDIT),
    messages.ListWorkflowExecutions: (
        lambda s: messages.ListWorkflowExecutions(workflow_id=s.workflow.workflow_id),
        ALL,
    ),
    messages.ListShares: (lambda s: messages.ListShares(workflow_id=s.workflow.workflow_id), ONLY_OWNER),
}
OF_NOBODY: set[type[Command[Any]]] = {
    messages.ListNodes,
    messages.ListTemplates,
    messages.ValidateGraph,
    messages.CreateWorkflow,
    messages.ImportWorkflow,
    messages.ListWorkflows,  # tells of one's own and of shared ones: tested below
    messages.ListNewestExecutions,  # likewise: tested with the executions
}


def endpoints(studio: Studio) -> Endpoints:
    host = studio.service.host
    return Endpoints(workflows=Workflows(host.database), clock=host.clock, ids=host.ids)


async def register(studio: Studio, name: str, user_id: UUID) -> None:
    """Let nocode hear that somebody was registered."""
    event = UserRegistered(user_id=user_id, email=f"{name.replace(' ', '-')}@example.org", role="trader")
    delivery: Delivery[UserRegistered] = delivery_of(event, aggregate_id=user_id)
    for _ in range(2):  # delivered again it changes nothing
        await endpoints(studio).on_user_registered(delivery)


async def share(studio: Studio, workflow: WorkflowView, permission: str, **grantee: Any) -> ShareView:  # noqa: ANN401 - fields of the command
    command = messages.ShareWorkflow(workflow_id=workflow.workflow_id, permission=permission, **grantee)
    return await studio.ask(command)


@pytest.fixture(name="scene")
async def make_scene(studio: Studio) -> Scene:
    for name, user_id in PEOPLE.items():
        await register(studio, name, user_id)
    first = await studio.create()
    second = await studio.ask(
        messages.SaveWorkflow(workflow_id=first.workflow_id, base_version=1, graph=edited(period=10), note="faster")
    )
    for name, (permission, role) in GRANTEES.items():
        grantee = {"role": role} if role else {"user": f"{name}@example.org".upper()}
        await share(studio, first, permission, **grantee)
    later = studio.clock.now() + timedelta(seconds=60)
    await share(studio, first, "edit", user=str(PEOPLE["expired"]), expires_at=later)
    gone = await share(studio, first, "edit", user=str(PEOPLE["revoked"]))
    await studio.ask(messages.RevokeShare(grant_id=gone.grant_id))
    studio.clock.pass_time(seconds=60)
    return Scene(studio=studio, workflow=second, first_version=first.version_id, spare_grant=gone.grant_id)


def test_no_command_of_nocode_escapes_the_table() -> None:
    declared = {f"nocode.cmd.{name}" for name in SERVICES["nocode"].commands} - {"nocode.cmd.health"}
    answered: set[type[Command[Any]]] = {*TABLE, *OF_NOBODY}
    assert {subject_of(command) for command in answered} == declared
    assert not TABLE.keys() & OF_NOBODY


async def test_every_command_is_answered_as_each_grant_allows(scene: Scene) -> None:
    found: dict[str, dict[str, str]] = {}
    expected: dict[str, dict[str, str]] = {}
    for command, (make, allowed) in TABLE.items():
        for name in (*GRANTEES, *STRANGERS, OWNER):
            if command is messages.ShareWorkflow and name == OWNER:
                continue  # it would make a friend of the stranger: tested below
            await scene.refresh()
            try:
                await scene.ask(make(scene), name)
                outcome = "done"
            except AlphintraError as error:
                outcome = "not found" if error.code in NOT_FOUND and error.kind is Kind.NOT_FOUND else error.code
            wanted = "done" if name in allowed else "WORKFLOW_PERMISSION" if name in GRANTEES else "not found"
            found.setdefault(command.__name__, {})[name] = outcome
            expected.setdefault(command.__name__, {})[name] = wanted
    assert found == expected


async def test_a_refused_command_changes_nothing(scene: Scene) -> None:
    state = "select (select max(updated_at) from workflows) as a, (select count(*) from workflow_versions) as b,"
    state += " (select count(*) from audit_events) as c, (select count(*) from event_log) as d,"
    state += " (select count(*) from workflow_grants where revoked_at is null) as e"
    before = await scene.studio.service.query(state)
    for make, allowed in TABLE.values():
        for name in (*GRANTEES, *STRANGERS):
            if name not in allowed:
                with pytest.raises(AlphintraError):
                    await scene.ask(make(scene), name)
    assert await scene.studio.service.query(state) == before


async def test_shared_workflows_are_listed_for_those_they_are_shared_with(scene: Scene) -> None:
    for name in (*GRANTEES, *STRANGERS, OWNER):
        listed = await scene.ask(messages.ListWorkflows(is_shared=True), name)
        permissions = [each.permissions for each in listed.workflows]
        if name in GRANTEES:
            assert permissions == [tuple(dict.fromkeys(("view", GRANTEES[name][0])))], name
        else:
            assert permissions == [], name
    own = await scene.ask(messages.ListWorkflows(), OWNER)
    assert [each.permissions for each in own.workflows] == [("owner", "view", "edit", "execute")]
    assert (await scene.ask(messages.ListWorkflows(), "viewer")).workflows == ()


async def test_a_grant_is_told_recorded_listed_and_taken_back(studio: Studio) -> None:
    await register(studio, "bob", PEOPLE["viewer"])
    workflow = await studio.create()
    until = studio.clock.now() + timedelta(days=1)
    made = await share(studio, workflow, "execute", user=" Bob@Example.org ", expires_at=until)
    assert (made.user_id, made.email, made.role) == (PEOPLE["viewer"], "bob@example.org", None)
    assert (made.expires_at, made.is_expired) == (until, False)
    assert await share(studio, workflow, "execute", user="bob@example.org", expires_at=until) == made
    longer = await share(studio, workflow, "execute", user="bob@example.org")
    shares = (await studio.ask(messages.ListShares(workflow_id=workflow.workflow_id))).shares
    assert [(each.grant_id, each.expires_at) for each in shares] == [(longer.grant_id, None)]
    revoked = await studio.ask(messages.RevokeShare(grant_id=longer.grant_id))
    assert await studio.ask(messages.RevokeShare(grant_id=longer.grant_id)) == revoked
    assert (await studio.ask(messages.ListShares(workflow_id=workflow.workflow_id))).shares == ()
    events = await studio.service.query("select subject, payload from event_log order by seq")
    assert [each["subject"].rpartition(".")[2] for each in events] == [
        "workflow_versioned",
        "workflow_shared",
        "workflow_shared",
        "share_revoked",
    ]
    told = json.loads(events[1]["payload"])["event"]
    assert (told["grant_id"], told["permission"], told["user_id"]) == (
        str(made.grant_id),
        "execute",
        str(PEOPLE["viewer"]),
    )
    audits = await studio.service.query("select action, object, detail from audit_events order by audit_id")
    assert [each["action"] for each in audits[1:]] == ["workflow.share", "workflow.share", "workflow.unshare"]
    assert {each["object"] for each in audits} == {f"workflow:{workflow.workflow_id}"}
    assert json.loads(audits[1]["detail"])["grantee"] == f"user:{PEOPLE['viewer']}"
    assert all("@" not in each["detail"] for each in audits)


async def test_what_is_no_grant_is_refused_and_nothing_is_written(studio: Studio) -> None:
    await register(studio, "ada", ADA)
    await register(studio, "bob", PEOPLE["viewer"])
    workflow = await studio.create()
    before = await studio.counts()
    bob = str(PEOPLE["viewer"])
    wrong: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"permission": "own", "user": bob}, "FIELD_CHOICE", "/permission"),
        ({"permission": "view"}, "FIELD_REQUIRED", "/user"),
        ({"permission": "view", "user": bob, "role": "trader"}, "FIELD_FORBIDDEN", "/role"),
        ({"permission": "view", "role": "everybody"}, "FIELD_CHOICE", "/role"),
        ({"permission": "view", "user": "nobody@example.org"}, "USER_NOT_FOUND", "/user"),
        ({"permission": "view", "user": str(UUID(int=9))}, "USER_NOT_FOUND", "/user"),
        ({"permission": "view", "user": "ada@example.org"}, "SHARE_OWNER", "/user"),
        ({"permission": "view", "user": bob, "expires_at": studio.clock.now()}, "EXPIRY_PAST", "/expires_at"),
    )
    for fields, code, pointer in wrong:
        with pytest.raises(AlphintraError) as caught:
            await studio.ask(messages.ShareWorkflow(workflow_id=workflow.workflow_id, **fields))
        assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert await studio.counts() == before
    assert await studio.service.query("select 1 from workflow_grants") == []


async def test_a_workflow_has_so_many_grants_and_no_more(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alphintra.nocode.domain.access.GRANTS_MAX", 2)
    workflow = await studio.create()
    await share(studio, workflow, "view", role="trader")
    await share(studio, workflow, "view", role="viewer")
    with pytest.raises(AlphintraError, match="SHARE_LIMIT"):
        await share(studio, workflow, "edit", role="viewer")
    later = studio.clock.now() + timedelta(days=1)
    assert (await share(studio, workflow, "view", role="viewer", expires_at=later)).expires_at == later


async def test_an_editor_saves_under_their_own_name_and_the_owner_still_owns_it(scene: Scene) -> None:
    await scene.ask(TABLE[messages.SaveWorkflow][0](scene), "editor")
    listed = await scene.ask(messages.ListWorkflowVersions(workflow_id=scene.workflow.workflow_id), OWNER)
    assert [(each.version, each.created_by, each.created_by_email) for each in listed.versions] == [
        (3, PEOPLE["editor"], "editor@example.org"),
        (2, ADA, "owner@example.org"),
        (1, ADA, "owner@example.org"),
    ]
    owned = await scene.ask(messages.GetWorkflow(workflow_id=scene.workflow.workflow_id), "editor")
    assert (owned.owner_id, owned.permissions) == (ADA, ("view", "edit"))


async def test_an_archived_workflow_is_neither_changed_nor_executed(scene: Scene) -> None:
    archived = await scene.ask(messages.ArchiveWorkflow(workflow_id=scene.workflow.workflow_id), OWNER)
    assert archived.archived_at == scene.studio.clock.now()
    for command in (messages.SaveWorkflow, messages.RestoreWorkflowVersion, messages.UseWorkflowVersion):
        with pytest.raises(AlphintraError) as caught:
            await scene.ask(TABLE[command][0](scene), OWNER)
        assert (caught.value.code, caught.value.kind) == ("WORKFLOW_ARCHIVED", Kind.CONFLICT)
    assert (await scene.ask(messages.ListWorkflows(), OWNER)).workflows == ()
    assert (await scene.ask(messages.ListWorkflows(is_shared=True), "viewer")).workflows == ()
    assert len((await scene.ask(messages.ListWorkflows(with_archived=True), OWNER)).workflows) == 1
    assert len((await scene.ask(messages.ListWorkflows(is_shared=True, with_archived=True), "viewer")).workflows) == 1
    used = await scene.ask(messages.GetWorkflowVersion(version_id=scene.first_version), "viewer")
    assert used.graph == EMA
    await scene.ask(messages.UnarchiveWorkflow(workflow_id=scene.workflow.workflow_id), OWNER)
    assert (await scene.ask(messages.UseWorkflowVersion(version_id=scene.first_version), "executor")).graph == EMA


async def test_a_duplicate_belongs_to_who_made_it_and_says_where_it_came_from(scene: Scene) -> None:
    made = await scene.ask(messages.DuplicateWorkflow(version_id=scene.first_version, name="Copy"), "viewer")
    assert (made.owner_id, made.version) == (PEOPLE["viewer"], 1)
    (only,) = (await scene.ask(messages.ListWorkflowVersions(workflow_id=made.workflow_id), "viewer")).versions
    assert only.origin_version_id == scene.first_version
    with pytest.raises(AlphintraError, match="WORKFLOW_NOT_FOUND"):
        await scene.ask(messages.GetWorkflow(workflow_id=made.workflow_id), OWNER)

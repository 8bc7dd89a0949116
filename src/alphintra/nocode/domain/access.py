"""Who may do what with a workflow: its owner everything, others what the owner granted them, for as long as it holds.

Whoever has no grant at all is told that the workflow is not there; who has one, but not the one that is needed, is
told which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId, WorkflowId
from alphintra.nocode.domain.workflows import Workflow

__all__ = [
    "Access",
    "Asker",
    "Grant",
    "Permission",
    "new_grant",
    "not_found",
    "require_grants_room",
]

GRANTS_MAX: Final = 200
"""Grants of one workflow that hold at once: they are listed in one message."""

_LIFE_MIN: Final = timedelta(minutes=1)


class Permission(StrEnum):
    """What a grant allows; each of them allows to see the workflow and its versions as well."""

    VIEW = "view"
    EDIT = "edit"
    EXECUTE = "execute"


SHAREABLE_ROLES: Final = ("owner", "operator", "trader", "viewer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, in which roles, and when: what expired before then no longer counts."""

    user_id: UserId
    roles: tuple[str, ...]
    at: datetime

    @property
    def grantees(self) -> list[str]:
        """Whom a grant must name to be the asker's: themselves or one of their roles."""
        return [f"user:{self.user_id}", *(f"role:{role}" for role in self.roles)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A workflow as one person may use it."""

    workflow: Workflow
    is_owner: bool
    permissions: frozenset[Permission]

    @property
    def names(self) -> tuple[str, ...]:
        """What the person may do, in words, for answers."""
        if self.is_owner:
            return ("owner", *Permission)
        return tuple(each for each in Permission if each in self.permissions or each is Permission.VIEW)

    def require(self, permission: Permission) -> Workflow:
        """Return the workflow. Raises WORKFLOW_NOT_FOUND without any grant, WORKFLOW_PERMISSION without this one."""
        if self.is_owner:
            return self.workflow
        if not self.permissions:
            raise not_found("workflow")
        if permission is not Permission.VIEW and permission not in self.permissions:
            message = f"the owner has not granted you to {permission} this workflow: ask them, or duplicate it"
            raise AlphintraError("WORKFLOW_PERMISSION", message, kind=Kind.FORBIDDEN)
        return self.workflow

    def require_owner(self) -> Workflow:
        """Return the workflow. Raises WORKFLOW_NOT_FOUND without any grant, WORKFLOW_PERMISSION for a grantee."""
        if self.is_owner:
            return self.workflow
        self.require(Permission.VIEW)
        message = "only the owner of a workflow renames, archives or shares it: ask them"
        raise AlphintraError("WORKFLOW_PERMISSION", message, kind=Kind.FORBIDDEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A right of one person, or of everybody in a role, to use a workflow."""

    grant_id: UUID
    workflow_id: WorkflowId
    permission: Permission
    user_id: UserId | None
    role: str | None
    granted_by: UserId
    granted_at: datetime
    expires_at: datetime | None
    email: str = ""

    @property
    def grantee(self) -> str:
        """Whom it is for, as it is stored: ``user:<id>`` or ``role:<name>``."""
        return f"role:{self.role}" if self.user_id is None else f"user:{self.user_id}"

    def is_expired(self, at: datetime) -> bool:
        """Tell whether it no longer holds at a time."""
        return self.expires_at is not None and self.expires_at <= at


def new_grant(  # noqa: PLR0913 - a grant has these parts
    grant_id: UUID,
    workflow: Workflow,
    permission: str,
    *,
    user_id: UserId | None,
    role: str | None,
    expires_at: datetime | None,
    at: datetime,
) -> Grant:
    """Return a grant by the workflow's owner to a person or to a role, exactly one of them.

    Raises FIELD_CHOICE for an unknown permission or role, FIELD_REQUIRED or FIELD_FORBIDDEN unless one grantee is
    named, EXPIRY_PAST, and SHARE_OWNER for the owner themselves.
    """
    if permission not in tuple(Permission):
        message = f"the permission {permission[:40]!r} is unknown: use one of {', '.join(Permission)}"
        raise AlphintraError("FIELD_CHOICE", message, pointer="/permission")
    if user_id is not None and role is not None:
        raise AlphintraError("FIELD_FORBIDDEN", "name a person or a role, not both", pointer="/role")
    if user_id is None and role is None:
        raise AlphintraError("FIELD_REQUIRED", "say whom: a person by e-mail or id, or a role", pointer="/user")
    if role is not None and role not in SHAREABLE_ROLES:
        message = f"the role {role[:40]!r} is unknown: use one of {', '.join(SHAREABLE_ROLES)}"
        raise AlphintraError("FIELD_CHOICE", message, pointer="/role")
    if user_id == workflow.owner_id:
        raise AlphintraError("SHARE_OWNER", "the workflow is theirs already: name somebody else", pointer="/user")
    if expires_at is not None and expires_at < at + _LIFE_MIN:
        message = "the grant would end within a minute or has ended: say a later time, or none"
        raise AlphintraError("EXPIRY_PAST", message, pointer="/expires_at")
    return Grant(
        grant_id=grant_id,
        workflow_id=workflow.workflow_id,
        permission=Permission(permission),
        user_id=user_id,
        role=role,
        granted_by=workflow.owner_id,
        granted_at=at,
        expires_at=expires_at,
    )


def require_grants_room(count: int) -> None:
    """Raise SHARE_LIMIT if a workflow with so many grants may not have another one."""
    if count >= GRANTS_MAX:
        message = f"the workflow has {count} grants, and may have {GRANTS_MAX}: revoke some, or grant to a role"
        raise AlphintraError("SHARE_LIMIT", message, kind=Kind.LIMITED)


def not_found(what: str) -> AlphintraError:
    """Return the answer to whoever may not know whether a thing is there."""
    message = f"there is no such {what} among yours: list your workflows to see them"
    return AlphintraError("WORKFLOW_NOT_FOUND", message, kind=Kind.NOT_FOUND)

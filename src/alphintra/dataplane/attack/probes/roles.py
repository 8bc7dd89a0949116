"""Becoming somebody else, or changing who one is."""

from __future__ import annotations

from typing import Final

from alphintra.dataplane.attack.model import Attack, Floor, Level, Place

__all__ = ["OTHERS", "OWN_ROLE"]

_MEMBERSHIP: Final = "revoke the membership; `alphintra db plan` shows it"
_ATTRIBUTE: Final = "take SUPERUSER and CREATEROLE from the attacker's role; `alphintra db plan` shows it"
_SHIPPED: Final = "take SUPERUSER from the attacker's role; nothing else allows it"

OTHERS: Final = (
    Attack(
        name="roles.set_role",
        place=Place.INSTANCE,
        each="role",
        sql="set local role {any_role}",
        means="the attacker can become another service's role and do what it may",
        close=_MEMBERSHIP,
    ),
    Attack(
        name="roles.session_authorization",
        place=Place.INSTANCE,
        each="role",
        sql="set local session authorization {any_role}",
        means="the attacker can become another service's role, for the log too",
        close=_SHIPPED,
    ),
    Attack(
        name="roles.join",
        place=Place.INSTANCE,
        sql="grant {owner} to {own_role}",
        means="the attacker can join another service's owner",
        close="revoke the membership WITH ADMIN OPTION",
    ),
    Attack(
        name="roles.alter_password",
        place=Place.INSTANCE,
        each="role",
        sql="alter role {any_role} password 'probe'",
        means="other services' passwords can be set",
        close=_ATTRIBUTE,
    ),
    Attack(
        name="roles.alter_settings",
        place=Place.INSTANCE,
        each="role",
        sql="alter role {any_role} set search_path = public",
        means="other services can be made to find the attacker's objects first",
        close=_ATTRIBUTE,
    ),
    Attack(
        name="roles.alter_limit",
        place=Place.INSTANCE,
        each="role",
        sql="alter role {any_role} connection limit 0",
        means="other services can be locked out",
        close=_ATTRIBUTE,
    ),
    Attack(
        name="roles.rename",
        place=Place.INSTANCE,
        each="role",
        sql="alter role {any_role} rename to {token}",
        means="other services' roles can be renamed, which locks them out",
        close=_ATTRIBUTE,
    ),
    Attack(
        name="roles.drop",
        place=Place.INSTANCE,
        each="role",
        sql="drop role {any_role}",
        proofs=frozenset({"2BP01", "55006"}),
        means="other services' roles can be dropped",
        close=_ATTRIBUTE,
    ),
    Attack(
        name="roles.reassign_owned",
        place=Place.INSTANCE,
        sql="reassign owned by {owner} to current_user",
        means="all that another service owns can be taken over",
        close=_MEMBERSHIP,
    ),
    Attack(
        name="roles.drop_owned",
        place=Place.INSTANCE,
        sql="drop owned by {owner}",
        proofs=frozenset({"2BP01"}),
        means="all that another service owns can be dropped",
        close=_MEMBERSHIP,
    ),
    Attack(
        name="roles.own_database",
        place=Place.INSTANCE,
        sql="alter database {database} set work_mem = '4MB'",
        means="another service's database belongs to the attacker: it can be altered, renamed and dropped",
        close="ALTER DATABASE … OWNER TO the administrator",
    ),
)


def _own(name: str, sql: str, *, means: str, close: str = _ATTRIBUTE) -> Attack:
    """Return a probe of the attacker's own role."""
    return Attack(name=f"own_role.{name}", place=Place.SELF, sql=sql, means=means, close=close)


OWN_ROLE: Final = (
    Attack(
        name="own_role.set_superuser",
        place=Place.SELF,
        each="superuser",
        sql="set local role {any_role}",
        means="the attacker can become the superuser: everything is open",
        close=_MEMBERSHIP,
    ),
    Attack(
        name="own_role.session_superuser",
        place=Place.SELF,
        each="superuser",
        sql="set local session authorization {any_role}",
        means="the attacker can become the superuser: everything is open",
        close=_SHIPPED,
    ),
    Attack(
        name="own_role.set_predefined",
        place=Place.SELF,
        each="predefined",
        sql="set local role {any_role}",
        means="the attacker belongs to one of PostgreSQL's privileged roles",
        close=_MEMBERSHIP,
    ),
    Attack(
        name="own_role.set_sibling",
        place=Place.SELF,
        each="role",
        sql="set local role {any_role}",
        means="the running service can become its owner, migrator, reader, backup or sealer",
        close=_MEMBERSHIP,
    ),
    _own("become_superuser", "alter role current_user superuser", means="the attacker can make itself superuser"),
    _own("become_createrole", "alter role current_user createrole", means="the attacker can make itself roles"),
    _own("become_createdb", "alter role current_user createdb", means="the attacker can make itself databases"),
    _own("become_replication", "alter role current_user replication", means="the attacker can copy the whole instance"),
    _own("become_bypassrls", "alter role current_user bypassrls", means="the attacker can pass row policies"),
    _own("raise_limit", "alter role current_user connection limit 1000", means="the attacker can take every session"),
    _own("valid_until", "alter role current_user valid until 'infinity'", means="the attacker can outlive its expiry"),
    Attack(
        name="own_role.rename",
        place=Place.SELF,
        sql="alter role {own_role} rename to {token}",
        refusals=frozenset({"0A000"}),  # said of the session's own user, whatever its rights
        means="the attacker can disappear from the log",
        close=_ATTRIBUTE,
    ),
    _own("create_role", "create role {token}", means="the attacker can make roles, and hide behind them"),
    _own("join_monitor", "grant pg_monitor to {own_role}", means="the attacker can join privileged roles"),
    Attack(
        name="own_role.everybodys_settings",
        place=Place.SELF,
        sql="alter role all set search_path = public",
        means="the attacker can set what every role starts with",
        close=_SHIPPED,
    ),
    Attack(
        name="own_role.password",
        place=Place.SELF,
        sql="alter role current_user password null",
        floor=Floor.ANYWHERE,
        closed_by=Level.STRICT,
        means="whoever holds the credential can change it: lock the service out, or stay after a rotation of the file",
        close="no way; `alphintra db plan` compares the stored verifier, `db apply` sets it right",
    ),
    Attack(
        name="own_role.settings",
        place=Place.SELF,
        sql="alter role current_user in database {own_database} set search_path = public",
        floor=Floor.ANYWHERE,
        closed_by=Level.STRICT,
        means="whoever holds the credential can change what the role's later sessions start with, such as search_path",
        close="no way; `alphintra db plan` finds the setting, `db apply` takes it back",
    ),
    Attack(
        name="own_role.session_bounds",
        place=Place.SELF,
        sql="set local statement_timeout = 0; set local lock_timeout = 0; set local work_mem = '1GB'; "
        "set local idle_in_transaction_session_timeout = 0; set local search_path = public",
        floor=Floor.ANYWHERE,
        closed_by=Level.STRICT,
        means="a session can lift its own bounds: timeouts, memory, where names are looked up",
        close="no way; connections stay limited, and the operating system bounds an instance of its own",
    ),
    Attack(
        name="own_role.application_name",
        place=Place.SELF,
        sql="set local application_name = 'somebody else'",
        floor=Floor.ANYWHERE,
        closed_by=Level.STRICT,
        means="a session can call itself by another service's name in the log and in statistics",
        close="no way; log %u, the role, and never trust %a",
    ),
)

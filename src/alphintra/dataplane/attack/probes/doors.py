"""Ways in, and what sessions of one database or instance can do to each other."""

from __future__ import annotations

from typing import Final

from alphintra.dataplane.attack import tactics
from alphintra.dataplane.attack.model import Attack, Effect, Floor, Level, Place

__all__ = ["BETWEEN_SESSIONS", "DOORS"]

_OWN_INSTANCE: Final = "give the service an instance of its own"
_OWN_DATABASE: Final = "give the service a database of its own"
_SECRET: Final = "`alphintra db rotate` gives each role a password of its own"  # noqa: S105 - a sentence

DOORS: Final = (
    Attack(
        name="connect.victim_database",
        place=Place.DOOR,
        tactic=tactics.enter_victim,
        closed_by=Level.HARDENED,
        means="the attacker gets into another service's database: every default that PUBLIC has there is its own",
        close="revoke CONNECT on the database from PUBLIC",
    ),
    Attack(
        name="connect.postgres",
        place=Place.DOOR,
        tactic=tactics.enter_system_database,
        closed_by=Level.HARDENED,
        means="the attacker gets into the administrator's database, where nobody looks for it",
        close="revoke CONNECT on database postgres from PUBLIC",
    ),
    Attack(
        name="connect.template1",
        place=Place.DOOR,
        tactic=tactics.enter_template,
        closed_by=Level.HARDENED,
        means="the attacker gets into the template, and an open session there stops databases from being made",
        close="revoke CONNECT on database template1 from PUBLIC",
    ),
    Attack(
        name="connect.other_databases",
        place=Place.DOOR,
        tactic=tactics.enter_other_databases,
        closed_by=Level.HARDENED,
        means="the attacker gets into databases of the instance that belong to no service",
        close="revoke CONNECT on them from PUBLIC, or drop what is left over",
    ),
    Attack(
        name="connect.as_victim",
        place=Place.DOOR,
        tactic=tactics.as_victim,
        means="the attacker's password opens another service's role",
        close=_SECRET,
    ),
    Attack(
        name="connect.as_superuser",
        place=Place.DOOR,
        tactic=tactics.as_superuser,
        means="the attacker's password opens the superuser",
        close="let pg_hba.conf reject superusers over the network",
    ),
    Attack(
        name="connect.replication",
        place=Place.DOOR,
        tactic=tactics.enter_physically,
        means="the whole instance can be copied over a replication connection",
        close="take REPLICATION from the attacker's role, and replication lines for it from pg_hba.conf",
    ),
    Attack(
        name="connect.preload",
        place=Place.SELF,
        tactic=tactics.start_with_superuser_settings,
        proofs=frozenset({"58P01"}),  # past the right, there is no such library
        means="the attacker chooses libraries that are loaded with its session",
        close="revoke SET on the parameter session_preload_libraries (as PostgreSQL ships it)",
    ),
    Attack(
        name="connect.refusal_tells",
        place=Place.DOOR,
        tactic=tactics.compare_refusals,
        effect=Effect.LEAK,
        closed_by=Level.USUAL,
        means="how a connection is refused tells databases that exist from those that do not",
        close="let pg_hba.conf admit roles to databases that bear the name of a role granted to them: `samerole`",
    ),
    Attack(
        name="connect.exhaustion",
        place=Place.DOOR,
        tactic=tactics.count_sessions,
        within_role=True,
        closed_by=Level.HARDENED,
        means="the attacker can take so many sessions that other services get none",
        close="ALTER ROLE … CONNECTION LIMIT, well below half of max_connections",
    ),
)

BETWEEN_SESSIONS: Final = (
    Attack(
        name="names.error_texts",
        place=Place.INSTANCE,
        tactic=tactics.tell_names_apart,
        effect=Effect.LEAK,
        floor=Floor.SHARED_INSTANCE,
        closed_by=Level.STRICT,
        within_role=True,
        means="error messages tell roles and databases that exist from those that do not",
        close=f"{_OWN_INSTANCE}: error messages have no privilege",
    ),
    Attack(
        name="activity.terminate",
        place=Place.INSTANCE,
        tactic=tactics.end_session,
        shows=True,
        within_role=True,
        means="other services' sessions can be ended",
        close="take the attacker's role out of pg_signal_backend",
    ),
    Attack(
        name="messages.listen",
        place=Place.DATABASE,
        tactic=tactics.overhear,
        effect=Effect.LEAK,
        floor=Floor.SHARED_DATABASE,
        closed_by=Level.STRICT,
        within_role=True,
        means="what another service says by NOTIFY is heard: channels have no owner",
        close=f"{_OWN_DATABASE}, or never put anything into a NOTIFY (Alphintra's services use none)",
    ),
    Attack(
        name="messages.forge",
        place=Place.DATABASE,
        tactic=tactics.forge_message,
        floor=Floor.SHARED_DATABASE,
        closed_by=Level.STRICT,
        within_role=True,
        means="what another service takes for a NOTIFY of its own can be forged",
        close=f"{_OWN_DATABASE}, or never trust a NOTIFY (Alphintra's services use none)",
    ),
    Attack(
        name="locks.old_snapshot",
        place=Place.DATABASE,
        tactic=tactics.hold_snapshot,
        floor=Floor.SHARED_DATABASE,
        closed_by=Level.STRICT,
        within_role=True,
        means="a transaction left open stops vacuum in the tables of all services of the database, which bloat",
        close=f"{_OWN_DATABASE}; until then watch for old snapshots and end their sessions",
    ),
)

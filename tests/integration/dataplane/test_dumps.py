"""What a dump of one service holds where it shares a schema with the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from alphintra.dataplane.backup.dumps import selection
from alphintra.dataplane.backup.programs import Programs, Task, login_environment
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server, admin_connection
from alphintra.manifest import service_tables
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from fixtures.postgres import binaries_of

PARTS: Final = """
    select p.relname::text as whole, c.relname::text as part
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    where c.relkind = 'r' and c.relnamespace = $1::text::regnamespace
"""


async def test_a_dump_from_the_shared_schema_holds_the_months_of_its_service_and_no_other_table(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    server = private_postgres()
    layout = choose_layout(LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True))
    await provision(server, layout=layout, passwords=role_password(Home.open(tmp_path / "home")))
    place = next(item for item in layout if item.service == "trading")
    async with admin_connection(server, database=place.database) as connection:
        rows = await connection.fetch(PARTS, place.merged_schema)
    assert {row["whole"] for row in rows} == {"order_events", "ledger_entries"}
    wanted = {row["part"] for row in rows} | {place.location(table.name)[1] for table in service_tables(place.spec)}
    written = tmp_path / "dump.sql"
    words = ("--schema-only", "-f", str(written), *selection(place))
    env = login_environment(server, place.database)
    Programs(folder=binaries_of(server)).run("pg_dump", *words, env=env, task=Task())
    lines = written.read_text(encoding="utf-8").splitlines()
    dumped = {line.split()[2].partition(".")[2] for line in lines if line.startswith("CREATE TABLE")}
    assert dumped == wanted

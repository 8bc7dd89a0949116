"""Makes servers ready for the services, then writes each process's credentials; a process of its own, that ends.

Run by the supervisor before any service: ``python -m alphintra.runtime.provision HOME``, with what it needs to know
in ``ALPHINTRA_PROVISION`` (see ``ProvisionOrder``).
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server
from alphintra.dataplane.streams import BusLogin, ensure_streams
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.audit_keys import require_no_rollback, witness_of
from alphintra.runtime.credentials import (
    Address,
    Outgoing,
    Servers,
    operator_token,
    role_password,
    write_credentials,
)
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.layout import carry_reporting, process_plans, record_layout
from alphintra.runtime.nats_keys import nats_seed
from alphintra.runtime.passwords import keep_coming_passwords, passwords_lock
from alphintra.runtime.settings import ProcessLayout
from alphintra.runtime.visitors import readmit_visitors

__all__ = ["CONTROL_FILE", "ORDER_VARIABLE", "ProvisionOrder", "main", "write_all_credentials"]

ORDER_VARIABLE = "ALPHINTRA_PROVISION"
CONTROL_FILE = "control.json"
EXIT_FAILED = 1
_LOCK_WAIT_S = 60.0


class ProvisionOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What provisioning is told: the servers, where each service lives, and how services are spread over processes."""

    instances: tuple[Server, ...]
    layout: tuple[Placement, ...]
    nats_url: str
    port: int
    processes: ProcessLayout
    rate_limit: int = 200
    outgoing: Outgoing = Outgoing()
    detour: dict[str, int] = {}
    witness: str = ""


async def run(home: Home, order: ProvisionOrder) -> None:
    """Provision databases and streams, then write the credentials of every process. Safe to repeat and to kill."""
    order = msgspec.structs.replace(order, layout=carry_reporting(home, order.layout))
    deployer = BusLogin(url=order.nats_url, user="deployer", seed=nats_seed(home, "deployer"))
    done = await asyncio.gather(
        *(provision(server, layout=order.layout, passwords=role_password(home)) for server in order.instances),
        ensure_streams(deployer),
        return_exceptions=True,
    )
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
    servers = {server.instance: server for server in order.instances}
    places = [(servers[placement.instance], placement) for placement in order.layout]
    await require_no_rollback(home, places, witness_of(home, order.witness))
    await readmit_visitors(home, order.instances)
    operator_token(home)
    record_layout(home, order.layout)
    write_all_credentials(home, order)
    write_atomically(home.run / CONTROL_FILE, msgspec.json.encode(order), durable=False)


def write_all_credentials(home: Home, order: ProvisionOrder) -> None:
    """Write the credentials of every process from the secrets as they are now."""
    through = order.detour
    servers = Servers(
        instances={
            server.instance: Address(host=server.host, port=through.get("postgres", server.port))
            for server in order.instances
        },
        nats_url=f"nats://127.0.0.1:{through['nats']}" if "nats" in through else order.nats_url,
        layout=order.layout,
    )
    for plan in process_plans(order.processes):
        write_credentials(home, plan, servers, port=order.port, rate_limit=order.rate_limit, outgoing=order.outgoing)


def main() -> int:
    """Run once for the home named on the command line; one line on standard error and status 1 if it fails."""
    home = Home.existing(Path(sys.argv[1]))
    order = msgspec.json.decode(os.environ[ORDER_VARIABLE], type=ProvisionOrder)
    try:
        with passwords_lock(home, wait_s=_LOCK_WAIT_S):
            keep_coming_passwords(home, order.layout)
            asyncio.run(run(home, order))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())

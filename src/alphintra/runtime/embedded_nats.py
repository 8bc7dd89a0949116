"""The embedded NATS server: JetStream that syncs every write, one nkey and one list of rights per user."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.accounts import hand_over, let_pass, server_account
from alphintra.runtime.children import Child, Command, StopPlan, stop_strangers
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.nats_keys import nats_public_key
from alphintra.runtime.policy import RestartPolicy
from alphintra.runtime.ports import LOOPBACK, choose_port, require_free_port
from alphintra.runtime.proc import processes_in
from alphintra.runtime.programs import nats_program
from alphintra.runtime.units import Standalone

__all__ = ["BusUser", "EmbeddedNats", "render_nats_accounts", "render_nats_config"]

_POLL_S = 0.02
_GREETING_TIMEOUT_S = 5.0
_HERE = "/proc/self/cwd"  # see embedded_postgres: the account needs no way through the folders above

_CONFIG = """\
# Written by Alphintra at every start, from its manifest.
listen: {listen}
server_name: {server_name}
max_payload: 1MB
max_connections: 256
logtime_utc: true
jetstream {{
  store_dir: {store}
  sync_interval: always
  max_memory_store: 16MB
  max_file_store: 4GB
}}
{accounts}"""

_ACCOUNTS = """accounts {{
  ALPHINTRA {{
    jetstream: enabled
    users: [
{users}
    ]
  }}
  SYS {{}}
}}
system_account: SYS
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusUser:
    """What one user of the bus may do; anything not listed is denied.

    Args:
        publish: subjects it may publish on, wildcards allowed.
        subscribe: subjects it may subscribe to, wildcards allowed.
    """

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def render_nats_config(*, port: int, server_name: str, keys: Mapping[str, str], users: Mapping[str, BusUser]) -> str:
    """Return the whole configuration of an embedded server; who may do what as `render_nats_accounts`."""
    return _CONFIG.format(
        listen=json.dumps(f"{LOOPBACK}:{port}"),
        server_name=json.dumps(server_name),
        store=json.dumps(f"{_HERE}/store"),
        accounts=render_nats_accounts(keys=keys, users=users),
    )


def render_nats_accounts(*, keys: Mapping[str, str], users: Mapping[str, BusUser]) -> str:
    """Return the part of a configuration that says who may do what: every user by its public nkey, with its rights.

    ``allow_responses`` is never used: with it, a caller's reply subject would decide where a responder publishes.
    The system account has no users, so nobody can log in to it.
    """
    rendered = [_render_user(keys[name], user) for name, user in sorted(users.items())]
    return _ACCOUNTS.format(users="\n".join(rendered))


def _render_user(key: str, user: BusUser) -> str:
    publish, subscribe = (_render_rule(subjects) for subjects in (user.publish, user.subscribe))
    return f"      {{nkey: {key}, permissions: {{publish: {publish}, subscribe: {subscribe}}}}}"


def _render_rule(subjects: tuple[str, ...]) -> str:
    """An empty allow list would mean everything to the server: nothing has to be said by denying all."""
    return f"{{allow: {json.dumps(list(subjects))}}}" if subjects else '{deny: [">"]}'


class EmbeddedNats:
    """One NATS server in a home; a `Unit` for the supervisor, `start` and `stop` for everybody else."""

    name = "nats"
    stage = 0
    is_one_shot = False
    ready_timeout_s = 60.0  # JetStream reads its store before clients are let in
    restart = RestartPolicy(delay_max_s=5.0)
    stop_plan: StopPlan = ((signal.SIGTERM, 10.0),)
    hurry_plan: StopPlan = ((signal.SIGTERM, 2.0),)

    def __init__(self, home: Home, port: int = 0, *, users: Mapping[str, BusUser]) -> None:
        """Describe the server; nothing is started.

        Args:
            home: whose ``nats`` folder holds it, and whose secrets hold the users' seeds (`nats_keys.nats_seed`).
            port: TCP port on 127.0.0.1; 0 chooses a free one at first start and remembers it.
            users: rights by user name; seeds are drawn for new names.
        """
        self._home = home
        self._wanted_port = port
        self._port = 0
        self._users = dict(users)
        self._alone = Standalone(self, home)

    @property
    def port(self) -> int:
        """TCP port. Raises SERVER_NOT_STARTED before the first start, since a port may have to be chosen."""
        if not self._port:
            detail = "the embedded NATS server has no port yet: start it first"
            raise AlphintraError("SERVER_NOT_STARTED", detail, kind=Kind.UNAVAILABLE)
        return self._port

    @property
    def url(self) -> str:
        """Address for clients; who they are is proven by their nkey."""
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def server_name(self) -> str:
        """Name in the server's greeting, by which it is told from a stranger on the same port."""
        return f"alphintra-{self._home.ident}"

    @property
    def work(self) -> Path:
        """The server's working folder, with its store."""
        return self._home.nats / "data"

    async def start(self) -> None:
        """Start without a supervisor and wait until it answers. Raises what `before_start` and `launch` raise."""
        await self._alone.start()

    async def stop(self) -> None:
        """Stop what `start` started; nothing to do if it is not running."""
        await self._alone.stop()

    async def before_start(self) -> None:
        """End what a killed start left, choose the port, draw missing keys, write the configuration.

        Raises:
            AlphintraError: PORT_IN_USE, LEFTOVER, SERVER_ACCOUNT, SERVER_PROGRAM_MISSING.
        """
        account = server_account()
        let_pass(self._home.nats, account)
        hand_over(self.work, account)
        await stop_strangers(lambda: processes_in(self.work), self.stop_plan)
        if self._port:
            require_free_port(self._port, setting="nats_port")
        else:
            self._port = choose_port(self._home, setting="nats_port", wanted=self._wanted_port)
        keys = {user: nats_public_key(self._home, user) for user in self._users}
        text = render_nats_config(port=self.port, server_name=self.server_name, keys=keys, users=self._users)
        # Ours, and only readable to the server: what it may do is not for it to change. It holds no secret.
        write_atomically(self._home.nats / "nats.conf", text.encode(), mode=0o644)

    def command(self) -> Command:
        """Return how to start the server in the foreground.

        Its memory is bounded well above what it needs: close to the bound it does little but collect garbage.
        """
        account = server_account()
        return Command(
            argv=(str(nats_program(account)), "--config", f"{_HERE}/../nats.conf"),
            env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "GOMEMLIMIT": "96MiB", "GOGC": "100"},
            cwd=self.work,
            account=account,
        )

    async def wait_ready(self, child: Child) -> None:
        """Return when our server, with JetStream, greets clients."""
        while child.returncode is None and not await self._greets():  # noqa: ASYNC110 - another program gets ready
            await asyncio.sleep(_POLL_S)

    async def _greets(self) -> bool:
        try:
            async with asyncio.timeout(_GREETING_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
                try:
                    greeting = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        said = json.loads(greeting.removeprefix(b"INFO ") or b"{}")
        return said.get("server_name") == self.server_name and said.get("jetstream") is True

"""The operator's settings: ``alphintra.toml`` in the home, and ``ALPHINTRA_*`` variables, which win over it."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from alphintra.dataplane.hardening import Hardening
from alphintra.dataplane.layouts import MAIN_INSTANCE, LayoutChoice, LayoutName, Placement, choose_layout
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest.retention import DEFAULT_PROFILE, profile_named
from alphintra.notification.domain.outgoing import parse_mail_server, parse_networks, parse_sender

__all__ = [
    "DEFAULT_HOME",
    "PlacementKind",
    "ProcessLayout",
    "RuntimeSettings",
    "home_from",
    "load_settings",
]

DEFAULT_HOME = Path("~/.local/share/alphintra")
_PREFIX = "ALPHINTRA_"
_BYTES_MAX = 65_536
_PORT_MAX = 65_535
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_INTEGER = re.compile(r"[0-9]{1,9}")
# Variables that mean something elsewhere: what the supervisor tells its children, what arms crash tests, and whether
# the web interface is built.
_NOT_OURS = frozenset({"HOME", "READY_FD", "SUPERVISED", "CRASH_AT", "CRASH_FILE", "CLOCK_FILE", "DETOUR", "WEB"})


class ProcessLayout(StrEnum):
    """How services are spread over processes."""

    DEFAULT = "default"
    RISK_APART = "risk-apart"
    PER_SERVICE = "per-service"


class PlacementKind(StrEnum):
    """How databases are spread over PostgreSQL instances."""

    SHARED = "shared"
    ISOLATED = "isolated"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    """What the operator may choose about one installation.

    Args:
        home: the data folder.
        port: HTTP port on 127.0.0.1.
        postgres_port: port of the embedded PostgreSQL, 0 for one that is free.
        nats_port: port of the embedded NATS server, 0 for one that is free.
        rate_limit: requests a second one caller may make over a while, and five seconds' worth of them at once.
        processes: how services are spread over processes.
        database_admin_url: a running PostgreSQL to use instead of the embedded one, as a role that may make roles
            and databases; empty for the embedded one.
        nats_url: a running NATS server to use instead of the embedded one; empty for the embedded one.
        layout: which services share a database; None for the one the home has, ``separate`` in a new one.
        placement: ``isolated`` for a PostgreSQL instance per database, ``shared`` for one; None as with the layout.
        hardening: how far PostgreSQL's own catalogue is closed to the services' roles.
        witness: folder of the witness of the audit logs, best on another disk; empty for one in the home.
        retention: profile of the rules how long records are kept.
        retention_schedules: when retention of a service is run, by its name; of no service unless it is named.
        maintenance_windows: when the upkeep of a service may be done, by its name.
        shared_role: in ``central``, one role for all services instead of one each.
        accept_consolidated: that the ``consolidated`` layout isolates nothing is known.
        databases: other names for databases, by the layout's own name.
        schemas: other names for schemas, by service.
        roles: other names for the services' login roles, by service.
        instances: PostgreSQL instance of a database, by its name.
        admin_urls: a running PostgreSQL for an instance, by its name; ``database_admin_url`` is that of ``main``.
        backup: where backups go, when and how many are kept; see `runtime.backups.choices`.
        backup_schedules: when each service is dumped, by its name.
        backup_external: what backs up an instance that is not ours, by its name.
        smtp_url: mail server for notifications: ``smtps://`` or ``smtp://`` (then STARTTLS), or ``smtp+plain://`` on
            this machine.
        smtp_from: whom mail comes from, e.g. ``Alphintra <alerts@example.org>``.
        webhook_networks: networks of one's own that webhooks may reach, e.g. ``10.1.0.0/16``; otherwise none.
    """

    home: Path
    port: int = 8400
    postgres_port: int = 0
    nats_port: int = 0
    rate_limit: int = 200
    processes: ProcessLayout = ProcessLayout.DEFAULT
    database_admin_url: str = field(default="", repr=False)
    nats_url: str = field(default="", repr=False)
    layout: LayoutName | None = None
    placement: PlacementKind | None = None
    hardening: Hardening = Hardening.STRICT
    witness: str = ""
    retention: str = DEFAULT_PROFILE
    retention_schedules: Mapping[str, str] = field(default_factory=dict)
    maintenance_windows: Mapping[str, str] = field(default_factory=dict)
    shared_role: bool = False
    accept_consolidated: bool = False
    databases: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    instances: Mapping[str, str] = field(default_factory=dict)
    admin_urls: Mapping[str, str] = field(default_factory=dict, repr=False)
    backup: Mapping[str, str] = field(default_factory=dict)
    backup_schedules: Mapping[str, str] = field(default_factory=dict)
    backup_external: Mapping[str, str] = field(default_factory=dict)
    smtp_url: str = field(default="", repr=False)
    smtp_from: str = ""
    webhook_networks: str = ""

    @property
    def names_a_layout(self) -> bool:
        """Whether anything is said of where services live."""
        said = (self.layout, self.placement, self.shared_role, self.databases, self.schemas, self.roles, self.instances)
        return any(said)

    def placements(self) -> tuple[Placement, ...]:
        """Return where these settings say each service lives. Raises what `choose_layout` raises."""
        return choose_layout(
            LayoutChoice(
                name=self.layout or LayoutName.SEPARATE,
                is_isolated=self.placement is PlacementKind.ISOLATED,
                has_shared_role=self.shared_role,
                accepts_consolidated=self.accept_consolidated,
                databases=self.databases,
                schemas=self.schemas,
                roles=self.roles,
                instances=self.instances,
            )
        )

    def admin_url(self, instance: str) -> str:
        """Return the running server an instance is, empty for an embedded one."""
        return self.admin_urls.get(instance, self.database_admin_url if instance == MAIN_INSTANCE else "")


_KEYS = tuple(each.name for each in fields(RuntimeSettings) if each.name != "home")
_NUMBERS = {
    "port": (1, _PORT_MAX),
    "postgres_port": (0, _PORT_MAX),
    "nats_port": (0, _PORT_MAX),
    "rate_limit": (1, 1_000_000),
}
_CHOICES: Mapping[str, type[StrEnum]] = {
    "processes": ProcessLayout,
    "layout": LayoutName,
    "placement": PlacementKind,
    "hardening": Hardening,
}
_SWITCHES = frozenset({"shared_role", "accept_consolidated"})
_TABLES = frozenset(
    {
        "databases",
        "schemas",
        "roles",
        "instances",
        "admin_urls",
        "backup",
        "backup_schedules",
        "backup_external",
        "maintenance_windows",
        "retention_schedules",
    }
)
_OUTGOING: Mapping[str, Callable[[str], object]] = {
    "smtp_url": parse_mail_server,
    "smtp_from": parse_sender,
    "webhook_networks": parse_networks,
}
_SCHEMES = {
    "admin_urls": ("postgresql", "postgres"),
    "database_admin_url": ("postgresql", "postgres"),
    "nats_url": ("nats", "tls"),
}


def home_from(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the data folder: ALPHINTRA_HOME, or the default. Raises CONFIG_VALUE for a relative path."""
    chosen = environ.get(f"{_PREFIX}HOME", "") or str(DEFAULT_HOME)
    path = Path(chosen).expanduser()
    if not path.is_absolute():
        detail = f"ALPHINTRA_HOME is {chosen!r}: write it as an absolute path, so that every command finds the same one"
        raise AlphintraError("CONFIG_VALUE", detail, pointer=f"{_PREFIX}HOME")
    return path


def load_settings(
    home: Path, *, environ: Mapping[str, str] = os.environ, also_known: frozenset[str] = frozenset()
) -> RuntimeSettings:
    """Read and check all settings of a home.

    Args:
        home: the data folder; its ``alphintra.toml`` may be absent.
        environ: environment variables; those set to nothing count as absent.
        also_known: names of ``ALPHINTRA_*`` variables, without the prefix, that other parts of the platform read.

    Raises:
        AlphintraError: CONFIG_UNKNOWN, CONFIG_DUPLICATE, CONFIG_SYNTAX, CONFIG_ENCODING, CONFIG_TYPE, CONFIG_RANGE,
            CONFIG_VALUE, CONFIG_VAR, CONFIG_TOO_LARGE, CONFIG_UNREADABLE, SECRET_INLINE.
    """
    checked: dict[str, object] = {}
    # All that is written is checked, also what a variable overrides: it would be believed once that is gone.
    for chosen in (_from_file(home / "alphintra.toml", environ), _from_environment(environ, also_known)):
        checked |= {key: _check(key, value, pointer) for key, (value, pointer) in chosen.items()}
    if bool(checked.get("smtp_url")) != bool(checked.get("smtp_from")):
        detail = "smtp_url and smtp_from go together: set where mail is handed in and whom it comes from"
        raise AlphintraError("CONFIG_VALUE", detail, pointer="smtp_from")
    return RuntimeSettings(home=home, **checked)  # type: ignore[arg-type]  # _check gives each key its type


def _from_environment(environ: Mapping[str, str], also_known: frozenset[str]) -> dict[str, tuple[object, str]]:
    known = {key.upper() for key in _KEYS if key not in _TABLES}
    chosen: dict[str, tuple[object, str]] = {}
    for variable, text in sorted(environ.items()):
        name = variable.removeprefix(_PREFIX)
        if name == variable or not text or name in _NOT_OURS or name in also_known:
            continue
        if name not in known:
            raise _unknown(variable, [_PREFIX + each for each in known | also_known | {"HOME"}], pointer=variable)
        value: object = text
        if name.lower() in _NUMBERS:
            if not _INTEGER.fullmatch(text):
                raise _wrong_type(variable, text, "a whole number such as 8400")
            value = int(text)
        elif name.lower() in _SWITCHES:
            if text not in {"true", "false"}:
                raise _wrong_type(variable, text, "true or false")
            value = text == "true"
        chosen[name.lower()] = (value, variable)
    return chosen


def _from_file(path: Path, environ: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    chosen: dict[str, tuple[object, str]] = {}
    for key, value in _parse(path).items():
        pointer = f"{path.name}:{key}"
        if key not in _KEYS:
            raise _unknown(key, _KEYS, pointer=pointer)
        if isinstance(value, dict):
            inside = {name: _read_text(text, environ, f"{pointer}.{name}") for name, text in value.items()}
            chosen[key] = (inside, pointer)
        else:
            chosen[key] = (_read_text(value, environ, pointer), pointer)
    return chosen


def _read_text(value: object, environ: Mapping[str, str], pointer: str) -> object:
    if not isinstance(value, str):
        return value
    if "://" in value and _VARIABLE.sub("", _password_of(value)):
        detail = f"{pointer} holds a password: write ${{VARIABLE}} in its place, and set that variable"
        raise AlphintraError("SECRET_INLINE", detail, kind=Kind.FORBIDDEN, pointer=pointer)
    return _expand(value, environ, pointer)


def _parse(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            raw = file.read(_BYTES_MAX + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if not os.access(path.parent, os.X_OK):
            return {}  # the folder itself is closed: `Home` tells so
        detail = f"{path} cannot be read ({error.strerror}): make it a readable file or remove it"
        raise AlphintraError("CONFIG_UNREADABLE", detail, pointer=path.name) from error
    if len(raw) > _BYTES_MAX:
        detail = f"{path} is larger than {_BYTES_MAX} bytes: it should hold a handful of settings"
        raise AlphintraError("CONFIG_TOO_LARGE", detail, pointer=path.name)
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        detail = f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8"
        raise AlphintraError("CONFIG_ENCODING", detail, pointer=path.name) from error
    except RecursionError as error:
        detail = f"{path} is nested too deeply: it should hold a handful of settings"
        raise AlphintraError("CONFIG_TOO_LARGE", detail, pointer=path.name) from error
    except tomllib.TOMLDecodeError as error:
        is_duplicate = "overwrite" in str(error) or "declare" in str(error)
        code = "CONFIG_DUPLICATE" if is_duplicate else "CONFIG_SYNTAX"
        fix = "write each setting once" if is_duplicate else 'write settings as name = value, text in "quotes"'
        raise AlphintraError(code, f"{path}: {error}: {fix}", pointer=path.name) from error


def _check(key: str, value: object, pointer: str) -> object:
    if key in _NUMBERS:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(pointer, value, "a whole number such as 8400, without quotes")
        lowest, highest = _NUMBERS[key]
        if not lowest <= value <= highest:
            detail = f"{pointer} is {value}: choose a number from {lowest} to {highest}"
            raise AlphintraError("CONFIG_RANGE", detail, pointer=pointer)
        return value
    if key in _SWITCHES:
        if not isinstance(value, bool):
            raise _wrong_type(pointer, value, "true or false, without quotes")
        return value
    if key in _TABLES:
        return _check_table(key, value, pointer)
    return _check_text(key, value, pointer)


def _check_text(key: str, value: object, pointer: str) -> object:
    if not isinstance(value, str):
        raise _wrong_type(pointer, value, "text in quotes")
    if key in _CHOICES:
        kind = _CHOICES[key]
        if value not in set(kind):
            detail = f"{pointer} is {value!r}: choose {' or '.join(repr(each.value) for each in kind)}"
            raise AlphintraError("CONFIG_VALUE", detail, pointer=pointer)
        return kind(value)
    if key == "retention":
        return profile_named(value)
    if key == "witness":
        return _check_folder(value, pointer)
    return _check_url(key, value, pointer) if key in _SCHEMES else _check_outgoing(key, value, pointer)


def _check_outgoing(key: str, value: str, pointer: str) -> str:
    try:
        _OUTGOING[key](value)
    except AlphintraError as error:
        raise AlphintraError("CONFIG_VALUE", f"{pointer}: {error.detail}", pointer=pointer) from error
    return value


def _check_folder(value: str, pointer: str) -> str:
    if value and not Path(value).is_absolute():
        detail = f"{pointer} is {value!r}: write the folder as an absolute path"
        raise AlphintraError("CONFIG_VALUE", detail, pointer=pointer)
    return value


def _check_table(key: str, value: object, pointer: str) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise _wrong_type(pointer, value, f"a table [{key}] of names")
    for name, text in value.items():
        if not isinstance(text, str):
            raise _wrong_type(f"{pointer}.{name}", text, "text in quotes")
        if key in _SCHEMES:
            _check_url(key, text, f"{pointer}.{name}")
    return value


def _check_url(key: str, value: str, pointer: str) -> str:
    schemes = _SCHEMES[key]
    try:
        parts = urlsplit(value)
        is_sound = parts.scheme in schemes and (bool(parts.hostname) or "host=" in parts.query) and parts.port != 0
    except ValueError:
        is_sound = False
    if value and not is_sound:  # the value may hold a password: it is not shown
        detail = f"{pointer} is not a URL of the form {schemes[0]}://host:port: correct it"
        raise AlphintraError("CONFIG_VALUE", detail, pointer=pointer)
    return value


def _password_of(url: str) -> str:
    """Return what stands where a URL has its password; for a broken one, anything that could be one."""
    before_host, has_user, _ = url.partition("://")[2].rpartition("@")
    in_query = re.search(r"[?&]password=([^&]*)", url)
    return (before_host.partition(":")[2] if has_user else "") + (in_query[1] if in_query else "")


def _expand(value: str, environ: Mapping[str, str], pointer: str) -> str:
    def replace(found: re.Match[str]) -> str:
        if found[1] not in environ:
            detail = f"{pointer} uses ${{{found[1]}}}, which is not set: set that variable"
            raise AlphintraError("CONFIG_VAR", detail, pointer=pointer)
        return environ[found[1]]

    return _VARIABLE.sub(replace, value)


def _unknown(name: str, known: tuple[str, ...] | list[str], *, pointer: str) -> AlphintraError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
    return AlphintraError("CONFIG_UNKNOWN", f"there is no setting {name}: {hint}", pointer=pointer)


def _wrong_type(pointer: str, value: object, wanted: str) -> AlphintraError:
    return AlphintraError("CONFIG_TYPE", f"{pointer} is {value!r}: write {wanted}", pointer=pointer)

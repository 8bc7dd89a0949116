"""A container's variables and mounted files become exactly the credentials of its process."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from alphintra.infrastructure.parts import Parts
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.container import container_credentials

URL = "postgresql://trading_service_user@db.example:5432/alphintra_trading?sslmode=verify-full&sslrootcert=/ca.crt"


def environ(folder: Path, **more: str) -> dict[str, str]:
    for name, value in {"database-password": "p@ss/w", "nats-seed": "SU1\n", "approval-seed": "c2VlZA=="}.items():
        (folder / name).write_text(value)
    return {"ALPHINTRA_SECRETS": str(folder), "DATABASE_URL": URL, "NATS_URL": "tls://nats.example:4222", **more}


def test_the_password_is_put_into_the_url_from_its_file(tmp_path: Path) -> None:
    service = container_credentials("trading", environ(tmp_path)).services[0]
    url = urlsplit(service.database_url)
    assert (url.username, url.password, url.hostname) == ("trading_service_user", "p%40ss%2Fw", "db.example")
    assert parse_qs(url.query)["sslmode"] == ["verify-full"]
    assert (service.nats.user, service.nats.seed) == ("trading", "SU1")
    assert dict(service.secrets) == {}


def test_a_url_that_has_its_password_needs_no_file(tmp_path: Path) -> None:
    given = environ(tmp_path, DATABASE_URL="postgresql://a:b@db.example/c")
    (tmp_path / "database-password").unlink()
    assert container_credentials("user", given).services[0].database_url == "postgresql://a:b@db.example/c"


def test_the_schema_is_the_search_path_unless_the_url_has_one(tmp_path: Path) -> None:
    def path(**more: str) -> list[str]:
        url = container_credentials("user", environ(tmp_path, **more)).services[0].database_url
        return parse_qs(urlsplit(url).query).get("search_path", [])

    assert path(SCHEMA="user_schema") == ["user_schema, pg_temp"]
    assert path(SCHEMA="user_schema", DATABASE_URL=f"{URL}&search_path=own") == ["own"]
    assert path() == []


def test_a_service_gets_its_own_further_secret(tmp_path: Path) -> None:
    credentials = container_credentials("risk", environ(tmp_path, ALPHINTRA_POOL="3"))
    assert dict(credentials.services[0].secrets) == {"approval_seed": "c2VlZA=="}
    assert credentials.connections_max == 3
    assert credentials.edge is None


def test_the_worker_does_strategys_heavy_work_alone(tmp_path: Path) -> None:
    credentials = container_credentials("worker", environ(tmp_path, ALPHINTRA_CATALOGUE="/prices"))
    assert credentials.parts == Parts(commands=False, background=False, work=True)
    assert [service.service for service in credentials.services] == ["strategy"]
    assert credentials.services[0].options["catalogue"] == "/prices"


def test_the_edge_needs_no_database_and_listens_where_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "operator-token-sha256").write_text("ab" * 32)
    given = environ(tmp_path, ALPHINTRA_HOSTS="edge,edge.example", ALPHINTRA_LISTEN="0.0.0.0", ALPHINTRA_PORT="80")  # noqa: S104
    del given["DATABASE_URL"]
    credentials = container_credentials("edge", given)
    assert credentials.services == ()
    assert credentials.edge is not None
    assert (credentials.edge.host, credentials.edge.port) == ("0.0.0.0", 80)  # noqa: S104 - a pod's own address
    assert credentials.edge.allowed_hosts == ("edge", "edge.example")


def test_without_an_address_the_edge_is_on_loopback(tmp_path: Path) -> None:
    (tmp_path / "operator-token-sha256").write_text("ab" * 32)
    edge = container_credentials("edge", environ(tmp_path)).edge
    assert edge is not None
    assert edge.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("tradin", {}, "PROCESS_UNKNOWN"),
        ("trading", {"DATABASE_URL": ""}, "CONTAINER_SETTING"),
        ("trading", {"DATABASE_URL": "mysql://a@b/c"}, "CONTAINER_SETTING"),
        ("trading", {"DATABASE_URL": "postgresql://db/c"}, "CONTAINER_SETTING"),
        ("trading", {"DATABASE_URL": "postgresql://a@b:99999999/c"}, "CONTAINER_SETTING"),
        ("trading", {"NATS_URL": ""}, "CONTAINER_SETTING"),
        ("trading", {"ALPHINTRA_POOL": "many"}, "CONTAINER_SETTING"),
        ("trading", {"ALPHINTRA_POOL": "0"}, "CONTAINER_SETTING"),
        ("strategy", {}, "CONTAINER_SETTING"),
        ("auth", {}, "CREDENTIALS_MISSING"),
        ("trading", {"ALPHINTRA_SECRETS": "/nowhere"}, "CREDENTIALS_MISSING"),
    ],
)
def test_what_is_missing_or_wrong_is_told_by_name(tmp_path: Path, name: str, change: dict[str, str], code: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        container_credentials(name, environ(tmp_path, **change))
    assert refused.value.code == code


def test_an_error_never_shows_a_password(tmp_path: Path) -> None:
    with pytest.raises(AlphintraError) as refused:
        container_credentials("trading", environ(tmp_path, DATABASE_URL="postgresql://a:hunter2@/x"))
    assert "hunter2" not in str(refused.value)


def test_an_empty_secret_is_told(tmp_path: Path) -> None:
    given = environ(tmp_path)
    (tmp_path / "nats-seed").write_text("\n")
    with pytest.raises(AlphintraError, match="empty"):
        container_credentials("trading", given)

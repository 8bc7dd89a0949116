"""Settings: read strictly, refused with a name and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphintra.dataplane.hardening import Hardening
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.settings import ProcessLayout, home_from, load_settings


def refused(home: Path, toml: str | bytes = "", **environ: str) -> AlphintraError:
    (home / "alphintra.toml").write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    with pytest.raises(AlphintraError) as caught:
        load_settings(home, environ=environ)
    assert "\n" not in caught.value.detail
    return caught.value


def test_without_file_and_variables_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, environ={})
    assert (settings.port, settings.postgres_port, settings.nats_port) == (8400, 0, 0)
    assert settings.processes is ProcessLayout.DEFAULT
    assert (settings.database_admin_url, settings.nats_url) == ("", "")


def test_file_is_read_and_variables_win_over_it(tmp_path: Path) -> None:
    (tmp_path / "alphintra.toml").write_text('port = 9000\nnats_port = 4333\nprocesses = "per-service"\n')
    settings = load_settings(tmp_path, environ={"ALPHINTRA_PORT": "9001", "ALPHINTRA_NATS_PORT": ""})
    assert (settings.port, settings.nats_port, settings.processes) == (9001, 4333, ProcessLayout.PER_SERVICE)


def test_unknown_key_names_the_nearest_one(tmp_path: Path) -> None:
    error = refused(tmp_path, "postgres_prot = 1\n")
    assert error.code == "CONFIG_UNKNOWN"
    assert "did you mean postgres_port?" in error.detail
    assert error.pointer == "alphintra.toml:postgres_prot"


def test_unknown_variable_names_the_nearest_one(tmp_path: Path) -> None:
    error = refused(tmp_path, ALPHINTRA_PROT="1")
    assert (error.code, error.pointer) == ("CONFIG_UNKNOWN", "ALPHINTRA_PROT")
    assert "ALPHINTRA_PORT" in error.detail


def test_variables_of_other_parts_and_other_programs_are_left_alone(tmp_path: Path) -> None:
    environ = {"ALPHINTRA_LOG_LEVEL": "debug", "ALPHINTRA_HOME": "/x", "PORT": "1", "ALPHINTRA_CRASH_AT": "a:1"}
    assert load_settings(tmp_path, environ=environ, also_known=frozenset({"LOG_LEVEL"})).port == 8400


@pytest.mark.parametrize("text", ['"8400"', "true", "1e3", "[8400]"])
def test_port_of_another_type_is_refused_and_not_coerced(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, f"port = {text}\n").code == "CONFIG_TYPE"


@pytest.mark.parametrize("text", ["8400.0", "8_400", " 8400", "-1", "٨٤٠٠", "no", "9" * 5000])
def test_port_variable_that_is_no_plain_number_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, ALPHINTRA_PORT=text).code == "CONFIG_TYPE"


@pytest.mark.parametrize(("key", "port"), [("port", 0), ("port", 65_536), ("nats_port", -1), ("postgres_port", 70_000)])
def test_port_out_of_range_is_refused(tmp_path: Path, key: str, port: int) -> None:
    assert refused(tmp_path, f"{key} = {port}\n").code == "CONFIG_RANGE"


def test_hardening_is_strict_unless_chosen_otherwise(tmp_path: Path) -> None:
    assert load_settings(tmp_path, environ={}).hardening is Hardening.STRICT
    assert load_settings(tmp_path, environ={"ALPHINTRA_HARDENING": "hardened"}).hardening is Hardening.HARDENED
    error = refused(tmp_path, 'hardening = "usual"\n')
    assert error.code == "CONFIG_VALUE"
    assert "'hardened' or 'strict'" in error.detail


def test_unknown_process_layout_lists_the_choices(tmp_path: Path) -> None:
    error = refused(tmp_path, 'processes = "many"\n')
    assert error.code == "CONFIG_VALUE"
    assert "'default' or 'risk-apart' or 'per-service'" in error.detail


def test_key_given_twice_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "port = 1\nport = 2\n").code == "CONFIG_DUPLICATE"


def test_broken_file_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "port = 1\nnats_port =\n")
    assert error.code == "CONFIG_SYNTAX"
    assert "line 2" in error.detail


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, b'processes = "\xff"\n').code == "CONFIG_ENCODING"


def test_oversized_or_deeply_nested_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "#" * 70_000).code == "CONFIG_TOO_LARGE"
    assert refused(tmp_path, "port = " + "[" * 60_000).code in {"CONFIG_TOO_LARGE", "CONFIG_SYNTAX"}


def test_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "alphintra.toml").mkdir()
    with pytest.raises(AlphintraError) as caught:
        load_settings(tmp_path, environ={})
    assert caught.value.code == "CONFIG_UNREADABLE"


@pytest.mark.parametrize(
    "url", ["postgresql://admin:hunter2@db:5432/postgres", "postgresql://db/postgres?user=a&password=hunter2"]
)
def test_password_in_the_file_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    error = refused(tmp_path, f'database_admin_url = "{url}"\n')
    assert error.code == "SECRET_INLINE"
    assert "hunter2" not in str(error)


def test_password_from_a_variable_is_put_in_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "alphintra.toml").write_text('database_admin_url = "postgresql://admin:${DB_PASSWORD}@db:5432/x"\n')
    settings = load_settings(tmp_path, environ={"DB_PASSWORD": "hunter2"})
    assert settings.database_admin_url == "postgresql://admin:hunter2@db:5432/x"
    assert "hunter2" not in repr(settings)


def test_unset_variable_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, 'nats_url = "nats://${BUS_HOST}:4222"\n')
    assert error.code == "CONFIG_VAR"
    assert "BUS_HOST" in error.detail


@pytest.mark.parametrize(
    "url", ["hunter2:5432", "http://a:hunter2@db", "postgresql://", "postgresql://[::1", "postgresql://h:0x1"]
)
def test_url_of_another_form_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    error = refused(tmp_path, ALPHINTRA_DATABASE_ADMIN_URL=url)
    assert error.code == "CONFIG_VALUE"
    assert "hunter2" not in error.detail


def test_url_over_a_unix_socket_needs_no_host(tmp_path: Path) -> None:
    url = "postgresql://postgres@/postgres?host=%2Frun%2Fpostgresql"
    assert load_settings(tmp_path, environ={"ALPHINTRA_DATABASE_ADMIN_URL": url}).database_admin_url == url


def test_home_comes_from_the_variable_or_the_default() -> None:
    assert home_from({"ALPHINTRA_HOME": "/srv/alphintra"}) == Path("/srv/alphintra")
    assert home_from({}) == Path("~/.local/share/alphintra").expanduser()


def test_relative_home_is_refused() -> None:
    with pytest.raises(AlphintraError) as caught:
        home_from({"ALPHINTRA_HOME": "data"})
    assert (caught.value.code, caught.value.pointer) == ("CONFIG_VALUE", "ALPHINTRA_HOME")


def test_a_limit_of_requests_is_a_number_within_bounds(tmp_path: Path) -> None:
    assert load_settings(tmp_path, environ={}).rate_limit == 200
    assert load_settings(tmp_path, environ={"ALPHINTRA_RATE_LIMIT": "5000"}).rate_limit == 5000
    assert refused(tmp_path, "rate_limit = 0\n").code == "CONFIG_RANGE"
    assert refused(tmp_path, ALPHINTRA_RATE_LIMIT="fast").code == "CONFIG_TYPE"


def test_a_mail_server_is_taken_with_its_sender_and_its_password_from_a_variable(tmp_path: Path) -> None:
    (tmp_path / "alphintra.toml").write_text(
        'smtp_url = "smtp://alerts:${SMTP_PASSWORD}@mail.example.org"\n'
        'smtp_from = "Alphintra <alerts@example.org>"\nwebhook_networks = "10.1.0.0/16"\n'
    )
    found = load_settings(tmp_path, environ={"SMTP_PASSWORD": "canary-secret"})
    assert found.smtp_url == "smtp://alerts:canary-secret@mail.example.org"
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('smtp_url = "smtp://a:canary-secret@mail.example.org"\nsmtp_from = "a@example.org"', "SECRET_INLINE"),
        ('smtp_url = "smtp+plain://mail.example.org"\nsmtp_from = "a@example.org"', "CONFIG_VALUE"),
        ('smtp_url = "smtp://mail.example.org"', "CONFIG_VALUE"),
        ('smtp_url = "smtp://mail.example.org"\nsmtp_from = "nobody"', "CONFIG_VALUE"),
        ('webhook_networks = "everything"', "CONFIG_VALUE"),
    ],
)
def test_unsafe_ways_out_are_refused_before_anything_starts(tmp_path: Path, text: str, code: str) -> None:
    found = refused(tmp_path, text)
    assert found.code == code
    assert "canary" not in str(found)

"""The configuration written for the embedded servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime import postgres_files
from alphintra.runtime.embedded_nats import BusUser, render_nats_config


def test_superuser_rules_stand_before_the_rules_for_everybody() -> None:
    rules = [line.split() for line in postgres_files.access_rules().splitlines() if not line.startswith("#")]
    assert rules == [
        ["local", "all", "postgres", "peer", "map=ctl"],
        ["local", "replication", "postgres", "peer", "map=ctl"],
        ["host", "all", "postgres", "all", "reject"],
        ["local", "samerole", "all", "scram-sha-256"],
        ["host", "samerole", "all", "127.0.0.1/32", "scram-sha-256"],
    ]


def test_user_map_names_each_user_once_and_no_other() -> None:
    lines = postgres_files.user_map(["alice", "alphintra"]).splitlines()[1:]
    assert lines == ['ctl "alice" postgres', 'ctl "alphintra" postgres']


def test_quote_in_the_socket_folder_cannot_end_the_setting() -> None:
    text = postgres_files.settings(port=5433, socket_folder="/tmp/o'brien")  # noqa: S108 - nothing is written there
    assert "unix_socket_directories = '/tmp/o''brien'\n" in text
    assert "port = 5433\n" in text


@pytest.mark.parametrize("folder", ["/tmp/a,b", "/tmp/a\nport = 1"])  # noqa: S108 - as above
def test_socket_folder_that_the_file_cannot_hold_is_refused(folder: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        postgres_files.settings(port=5433, socket_folder=folder)
    assert caught.value.code == "SOCKET_FOLDER"


def test_stale_process_file_of_another_form_counts_as_none(tmp_path: Path) -> None:
    assert postgres_files.first_process(tmp_path) is None
    (tmp_path / "postmaster.pid").write_text("")
    assert postgres_files.first_process(tmp_path) is None
    (tmp_path / "postmaster.pid").write_text("4711\n/data\n")
    assert postgres_files.first_process(tmp_path) == 4711


def test_bus_user_without_subjects_may_do_nothing_rather_than_everything() -> None:
    users = {"quiet": BusUser(publish=(), subscribe=())}
    text = render_nats_config(port=4222, server_name="x", keys={"quiet": "UQ"}, users=users)
    assert '{nkey: UQ, permissions: {publish: {deny: [">"]}, subscribe: {deny: [">"]}}}' in text


def test_bus_users_get_their_own_key_and_lists_and_responses_are_never_open() -> None:
    users = {
        "risk": BusUser(publish=("risk.evt.>",), subscribe=("risk.cmd.>", "_INBOX_risk.>")),
        "edge": BusUser(publish=("*.cmd.>",), subscribe=("_INBOX_edge.>",)),
    }
    text = render_nats_config(port=4222, server_name="x", keys={"risk": "UR", "edge": "UE"}, users=users)
    assert '{nkey: UE, permissions: {publish: {allow: ["*.cmd.>"]}, subscribe: {allow: ["_INBOX_edge.>"]}}}' in text
    assert '{allow: ["risk.evt.>"]}, subscribe: {allow: ["risk.cmd.>", "_INBOX_risk.>"]}' in text
    assert "allow_responses" not in text
    assert "sync_interval: always" in text
    assert 'listen: "127.0.0.1:4222"' in text

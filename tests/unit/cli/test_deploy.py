"""`alphintra deploy` from the command line: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

Run = Callable[..., Any]

FILES = {
    "namespace.yaml",
    "network-policies.yaml",
    "postgresql-statefulset.yaml",
    "nats-statefulset.yaml",
    "provisioning.yaml",
    "services.yaml",
    "kustomization.yaml",
}


def test_manifests_go_to_standard_output(run: Run) -> None:
    ended = run("deploy", "render", "--layout", "hybrid")
    assert (ended.status, ended.errors) == (0, "")
    kinds = [each["kind"] for each in yaml.safe_load_all(ended.output)]
    assert kinds[0] == "Namespace"
    assert kinds.count("Deployment") == 9


def test_a_folder_gets_a_file_per_part_and_kustomize_knows_them(run: Run, tmp_path: Path) -> None:
    ended = run("deploy", "render", "--out", str(tmp_path / "out"))
    assert ended.status == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    kustomization = yaml.safe_load((tmp_path / "out" / "kustomization.yaml").read_text())
    assert set(kustomization["resources"]) == FILES - {"kustomization.yaml"}
    assert "not pinned by digest" in ended.errors


def test_json_tells_where_everything_is(run: Run) -> None:
    ended = run("deploy", "render", "--layout", "central", "--shared-role", "--json")
    shown = json.loads(ended.output)
    assert {each["role"] for each in shown["services"]} == {"central_app_user"}
    assert [each["host"] for each in shown["instances"]] == ["postgresql-primary.alphintra.svc.cluster.local"]
    assert set(shown["manifests"]) == FILES


def test_names_replicas_and_pools_are_taken(run: Run) -> None:
    ended = run(
        "deploy", "render", "--layout", "central", "--name", "databases.alphintra_central=alphintra_main",
        "--name", "roles.trading=trading_user", "--replicas", "user=2", "--pool", "user=3", "--json",
    )  # fmt: skip
    services = {each["service"]: each for each in json.loads(ended.output)["services"]}
    assert "/alphintra_main?" in services["risk"]["database_url"]
    assert services["trading"]["role"] == "trading_user"
    assert (services["user"]["replicas"], services["user"]["pool"]) == (2, 3)


def test_an_image_with_its_digest_counts_as_pinned(run: Run) -> None:
    image = f"registry.example/postgres:18@sha256:{'ab' * 32}"
    ended = run("deploy", "render", "--postgres-image", image, "--json")
    assert image not in json.loads(ended.output)["not_pinned_by_digest"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--layout", "sharded"), "USAGE"),
        (("--target", "nomad"), "USAGE"),
        (("--placement", "everywhere"), "USAGE"),
        (("--postgres-version", "14"), "USAGE"),
        (("--layout", "consolidated"), "LAYOUT_NOT_ACCEPTED"),
        (("--shared-role",), "LAYOUT_ROLE"),
        (("--name", "databases.alphintra_user=Users"), "LAYOUT_NAME"),
        (("--name", "databases.alphintra_user=pg_users"), "LAYOUT_NAME"),
        (("--name", "databases.alphintra_user=alphintra_risk"), "LAYOUT_DUPLICATE"),
        (("--name", "roles.user=alphintra_user"), "LAYOUT_DUPLICATE"),
        (("--name", "tables.user=x"), "DEPLOY_OPTION"),
        (("--name", "roles.user"), "DEPLOY_OPTION"),
        (("--name", "roles.user=a", "--name", "roles.user=b"), "DEPLOY_OPTION"),
        (("--replicas", "user=many"), "DEPLOY_OPTION"),
        (("--replicas", "user=2", "--replicas", "user=3"), "DEPLOY_OPTION"),
        (("--replicas", "usr=2"), "DEPLOY_NAME"),
        (("--pool", "user=99"), "DEPLOY_POOL"),
        (("--namespace", "A_B"), "DEPLOY_NAME"),
        (("--target", "cloudnativepg"), "DEPLOY_IMAGE"),
        (("--standbys", "1"), "DEPLOY_OPTION"),
        (("--image", "alphintra:latest"), "DEPLOY_IMAGE"),
        (("--storage", "20"), "DEPLOY_SIZE"),
        (("--host", "x"), "DEPLOY_NAME"),
    ],
)
def test_what_cannot_be_rendered_is_one_line_and_nothing_written(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    ended = run("deploy", "render", "--out", str(tmp_path / "out"), *arguments)
    assert ended.status == 2
    assert ended.errors.startswith(f"error {code}: ")
    assert len(ended.errors.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_needs_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    refused = run("deploy", "render", "--out", str(tmp_path))
    assert refused.status == 2
    assert refused.errors.startswith("error DEPLOY_OUT: ")
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
    assert run("deploy", "render", "--out", str(tmp_path), "--force").status == 0
    assert (tmp_path / "notes").read_text() == "mine"


def test_secrets_are_written_and_never_printed(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    ended = run("deploy", "secrets", "--out", str(folder), "--json")
    assert ended.status == 0
    values = json.loads((folder / "values.json").read_text())
    assert [name for name, value in values.items() if value in ended.output + ended.errors] == []
    assert {each["name"] for each in json.loads(ended.output)["secrets"]} == {
        each["metadata"]["name"] for each in yaml.safe_load_all((folder / "secrets.yaml").read_text())
    }


def test_secrets_for_people_are_a_table_of_who_reads_what(run: Run, tmp_path: Path) -> None:
    ended = run("deploy", "secrets", "--out", str(tmp_path / "secrets"))
    assert "trading-service" in ended.output
    assert "drawn" in ended.errors


@pytest.mark.parametrize("arguments", [("--layout", "consolidated"), ("--namespace", "A")])
def test_secrets_of_a_choice_that_cannot_be_are_refused(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = run("deploy", "secrets", "--out", str(tmp_path / "secrets"), *arguments)
    assert ended.status == 2
    assert not (tmp_path / "secrets").exists()

"""Secrets are drawn once, kept, and complete; certificates are for the names clients ask for."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import nkeys  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]
from cryptography import x509

from alphintra.dataplane.layouts import LayoutChoice, LayoutName, login_roles
from alphintra.infrastructure.envelope import parse_keys
from alphintra.infrastructure.signing import SigningKey, VerifyKey
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICES
from alphintra.runtime.deploy.certificates import is_fresh, new_authority
from alphintra.runtime.deploy.render import render_stream
from alphintra.runtime.deploy.secret_folder import write_secrets
from alphintra.runtime.deploy.secret_names import required_secrets
from alphintra.runtime.deploy.secret_values import Vault, secret_manifests
from alphintra.runtime.deploy.site import DEPLOYMENTS, DeployChoice, Site, Target, plan_site

AT = datetime(2026, 3, 2, tzinfo=UTC)


def site_of(**layout: object) -> Site:
    return plan_site(DeployChoice(layout=LayoutChoice(**layout)))  # type: ignore[arg-type]


def contents(site: Site, vault: Vault) -> dict[str, dict[str, str]]:
    return {each["metadata"]["name"]: each["stringData"] for each in secret_manifests(site, vault)}


@pytest.mark.parametrize("is_isolated", [False, True])
def test_every_secret_that_is_needed_is_made_with_its_keys(is_isolated: bool) -> None:  # noqa: FBT001 - parametrized
    site = site_of(is_isolated=is_isolated)
    made = contents(site, Vault({}, at=AT))
    assert {name: tuple(sorted(data)) for name, data in made.items()} == {
        spec.name: spec.keys for spec in required_secrets(site)
    }
    assert all(value for data in made.values() for value in data.values())


def test_no_value_is_in_the_manifests() -> None:
    site = site_of()
    vault = Vault({}, at=AT)
    secret_manifests(site, vault)
    text = render_stream(site)
    assert [name for name, value in vault.values.items() if value.splitlines()[-1] in text] == []


def test_a_service_has_its_own_password_and_the_migrator_job_the_same_one() -> None:
    site = site_of()
    made = contents(site, Vault({}, at=AT))
    passwords = {service: made[DEPLOYMENTS[service]]["database-password"] for service in SERVICES}
    assert len(set(passwords.values())) == len(SERVICES)
    assert passwords == {service: made["postgresql-provision"][f"{service}_service_user"] for service in SERVICES}
    assert set(login_roles(site.layout)) < set(made["postgresql-provision"])


def test_an_isolated_instances_job_knows_that_instances_passwords_alone() -> None:
    made = contents(site_of(is_isolated=True), Vault({}, at=AT))
    kinds = ("service_user", "migrator", "reader", "backup", "sealer", "retainer")
    roles = {f"trading_{kind}" for kind in kinds}
    assert set(made["postgresql-trading-provision"]) == roles | {"ca.crt", "tls.crt", "tls.key"}


def test_keys_fit_together() -> None:
    made = contents(site_of(), Vault({}, at=AT))
    seed = made["trading-service"]["nats-seed"].encode()
    assert nkeys.from_seed(seed).public_key.decode() == made["nats-users"]["NKEY_TRADING"]
    signature = SigningKey(made["risk-service"]["approval-seed"]).sign(b"order")
    assert VerifyKey.from_text(made["broker-service"]["approval-verify-key"]).is_signed(b"order", signature)
    keys = parse_keys(made["broker-service"]["connection-keys"], of="connections")
    assert [(version, len(key)) for version, key in keys.items()] == [(1, 32)]
    assert [name for name, data in made.items() if "connection-keys" in data] == ["broker-service"]
    holders = [name for name, data in made.items() if "approval-seed" in data]
    assert holders == ["risk-service"]


def test_the_authoritys_key_goes_into_no_secret() -> None:
    vault = Vault({}, at=AT)
    made = contents(site_of(), vault)
    assert vault.values["ca.key"] not in {value for data in made.values() for value in data.values()}


def test_a_servers_certificate_is_for_the_name_services_ask_for() -> None:
    site = site_of(is_isolated=True)
    made = contents(site, Vault({}, at=AT))
    for placement in site.layout:
        host = urlsplit(site.database_url(placement)).hostname
        raw = made[f"{site.instance_of(placement).workload}-tls"]["tls.crt"].encode()
        names = x509.load_pem_x509_certificate(raw).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert host in names.value.get_values_for_type(x509.DNSName)


def test_an_operators_server_and_standbys_have_certificates_of_their_own() -> None:
    layout = LayoutChoice(name=LayoutName.CENTRAL)
    choice = DeployChoice(layout=layout, target=Target.CLOUDNATIVEPG, postgres_image="registry.example/postgresql:18")
    vault = Vault({}, at=AT)
    ours = contents(plan_site(DeployChoice(layout=layout)), vault)["postgresql-tls"]["tls.crt"]
    made = contents(plan_site(choice), vault)
    standby = x509.load_pem_x509_certificate(made["postgresql-replication"]["tls.crt"].encode())
    assert standby.subject.rfc4514_string() == "CN=streaming_replica"
    assert made["postgresql-tls"]["tls.crt"] != ours
    assert contents(plan_site(DeployChoice(layout=layout)), vault)["postgresql-tls"]["tls.crt"] == ours


def test_a_certificate_is_verified_by_its_authority_and_no_other() -> None:
    one, other = new_authority("one", at=AT), new_authority("other", at=AT)
    issued = x509.load_pem_x509_certificate(one.issue_client("postgres", at=AT).certificate.encode())
    issued.verify_directly_issued_by(x509.load_pem_x509_certificate(one.certificate.encode()))
    with pytest.raises(ValueError, match="does not match"):
        issued.verify_directly_issued_by(x509.load_pem_x509_certificate(other.certificate.encode()))


def test_a_certificate_that_ends_soon_or_is_for_other_names_is_not_fresh() -> None:
    issued = new_authority("one", at=AT).issue_server(("a.example", "b.example"), at=AT).certificate
    assert is_fresh(issued, ("b.example", "a.example"), at=AT)
    assert not is_fresh(issued, ("a.example",), at=AT)
    assert not is_fresh(issued, ("a.example", "b.example"), at=AT + timedelta(days=340))


def test_what_was_drawn_is_kept_when_run_again_and_another_layout_adds_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    write_secrets(folder, site_of(), at=AT)
    before = (folder / "secrets.yaml").read_text()
    assert write_secrets(folder, site_of(), at=AT) == ()
    assert (folder / "secrets.yaml").read_text() == before
    drawn = write_secrets(folder, site_of(name=LayoutName.CENTRAL, has_shared_role=True), at=AT)
    assert drawn == ("pg-central_app_user",)


def test_certificates_are_renewed_and_passwords_are_not(tmp_path: Path) -> None:
    write_secrets(tmp_path / "s", site_of(), at=AT)
    drawn = write_secrets(tmp_path / "s", site_of(), at=AT + timedelta(days=360))
    assert {name.rpartition(".")[0] for name in drawn} == {"nats-tls", "postgresql-provision", "postgresql-tls"}


def test_what_is_written_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    write_secrets(folder, site_of(), at=AT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    kinds = {each["kind"] for each in yaml.safe_load_all((folder / "secrets.yaml").read_text())}
    assert kinds == {"Secret"}
    token = (folder / "operator-token").read_text().strip()
    assert token == json.loads((folder / "values.json").read_text())["operator-token"]


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with pytest.raises(AlphintraError, match="others can get into") as refused:
        write_secrets(folder, site_of(), at=AT)
    assert refused.value.code == "SECRET_MODE"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"ca.crt": 1}'])
def test_damaged_values_are_refused_and_left_as_they_are(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    (folder / "values.json").write_text(text)
    with pytest.raises(AlphintraError, match="damaged"):
        write_secrets(folder, site_of(), at=AT)
    assert (folder / "values.json").read_text() == text

"""What every rendered object promises: names of the seed, closed containers, no secret, nobody let in unasked."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alphintra.dataplane.bus_permissions import rights
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, Placement
from alphintra.manifest import INSPECTOR, SCHEDULER, SERVICES
from alphintra.runtime.deploy.bus import bus_configuration
from alphintra.runtime.deploy.postgresql_files import access_rules
from alphintra.runtime.deploy.render import manifests_of
from alphintra.runtime.deploy.secret_names import required_secrets
from alphintra.runtime.deploy.services import service_selector
from alphintra.runtime.deploy.site import DEPLOYMENTS, DeployChoice, Site, Target, plan_site

Manifest = dict[str, Any]

LAYOUTS = {
    "separate": LayoutChoice(),
    "isolated": LayoutChoice(is_isolated=True),
    "hybrid": LayoutChoice(name=LayoutName.HYBRID),
    "central": LayoutChoice(name=LayoutName.CENTRAL),
    "shared role": LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True),
    "consolidated": LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
}

every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def site_of(layout: LayoutChoice, **more: Any) -> Site:  # noqa: ANN401 - fields of the choice
    return plan_site(DeployChoice(layout=layout, **more))


def objects_of(site: Site, kind: str = "") -> list[Manifest]:
    return [each for manifests in manifests_of(site).values() for each in manifests if not kind or each["kind"] == kind]


def pods_of(site: Site) -> Iterator[tuple[str, Manifest]]:
    for each in objects_of(site):
        if each["kind"] in {"StatefulSet", "Deployment", "Job"}:
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def containers_of(pod: Manifest) -> list[Manifest]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def variables_of(container: Manifest) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container.get("env", ())}


def deployment(site: Site, service: str) -> Manifest:
    return next(each for each in objects_of(site, "Deployment") if each["metadata"]["name"] == DEPLOYMENTS[service])


def test_separate_uses_the_names_of_the_seed() -> None:
    site = site_of(LayoutChoice())
    for service in SERVICES:
        container = deployment(site, service)["spec"]["template"]["spec"]["containers"][0]
        url = urlsplit(variables_of(container)["DATABASE_URL"])
        assert (url.hostname, url.port) == ("postgresql-primary.alphintra.svc.cluster.local", 5432)
        assert (url.username, url.path) == (f"{service}_service_user", f"/alphintra_{service}")
        assert variables_of(container)["SCHEMA"] == f"{service}_schema"
    assert {"trading-service", "risk-service", "no-code-service"} < {
        each["metadata"]["name"] for each in objects_of(site, "Deployment")
    }


def test_hybrid_and_central_use_the_databases_of_the_seed() -> None:
    hybrid = {item.service: item.database for item in site_of(LAYOUTS["hybrid"]).layout}
    assert {hybrid["trading"], hybrid["auth"], hybrid["broker"]} == {
        "alphintra_financial",
        "alphintra_platform",
        "alphintra_workflow",
    }
    assert {item.database for item in site_of(LAYOUTS["central"]).layout} == {"alphintra_central"}


@every_layout
def test_every_service_verifies_its_server_and_carries_no_password(layout: LayoutChoice) -> None:
    site = site_of(layout)
    for placement in site.layout:
        url = urlsplit(site.database_url(placement))
        query = parse_qs(url.query)
        assert url.password is None
        assert query["sslmode"] == ["verify-full"]
        assert query["sslrootcert"] == ["/etc/alphintra/secrets/ca.crt"]
        assert ("search_path" in query) == (layout.has_shared_role or layout.name is LayoutName.CONSOLIDATED)


@every_layout
def test_every_container_is_closed_as_the_restricted_profile_asks(layout: LayoutChoice) -> None:
    for name, pod in pods_of(site_of(layout)):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers_of(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }
            assert {"cpu", "memory"} == set(container["resources"]["requests"])
            assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


@every_layout
def test_every_server_and_service_is_probed(layout: LayoutChoice) -> None:
    for name, pod in pods_of(site_of(layout)):
        if pod.get("restartPolicy") == "OnFailure":
            continue
        for container in pod["containers"]:
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container), name


@every_layout
def test_the_secrets_that_are_mounted_are_those_that_are_made(layout: LayoutChoice) -> None:
    site = site_of(layout)
    mounted = {
        volume["secret"]["secretName"] for _, pod in pods_of(site) for volume in pod["volumes"] if "secret" in volume
    }
    referred = {
        (each["valueFrom"]["secretKeyRef"]["name"], each["valueFrom"]["secretKeyRef"]["key"])
        for _, pod in pods_of(site)
        for container in containers_of(pod)
        for each in container.get("env", ())
        if "valueFrom" in each
    }
    specs = {spec.name: spec.keys for spec in required_secrets(site)}
    assert mounted | {name for name, _ in referred} == set(specs)
    assert {(name, key) for name, key in referred if key not in specs[name]} == set()
    assert [each for each in objects_of(site) if each["kind"] == "Secret"] == []


@every_layout
def test_every_volume_a_container_mounts_is_there(layout: LayoutChoice) -> None:
    for each in objects_of(site_of(layout)):
        if each["kind"] not in {"StatefulSet", "Deployment", "Job"}:
            continue
        pod = each["spec"]["template"]["spec"]
        there = {volume["name"] for volume in pod["volumes"]}
        there |= {claim["metadata"]["name"] for claim in each["spec"].get("volumeClaimTemplates", ())}
        mounted = {mount["name"] for container in containers_of(pod) for mount in container["volumeMounts"]}
        assert mounted == there


@every_layout
def test_every_selector_finds_its_pods_and_no_others(layout: LayoutChoice) -> None:
    site = site_of(layout)
    templates = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in objects_of(site)
        if each["kind"] in {"StatefulSet", "Deployment"}
    }
    for each in objects_of(site):
        if each["kind"] in {"StatefulSet", "Deployment", "PodDisruptionBudget"}:
            chosen = each["spec"]["selector"]["matchLabels"].items()
        elif each["kind"] == "Service":
            chosen = each["spec"]["selector"].items()
        else:
            continue
        found = [name for name, marks in templates.items() if chosen <= marks.items()]
        assert found in ([each["metadata"]["name"]], [each["metadata"]["name"].removesuffix("-primary")])


def speakers(site: Site, policy_name: str) -> set[str]:
    """Return who an ingress policy lets in, by component (and instance)."""
    policy = next(each for each in objects_of(site, "NetworkPolicy") if each["metadata"]["name"] == policy_name)
    return {
        source["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in policy["spec"]["ingress"]
        for source in rule["from"]
    }


def test_an_instance_hears_only_services_whose_database_lies_on_it() -> None:
    site = site_of(LAYOUTS["isolated"])
    for service in SERVICES:
        assert speakers(site, f"postgresql-{service}-hears") == {service, "provisioning"}
    assert speakers(site_of(LayoutChoice()), "postgresql-hears") == {*SERVICES, "provisioning"}
    layout = LayoutChoice(instances={"alphintra_trading": "fast"})
    assert speakers(site_of(layout), "postgresql-fast-hears") == {"trading", "provisioning"}
    assert speakers(site_of(layout), "postgresql-hears") == {*SERVICES, "provisioning"} - {"trading"}


def test_the_edge_reaches_the_bus_and_no_database() -> None:
    site = site_of(LAYOUTS["isolated"])
    policy = next(each for each in objects_of(site, "NetworkPolicy") if each["metadata"]["name"] == "edge-speaks")
    ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
    assert ports == [4222]


def test_broker_and_notification_alone_reach_addresses_outside_and_nothing_inside() -> None:
    outside = [
        each
        for each in objects_of(site_of(LayoutChoice()), "NetworkPolicy")
        if any("ipBlock" in target for rule in each["spec"].get("egress", ()) for target in rule.get("to", ()))
    ]
    assert [policy["spec"]["podSelector"] for policy in outside] == [
        {"matchLabels": service_selector(service)} for service in ("broker", "notification")
    ]
    for policy, ports in zip(outside, ((443,), (443, 465, 587, 8443)), strict=True):
        (rule,) = policy["spec"]["egress"]
        assert rule["ports"] == [{"port": port, "protocol": "TCP"} for port in ports]
        closed = {cidr for target in rule["to"] for cidr in target["ipBlock"]["except"]}
        assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7"} <= closed


def test_every_extra_can_be_chosen_for_an_image() -> None:
    root = Path(__file__).parents[4]
    recipe = (root / "deploy" / "Containerfile").read_text()
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in extras.keys() - {"bench", "bench-apart"}:  # other engines, measured against and never shipped
        assert f"requirements/{extra}.txt" in recipe
        assert "--hash=sha256:" in (root / "requirements" / f"{extra}.txt").read_text()
    assert "for extra in ${EXTRAS}" in recipe


def test_what_is_not_named_is_denied_in_both_directions() -> None:
    policy = next(each for each in objects_of(site_of(LayoutChoice()), "NetworkPolicy"))
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@every_layout
def test_each_pod_of_a_service_mounts_its_own_secret_alone(layout: LayoutChoice) -> None:
    site = site_of(layout)
    for service in SERVICES:
        pod = deployment(site, service)["spec"]["template"]["spec"]
        secrets = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
        assert secrets == [DEPLOYMENTS[service]]


def test_the_configuration_is_mounted_where_the_server_is_told_to_read_it() -> None:
    site = site_of(LayoutChoice())
    pod = next(each for each in objects_of(site, "StatefulSet"))["spec"]["template"]["spec"]
    container = pod["containers"][0]
    files = next(each for each in objects_of(site, "ConfigMap") if each["metadata"]["name"] == "postgresql")["data"]
    folder = next(mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "config")
    named = re.findall(r"(?:config_file|hba_file|ident_file)\s*=\s*'?([^'\n]+)'?", str(container["command"])[:-2])
    named += re.findall(r"^(?:hba_file|ident_file) = '([^']+)'", files["postgresql.conf"], re.MULTILINE)
    assert sorted(named) == sorted(f"{folder}/{name}" for name in files)


def test_changed_settings_start_the_server_anew() -> None:
    def digest(**more: Any) -> str:  # noqa: ANN401 - fields of the choice
        stateful_set = next(each for each in objects_of(site_of(LayoutChoice(), **more), "StatefulSet"))
        return str(stateful_set["spec"]["template"]["metadata"]["annotations"]["alphintra/config-hash"])

    assert digest() != digest(postgres_major=15)
    assert digest() == digest(storage="99Gi")


def test_a_new_layout_is_a_new_job() -> None:
    def jobs(layout: LayoutChoice) -> set[str]:
        return {each["metadata"]["name"] for each in objects_of(site_of(layout), "Job") if "streams" not in str(each)}

    assert jobs(LAYOUTS["central"]).isdisjoint(jobs(LayoutChoice()))


def test_the_layout_in_the_manifests_is_the_one_that_was_chosen() -> None:
    site = site_of(LAYOUTS["consolidated"])
    found = next(each for each in objects_of(site, "ConfigMap") if each["metadata"]["name"] == "alphintra-layout")
    assert tuple(Placement(**each) for each in json.loads(found["data"]["placements.json"])) == site.layout


def test_the_bus_gives_every_user_the_rights_of_the_manifest_and_no_key() -> None:
    text = bus_configuration()
    for user in (INSPECTOR, SCHEDULER):
        assert f"$NKEY_{user.upper()}" not in text  # it works on a home, and there is none
    for user, each in rights().items():
        if user in {INSPECTOR, SCHEDULER}:
            continue
        line = next(line for line in text.splitlines() if f"$NKEY_{user.upper()}," in line)
        assert all(json.dumps(subject) in line for subject in (*each.publish, *each.subscribe))
    assert "allow_responses" not in text
    assert re.search(r"nkey: U", text) is None


def test_replicas_pools_and_resources_are_each_services_own() -> None:
    site = site_of(LayoutChoice(), replicas={"user": 3}, pools={"user": 2, "risk": 4})
    user, risk = deployment(site, "user"), deployment(site, "risk")
    assert (user["spec"]["replicas"], risk["spec"]["replicas"]) == (3, 1)
    first, second = (each["spec"]["template"]["spec"]["containers"][0] for each in (user, risk))
    assert (variables_of(first)["ALPHINTRA_POOL"], variables_of(second)["ALPHINTRA_POOL"]) == ("2", "4")
    assert "topologySpreadConstraints" in user["spec"]["template"]["spec"]
    assert first["resources"] != second["resources"]


def test_without_a_host_there_is_no_way_in_from_outside() -> None:
    assert objects_of(site_of(LayoutChoice()), "Ingress") == []
    ingress = objects_of(site_of(LayoutChoice(), host="alphintra.example.com"), "Ingress")
    assert ingress[0]["spec"]["rules"][0]["host"] == "alphintra.example.com"


def operated(layout: LayoutChoice) -> Site:
    return site_of(layout, target=Target.CLOUDNATIVEPG, postgres_image="registry.example/postgresql:18", standbys=1)


@every_layout
def test_an_operators_cluster_lets_in_who_a_stateful_set_of_ours_does(layout: LayoutChoice) -> None:
    ours = {line.split()[0]: line.split() for line in access_rules().splitlines() if line[0] != "#"}
    for cluster in objects_of(operated(layout), "Cluster"):
        rules = [rule.split() for rule in cluster["spec"]["postgresql"]["pg_hba"]]
        assert [rule for rule in rules if rule[-1] != "reject"] == [
            line.split() for line in access_rules().splitlines() if line.startswith("hostssl")
        ]
        assert rules[-1] == ["host", "all", "all", "all", "reject"]
        assert ours["local"][2] == "postgres"
        assert cluster["spec"]["enableSuperuserAccess"] is False
        assert cluster["spec"]["instances"] == 2


@every_layout
def test_an_operators_secrets_are_those_that_are_made(layout: LayoutChoice) -> None:
    site = operated(layout)
    named = {name for cluster in objects_of(site, "Cluster") for name in cluster["spec"]["certificates"].values()}
    specs = {spec.name: spec.keys for spec in required_secrets(site)}
    assert named <= set(specs)
    mounted = {
        volume["secret"]["secretName"] for _, pod in pods_of(site) for volume in pod["volumes"] if "secret" in volume
    }
    assert named | mounted | {"nats-users"} == set(specs)


def test_an_operators_instance_is_reached_at_its_own_name() -> None:
    site = operated(LayoutChoice())
    assert site.instances[0].host == "postgresql-rw.alphintra.svc.cluster.local"
    policy = next(each for each in objects_of(site, "NetworkPolicy") if each["metadata"]["name"] == "postgresql-hears")
    assert policy["spec"]["podSelector"] == {"matchLabels": {"cnpg.io/cluster": "postgresql"}}

"""A choice that Kubernetes or PostgreSQL would refuse is refused before anything is rendered."""

from __future__ import annotations

from typing import Any

import pytest

from alphintra.dataplane.declaration import declare
from alphintra.dataplane.layouts import LayoutChoice, LayoutName
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICES
from alphintra.runtime.deploy.site import DeployChoice, plan_site


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({"namespace": "Alphintra"}, "DEPLOY_NAME"),
        ({"namespace": "a" * 64}, "DEPLOY_NAME"),
        ({"namespace": "a\nb"}, "DEPLOY_NAME"),
        ({"host": "nodots"}, "DEPLOY_NAME"),
        ({"storage_class": "a b"}, "DEPLOY_NAME"),
        ({"image": "alphintra:latest"}, "DEPLOY_IMAGE"),
        ({"image": "a b"}, "DEPLOY_IMAGE"),
        ({"postgres_image": "postgres@sha256:12"}, "DEPLOY_IMAGE"),
        ({"postgres_major": 14}, "DEPLOY_IMAGE"),
        ({"standbys": 9}, "DEPLOY_SIZE"),
        ({"storage": "lots"}, "DEPLOY_SIZE"),
        ({"storage": "0Gi"}, "DEPLOY_SIZE"),
        ({"replicas": {"trading": 0}}, "DEPLOY_SIZE"),
        ({"replicas": {"strategy": 2}}, "DEPLOY_SIZE"),
        ({"replicas": {"tradin": 2}}, "DEPLOY_NAME"),
        ({"pools": {"tradin": 2}}, "DEPLOY_NAME"),
        ({"pools": {"trading": 11}}, "DEPLOY_POOL"),
        ({"pools": {"trading": 0}}, "DEPLOY_POOL"),
        ({"layout": LayoutChoice(name=LayoutName.CONSOLIDATED)}, "LAYOUT_NOT_ACCEPTED"),
        ({"layout": LayoutChoice(has_shared_role=True)}, "LAYOUT_ROLE"),
        ({"layout": LayoutChoice(databases={"alphintra_x": "y"})}, "LAYOUT_NAME"),
        ({"layout": LayoutChoice(instances={"alphintra_user": "primary"})}, "DEPLOY_NAME"),
        ({"layout": LayoutChoice(instances={"alphintra_user": "x" * 31})}, "DEPLOY_NAME"),
    ],
)
def test_a_choice_that_cannot_run_is_refused(choice: dict[str, Any], code: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        plan_site(DeployChoice(**choice))
    assert refused.value.code == code


@pytest.mark.parametrize("replicas", range(1, 9))
def test_the_usual_pool_fits_what_the_role_may_open_also_while_a_rollout_runs(replicas: int) -> None:
    site = plan_site(DeployChoice(replicas={"trading": replicas}))
    assert site.sizes["trading"].pool * (replicas + 1) <= SERVICES["trading"].connections_max


def test_an_instance_takes_all_that_its_roles_may_open() -> None:
    for layout in (LayoutChoice(), LayoutChoice(is_isolated=True), LayoutChoice(name=LayoutName.HYBRID)):
        for instance in plan_site(DeployChoice(layout=layout)).instances:
            limits = [role.connection_limit for role in declare(instance.placements).roles.values()]
            assert instance.connections_max > sum(limit for limit in limits if limit > 0)


def test_underscores_of_an_instance_become_dashes() -> None:
    site = plan_site(DeployChoice(layout=LayoutChoice(instances={"alphintra_user": "cold_store"})))
    assert [instance.service for instance in site.instances] == ["postgresql-cold-store-primary", "postgresql-primary"]

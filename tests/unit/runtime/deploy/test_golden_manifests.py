"""Every layout's manifests, held against stored ones and against Kubernetes' own schemas.

Where a difference is meant, write the files anew and look at what git shows::

    ALPHINTRA_REWRITE_GOLDEN=1 python -m pytest tests/unit/runtime/deploy/test_golden_manifests.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]

from alphintra.dataplane.layouts import LayoutChoice, LayoutName
from alphintra.runtime.deploy.render import manifests_of, render_files, render_stream
from alphintra.runtime.deploy.site import DeployChoice, Target, plan_site

GOLDEN: Final = Path(__file__).parents[3] / "golden" / "deploy"
SAMPLES: Final = Path(__file__).parents[4] / "deploy" / "samples"
REWRITE: Final = "ALPHINTRA_REWRITE_GOLDEN"
OLDEST: Final = "1.31"
NEWEST: Final = "1.37"

CHOICES: Final = {
    "separate": LayoutChoice(),
    "separate-isolated": LayoutChoice(is_isolated=True),
    "hybrid": LayoutChoice(name=LayoutName.HYBRID),
    "hybrid-isolated": LayoutChoice(name=LayoutName.HYBRID, is_isolated=True),
    "central": LayoutChoice(name=LayoutName.CENTRAL),
    "central-shared-role": LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True),
    "consolidated": LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
}


def stored(path: Path, text: str) -> str:
    """Return what is stored in a file, after writing the text there if asked to."""
    if os.environ.get(REWRITE):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") if path.exists() else ""


OPERATED: Final = "registry.example/postgresql:18"


def test_an_operator_s_clusters_render_what_is_stored() -> None:
    choice = DeployChoice(target=Target.CLOUDNATIVEPG, postgres_image=OPERATED, layout=CHOICES["hybrid-isolated"])
    files = render_files(plan_site(choice))
    text = files["postgresql-clusters.yaml"] + files["network-policies.yaml"]
    assert text == stored(GOLDEN / "cloudnativepg-hybrid-isolated.yaml", text), f"if it is meant, set {REWRITE}=1"


@pytest.mark.parametrize("name", CHOICES)
def test_a_layout_renders_what_is_stored(name: str) -> None:
    text = render_stream(plan_site(DeployChoice(layout=CHOICES[name])))
    assert text == stored(GOLDEN / f"{name}.yaml", text), f"the manifests changed: if it is meant, set {REWRITE}=1"


def test_the_samples_in_the_repository_are_what_is_rendered_today() -> None:
    for name in ("separate", "central"):
        for file, text in render_files(plan_site(DeployChoice(layout=CHOICES[name]))).items():
            assert text == stored(SAMPLES / name / file, text), f"set {REWRITE}=1"


EVERY_SCHEMA: Final = [
    pytest.param(name, version, marks=() if (name, version) == ("separate", NEWEST) else pytest.mark.slow)
    for name in CHOICES
    for version in (OLDEST, NEWEST)
]


@pytest.mark.parametrize(("name", "version"), EVERY_SCHEMA)
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    site = plan_site(DeployChoice(layout=CHOICES[name], host="alphintra.example.com", storage_class="fast"))
    objects = [each for manifests in manifests_of(site).values() for each in manifests]
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)
    assert {"StatefulSet", "Deployment", "Job", "NetworkPolicy", "Ingress"} <= {each["kind"] for each in objects}


def test_a_misspelt_field_would_be_found() -> None:
    manifest: dict[str, Any] = plan_and_render()["postgresql-statefulset.yaml"][4]
    assert manifest["kind"] == "StatefulSet"
    pod = manifest["spec"]["template"]["spec"]
    pod["securityContext"]["runAsNonroot"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, NEWEST, strict=True)


def test_what_is_written_is_what_was_made() -> None:
    site = plan_site(DeployChoice())
    made = [each for manifests in manifests_of(site).values() for each in manifests]
    assert list(yaml.safe_load_all(render_stream(site))) == made


def test_the_same_choice_gives_the_same_bytes() -> None:
    choices = [DeployChoice(replicas=dict(pairs)) for pairs in ([("user", 2), ("auth", 3)], [("auth", 3), ("user", 2)])]
    first, second = (render_files(plan_site(choice)) for choice in choices)
    assert first == second


def test_a_file_tells_the_options_it_was_made_with() -> None:
    layout = LayoutChoice(name=LayoutName.CENTRAL, databases={"alphintra_central": "alphintra_main"})
    choice = DeployChoice(layout=layout, namespace="prod", replicas={"user": 2}, storage="5Gi")
    header = render_files(plan_site(choice))["services.yaml"].splitlines()[0]
    assert header == (
        "# Made by `alphintra deploy render --target statefulset --layout central"
        " --name databases.alphintra_central=alphintra_main --namespace prod --storage 5Gi --replicas user=2`,"
    )


def plan_and_render() -> dict[str, list[dict[str, Any]]]:
    return manifests_of(plan_site(DeployChoice()))

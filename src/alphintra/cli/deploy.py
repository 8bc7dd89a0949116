"""``alphintra deploy``: manifests for Kubernetes, and the Secrets they name; no cluster is touched."""

# ruff: noqa: PLC0415 - what renders is loaded by the commands that render

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from alphintra.cli.output import AS_JSON, print_json, print_table
from alphintra.dataplane.hardening import Hardening
from alphintra.dataplane.layouts import LayoutChoice, LayoutName
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.runtime.deploy.site import DeployChoice, Site

__all__ = ["COMMANDS"]

F = TypeVar("F", bound=Callable[..., Any])

_NAME = re.compile(r"(databases|schemas|roles|instances)\.([a-z0-9_]{1,63})=(.*)")
_COUNT = re.compile(r"([a-z]+)=([0-9]{1,3})")
_TARGETS = ("statefulset", "cloudnativepg")
_LEVELS = tuple(each.value for each in Hardening)
_LAYOUTS = tuple(each.value for each in LayoutName)


@click.group("deploy")
def deploy() -> None:
    """Kubernetes manifests of the platform, in every layout."""


def _where(command: F) -> F:
    """Add the options that say what lives where; both commands need the same ones."""
    options = (
        click.option("--target", type=click.Choice(_TARGETS), default=_TARGETS[0], help="What runs PostgreSQL."),
        click.option("--layout", type=click.Choice(_LAYOUTS), default="separate", show_default=True),
        click.option(
            "--placement",
            type=click.Choice(["shared", "isolated"]),
            default="shared",
            help="isolated: an instance each.",
        ),
        click.option("--shared-role", is_flag=True, help="One role for all services (central)."),
        click.option("--accept-consolidated", is_flag=True, help="That consolidated isolates nothing is known."),
        click.option(
            "--name",
            "names",
            multiple=True,
            metavar="KIND.KEY=NAME",
            help="Another name, e.g. databases.alphintra_central=alphintra_main; also schemas, roles, instances.",
        ),
        click.option("--namespace", default="alphintra", show_default=True),
    )
    for option in reversed(options):
        command = option(command)
    return command


@deploy.command("render")
@_where
@click.option("--image", default="", help="Image of the platform; built from deploy/Containerfile.")
@click.option("--postgres-image", default="", help="Image of PostgreSQL, best with its digest.")
@click.option("--postgres-version", type=click.IntRange(15, 18), default=18, show_default=True)
@click.option("--nats-image", default="", help="Image of NATS, best with its digest.")
@click.option("--hardening", type=click.Choice(_LEVELS), default="strict", help="How far the catalogue is closed.")
@click.option("--storage", default="20Gi", show_default=True, help="Volume of each PostgreSQL instance.")
@click.option("--storage-class", default="", help="Class of every volume, else the cluster's default.")
@click.option("--replicas", multiple=True, metavar="SERVICE=N", help="Pods of a service.")
@click.option("--pool", multiple=True, metavar="SERVICE=N", help="Database connections of each of its pods.")
@click.option("--standbys", type=click.IntRange(0, 8), help="Of each instance (cloudnativepg); 2 unless said.")
@click.option("--host", default="", help="Name people reach the edge at; makes an Ingress.")
@click.option("--out", default="-", show_default=True, help="Folder for the files, - for standard output.")
@click.option("--force", is_flag=True, help="Write into a folder that holds other files.")
@AS_JSON
def render(*, out: str, force: bool, as_json: bool, **options: Any) -> int:  # noqa: ANN401 - click's own values
    """Write the manifests.

    The same choice gives the same bytes. They hold no secret: `alphintra deploy secrets` makes those they name.
    """
    from alphintra.runtime.deploy.folder import write_folder
    from alphintra.runtime.deploy.render import render_files, render_stream
    from alphintra.runtime.deploy.site import plan_site

    site = plan_site(_choice(options))
    if out == "-":
        if as_json:
            print_json({**_summary(site), "manifests": render_files(site)})
        else:
            click.echo(render_stream(site), nl=False)
        return 0
    texts = render_files(site)
    changed = write_folder(Path(out).expanduser(), texts, is_forced=force)
    if as_json:
        print_json({**_summary(site), "files": list(texts), "changed": list(changed)})
        return 0
    for name in texts:
        click.echo(f"{out.rstrip('/')}/{name}{'' if name in changed else '  (as it was)'}")
    for image in _unpinned(site):
        click.echo(f"not pinned by digest: {image}", err=True)
    click.echo("make the Secrets with `alphintra deploy secrets`, apply both: see docs/deployment.md", err=True)
    return 0


@deploy.command("secrets")
@_where
@click.option("--out", required=True, help="Private folder; what it holds from earlier is kept, not drawn again.")
@AS_JSON
def make_secrets(*, out: str, as_json: bool, **options: Any) -> int:  # noqa: ANN401 - click's own values
    """Draw passwords, keys and certificates.

    Writes secrets.yaml for `kubectl apply`, and the operator's token; nothing is printed. Run again, it adds what is
    missing and renews certificates that end within 60 days.
    """
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.deploy.secret_folder import write_secrets
    from alphintra.runtime.deploy.secret_names import required_secrets
    from alphintra.runtime.deploy.site import plan_site

    site = plan_site(_choice(options))
    drawn = write_secrets(Path(out).expanduser(), site, at=SystemClock().now())
    specs = required_secrets(site)
    if as_json:
        found = [{"name": spec.name, "keys": list(spec.keys), "purpose": spec.purpose} for spec in specs]
        print_json({"folder": out, "drawn": list(drawn), "secrets": found})
        return 0
    print_table(("secret", "for", "keys"), [(spec.name, spec.purpose, len(spec.keys)) for spec in specs])
    click.echo(f"{len(drawn)} values drawn; apply {out.rstrip('/')}/secrets.yaml, keep the folder private", err=True)
    return 0


def _choice(options: Mapping[str, Any]) -> DeployChoice:
    """Return the choice the options say. Raises DEPLOY_OPTION."""
    from alphintra.runtime.deploy.site import DEFAULT_IMAGE, DEFAULT_NATS_IMAGE, DeployChoice, Target

    names = _names(options["names"])
    target = Target(options["target"])
    if options.get("standbys") is not None and target is Target.STATEFULSET:
        detail = "--standbys needs --target cloudnativepg: a StatefulSet of ours runs one server"
        raise AlphintraError("DEPLOY_OPTION", detail, pointer="standbys")
    standbys = options.get("standbys")
    layout = LayoutChoice(
        name=LayoutName(options["layout"]),
        is_isolated=options["placement"] == "isolated",
        has_shared_role=options["shared_role"],
        accepts_consolidated=options["accept_consolidated"],
        **names,
    )
    return DeployChoice(
        layout=layout,
        target=target,
        namespace=options["namespace"],
        image=options.get("image") or DEFAULT_IMAGE,
        postgres_image=options.get("postgres_image", ""),
        postgres_major=options.get("postgres_version", 18),
        nats_image=options.get("nats_image") or DEFAULT_NATS_IMAGE,
        storage=options.get("storage", "20Gi"),
        storage_class=options.get("storage_class", ""),
        replicas=_counts("replicas", options.get("replicas", ())),
        pools=_counts("pool", options.get("pool", ())),
        host=options.get("host", ""),
        standbys=2 if standbys is None else standbys,
        hardening=Hardening(options.get("hardening", "strict")),
    )


def _names(texts: tuple[str, ...]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        match = _NAME.fullmatch(text)
        if match is None:
            detail = f"--name {text[:80]!r} is not KIND.KEY=NAME with databases, schemas, roles or instances as KIND"
            raise AlphintraError("DEPLOY_OPTION", detail, pointer="name")
        kind, key, name = match.groups()
        if key in found.setdefault(kind, {}):
            raise AlphintraError("DEPLOY_OPTION", f"--name {kind}.{key} is given twice: once is meant", pointer="name")
        found[kind][key] = name
    return found


def _counts(option: str, texts: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in texts:
        match = _COUNT.fullmatch(text)
        if match is None or match[1] in found:
            detail = f"--{option} {text[:80]!r} is not SERVICE=NUMBER, each service once: e.g. --{option} trading=2"
            raise AlphintraError("DEPLOY_OPTION", detail, pointer=option)
        found[match[1]] = int(match[2])
    return found


def _images(site: Site) -> dict[str, str]:
    return {"platform": site.choice.image, "postgresql": site.postgres_image, "nats": site.choice.nats_image}


def _unpinned(site: Site) -> list[str]:
    return [image for image in _images(site).values() if "@sha256:" not in image]


def _summary(site: Site) -> dict[str, Any]:
    from alphintra.runtime.deploy.secret_names import required_secrets
    from alphintra.runtime.deploy.site import DEPLOYMENTS

    return {
        "target": site.choice.target.value,
        "layout": site.choice.layout.name.value,
        "namespace": site.choice.namespace,
        "images": _images(site),
        "not_pinned_by_digest": _unpinned(site),
        "instances": [
            {
                "name": instance.name,
                "host": instance.host,
                "port": 5432,
                "databases": list(instance.databases),
                "services": list(instance.services),
                "connections_max": instance.connections_max,
                "memory_mib": instance.memory_mib,
            }
            for instance in site.instances
        ],
        "services": [
            {
                "service": placement.service,
                "deployment": DEPLOYMENTS[placement.service],
                "database_url": site.database_url(placement),
                "schema": placement.schema,
                "role": placement.service_role,
                "replicas": site.sizes[placement.service].replicas,
                "pool": site.sizes[placement.service].pool,
            }
            for placement in site.layout
        ],
        "secrets": [{"name": spec.name, "keys": list(spec.keys)} for spec in required_secrets(site)],
    }


COMMANDS: tuple[click.Command, ...] = (deploy,)

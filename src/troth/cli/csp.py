"""`troth csp`."""

import json
from pathlib import Path

import click

from troth.adapters import clock
from troth.cli.prove import found, installation
from troth.roles import csp as story
from troth.roles import up
from troth.roles.prove import data_of


@click.group()
def csp() -> None:
    """Learn the application's Content-Security-Policy, then put it in force."""


@csp.command()
@click.option("--write", is_flag=True, help="Put the policy into troth.toml.")
@click.option("--reject", multiple=True, help="A source of the list that is not to be allowed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def learn(
    *, write: bool, reject: tuple[str, ...], as_json: bool, config: Path | None, data: Path | None
) -> int:
    """Propose the tightest policy that lets pass what browsers reported and pages use."""
    config, data = found(config, data)
    settings = up.read(config)
    places = data_of(settings, data)
    proposal = story.learn(settings, places, reject)
    if write:
        story.write(config, places, proposal)
    click.echo(json.dumps(proposal.as_json(), default=str) if as_json else proposal.text)
    return 0


@csp.command()
@click.option("--anyway", is_flag=True, help="Although it would stop what was reported lately.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def enforce(*, anyway: bool, as_json: bool, config: Path | None, data: Path | None) -> int:
    """From reporting to stopping; refused without a policy or while it would stop something."""
    config, data = found(config, data)
    settings = up.read(config)
    story.enforce(config, settings, data_of(settings, data), clock.now(), anyway=anyway)
    said = f"enforced: {settings.edge.csp.policy}"
    click.echo(json.dumps({"ok": True, "policy": settings.edge.csp.policy}) if as_json else said)
    return 0

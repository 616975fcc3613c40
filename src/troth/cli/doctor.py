"""`troth doctor`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from troth.adapters import clock
from troth.cli.prove import found, installation
from troth.roles import doctor as story
from troth.roles.places import Places


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def doctor(*, as_json: bool, config: Path | None, data: Path | None) -> int:
    """What is missing or odd on this machine, each with its mend; exit 1 when something is."""
    config, data = found(config, data)
    places = Places(data.absolute()) if data else None
    findings = list(story.examine(config, places, clock.now()))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in findings], indent=1))
    else:
        click.echo("\n".join(one.line for one in findings))
    return story.fails(findings)

"""`troth events`."""

from pathlib import Path

import click

from troth.cli.prove import found, installation
from troth.roles import events as story
from troth.roles import up
from troth.roles.prove import data_of


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "count", default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line (OCSF).")
@installation
def events(
    *, follow: bool, count: int, as_json: bool, config: Path | None, data: Path | None
) -> int:
    """What the guard refused, what rules matched, who was banned; newest last."""
    config, data = found(config, data)
    places = data_of(up.read(config), data)
    for line in story.last(places, count):
        click.echo(line if as_json else story.told(line))
    for line in story.follow(places) if follow else ():
        click.echo(line if as_json else story.told(line))
    return 0

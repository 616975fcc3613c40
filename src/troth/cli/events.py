"""`troth events`."""

import itertools
from pathlib import Path

import click

from troth.cli.prove import found, installation
from troth.roles import events as story
from troth.roles import up
from troth.roles.prove import data_of


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=20, show_default=True)
@click.option("--probes", is_flag=True, help="Those of our own probes, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line (OCSF).")
@installation
def events(
    *,
    follow: bool,
    count: int,
    probes: bool,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> int:
    """What the guard refused, what rules matched, who was banned; newest last."""
    config, data = found(config, data)
    settings = up.read(config)
    places = data_of(settings, data)
    wanted = story.others(() if probes else settings.guard.bans.drills)
    lines = (story.last(places, count, wanted), story.follow(places, wanted) if follow else ())
    for line in itertools.chain(*lines):
        click.echo(line if as_json else story.told(line))
    return 0

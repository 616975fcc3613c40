"""`troth upgrade`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from troth.adapters import clock
from troth.cli.prove import found, installation
from troth.roles import up
from troth.roles import upgrade as story
from troth.roles.prove import data_of


@click.command()
@click.option(
    "--back",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Restore the state from a dump of an earlier upgrade (install the older code first).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def upgrade(*, back: Path | None, as_json: bool, config: Path | None, data: Path | None) -> int:
    """Bring what runs to the code that is installed now: checked, dumped, migrated, no gap."""
    config, data = found(config, data)
    settings = up.read(config)
    places, told = data_of(settings, data), _quiet if as_json else click.echo
    if back:
        done = story.back(config, settings, places, back.absolute(), told)
    else:
        done = story.upgrade(config, settings, places, clock.now(), told)
    said = f"Troth {done.version} after {done.took_s:.0f} s; back: troth upgrade --back"
    click.echo(json.dumps(asdict(done)) if as_json else f"{said} {done.way_back}")
    return 0


def _quiet(_: str) -> None:
    return

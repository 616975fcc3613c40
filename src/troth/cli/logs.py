"""`troth logs`."""

import json
from pathlib import Path

import click

from troth.cli.prove import found, installation
from troth.roles import logs as story
from troth.roles import up
from troth.roles.prove import data_of


@click.command()
@click.argument("roles", nargs=-1)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "count", default=20, show_default=True, help="Lines of each role.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@installation
def logs(
    *,
    roles: tuple[str, ...],
    follow: bool,
    count: int,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> int:
    """What the roles said; all of them unless some are named (access: the edge's requests)."""
    config, data = found(config, data)
    places = data_of(up.read(config), data)
    for role, line in story.last(places, roles, count):
        click.echo(_said(role, line, as_json=as_json))
    for role, line in story.follow(places, roles) if follow else ():
        click.echo(_said(role, line, as_json=as_json))
    return 0


def _said(role: str, line: str, *, as_json: bool) -> str:
    if not as_json:
        return f"{role:10} {line}"
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    return json.dumps({"role": role, **(event if isinstance(event, dict) else {"text": line})})

"""`troth ban`, `unban`, `allow`, `bans`."""

import json
from pathlib import Path
from typing import Any

import click

from troth.cli.prove import found, installation
from troth.roles import bans as story
from troth.roles import up
from troth.roles.prove import data_of

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _ask(config: Path | None, data: Path | None, do: str, **fields: Any) -> dict[str, Any]:
    config, data = found(config, data)
    return story.ask(data_of(up.read(config), data), do, **fields)


@click.command()
@click.argument("address")
@click.option("--for", "length", default="1h", show_default=True, help="30m, 1h, 2d ...")
@click.option("--because", default="", help="Shown beside it and in events.")
@as_json
@installation
def ban(*, address: str, length: str, because: str, as_json: bool, **where: Any) -> int:
    """Keep an address out (IPv6: its /64), in every guard at once."""
    for_s = int(story.length(length).total_seconds())
    said = _ask(**where, do="ban", address=address, for_s=for_s, because=because)
    words = f"{said['subject']} banned until {story.moment(said['until'])}"
    click.echo(json.dumps(said) if as_json else words)
    return 0


@click.command()
@click.argument("address")
@as_json
@installation
def unban(*, address: str, as_json: bool, **where: Any) -> int:
    """Let an address in again; exit 1 when it was not banned."""
    said = _ask(**where, do="unban", address=address)
    words = f"{address} is no longer banned" if said["was"] else f"{address} was not banned"
    click.echo(json.dumps(said) if as_json else words)
    return 0 if said["was"] else 1


@click.command()
@click.argument("network", metavar="ADDRESS")
@click.option("--for", "length", default="", help="30m, 1h, 2d ...; for good unless said.")
@click.option("--end", is_flag=True, help="No longer.")
@as_json
@installation
def allow(*, network: str, length: str, end: bool, as_json: bool, **where: Any) -> int:
    """Let an address or network pass bans and blocklists, and limits by address."""
    if end:
        said = _ask(**where, do="disallow", network=network)
    else:
        for_s = int(story.length(length).total_seconds()) if length else None
        said = _ask(**where, do="allow", network=network, for_s=for_s)
    words = "is no longer allowed" if end else f"allowed {story.until(said['until'])}"
    click.echo(json.dumps(said) if as_json else f"{network} {words}")
    return 0


@click.command()
@as_json
@installation
def bans(*, as_json: bool, **where: Any) -> int:
    """Who is kept out, who is allowed, and how old the blocklists are."""
    said = _ask(**where, do="bans")
    click.echo(json.dumps(said) if as_json else story.table(said))
    return 0

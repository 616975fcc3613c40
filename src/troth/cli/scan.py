"""`troth scan`."""

import json
from dataclasses import asdict

import click

from troth.adapters import chance, clock
from troth.roles import scan as story


@click.command()
@click.argument("hosts", nargs=-1, required=True)
@click.option("--ca", default="", help="PEM of a private authority [default: the system's].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def scan(*, hosts: tuple[str, ...], ca: str, as_json: bool) -> int:
    """Grade the TLS and the headers of HOST[:PORT]..., the best first; exit 2 where unseen."""
    graded = story.scan(hosts, now=clock.now(), rng=chance.system(), ca_file=ca)
    if as_json:
        told = [asdict(each) for each in graded]
        click.echo(json.dumps({"hosts": told}, indent=1, default=str))
    else:
        click.echo("\n".join(story.lines(graded)))
    return 2 if any(each.why_not for each in graded) else 0

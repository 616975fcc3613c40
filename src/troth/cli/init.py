"""`troth init`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from troth.cli.up import CONFIG, port_numbers
from troth.roles import init as story


@click.command()
@click.option("--upstream", required=True, help="The application: http://host:port, unix:/path.")
@click.option("--host", required=True, help="The name under which visitors reach it.")
@click.option("--troth-host", default="", help="Troth's own name [default: troth.HOST].")
@click.option("--name", default="", help="What the page calls the service [default: HOST].")
@click.option("--prefix", default=story.PREFIX, show_default=True, help="Troth's path on HOST.")
@click.option("--ports", default="", help="https,http,status [default: 443,80,8444 as root].")
@click.option("--config", type=click.Path(path_type=Path), default=CONFIG, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def init(*, ports: str, as_json: bool, **typed: str | Path | None) -> int:
    """Look at an application and write a troth.toml that does not break it."""
    wish = story.Wish(ports=port_numbers(ports) if ports else None, **typed)  # type: ignore[arg-type]  # click has checked them
    seen = story.init(wish)
    click.echo(json.dumps(asdict(seen), default=str) if as_json else "\n".join(seen.lines()))
    return 0

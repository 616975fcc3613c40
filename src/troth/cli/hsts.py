"""`troth hsts`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from troth.adapters import clock
from troth.cli.prove import found, installation
from troth.roles import hsts as story
from troth.roles import up
from troth.roles.prove import data_of


@click.group()
def hsts() -> None:
    """How long browsers are told to insist on HTTPS."""


@hsts.command("raise")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def raise_(*, as_json: bool, config: Path | None, data: Path | None) -> int:
    """One step: 300 s, a day, a year; refused while what it rests on does not hold."""
    config, data = found(config, data)
    settings = up.read(config)
    done = story.raise_(config, settings, data_of(settings, data), clock.now())
    said = f"from {done.before_s} s to {done.after_s} s\n{done.binds}"
    click.echo(json.dumps(asdict(done)) if as_json else said)
    return 0

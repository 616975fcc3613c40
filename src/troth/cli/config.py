"""`troth config`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from troth.cli.prove import found, installation
from troth.roles import check as checking
from troth.roles import reload as reloading
from troth.roles import up
from troth.roles.prove import data_of


@click.group()
def config() -> None:
    """Check a troth.toml, or hand it to what runs."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def check(*, config: Path | None, data: Path | None, as_json: bool) -> int:
    """Read, compile and validate it all; exit 1 where it is right but would not work now."""
    config, data = found(config, data)
    checked = checking.check(config, data)
    if as_json:
        click.echo(json.dumps(checked.as_json()))
    else:
        click.echo(checked.warning or f"ok {checked.config} {checked.digest[:16]}")
    return checking.NOT_REACHED if checked.warning else 0


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def reload(*, config: Path | None, data: Path | None, as_json: bool) -> int:
    """Check it, hand it to edge and guards, wait until they run it; exit 1 when one does not."""
    config, data = found(config, data)
    done = reloading.reload(config, data_of(up.read(config), data))
    if as_json:
        click.echo(json.dumps({"ok": not done.late, **asdict(done)}))
    else:
        told = [f"{name}: {why}" for name, why in done.late.items()]
        click.echo("\n".join(told) or f"running {done.digest[:16]} after {done.took_s:.1f} s")
    return 1 if done.late else 0

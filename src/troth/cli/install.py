"""`troth install`, `troth uninstall`, `troth user invite`."""

import json
from pathlib import Path

import click

from troth.adapters import clock
from troth.cli.prove import CONFIG, found, installation
from troth.roles import install as story
from troth.roles import invite as inviting
from troth.roles import up
from troth.roles.prove import data_of

ROOT = click.Path(path_type=Path, exists=True, file_okay=False)


def _wanted(config: Path, root: Path) -> story.Installation:
    settings = up.read(config)
    data = Path(settings.troth.data).absolute()
    return story.Installation(settings=settings, config=config.absolute(), data=data, root=root)


@click.command()
@click.option("--root", type=ROOT, default=Path("/"), help="Write below it, start nothing.")
@click.option("--admin", default="", help="Mail address: print a single-use link to begin with.")
@click.option("--config", type=click.Path(path_type=Path), default=CONFIG, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def install(*, root: Path, admin: str, config: Path, as_json: bool) -> int:
    """Make systemd units, a user for each role and the directories, and start it all."""
    wanted = _wanted(config, root)
    told: list[str] = []
    written = story.install(wanted, told.append if as_json else click.echo)
    link = story.first_link(wanted, admin) if admin else ""
    if as_json:
        words = {"written": [str(p) for p in written], "told": told, "link": link}
        click.echo(json.dumps(words))
    elif link:
        click.echo(f"once, within a day: {link}")
    return 0


@click.command()
@click.option("--purge", is_flag=True, help="Remove log, keys and evidence as well: for ever.")
@click.option("--root", type=ROOT, default=Path("/"), help="As install was told.")
@click.option("--config", type=click.Path(path_type=Path), default=CONFIG, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def uninstall(*, purge: bool, root: Path, config: Path, as_json: bool) -> int:
    """Stop it all and remove what install wrote; say what browsers still insist on."""
    told: list[str] = []
    story.uninstall(
        _wanted(config, root), clock.now(), told.append if as_json else click.echo, purge=purge
    )
    if as_json:
        click.echo(json.dumps({"told": told}))
    return 0


@click.group()
def user() -> None:
    """People with an account."""


@user.command()
@click.argument("mail")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def invite(*, mail: str, as_json: bool, config: Path | None, data: Path | None) -> int:
    """Print the first administrator's link: good once, for a day; an earlier one ends."""
    config, data = found(config, data)
    link = inviting.invite(config, data_of(up.read(config), data), mail)
    click.echo(json.dumps({"link": link}) if as_json else link)
    return 0

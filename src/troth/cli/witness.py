"""`troth witness` and `troth cosignature`."""

import json
import threading
from pathlib import Path

import click

from troth.adapters import clock
from troth.cli.prove import found, installation
from troth.engines.tlog.note import Algorithm
from troth.engines.tlog.tiles import Fetch
from troth.kernel.errors import Failure
from troth.roles import up
from troth.roles import witness as story
from troth.roles.places import Places
from troth.roles.prove import data_of

CA = click.option("--ca", default="", help="PEM of the other's authority [default: the system's].")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("url")
@click.option("--key", required=True, help="The log's key, NAME+ID+BASE64, as its page says it.")
@click.option("--name", default="", help="The witness's name [default: HOST/witness].")
@click.option("--once", is_flag=True, help="Look once, for cron.")
@click.option("--every", type=click.IntRange(min=1), default=60, help="Seconds between looks.")
@CA
@JSON
@installation
def witness(*, url: str, key: str, ca: str, once: bool, every: int, **given: object) -> int:
    """Cosign another installation's log as it grows; exit 1 on a fork or roll-back, 2 unread."""
    as_json = bool(given.pop("as_json"))
    places, name = _here(**given)  # type: ignore[arg-type]  # click has checked them
    watch = story.Watch(places, name, story.key_of(key, Algorithm.ED25519))
    fetch = story.from_address(url, ca_file=ca)
    while not _told(watch, fetch, as_json=as_json, is_last=once):
        if once:
            return 0
        threading.Event().wait(every)
    return 1


def _told(watch: story.Watch, fetch: Fetch, *, as_json: bool, is_last: bool) -> bool:
    """Look and tell; whether it was refused. What could not be read now may be read later."""
    try:
        sight = watch.look(fetch, clock.now())
    except story.WitnessError as error:
        if is_last:
            raise
        click.echo(f"troth: {error.hint()}", err=True)
        return False
    if as_json:
        click.echo(json.dumps(sight.as_json(), ensure_ascii=False))
    else:
        click.echo("\n".join(sight.lines()), err=True)
        click.echo(sight.note, nl=False)
    return bool(sight.refused)


def _here(*, config: Path | None, data: Path | None, name: str) -> tuple[Places, str]:
    """Where the witness keeps its memory, and its name: the installation's unless both are said."""
    if data and name:
        return Places(data.absolute()), name
    try:
        settings = up.read((at := found(config, data))[0])
    except Failure as failure:
        mend = "or, without an installation, say --data and --name"
        raise Failure(failure.what, where=failure.where, mend=mend) from failure
    return data_of(settings, at[1]), name or f"{settings.troth.host}/witness"


@click.command()
@click.argument("source")
@click.option("--key", required=True, help="The witness's key, NAME+ID+BASE64.")
@CA
@JSON
@installation
def cosignature(
    *, source: str, key: str, ca: str, as_json: bool, config: Path | None, data: Path | None
) -> int:
    """Publish a witness's cosignature (FILE or URL) on our own log's checkpoint."""
    config, data = found(config, data)
    places = data_of(up.read(config), data)
    head = story.attach(source, story.key_of(key, Algorithm.COSIGNATURE), places, ca_file=ca)
    said = {"origin": head.origin, "size": head.size, "root": head.root.hex()}
    click.echo(json.dumps(said) if as_json else f"cosigned: {head.origin}, {head.size} leaves")
    return 0

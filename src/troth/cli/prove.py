"""`troth prove`, `troth show`, `troth verify`."""

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import click

from troth.adapters import process
from troth.kernel.model import Promise
from troth.prove.run import Seen
from troth.roles import prove as story
from troth.roles import up

CONFIG = Path("troth.toml")
SIGNS = {"pass": "✓", "fail": "✗", "error": "?"}


def installation(command: Any) -> Any:
    """The options that say which installation a command is about."""
    command = click.option(
        "--data", type=click.Path(path_type=Path), help="Data directory (else as configured)."
    )(command)
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="troth.toml [default: the one here, else the demo's].",
    )(command)


def found(config: Path | None, data: Path | None) -> tuple[Path, Path | None]:
    """The configuration to use: the one named, the one here, or the running demo's."""
    demo = Path(".troth")
    if config is None and not CONFIG.exists() and (demo / "troth.toml").exists():
        return demo / "troth.toml", data or demo
    chosen = config or CONFIG
    if data is None and (chosen.parent / up.MARK).exists():
        data = chosen.parent
    return chosen, data


@click.command()
@click.argument("slugs", nargs=-1)
@click.option("--area", default="", help="Only the promises of one area.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def prove(
    *, slugs: tuple[str, ...], area: str, as_json: bool, config: Path | None, data: Path | None
) -> int:
    """Look at and attack the running system now; exit 0 nothing fails, 1 something, 2 unseen."""
    config, data = found(config, data)
    settings = up.read(config)
    promises = story.chosen(settings, slugs, area)
    told = _quiet if as_json else _tell
    proofs = story.prove(settings, story.data_of(settings, data), promises, told)
    if as_json:
        click.echo(json.dumps({"promises": [proof.as_json() for proof in proofs]}, indent=1))
    else:
        for proof in proofs:
            click.echo(f"{proof.state:15} {proof.promise.slug}: {proof.reason}")
    return story.exit_code(proofs)


def _tell(_: Promise, seen: Seen) -> None:
    click.echo(f"  {SIGNS[seen.verdict.value]} {seen.check.id}: {seen.reason}", err=True)


def _quiet(_: Promise, __: Seen) -> None:
    return


@click.command()
@click.argument("slug", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def show(*, slug: str | None, as_json: bool, config: Path | None, data: Path | None) -> int:
    """What is published of one promise, or a line for each."""
    config, data = found(config, data)
    published = story.published(story.data_of(up.read(config), data))
    if slug and slug not in published:
        raise story.ProveError("no such promise", where=slug, mend="troth show lists them")
    chosen = [published[slug]] if slug else list(published.values())
    if as_json:
        click.echo(json.dumps(chosen[0] if slug else chosen, indent=1, ensure_ascii=False))
    else:
        for promise in chosen:
            click.echo("\n".join(_lines(promise, is_long=bool(slug))))
    return 0


def _lines(promise: dict[str, Any], *, is_long: bool) -> list[str]:
    head = f"{promise['state']:15} {promise['slug']}: {promise['claim']['en']}"
    if not is_long:
        return [head]
    lines = [head, f"since {promise['since']}: {promise['reason']}"]
    for check in promise["checks"]:
        lines.append(f"  {check['id']} ({check['method']})")
        lines += [
            f"    {look['verdict']} {look['collected']} until {look['expires']} {look['evidence']}"
            for look in check["looks"]
        ]
        lines.append(f"    $ {check['command']}")
    return lines


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("target")
@click.option("--key", default="", help="The log's key, as security.txt or DNS says it.")
@click.option("--all", "every", is_flag=True, help="Verify every signature, with progress.")
def verify(*, target: str, key: str, every: bool) -> None:
    """Verify a published page, of URL or directory, with the verify.py that it offers to all."""
    options = (*(("--key", key) if key else ()), *(("--all",) if every else ()))
    config, data = found(None, None)
    trusted = story.trust_of(target, config, data)
    with resources.as_file(resources.files("troth.publish") / "static" / "verify.py") as script:
        process.become([sys.executable, "-I", script, target, *options], env=trusted)

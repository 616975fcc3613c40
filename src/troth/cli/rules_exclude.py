"""`troth rules explain`, `exclude`, `learn` and `import`."""

import json
from pathlib import Path

import click

from troth.cli.prove import found, installation
from troth.roles import exclude as excluding
from troth.roles import explain as explaining
from troth.roles import learn as learning
from troth.roles import rules_import as importing
from troth.roles import up
from troth.roles.prove import data_of


@click.command()
@click.argument("event")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def explain(*, event: str, as_json: bool, config: Path | None, data: Path | None) -> int:
    """Say why a request was refused: rule, place and value, then and by the rules of now."""
    config, data = found(config, data)
    settings = up.read(config)
    told = explaining.explain(settings, data_of(settings, data), event)
    click.echo(json.dumps(told.as_json()) if as_json else "\n".join(explaining.lines(told)))
    return 0


@click.command()
@click.argument("event")
@click.option("--rule", type=click.IntRange(1), help="Only this rule.")
@click.option("--path", default="", help="A route that covers the request, as '/users/{id}'.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; implies --yes.")
@installation
def exclude(  # noqa: PLR0913 -- one an option
    *,
    event: str,
    rule: int | None,
    path: str,
    yes: bool,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> int:
    """Let such a request pass: this rule, place and route alone; proven, then written."""
    config, data = found(config, data)
    settings = up.read(config)
    places = data_of(settings, data)
    proposal = excluding.propose(settings, places, event, rule=rule, path=path)
    said = json.dumps(proposal.as_json()) if as_json else "\n".join(excluding.lines(proposal))
    click.echo(said)
    if not (yes or as_json or click.confirm(f"Write it to {config}?")):
        return 1
    excluding.write(config, places, proposal)
    if not as_json:
        click.echo(f"written to {config}; the guard takes it up within seconds")
    return 0


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--sha256", default="", help="What the source must be, as its makers say.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def import_(
    *, source: Path, sha256: str, as_json: bool, config: Path | None, data: Path | None
) -> int:
    """Put a folder or tarball of rules (the OWASP CRS) in force, pinned by its SHA-256."""
    config, data = found(config, data)
    settings = up.read(config)
    told = importing.bring(config, settings, data_of(settings, data), source, sha256)
    said = f"in force: {told.rules} rules of {told.folder}\nsha256 {told.sha256}"
    click.echo(json.dumps(told.as_json()) if as_json else said)
    return 0


@click.command()
@click.option("--apply", "is_applied", is_flag=True, help="Put them into troth.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def learn(*, is_applied: bool, as_json: bool, config: Path | None, data: Path | None) -> int:
    """Propose which kind each parameter is (a number, a date), as seen or as OpenAPI says."""
    config, data = found(config, data)
    settings = up.read(config)
    places = data_of(settings, data)
    proposal = learning.propose(settings, places)
    said = "\n".join(learning.lines(proposal, settings.guard.learn.check))
    click.echo(json.dumps(proposal.as_json()) if as_json else said)
    if is_applied and proposal.parameters:
        learning.write(config, places, proposal)
        if not as_json:
            click.echo(f"written to {config}; the guard takes it up within seconds")
    return 0

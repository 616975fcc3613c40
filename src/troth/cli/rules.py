"""`troth rules ...`: rule sets in SecLang."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from troth.cli.prove import found, installation
from troth.roles import rules as story
from troth.roles import rules_cache, up
from troth.roles import score as scoring
from troth.roles.prove import data_of


@click.group()
def rules() -> None:
    """Rule sets in SecLang, the language of ModSecurity and the OWASP CRS."""


@rules.command("test")
@click.option("--tests", type=click.Path(path_type=Path), required=True, help="go-ftw YAML tests.")
@click.option("--rules", "folder", type=click.Path(path_type=Path), required=True, help="*.conf.")
@click.option("--paranoia", type=click.IntRange(1, 4), default=4, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def test(*, tests: Path, folder: Path, paranoia: int, as_json: bool) -> int:
    """Run go-ftw tests against a rule set; exit 1 when one fails."""
    told = story.test(tests, folder, paranoia=paranoia, progress=lambda s: click.echo(s, err=True))
    if as_json:
        click.echo(json.dumps(asdict(told), indent=1))
    else:
        click.echo("\n".join(story.lines(told)))
    return 1 if told.failed else 0


class _Lists(click.Command):
    """A command whose options take several values each: `--attacks A B --harmless C`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread, option = list[str](), ""
        for arg in args:
            if arg.startswith("-"):
                option = arg if arg in {"--attacks", "--harmless"} else ""
            elif option and spread[-1:] != [option]:
                spread.append(option)
            spread.append(arg)
        return super().parse_args(ctx, spread)


@rules.command("score", cls=_Lists)
@click.option(
    "--attacks",
    multiple=True,
    type=click.Path(path_type=Path),
    help="FILE... of attacks, one a line.",
)
@click.option(
    "--harmless", multiple=True, type=click.Path(path_type=Path), help="FILE... of what must pass."
)
@click.option("--place", type=click.Choice(scoring.PLACES), default="form", show_default=True)
@click.option(
    "--rules", "folder", type=click.Path(path_type=Path), help="*.conf [default: our own]."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def score(
    *,
    attacks: tuple[Path, ...],
    harmless: tuple[Path, ...],
    place: scoring.Place,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Send each line of the files through a rule set; print what it detects and what it refuses."""
    told = scoring.score(
        attacks, harmless, place=place, folder=folder, progress=lambda s: click.echo(s, err=True)
    )
    click.echo(json.dumps(asdict(told), indent=1) if as_json else "\n".join(scoring.lines(told)))


@rules.command("compile")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@installation
def compile_(*, as_json: bool, config: Path | None, data: Path | None) -> None:
    """Build the databases of the rules in force, so that the guard finds them ready."""
    config, data = found(config, data)
    settings = up.read(config)

    def progress(done: int, total: int, seconds: float) -> None:
        click.echo(f"{done}/{total} databases, {seconds:.1f} s", err=True)

    told = rules_cache.compile_for(settings.guard.rules, data_of(settings, data), progress)
    click.echo(json.dumps(asdict(told)) if as_json else rules_cache.line(told))

"""`troth rules ...`: rule sets in SecLang."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from troth.roles import rules as story


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

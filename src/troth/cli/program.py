"""All commands in one group, and how each ends."""

import click

import troth
from troth.cli.ban import allow, ban, bans, unban
from troth.cli.config import config
from troth.cli.csp import csp
from troth.cli.doctor import doctor
from troth.cli.events import events
from troth.cli.hsts import hsts
from troth.cli.init import init
from troth.cli.install import install, uninstall, user
from troth.cli.liar import liar
from troth.cli.logs import logs
from troth.cli.prove import prove, show, verify
from troth.cli.rules import rules
from troth.cli.rules_exclude import exclude, explain, import_, learn
from troth.cli.scan import scan
from troth.cli.up import up
from troth.cli.upgrade import upgrade
from troth.cli.witness import cosignature, witness
from troth.kernel.errors import Failure


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(troth.__version__, prog_name="troth")
def group() -> None:
    """Make a security page true: enforce each promise, prove it, publish it with the evidence."""


for command in (init, up, config, csp, hsts, prove, show, verify, witness, cosignature):
    group.add_command(command)
for command in (install, upgrade, uninstall, user, logs, events, doctor, liar, scan, rules):
    group.add_command(command)
for command in (explain, exclude, import_, learn):
    rules.add_command(command)
for command in (ban, unban, allow, bans):
    group.add_command(command)


def run() -> int:
    """The exit code; one line for what went wrong, no traceback for a person's mistake."""
    try:
        code = group(standalone_mode=False)
    except Failure as failure:
        click.echo(f"troth: {failure.hint()}", err=True)
        code = 2
    except click.ClickException as error:
        error.show()
        code = 2
    except (KeyboardInterrupt, click.exceptions.Abort):
        code = 130
    return code if isinstance(code, int) else 0

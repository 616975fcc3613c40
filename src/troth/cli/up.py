"""`troth up`."""

from pathlib import Path

import click
from rich.console import Console

from troth.kernel.errors import Failure
from troth.roles import demo as demo_role
from troth.roles import up as story
from troth.roles.screen import Screen

CONFIG = Path("troth.toml")


@click.command()
@click.option("--demo", is_flag=True, help="The example application, with settings of its own.")
@click.option("--reset", is_flag=True, help="With --demo: begin from nothing.")
@click.option("--config", type=click.Path(path_type=Path), default=CONFIG, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (demo: .troth).")
@click.option("--ready", type=click.Path(path_type=Path), help="Write this file when all is up.")
@click.option("--ports", default="8443,8080,8444", help="With --demo: application,http,status.")
def up(
    *, demo: bool, reset: bool, config: Path, data: Path | None, ready: Path | None, ports: str
) -> int:
    """Start and watch every role; stop with Ctrl-C."""
    if demo:
        chosen = demo_role.Ports(*port_numbers(ports))
        start = story.prepare_demo(data or Path(".troth"), chosen, reset=reset, ready=ready)
    elif reset:
        raise Failure("--reset is for --demo only", mend="remove the data directory yourself")
    else:
        start = story.prepare(config, data, ready=ready)
    return story.run(start, Screen(Console()))


def port_numbers(text: str) -> tuple[int, int, int]:
    """Three ports as a person types them. Raises Failure."""
    try:
        app, http, status = (int(part) for part in text.split(","))
    except ValueError as error:
        raise Failure("--ports takes three numbers", where=text, mend="8443,8080,8444") from error
    return app, http, status

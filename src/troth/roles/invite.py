"""Makes the first administrator's single-use link and prints it: a process of its own, it ends.

Only here, in `troth install --admin` and `troth user invite`, the link is ever seen: the database
keeps a digest.
"""

import os
import pwd
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from troth.adapters import chance, clock, process
from troth.adapters.database import DatabaseError
from troth.adapters.process import Identity
from troth.catalogue import site
from troth.console.settings import ConsoleError, derive, prepare
from troth.kernel.errors import Failure
from troth.roles import running, start, state
from troth.roles.places import Places

WITHIN = timedelta(seconds=60)
USER = "troth-console"


def main(argv: Sequence[str]) -> int:
    """Print the link. Exit code 1 when the database is away, 2 when a person must act."""
    return start.guarded(_main, argv, DatabaseError)


def _main(argv: Sequence[str]) -> int:
    parser = start.arguments("invite")
    parser.add_argument("--mail", required=True)
    known = parser.parse_args(argv)
    settings, places = start.given(known)
    url = state.owner_url(settings, places)
    prepare(derive(settings, url=url, secret_key="signs nothing"))  # noqa: S106
    from django.db import Error  # noqa: PLC0415 -- Django is configured only now

    from troth.console.identity import invitation  # noqa: PLC0415 -- needs its models

    try:
        token = invitation.issue(known.mail, now=clock.now(), rng=chance.system())
    except Error as error:
        what = "the database has no place for it yet"
        raise ConsoleError(what, mend="is the console ready? troth logs console") from error
    print(invitation.link(site(settings), token))  # noqa: T201 -- what it is for
    return 0


def invite(config: Path, places: Places, mail: str) -> str:
    """The link for the first administrator, made in a child. Raises Failure with its words."""
    argv: list[str | Path] = [
        *(sys.executable, "-m", "troth.roles.invite", "--config", config.absolute()),
        *("--data", places.data, "--mail", mail),
    ]
    done = process.run(argv, timeout=WITHIN, identity=console_user(places), ok=None)
    if done.code:
        raise Failure(done.err.decode("utf-8", "replace").strip()[-500:], where="invite")
    return done.text


def console_user(places: Places) -> Identity | None:
    """Whom the database knows: the console's user where systemd runs it, else ourselves."""
    if os.geteuid() != 0 or running.is_held(places.data / running.LOCK):
        return None
    try:
        found = pwd.getpwnam(USER)
    except KeyError:
        return None
    groups = os.getgrouplist(USER, found.pw_gid)
    return Identity(found.pw_uid, found.pw_gid, tuple(groups))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

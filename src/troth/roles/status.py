"""The status role: serves page, API, feeds, evidence and log from files, whatever else is down.

Twice: to the edge on `run/status.sock` (Troth's own host), and to everybody by its own TLS on the
status port. It needs no database, no key of the log and no other role; the certificate is read
again when its file changes.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from troth.adapters import clock, notify, sockets, tls
from troth.adapters.log import Log
from troth.adapters.serve import Door, Limits, ServeError
from troth.catalogue import Settings
from troth.kernel.errors import Failure
from troth.publish.answer import Reader
from troth.roles import start
from troth.roles.places import Places

FROM_THE_EDGE = Limits(idle_s=3600, requests=1_000_000, connections=1024, per_peer=1024)
CERTIFICATE_WITHIN = timedelta(seconds=50)  # the edge makes it when it starts
POLL_S = 1.0


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM."""
    return start.guarded(_main, argv, sockets.SocketError, tls.TlsError, ServeError)


def _main(argv: Sequence[str]) -> int:
    settings, places = start.given(start.arguments("status").parse_args(argv))
    asyncio.run(run(settings, places))
    return 0


async def run(settings: Settings, places: Places) -> None:
    """Serve until told to stop."""
    log, stop = Log("status", clock.now), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def told(name: str, fields: dict[str, object]) -> None:
        log.event(name, **fields)

    inside = Reader(places.public, places.log, home="/trust/", now=clock.now)
    outside = Reader(places.public, places.log, home="/", now=clock.now)
    near = Door(inside.answer, inside.refuse, told, limits=FROM_THE_EDGE)
    await near.open_unix(places.socket("status"))
    doors = [near]
    try:
        far = await _open(
            settings, places, stop, lambda: Door(outside.answer, outside.refuse, told)
        )
        doors += far
        if far:
            log.event("status.ready", port=settings.status.port)
            notify.ready()
        while not await _stopped(stop):
            _renew(far, log)
    finally:
        for door in doors:
            await door.close()


def pem(settings: Settings, places: Places) -> tuple[Path, Path]:
    """Where the status host's certificate and key are."""
    own = settings.edge.tls
    if own.authority == "files":
        return Path(own.certificate), Path(own.key.removeprefix("file:"))
    host = settings.status.host
    return places.tls / f"{host}.pem", places.tls / f"{host}.key"


async def _open(
    settings: Settings, places: Places, stop: asyncio.Event, door: Callable[[], Door]
) -> list[Door]:
    """A door at each address, as soon as there is a certificate; none when told to stop."""
    certificate, key = pem(settings, places)
    end = clock.now() + CERTIFICATE_WITHIN
    opened: list[Door] = []
    for address in settings.edge.addresses:
        far = door()
        while not stop.is_set():
            try:
                await far.open_tls(address, settings.status.port, certificate, key, is_shared=True)
                opened.append(far)
                break
            except tls.TlsError:
                if clock.now() > end:
                    raise
            await _stopped(stop)
    return opened


def _renew(doors: Sequence[Door], log: Log) -> None:
    """Take up a new certificate when its file changes; a bad one changes nothing."""
    for door in doors:
        try:
            if door.renew():
                log.event("certificate.renewed")
        except (Failure, OSError) as error:
            log.event("certificate.refused", why=str(error))


async def _stopped(stop: asyncio.Event) -> bool:
    """Wait a moment; whether it is time to stop."""
    try:
        async with asyncio.timeout(POLL_S):
            await stop.wait()
    except TimeoutError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Liars about certificate transparency, in a small public world of their own; and their twin.

On the ground the authority is our own and the promise does not apply. Here the installation
declares a public root, a list of logs, a search and a resolver, all standing beside it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from liars import public
from liars.liar import Liar
from troth.adapters import clock
from troth.catalogue import Settings
from troth.engines.certificates import authority
from troth.kernel.site import Site

CA_RECORD = {"localhost": [public.issue("ca.example")]}
STRANGER = "0" * 64
REPLACE = msgspec.structs.replace


class World:
    """One public world: `declared` for a liar's settings, `beside` to have it stand there.

    Args:
        is_forged: the stamps are not their logs'.
        stamps: how many logs stamped.
        foreign: somebody else holds a certificate for our name.
        caa: what the resolver knows.
        list_age: of the list of logs.
    """

    def __init__(
        self,
        *,
        is_forged: bool = False,
        stamps: int = 2,
        foreign: bool = False,
        caa: dict[str, list[bytes]] | None = None,
        list_age: timedelta = timedelta(days=1),
    ) -> None:
        self.is_forged, self.stamps, self.foreign = is_forged, stamps, foreign
        self.caa = CA_RECORD if caa is None else caa
        self.list_age = list_age
        self._made: Settings | None = None
        self._open = ExitStack()

    def declared(self, settings: Settings) -> Settings:
        """What the operator of that world says. The world stands from here on."""
        if self._made is None:
            self._made = self._make(settings)
        return self._made

    def _make(self, settings: Settings) -> Settings:
        data = Path(settings.troth.data)
        folder = data / "public-world"
        folder.mkdir(exist_ok=True)
        root = authority.load(data / "tls" / "ca.pem", data / "tls" / "ca.key")
        hosts = (settings.application.host, settings.troth.host)
        logs = [public.Log("first"), public.Log("second")]
        pair = public.stamped(root, hosts, logs[: self.stamps], is_forged=self.is_forged)
        chain, key = public.write(folder, pair)
        listed = folder / "logs.json"
        listed.write_bytes(public.log_list(logs, clock.now() - self.list_age))
        entries = [public.entry(pair.key_sha256, *hosts)]
        if self.foreign:
            entries.append(public.entry(STRANGER, f"login.{hosts[0]}"))
        search = self._open.enter_context(public.searching(entries))
        resolver = self._open.enter_context(public.resolving(self.caa))
        tls = REPLACE(
            settings.edge.tls,
            authority="files",
            certificate=str(chain),
            key=f"file:{key}",
            public_root=True,
        )
        seen = REPLACE(
            settings.edge.transparency, logs=str(listed), search=search, resolver=resolver
        )
        return REPLACE(settings, edge=REPLACE(settings.edge, tls=tls, transparency=seen))

    @contextmanager
    def beside(self, _data: Path, site: Site) -> Iterator[None]:
        """It stands until the end of the `with`."""
        assert urlsplit(site.app).hostname
        try:
            yield
        finally:
            self._open.close()
            self._made = None


def _liar(name: str, check: str, world: World) -> Liar:
    return Liar(
        "certificate-transparency",
        name,
        declared=world.declared,
        beside=world.beside,
        only=(f"certificate-transparency.{check}",),
    )


TWIN = World()
LIARS = (
    _liar("forged stamps", "stamps", World(is_forged=True)),
    _liar("one stamp", "stamps", World(stamps=1)),
    _liar("another holds our name", "logs", World(foreign=True)),
    _liar("anybody may issue", "caa", World(caa={})),
)

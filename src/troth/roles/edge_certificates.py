"""The edge's certificates: local, the operator's files, or ACME; always something that serves.

A failure is told and changes nothing: what is served goes on. With ACME a host that has no
certificate yet is served by one of the local authority until the first is issued.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from troth.adapters import chance, files
from troth.adapters.log import Log
from troth.catalogue import Settings
from troth.engines.certificates import acme, authority, pair
from troth.engines.certificates.errors import CertificateError
from troth.engines.certificates.pair import Pair
from troth.engines.envoy import push
from troth.engines.envoy.resources import Certificate
from troth.roles import edge_plan
from troth.roles.places import Places

# Source: Let's Encrypt, rate limits: 5 failed validations an hour for each account and name.
ASK_AGAIN = timedelta(hours=1)


class Certificates:
    """Keeps the pairs of an installation's hosts.

    Args:
        places: the data directory.
        log: told of each certificate that is issued, and of each failure.
    """

    def __init__(self, places: Places, log: Log) -> None:
        self._places = places
        self._log = log
        self._served: dict[str, bytes] = {}
        self._not_before: dict[str, datetime] = {}

    def keep(
        self, settings: Settings, certificates: Mapping[str, Certificate], now: datetime
    ) -> None:
        """See that every host has a pair that can be served now, and that Envoy reads it.

        Raises:
            CertificateError: a host has none.
        """
        tls, hosts = settings.edge.tls, edge_plan.tls_hosts(settings)
        if tls.authority == "local":
            self._issue(settings, hosts, now)
        if tls.authority == "acme":
            self._issue(settings, tuple(each for each in hosts if self._lacks(each, now)), now)
        for host, one in certificates.items():
            pair.check(Pair(one.chain, one.key), (host,), now)
            self._hand_over(host, one)

    def due(self, settings: Settings, now: datetime) -> tuple[str, ...]:
        """Hosts for which ACME is to be asked now."""
        if settings.edge.tls.authority != "acme":
            return ()
        return tuple(
            host
            for host in edge_plan.tls_hosts(settings)
            if self._not_before.get(host, now) <= now and self._is_to_be_asked_for(host, now)
        )

    def obtain(
        self,
        settings: Settings,
        host: str,
        publish: Callable[[Mapping[str, str]], None],
        now: datetime,
    ) -> bool:
        """Ask ACME for one host; whether it gave one. A failure is told, the old one stays."""
        given = settings.edge.tls.acme
        if given is None:  # the settings' type says so; edge_plan refuses it before
            return False
        account = acme.Account(
            directory=given.directory,
            contact=given.contact,
            ca_file=given.ca_file,
            key=self._places.tls / "acme.key",
        )
        self._not_before[host] = now + ASK_AGAIN
        try:
            chain, key = acme.obtain(account, host, publish)
        except CertificateError as failure:
            self._log.event("certificate.kept", host=host, why=failure.hint())
            return False
        pair.write(pair.place(self._places.tls, host), chain, key)
        self._not_before.pop(host)
        self._log.event("certificate.issued", host=host, by=given.directory)
        return True

    def _issue(self, settings: Settings, hosts: tuple[str, ...], now: datetime) -> None:
        """By the local authority."""
        name, folder = settings.troth.name, self._places.tls
        for host in authority.keep(folder, hosts, name=name, now=now, rng=chance.system()):
            self._log.event("certificate.issued", host=host, by="the local authority")

    def _lacks(self, host: str, now: datetime) -> bool:
        try:
            pair.check(pair.place(self._places.tls, host), (host,), now)
        except CertificateError:
            return True
        return False

    def _is_to_be_asked_for(self, host: str, now: datetime) -> bool:
        """It has none, a stand-in of the local authority's, or one in its last third."""
        try:
            leaf = pair.check(pair.place(self._places.tls, host), (host,), now)
        except CertificateError:
            return True
        return pair.is_due(leaf, now) or authority.has_issued(self._places.tls, leaf)

    def _hand_over(self, host: str, one: Certificate) -> None:
        """Have Envoy read the pair again when it is another one than before."""
        content = files.read_capped(one.chain, pair.MAX_PEM_BYTES)
        if self._served.get(host) != content or not one.sds.exists():
            push.write_certificate(host, one)
            self._served[host] = content

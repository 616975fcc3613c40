"""Where a service stands: the addresses that visitors, probes and the page use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The outside names of one installation; no address ends with a slash.

    Args:
        name: what the page calls the service.
        app: the application, `https://host[:port]`.
        http: the redirecting listener, `http://host[:port]`.
        troth: Troth's own host, `https://host[:port]`; `trust` is below it.
        status: the status host, `https://host:port`.
        ca_file: the authority's PEM file when it is not a public root; empty for public roots.
        origin: where the application itself listens, `http://host:port` or `unix:/path`; empty when
            it is not known here.
        prefix: below which Troth answers on the application's host.
        upload_paths: path prefixes of the application where visitors send files.
        is_public: whether strangers on the internet reach it by these names.
    """

    name: str
    app: str
    http: str
    troth: str
    status: str
    ca_file: str = ""
    origin: str = ""
    prefix: str = "/-/"
    upload_paths: tuple[str, ...] = ()
    is_public: bool = False

    @property
    def sink(self) -> str:
        """Where replays of attacks end: asked about like the application's own, and inert."""
        return f"{self.app}{self.prefix}sink"

    @property
    def trust(self) -> str:
        """The trust page in English."""
        return f"{self.troth}/trust/"

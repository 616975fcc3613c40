"""The table of contents: every promise in order, and the settings they are given.

A promise lives in its area's folder and on one line here. Nothing is discovered.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from troth.kernel.model import Promise
from troth.kernel.site import Site
from troth.promises.edge import promise as edge
from troth.promises.edge import rules as edge_rules
from troth.promises.edge.settings import EdgeSettings
from troth.promises.guard import promise as guard
from troth.promises.guard.rules import applies as guard_applies
from troth.promises.guard.settings import GuardSettings
from troth.promises.payments import promise as payments
from troth.promises.payments.settings import PaymentsSettings
from troth.promises.trust import promise as trust
from troth.promises.trust.settings import TrustSettings

CATALOGUE: tuple[Promise, ...] = (
    edge.TLS_EVERYWHERE,
    edge.TLS_MODERN_VERSIONS,
    edge.TLS_NO_SSL2_SSL3,
    edge.TLS_STRONG_CERTIFICATE,
    edge.TLS_KNOWN_ATTACKS,
    edge.TLS_GRADE_A_PLUS,
    edge.CERTIFICATE_TRANSPARENCY,
    edge.HTTPS_REDIRECT,
    edge.HSTS,
    edge.HSTS_LONG_LIFETIME,
    edge.ONLY_PORT_443,
    edge.SECURITY_HEADERS,
    edge.HEADERS_GRADE_A,
    edge.CSP,
    edge.BROWSER_XSS_FILTER_HEADER,
    edge.CONTENT_TYPE_NOSNIFF,
    edge.CLICKJACKING,
    edge.REFERRER_POLICY,
    edge.CORS_POLICY,
    edge.COOKIE_HTTPONLY_SECURE,
    edge.COOKIE_SCOPE,
    edge.TRAFFIC_INSPECTED_INLINE,
    edge.DDOS_MITIGATION,
    guard.WAF_OWASP_TOP10,
    guard.MALICIOUS_TRAFFIC_UPSTREAM,
    guard.UPLOADS_SCANNED,
    guard.AUTO_RESPONSE,
    guard.RATE_LIMIT_IP,
    guard.BRUTE_FORCE_BLOCKING,
    guard.IP_BLOCK_AFTER_FAILURES,
    guard.IP_BLOCKLIST,
    guard.IP_FILTERING,
    guard.ORIGIN_CHECK,
    guard.CSRF_TOKEN,
    guard.BUSINESS_LOGIC_PROTECTION,
    guard.XSS_OUTPUT_ESCAPING,
    payments.NO_CARD_DATA_STORED,
    trust.PUBLIC_MEASURE_LIST,
    trust.PLANNED_LABELLED,
    trust.READER_CAN_RETEST,
    trust.PAGE_LANGUAGES,
    trust.TLS_REPORT_PUBLIC,
    trust.PROCEDURES_REVIEWED,
    trust.CONTACT_PUBLISHED,
)

Host = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]


class Troth(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[troth]`: the installation itself."""

    name: str
    host: Host
    prefix: Annotated[str, Meta(pattern=r"^/[\w.-]+/$")] = "/-/"
    data: str = "/var/lib/troth"
    public: bool = False  # strangers on the internet reach it by these names
    log_origin: str = ""  # the log's name, the host unless set; never changes


class Application(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[application]`: what stands behind Troth."""

    host: Host
    upstream: Annotated[str, Meta(pattern=r"^(https?://[\w.:\[\]-]+|unix:/[^\s]+)$")]


class Status(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[status]`: the status host with a port of its own, up when all the rest is down."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535)] = 8444


class Database(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[database]`: Troth's own state; the embedded cluster unless a URL is given."""

    url: str = ""  # `env:NAME` or `file:PATH`; never the secret itself
    bindir: str = ""


class Counters(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[counters]`: where limits, trails and bans are kept; by each guard unless a URL is given.

    With a URL all guards share them, and so do applications with the guard in their own process.
    """

    url: Annotated[str, Meta(pattern=r"^((env|file):.+)?$")] = ""  # redis://, rediss://, unix://
    # 32 characters or more, random, the same for all guards: names in the server are hashed with it
    key: Annotated[str, Meta(pattern=r"^((env|file):.+)?$")] = ""
    timeout_ms: Annotated[int, Meta(ge=5, le=5_000)] = 100  # then nothing passes, but where it may


class Word(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[promises.<slug>]`: what the operator says of one promise."""

    not_applicable: str = ""
    planned_for: date | None = None


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of troth.toml."""

    troth: Troth
    application: Application
    status: Status
    database: Database = msgspec.field(default_factory=Database)
    counters: Counters = msgspec.field(default_factory=Counters)
    edge: EdgeSettings = msgspec.field(default_factory=EdgeSettings)
    guard: GuardSettings = msgspec.field(default_factory=GuardSettings)
    payments: PaymentsSettings = msgspec.field(default_factory=PaymentsSettings)
    trust: TrustSettings = msgspec.field(default_factory=TrustSettings)
    promises: dict[str, Word] = {}

    def of(self, area: str) -> Struct:
        """The settings of one area. Raises KeyError for an area without settings."""
        areas: dict[str, Struct] = {
            "edge": self.edge,
            "guard": self.guard,
            "payments": self.payments,
            "trust": self.trust,
        }
        return areas[area]


def site(settings: Settings, ca_file: str = "") -> Site:
    """Where the installation stands, as visitors write it."""

    def address(scheme: Literal["https", "http"], host: str, port: int) -> str:
        default = {"https": 443, "http": 80}[scheme]
        return f"{scheme}://{host}" if port == default else f"{scheme}://{host}:{port}"

    edge_port = settings.edge.port
    return Site(
        name=settings.troth.name,
        app=address("https", settings.application.host, edge_port),
        http=address("http", settings.application.host, settings.edge.http_port),
        troth=address("https", settings.troth.host, edge_port),
        status=address("https", settings.status.host, settings.status.port),
        ca_file=ca_file,
        origin=settings.application.upstream,
        prefix=settings.troth.prefix,
        upload_paths=settings.edge.upload_paths,
        is_public=settings.troth.public,
    )


def words(settings: Settings, area: str) -> Mapping[str, Mapping[str, str]]:
    """By language, what the placeholders of an area's sentences stand for now."""
    return edge_rules.words(settings.edge) if area == "edge" else {}


def declared(settings: Settings) -> tuple[Promise, ...]:
    """The catalogue as this installation declares it.

    A promise that cannot apply here (a private authority has no public logs) says why; the
    operator's own word comes first.
    """
    unknown = set(settings.promises) - {promise.slug for promise in CATALOGUE}
    if unknown:
        raise ValueError(f"[promises.{min(unknown)}]: no such promise")
    because = {
        **edge_rules.not_applicable(settings.edge),
        **guard_applies.not_applicable(settings.guard, settings.edge.upload_paths),
    }
    return tuple(_as_declared(promise, settings.promises, because) for promise in CATALOGUE)


def _as_declared(
    promise: Promise, words: Mapping[str, Word], because: Mapping[str, str]
) -> Promise:
    word = words.get(promise.slug, Word())
    return replace(
        promise,
        not_applicable_because=word.not_applicable or because.get(promise.slug, ""),
        planned_for=word.planned_for or promise.planned_for,
    )

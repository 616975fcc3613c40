"""What an operator may set about the edge: `[edge]` in troth.toml."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[int, Meta(ge=0, le=63_072_000)]  # two years, the hstspreload.org customary top
Bytes = Annotated[int, Meta(ge=1024, le=10 * 1024**3)]
Origin = Annotated[str, Meta(pattern=r"^https?://[a-z0-9.-]+(:\d{1,5})?$")]
Path = Annotated[str, Meta(pattern=r"^/")]
Network = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f.:]+(/\d{1,3})?$")]
Address = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f.:]+$")]


class Hsts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Strict-Transport-Security (RFC 6797). Begins short: `troth hsts raise` makes it longer."""

    max_age_s: Seconds = 300
    include_subdomains: bool = False
    preload: bool = False


class Acme(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An ACME authority (RFC 8555), HTTP-01 only."""

    directory: str
    contact: str = ""
    ca_file: str = ""  # for a private ACME server such as pebble


class Tls(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Certificates: a local authority for development, files, or ACME."""

    authority: Literal["local", "files", "acme"] = "local"
    certificate: str = ""  # path of a PEM chain, for `files`
    key: str = ""  # `file:/path` of a PEM key, for `files`
    acme: Acme | None = None
    public_root: bool = False  # the chain of `files` ends at a root that browsers trust


class Csp(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Content-Security-Policy of the application. Begins report-only; empty policy: learn one."""

    mode: Literal["off", "report-only", "enforced"] = "report-only"
    policy: str = ""


# Browser features that reach a person's place, devices or money (Permissions Policy, registry).
Feature = Literal[
    "accelerometer",
    "camera",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "payment",
    "usb",
]
FEATURES: tuple[str, ...] = get_args(Feature)


class Headers(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Header sets of the application that may break it, off until the operator turns them on."""

    referrer_policy: Literal[
        "strict-origin-when-cross-origin",
        "strict-origin",
        "same-origin",
        "origin-when-cross-origin",
    ] = "strict-origin-when-cross-origin"
    frame_ancestors: Literal["none", "self"] = "none"
    features: tuple[Feature, ...] = ()  # that the application's own pages use; all others are off
    cross_origin_opener_policy: bool = False
    cross_origin_resource_policy: bool = False
    cross_origin_embedder_policy: bool = False
    no_store: bool = False


class Cors(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Origins that may read the application's answers from a browser."""

    origins: tuple[Origin, ...] = ()
    credentials: bool = False
    methods: tuple[str, ...] = ("GET", "POST")
    headers: tuple[str, ...] = ("content-type",)
    paths: tuple[Path, ...] = ("/",)


class Cookies(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How upstream cookies are repaired.

    `readable` names cookies that the application's own scripts must read: they stay without
    HttpOnly; `cross_site` those that must travel cross-site (SameSite=None is kept). `*` at a
    name's end stands for any rest (`wp-settings-*`).
    """

    readable: tuple[str, ...] = ()
    cross_site: tuple[str, ...] = ()
    same_site: Literal["Lax", "Strict"] = "Lax"


class Form(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A form that a probe may post as a browser of this site would. Never a secret.

    `{random}` in a value becomes 24 random characters, so that nobody knows what was sent;
    `{canary}` the secret of this installation's canary account, made on first use.
    """

    path: Path
    fields: dict[str, str] = {}


class Probe(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[edge.probe]`: routes of the application that the probes may use.

    Args:
        page: an HTML page for everybody, status 200.
        broken: a path on which the application fails (5xx), if one is known.
        cookie: the cheapest form on which the application sets a cookie; asked every 20 s.
        forms: more such forms (a canary's log-in); asked every 5 minutes.
        sslyze: a Python that has sslyze; empty looks for `.venv-scan` beside our own.
        browser: the operator's own Chromium; empty looks in PATH.
    """

    page: Path = "/"
    broken: str = ""
    cookie: Form | None = None
    forms: tuple[Form, ...] = ()
    sslyze: str = ""
    browser: str = ""


class Transparency(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[edge.transparency]`: where public logs are looked at, for certificates of a public root.

    Args:
        logs: path of a log list (version 3, as browsers' makers publish it); fresh for 70 days.
        search: address of a search of all logs by name, in the shape of Cert Spotter's version 1.
        ca_file: PEM of a private authority of that search.
        keys: further public keys of ours: SHA-256 of the DER, hex.
        resolver: `address:port` of the resolver to ask for CAA; empty takes the system's.
    """

    logs: str = ""
    search: Annotated[str, Meta(pattern=r"^(https?://[^\s?#]+)?$")] = ""
    ca_file: str = ""
    keys: tuple[Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    resolver: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f.:]+:\d{1,5})?$")] = ""


class EdgeSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[edge]`: where Troth listens and what it says of itself on every response."""

    addresses: tuple[Address, ...] = ("0.0.0.0", "::")  # noqa: S104 -- an edge faces the world
    port: Port = 443
    http_port: Port = 80
    http3: bool = False
    binary: str = ""  # the operator's own Envoy
    workers: Annotated[int, Meta(ge=0, le=64)] = 0  # 0: by the cores beside the guards, 2 at most
    trusted_hops: Annotated[int, Meta(ge=0, le=8)] = 0
    proxy_protocol: bool = False
    trusted_proxies: tuple[Network, ...] = ()  # who may say who the visitor is; others get nothing
    max_body_bytes: Bytes = 10 * 1024**2
    upload_paths: tuple[Path, ...] = ()
    max_upload_bytes: Bytes = 100 * 1024**2
    stream_paths: tuple[Path, ...] = ()
    service_worker_scopes: tuple[Path, ...] = ()
    other_ports: tuple[Port, ...] = ()  # ports of this host that are declared and not Troth's
    tls: Tls = msgspec.field(default_factory=Tls)
    hsts: Hsts = msgspec.field(default_factory=Hsts)
    csp: Csp = msgspec.field(default_factory=Csp)
    headers: Headers = msgspec.field(default_factory=Headers)
    cors: Cors = msgspec.field(default_factory=Cors)
    cookies: Cookies = msgspec.field(default_factory=Cookies)
    transparency: Transparency = msgspec.field(default_factory=Transparency)
    probe: Probe = msgspec.field(default_factory=Probe)

"""`[guard.uploads]`: what becomes of bodies on the routes that `[edge] upload_paths` names."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Kind = Literal[
    "image",
    "svg",
    "audio",
    "video",
    "font",
    "pdf",
    "office",
    "archive",
    "text",
    "html",
    "program",
    "other",
]
Prefix = Annotated[str, Meta(pattern=r"^/", max_length=256)]
Bytes = Annotated[int, Meta(ge=1024, le=10 * 1024**3)]
HARMLESS: tuple[Kind, ...] = (
    "image",
    "svg",
    "audio",
    "video",
    "font",
    "pdf",
    "office",
    "archive",
    "text",
    "other",
)
MEBIBYTE = 1024 * 1024


class UploadRoute(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.uploads.routes]]`: what one upload route, or a part of it, takes.

    Of several that fit the longest `path` counts. `kinds` are told by a file's first bytes, not by
    its name; what a file claims to be must fit. `max_bytes` is of the whole body, below `[edge]
    max_upload_bytes`.
    """

    path: Prefix
    kinds: Annotated[tuple[Kind, ...], Meta(min_length=1)] = HARMLESS
    max_bytes: Bytes = 10 * 1024**3
    macros: Literal["refuse", "pass"] = "refuse"
    active_pdf: Literal["refuse", "pass"] = "refuse"
    encrypted: Literal["refuse", "pass"] = "refuse"
    text: Literal["rules", "pass"] = "pass"


class Uploads(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.uploads]`: uploads lie on disk until they were looked at; then the application's.

    `mode` `watch` tells what would be refused and refuses nothing; with `off` bodies stream past,
    judged by their headers. `clamd` is the socket of a ClamAV daemon, which every file is shown to.
    While the desk or clamd is gone `when_gone` says what becomes of uploads. At most `at_once`
    uploads of `total_bytes` together are held; more are told to come again (503). A body must come
    within `receive_s`, without a pause of `idle_s`. `kinds` (of routes that say nothing) leave out
    programs and HTML; office macros, PDF scripts and what is encrypted are refused.
    """

    mode: Literal["block", "watch", "off"] = "block"
    clamd: Annotated[str, Meta(pattern=r"^(/[^\s]+)?$", max_length=107)] = ""
    clamd_s: Annotated[int, Meta(ge=1, le=600)] = 60
    when_gone: Literal["refuse", "pass"] = "refuse"
    at_once: Annotated[int, Meta(ge=1, le=1000)] = 32
    total_bytes: Annotated[int, Meta(ge=MEBIBYTE, le=1024**4)] = 2 * 1024 * MEBIBYTE
    receive_s: Annotated[int, Meta(ge=1, le=86_400)] = 600
    idle_s: Annotated[int, Meta(ge=1, le=600)] = 30
    parts: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    routes: Annotated[tuple[UploadRoute, ...], Meta(max_length=128)] = ()

"""What an operator may set about the page: `[trust]` in troth.toml."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Language = Literal["en", "it", "de", "fr"]


class Company(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who publishes the page (GDPR 13(1)(a), eCommerce Directive 5)."""

    legal_name: str = ""
    address: tuple[str, ...] = ()  # postal lines
    mail: str = ""
    imprint: str = ""  # path or address of the application's own imprint
    privacy: str = ""


class Review(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A signed review of the security procedures, with the next one's date."""

    by: str
    role: str
    reviewed: date
    next: date
    statement: str = "The security procedures were reviewed."


class TrustSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[trust]`: the page's languages, its publisher and its review."""

    languages: Annotated[tuple[Language, ...], Meta(min_length=1)] = ("en", "it", "de", "fr")
    company: Company = msgspec.field(default_factory=Company)
    review: Review | None = None
    security_contact: str = ""  # mailto: or https: for security.txt; the company's mail otherwise

"""Looks for who publishes the page: in its footer, in security.txt, in imprint and privacy."""

from datetime import datetime
from typing import Any

from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.promises.trust.probe import reading
from troth.promises.trust.rules import read_security_txt, squeezed
from troth.promises.trust.settings import TrustSettings


def contact(vantage: Vantage, settings: TrustSettings) -> Observation:
    """Whether name, address and mail stand everywhere; facts hold none of them."""
    company = settings.company
    wanted = {
        "name": (company.legal_name,),
        "address": company.address,
        "mail": (company.mail,),
    }
    found = reading.pages(vantage, settings)
    return Observation(
        facts={
            "set": {name: all(values) and bool(values) for name, values in wanted.items()},
            "pages": {name: page and _stands(page.footer, wanted) for name, page in found.items()},
            "security": {
                name: _security(vantage, f"{origin}/.well-known/security.txt", settings)
                for name, origin in (("app", vantage.site.app), ("troth", vantage.site.troth))
            },
            "imprint": _linked(vantage, company.imprint, wanted),
            "privacy": _linked(vantage, company.privacy, wanted),
        },
        public=frozenset({"set", "pages", "security", "imprint", "privacy"}),
    )


def _stands(text: str, wanted: dict[str, tuple[str, ...]]) -> dict[str, bool]:
    plain = squeezed(text)
    return {name: all(squeezed(v) in plain for v in values) for name, values in wanted.items()}


def _linked(
    vantage: Vantage, path: str, wanted: dict[str, tuple[str, ...]]
) -> dict[str, Any] | None:
    """What a page of the application says; None when none is named in the settings."""
    if not path:
        return None
    url = vantage.site.app + path if path.startswith("/") else path
    answer = vantage.fetch(url)
    return {"status": answer.status, **_stands(answer.text, wanted)}


def _security(vantage: Vantage, url: str, settings: TrustSettings) -> dict[str, Any]:
    answer = vantage.fetch(url)
    fields = read_security_txt(answer.text)
    expected = settings.security_contact or f"mailto:{settings.company.mail}"
    return {
        "status": answer.status,
        "agrees": fields.get("contact", []) == [expected],
        "lasts_s": _lasts_s(fields.get("expires", []), vantage.now),
        "canonical": url in fields.get("canonical", []),
    }


def _lasts_s(values: list[str], now: datetime) -> int | None:
    try:
        (value,) = values
        return int((datetime.fromisoformat(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None

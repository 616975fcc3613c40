"""Looks at the page in its languages: what stands there, and how."""

from typing import Any

from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.promises.trust.probe import reading
from troth.promises.trust.rules import Reading, colours, read_page
from troth.promises.trust.settings import TrustSettings


def measure_list(vantage: Vantage, _settings: TrustSettings) -> Observation:
    """The first page's promises and the API's."""
    listed = reading.promises(vantage)
    answer = reading.get(vantage, "/trust/")
    page = read_page(answer.text)
    return Observation(
        facts={
            "status": answer.status,
            "api": [str(entry["slug"]) for entry in listed["promises"]],
            "page": [
                [item.slug, item.state, len(item.sentence), len(item.evidence)]
                for item in page.items
            ],
            "loose": page.loose,
        },
        public=frozenset({"status", "loose"}),
    )


def planned(vantage: Vantage, settings: TrustSettings) -> Observation:
    """How planned promises look beside the others, in every language, and in the stylesheet."""
    listed = reading.promises(vantage)
    found = reading.pages(vantage, settings)
    css = reading.get(vantage, "/trust/static/troth.css").text
    return Observation(
        facts={
            "planned": [
                str(e["slug"]) for e in listed["promises"] if e.get("planned_for") is not None
            ],
            "pages": {name: page and _as_shown(page) for name, page in found.items()},
            "colours": [list(pair) for pair in colours(css)],
            "has_rule": "[data-state=planned]" in css,
        },
        public=frozenset({"planned"}),
    )


def _as_shown(page: Reading) -> dict[str, Any]:
    return {
        "items": [
            [item.slug, item.state, item.word, item.has_icon, item.has_date] for item in page.items
        ],
        "counted": dict(page.counted),
    }


def languages(vantage: Vantage, settings: TrustSettings) -> Observation:
    """What the page says in each language: ids, states, evidence, and whether it is translated."""
    found = reading.pages(vantage, settings)
    listed = reading.promises(vantage)
    claims = {str(entry["slug"]): entry["claim"] for entry in listed["promises"]}
    return Observation(
        facts={
            "pages": {
                name: page
                and {
                    "lang": page.language,
                    "items": [
                        [item.slug, item.state, list(item.evidence), item.word]
                        for item in page.items
                    ],
                    "foreign": [
                        item.slug
                        for item in page.items
                        if " ".join(str(claims.get(item.slug, {}).get(name, "")).split())
                        != item.sentence
                        or not item.sentence
                    ],
                }
                for name, page in found.items()
            },
            "repeats": sorted(
                slug
                for slug, claim in claims.items()
                if len(set(claim.values())) < len(settings.languages)
            ),
        },
    )

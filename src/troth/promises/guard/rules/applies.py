"""What an installation promises at all: a promise about something that is not set says so."""

from collections.abc import Mapping, Sequence

from troth.promises.guard.settings import GuardSettings


def not_applicable(settings: GuardSettings, upload_paths: Sequence[str] = ()) -> Mapping[str, str]:
    """Slugs that cannot apply under these settings, each with its reason.

    `upload_paths` are the application's, as the edge's settings name them.
    """
    because: dict[str, str] = {}
    if not settings.lists:
        because["ip-blocklist"] = "no list of addresses has been named for this application yet"
    if not settings.login:
        for slug in ("brute-force-blocking", "ip-block-after-failures"):
            because[slug] = "no login route of this application has been named yet"
    if not upload_paths:
        because["uploads-scanned"] = "no upload route of this application has been named yet"
    if not settings.csrf.paths:
        because["csrf-token"] = "no important action of this application has been named yet"
    if not settings.flows:
        because["business-logic-protection"] = "no flow of this application has been declared yet"
    if not (settings.escaping.plant or settings.escaping.reflected):
        because["xss-output-escaping"] = (
            "no form or page of this application has been named for this proof yet"
        )
    return because

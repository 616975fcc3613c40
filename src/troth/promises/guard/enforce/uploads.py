"""Uploads: which rules a route has, and what is done about what was found in one.

Fails closed: an upload that could not be looked at is refused (503), unless `when_gone` says that
it passes. In the mode `watch` nothing is refused, and whatever was found is told.
"""

from dataclasses import dataclass

from troth.engines.uploads import Content, Fault, Looked, Rules, Scan, look
from troth.engines.uploads.model import GONE
from troth.kernel.request import Hit, Opinion, Refusal, Request
from troth.promises.guard.settings.uploads import UploadRoute, Uploads

SLUG = "uploads-scanned"
RETRY_AFTER = ((b"retry-after", b"30"),)
# Rules of our own are numbered from here (the pack has 9,000,000 to 9,099,999), by code.
RULE = "upload"


@dataclass(frozen=True, slots=True)
class Desk:
    """What is asked of uploads under these settings."""

    settings: Uploads
    limit: int  # of what rules read, in bytes
    scan: Scan | None = None

    def rules(self, path: bytes) -> Rules:
        """What the route of this path takes."""
        fitting = [each for each in self.settings.routes if path.startswith(each.path.encode())]
        route = max(fitting, key=lambda each: len(each.path), default=UploadRoute(path="/"))
        return Rules(
            kinds=frozenset(route.kinds),
            max_bytes=route.max_bytes,
            parts=self.settings.parts,
            refuses_macros=route.macros == "refuse",
            refuses_active_pdf=route.active_pdf == "refuse",
            refuses_encrypted=route.encrypted == "refuse",
            reads_text=route.text == "rules",
        )

    def look(self, request: Request, content: Content) -> Looked:
        """Look at a body that lies whole. Slow: never in an event loop."""
        rules = self.rules(request.path)
        try:
            return look(content, request.headers, rules, limit=self.limit, scan=self.scan)
        except OSError as error:
            if self.settings.when_gone == "pass":
                return look(content, request.headers, rules, limit=self.limit)
            return Looked(
                fault=Fault(code="scanner", status=GONE, message=f"no scanner answers: {error}")
            )

    def opinion(self, fault: Fault) -> Opinion:
        """What is done about what was found."""
        hit = Hit(
            rule=f"{RULE}-{fault.code}",
            place=fault.place,
            value=fault.value,
            message=fault.message,
            score=5,
        )
        if self.settings.mode == "watch":
            return Opinion(hits=(hit,), counted=f"uploads.watched.{fault.code}")
        headers = RETRY_AFTER if fault.status == GONE else ()
        refusal = Refusal(slug=SLUG, code=fault.code, status=fault.status, headers=headers)
        return Opinion(refusal=refusal, hits=(hit,))


def of(settings: Uploads, limit: int, scan: Scan | None = None) -> Desk | None:
    """What is asked of uploads; None when they stream past."""
    return None if settings.mode == "off" else Desk(settings, limit, scan)

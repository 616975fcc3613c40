"""A decision as an event: OCSF, class HTTP Activity, with the profile for security controls.

Source: Open Cybersecurity Schema Framework 1.3 (ocsf/ocsf-schema: events/network/http_activity,
profiles/security_control, objects/firewall_rule). What the schema has no field for stands under
`unmapped`. No secret, no query, no body, no cookie; values that a rule matched are clipped, and
left out where their name is a secret's; card numbers are masked everywhere.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import troth
from troth.enforce.decide import MAX_TOLD_BYTES, Decision
from troth.kernel.redact import is_secret, masked, shown
from troth.kernel.request import Ban, Hit, Request

OCSF = "1.3.0"
CATEGORY, CLASS = 4, 4002  # network activity, HTTP Activity
ACTIVITIES = {
    b"CONNECT": 1,
    b"DELETE": 2,
    b"GET": 3,
    b"HEAD": 4,
    b"OPTIONS": 5,
    b"POST": 6,
    b"PUT": 7,
    b"TRACE": 8,
}
OTHER = 99
ALLOWED, DENIED = 1, 2  # action_id
PASSED, BLOCKED, DETECTED, ERROR = 1, 2, 15, 27  # disposition_id
INFORMATIONAL, LOW, MEDIUM, HIGH = 1, 2, 3, 4  # severity_id
MAX_RULES = 20
MAX_VALUE_BYTES = 128
SERVER_FAULT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One decision, before it is written: id (hex digits), moment (UTC), request and decision."""

    id: str
    at: datetime
    request: Request
    decision: Decision


def record(event: Event) -> dict[str, Any]:
    """The event in OCSF's words, ready for JSON."""
    request, decision = event.request, event.decision
    refusal = decision.refusal
    activity = ACTIVITIES.get(request.method, OTHER)
    host, _, port = request.host.decode("ascii", "replace").rpartition(":")
    if not port.isdigit():
        host, port = f"{host}:{port}".strip(":"), ""
    path = shown(request.path, clip=MAX_TOLD_BYTES)
    found: dict[str, Any] = {
        "metadata": {
            "uid": event.id,
            "version": OCSF,
            "product": {"name": "Troth", "vendor_name": "Troth", "version": troth.__version__},
            "profiles": ["security_control"],
            "log_name": "guard",
        },
        "time": int(event.at.timestamp() * 1000),
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "activity_id": activity,
        "type_uid": CLASS * 100 + activity,
        "severity_id": _severity(decision),
        "action_id": DENIED if refusal else ALLOWED,
        "disposition_id": _disposition(decision),
        "src_endpoint": {"ip": request.client},
        "http_request": {
            "http_method": shown(request.method, clip=32),
            "version": request.protocol.decode("ascii", "replace"),
            "user_agent": _one(request, b"user-agent"),
            "url": {
                "hostname": host[:MAX_TOLD_BYTES],
                "path": path,
                "scheme": "https",
                **({"port": int(port)} if port else {}),
            },
        },
    }
    if activity == OTHER:
        found["activity_name"] = shown(request.method, clip=32)
    if refusal:
        found["status_id"] = 2  # failure: it had no effect
        found["status_code"] = refusal.code
        found["http_response"] = {"code": refusal.status}
        found["policy"] = {"name": refusal.slug}
    if decision.hits:
        found["firewall_rule"] = _rule(decision.hits[-1])
    found["unmapped"] = {
        **({"promise": refusal.slug, "code": refusal.code} if refusal else {}),
        **({"counted": list(decision.counted)} if decision.counted else {}),
        **({"rules": [_rule(hit) for hit in decision.hits[:MAX_RULES]]} if decision.hits else {}),
        **_bans(decision),
    }
    if not found["unmapped"]:
        del found["unmapped"]
    return found


def banned(identifier: str, at: datetime, ban: Ban) -> dict[str, Any]:
    """Somebody was banned, as an event of its own."""
    return {
        "metadata": {
            "uid": identifier,
            "version": OCSF,
            "product": {"name": "Troth", "vendor_name": "Troth", "version": troth.__version__},
            "profiles": ["security_control"],
            "log_name": "guard",
        },
        "time": int(at.timestamp() * 1000),
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "activity_id": OTHER,
        "activity_name": "Ban",
        "type_uid": CLASS * 100 + OTHER,
        "severity_id": MEDIUM,
        "action_id": DENIED,
        "disposition_id": 24,  # access revoked
        "status_code": ban.cause,
        "src_endpoint": {"ip": ban.subject},
        "unmapped": {
            "ban": {
                "subject": ban.subject,
                "cause": ban.cause,
                "until": ban.until.isoformat(),
                "times": ban.times,
            }
        },
    }


def place_is_secret(place: str) -> bool:
    """Whether what stands at a place (`ARGS:password`, `REQUEST_COOKIES:sid`) is to be hidden.

    So is all of an answer: what leaked there must not leak into a log.
    """
    collection, _, name = place.partition(":")
    return is_secret(name) or is_secret(collection) or collection.startswith("RESPONSE_")


def _rule(hit: Hit) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uid": hit.rule,
        "desc": hit.message[:MAX_TOLD_BYTES],
        "rule_location": shown(hit.place.encode(), clip=MAX_VALUE_BYTES),
    }
    if not place_is_secret(hit.place):
        found["match_details"] = [shown(hit.value, clip=MAX_VALUE_BYTES)]
    return found


def _bans(decision: Decision) -> dict[str, Any]:
    struck = [strike.cause for strike in decision.strikes if strike.subject]
    return {"strikes": struck} if struck else {}


def _severity(decision: Decision) -> int:
    refusal = decision.refusal
    if refusal is None:
        return LOW if decision.hits else INFORMATIONAL
    if _is_fault(decision):
        return HIGH
    return MEDIUM if decision.hits else LOW


def _disposition(decision: Decision) -> int:
    refusal = decision.refusal
    if refusal is None:
        return DETECTED if decision.hits else PASSED
    return ERROR if _is_fault(decision) else BLOCKED


def _is_fault(decision: Decision) -> bool:
    """Ours: a leak that rules withheld has such a status, too, and is none."""
    refusal = decision.refusal
    return refusal is not None and refusal.status >= SERVER_FAULT and not decision.hits


def _one(request: Request, name: bytes) -> str:
    values = request.values(name)
    return shown(masked(values[0]), clip=MAX_TOLD_BYTES) if values else ""

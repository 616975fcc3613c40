"""Facts as the header probes bring them: one answer of each kind, all as it should be."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from troth.promises.edge.settings import EdgeSettings

Facts = dict[str, Any]
POLICY = (
    "default-src 'none'; script-src 'nonce-abc'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
RIGHT = {
    "strict-transport-security": ["max-age=63072000; includeSubDomains"],
    "content-type": ["text/html; charset=utf-8"],
    "content-security-policy": [POLICY],
    "content-security-policy-report-only": [],
    "x-content-type-options": ["nosniff"],
    "x-frame-options": ["DENY"],
    "referrer-policy": ["strict-origin-when-cross-origin"],
    "permissions-policy": ["camera=(), geolocation=(self), usb=*"],
    "cross-origin-opener-policy": ["same-origin"],
    "cross-origin-resource-policy": ["same-origin"],
    "x-xss-protection": [],
}
STATUS = {"page": 200, "missing": 404, "refused": 403, "edge": 421, "trust": 200}


@pytest.fixture
def settings() -> Callable[..., EdgeSettings]:
    def make(**given: object) -> EdgeSettings:
        return msgspec.convert({"csp": {"mode": "enforced"}, **given}, EdgeSettings)

    return make


@pytest.fixture
def facts() -> Callable[..., Facts]:
    """Facts with some headers of one kind of answer, or of all (`kind=""`), replaced."""

    def make(kind: str = "", *, has_body: bool = True, **headers: list[str]) -> Facts:
        changed = {name.replace("_", "-"): values for name, values in headers.items()}
        answers = [
            {
                "kind": each,
                "status": status,
                "has_body": has_body,
                "headers": RIGHT | (changed if kind in ("", each) else {}),
            }
            for each, status in STATUS.items()
        ]
        plain = {"kind": "plain", "status": 301, "headers": {"strict-transport-security": []}}
        return {"answers": answers, "plain": [plain]}

    return make

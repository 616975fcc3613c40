"""Routes below the sink, and an address, by which our own probes see that checks work."""

from datetime import timedelta

from troth.promises.guard.settings.flows import Flow
from troth.promises.guard.settings.login import Outcome

CANARY = "troth-canary"
CANARY_ROUTE = "sink/zone"  # below our prefix
CANARY_ADDRESS = "127.66.255.1"  # loopback: nobody's but this machine's
# Wants a CSRF token wherever one is wanted at all.
TOKEN_ROUTE = "sink/token"  # noqa: S105 -- a route
TOKEN_LASTS = timedelta(seconds=4)  # there, so that a probe can see one expire
# Where any flow is declared, these are, too: below the prefix, each path with it before.
FLOW_ROUTE = "sink/flow"
SCRAPING = Flow(
    name="canary-scraping", kind="distinct", path=f"/{FLOW_ROUTE}/item/{{id}}", of="id", most=8
)
ENUMERATION = Flow(
    name="canary-enumeration",
    kind="count",
    path=f"/{FLOW_ROUTE}/gone/{{name}}",
    answers=(Outcome(status=(404,)),),
    most=6,
)
SKIPPING = Flow(
    name="canary-skipping",
    kind="sequence",
    path=f"/{FLOW_ROUTE}/pay",
    after=f"/{FLOW_ROUTE}/cart",
    within_s=5,
)
HOARDING = Flow(
    name="canary-hoarding",
    kind="count",
    path=f"/{FLOW_ROUTE}/hold",
    less=f"/{FLOW_ROUTE}/done",
    most=4,
    action="refuse",
)
FLOWS = (SCRAPING, ENUMERATION, SKIPPING, HOARDING)

"""The promise about addresses that others found to be bad."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.guard.promise.declare import AREA, check

# An address of the loopback range that is nobody's, and that the example's list always holds.
_REFUSED = (
    'curl --cacert "$CA" -sS -o /dev/null -w "%{http_code}" "$APP/-/sink" | grep -qx 200 && '
    'curl --cacert "$CA" -sS -o /dev/null -D - --interface 127.66.255.2 "$APP/-/sink" '
    "| grep -iq '^[a-z]*-refused: ip-blocklist'"
)

IP_BLOCKLIST = Promise(
    slug="ip-blocklist",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=supports(
        soc2="CC6.6 CC6.8",
        iso27001="A.5.7 A.8.20 A.8.23",
        gdpr="32(1)(b) 6(1)(f)",
        other=("ISO-27002 5.7", "ASVS-5.0 V8.2.4"),
    ),
    checks=(
        check(
            "ip-blocklist.overlay",
            Method.ATTACK,
            "lists:overlay",
            "lists:refused",
            _REFUSED,
        ),
        check(
            "ip-blocklist.age",
            Method.LOOK,
            "lists:age",
            "lists:fresh",
            _REFUSED,
        ),
    ),
)

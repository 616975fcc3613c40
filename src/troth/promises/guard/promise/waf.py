"""The promises about attacks that show in a request."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.guard.promise.declare import AREA, check

_ASK = 'curl --cacert "$CA" -sS -o /dev/null -w "%{http_code}" -G'
_ATTACKS = "\"' OR 1=1 -- -\" '<script>alert(1)</script>' '; cat /etc/passwd' '../../../etc/passwd'"
_REFUSED = (
    f'(for a in {_ATTACKS}; do {_ASK} --data-urlencode "q=$a" "$APP/-/sink" | grep -qx 403 '
    f'|| exit 1; done; {_ASK} --data-urlencode "q=a table for two, please" "$APP/-/sink" '
    "| grep -qx 200)"
)

WAF_OWASP_TOP10 = Promise(
    slug="waf-owasp-top10",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.CRITICAL,
    controls=supports(
        soc2="CC6.6 CC6.8",
        iso27001="A.8.26 A.8.16 A.8.7",
        gdpr="32(1)(b)",
        other=("PCI-4.0.1 6.4.2", "OWASP Top 10:2021", "ASVS-5.0 V1.2.4", "ASVS-5.0 V1.2.5"),
    ),
    checks=(
        check(
            "waf-owasp-top10.sample",
            Method.ATTACK,
            "replay:sample",
            "replay:rates",
            _REFUSED,
        ),
        check(
            "waf-owasp-top10.replay",
            Method.DRILL,
            "replay:whole",
            "replay:rates",
            _REFUSED,
        ),
    ),
)

MALICIOUS_TRAFFIC_UPSTREAM = Promise(
    slug="malicious-traffic-upstream",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    rests_on=("waf-owasp-top10",),
    controls=supports(
        soc2="CC6.6 CC6.8",
        iso27001="A.8.16 A.8.20",
        gdpr="32(1)(b)",
        other=("PCI-4.0.1 6.4.2",),
    ),
    checks=(
        check(
            "malicious-traffic-upstream.arrivals",
            Method.ATTACK,
            "replay:arrivals",
            "replay:kept_away",
            f"{_ASK} -H 'replay-tag: by-hand.attack' -D - --data-urlencode "
            '"q=\' OR 1=1 -- -" "$APP/-/sink" | grep -ic \'^replay-tag:\' | grep -qx 0 && '
            f"{_ASK} -H 'replay-tag: by-hand.harmless' -D - \"$APP/-/sink\" "
            "| grep -ic '^replay-tag:' | grep -qx 1",
        ),
    ),
)

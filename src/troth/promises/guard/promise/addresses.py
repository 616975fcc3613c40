"""The promises about addresses: how often they may ask, which are kept out, and for how long."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.guard.promise.declare import AREA, check

_STATUS = 'curl --cacert "$CA" -sS -o /dev/null -w "%{http_code}\\n"'

RATE_LIMIT_IP = Promise(
    slug="rate-limit-ip",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.6 A1.1",
        iso27001="A.8.6 A.8.20",
        gdpr="32(1)(b)",
        other=("ASVS-5.0 V2.4.1", "ASVS-5.0 V6.3.1", "ASVS-5.0 V15.3.4", "RFC 6585 4"),
    ),
    checks=(
        check(
            "rate-limit-ip.excess",
            Method.ATTACK,
            "addresses:excess",
            "addresses:throttled",
            f'{_STATUS} "$APP/-/sink" | grep -qx 200 && {_STATUS} --interface 127.66.9.9 '
            '"$APP/-/sink?n=[1-400]" | sort | uniq -c | grep -q " 429$"',
        ),
    ),
)

IP_FILTERING = Promise(
    slug="ip-filtering",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=supports(
        soc2="CC6.6",
        iso27001="A.8.20 A.8.22 A.8.3",
        gdpr="32(1)(b)",
        other=("PCI-4.0.1 1.3.1", "ASVS-5.0 V8.2.4"),
    ),
    checks=(
        check(
            "ip-filtering.zone",
            Method.LOOK,
            "addresses:zone",
            "addresses:zoned",
            f'{_STATUS} "$APP/-/sink/zone" | grep -qx 403 && {_STATUS} --interface 127.66.255.1 '
            '"$APP/-/sink/zone" | grep -qx 200',
        ),
    ),
)

AUTO_RESPONSE = Promise(
    slug="auto-response",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC7.3 CC7.4",
        iso27001="A.5.26 A.8.16",
        gdpr="32(1)(b)",
        other=("NIST-CSF-2.0 RS.MI", "ASVS-5.0 V6.1.1"),
    ),
    rests_on=("waf-owasp-top10",),
    checks=(
        check(
            "auto-response.ban",
            Method.ATTACK,
            "addresses:attacker",
            "addresses:banned",
            '(for n in $(seq 30); do curl --cacert "$CA" -sS -o /dev/null -D - --interface '
            '127.66.9.10 -G --data-urlencode "q=\' OR 1=1 -- -" "$APP/-/sink"; done) '
            "| grep -iq '^[a-z]*-refused: auto-response'",
        ),
    ),
)

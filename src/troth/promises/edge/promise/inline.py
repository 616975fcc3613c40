"""Promises about standing in the way: nothing passes beside the edge, and floods do not pass it."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.edge.promise.declare import AREA, check, daily

TRAFFIC_INSPECTED_INLINE = Promise(
    slug="traffic-inspected-inline",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    rests_on=("origin-check",),
    controls=supports(
        soc2="CC6.6 CC7.2",
        iso27001="A.8.16 A.8.20 A.8.23",
        gdpr="32(1)(b)",
        other=("PCI-4.0.1 6.4.2",),
    ),
    checks=(
        check(
            "traffic-inspected-inline.protocols",
            Method.ATTACK,
            "inline:protocols",
            "inline:inspected",
            '(for v in --http1.1 --http2; do curl $v --cacert "$CA" -sS -o /dev/null -D - -X POST '
            '-H "Origin: https://stranger.example" -H "Sec-Fetch-Site: cross-site" "$APP/" '
            "| grep -Eic '^[a-z]+-refused: origin-check' | grep -qx 1 || exit 1; done; "
            'curl --http2 --cacert "$CA" -sS -o /dev/null -D - "$APP/" '
            "| grep -Eic '^[a-z]+-refused:' | grep -qx 0)",
        ),
    ),
)

DDOS_MITIGATION = Promise(
    slug="ddos-mitigation",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="A1.1 CC6.6",
        iso27001="A.8.6 A.8.20 A.8.21",
        gdpr="32(1)(c)",
        other=("ASVS-5.0 V2.4.1", "ASVS-5.0 V15.2.2", "CVE 2023-44487", "NIS2 21(2)(c)"),
    ),
    checks=(
        daily(
            "ddos-mitigation.drill",
            Method.DRILL,
            "floods:drill",
            "floods:floods",
            'curl --cacert "$CA" -fsS -o /dev/null "$APP/" && '
            'curl --cacert "$CA" -sS -m 5 -o /dev/null -w "%{http_code}" '
            '-H "X-Flood: $(head -c 80000 /dev/zero | tr "\\0" x)" "$APP/" | grep -qx 431',
        ),
    ),
)

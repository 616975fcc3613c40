"""The promise about what an application shows of what it was told."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.guard.promise.declare import AREA, check

XSS_OUTPUT_ESCAPING = Promise(
    slug="xss-output-escaping",
    area=AREA,
    kind=Kind.PROBED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.1 CC8.1",
        iso27001="A.8.28 A.8.26",
        gdpr="25",
        other=("ASVS-5.0 V1.2.1", "ASVS-5.0 V1.2.3", "PCI-4.0.1 6.2.4"),
    ),
    checks=(
        check(
            "xss-output-escaping.planted",
            Method.DRILL,
            "escaping:planted",
            "escaping:escaped",
            'for p in "" login search; do curl --cacert "$CA" -sS -G --data-urlencode '
            "'q=<q id=canary>' --data-urlencode 'next=<q id=canary>' \"$APP/$p\" "
            "| grep -c '<q id=canary>' | grep -qx 0 || exit 1; done",
        ),
    ),
)

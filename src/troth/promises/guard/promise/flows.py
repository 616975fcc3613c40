"""The promise about the abuse of what an application is for."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.guard.promise.declare import AREA, check

BUSINESS_LOGIC_PROTECTION = Promise(
    slug="business-logic-protection",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=supports(
        soc2="CC6.6 CC7.2",
        iso27001="A.8.16 A.8.26",
        gdpr="25 32(1)(b)",
        other=(
            "ASVS-5.0 V2.3.2",
            "ASVS-5.0 V2.4.1",
            "OWASP API6:2023",
            "OWASP Automated Threats",
        ),
    ),
    checks=(
        check(
            "business-logic-protection.abuse",
            Method.DRILL,
            "flows:abuse",
            "flows:stopped",
            'curl --cacert "$CA" -sS -o /dev/null -D - --interface 127.66.9.11 '
            '"$APP/-/sink/flow/item/[1-20]" | tr -d "\\r" | grep -i "^[a-z]*-refused:" '
            "| grep -c business-logic-protection | grep -qE '^1[0-9]$'",
        ),
    ),
)

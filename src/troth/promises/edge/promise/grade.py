"""The promise about the grade of the headers."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.edge.promise.declare import AREA, check

HEADERS_GRADE_A = Promise(
    slug="headers-grade-a",
    area=AREA,
    kind=Kind.PROBED,
    severity=Severity.MEDIUM,
    rests_on=(
        "csp",
        "clickjacking",
        "hsts",
        "https-redirect",
        "cors-policy",
        "cookie-httponly-secure",
        "tls-strong-certificate",
    ),
    controls=supports(
        soc2="CC4.1 CC6.6",
        iso27001="A.5.35 A.8.26",
        gdpr="32(1)(d)",
        other=("MDN-HTTP-Observatory v4", "ASVS-5.0 V3.4.3"),
    ),
    checks=(
        check(
            "headers-grade-a.answers",
            Method.SCAN,
            "grade:headers",
            "grade:headers",
            'NODE_EXTRA_CA_CERTS="$CA" npx @mdn/mdn-http-observatory "${APP#https://}"',
        ),
    ),
)

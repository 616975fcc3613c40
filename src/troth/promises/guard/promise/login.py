"""The promises about guessing passwords."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.guard.promise.declare import AREA, check

_GUESS = (
    'curl --cacert "$CA" -sS -o /dev/null -D - -H "Origin: $APP" '
    "--data 'email=nobody@canary.invalid&password=wrong' "
)

BRUTE_FORCE_BLOCKING = Promise(
    slug="brute-force-blocking",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.1 CC6.6 CC7.2",
        iso27001="A.8.5 A.8.16",
        gdpr="32(1)(b)",
        other=(
            "ASVS-5.0 V6.3.1",
            "PCI-4.0.1 8.3.4",
            "HIPAA 164.308(a)(5)(ii)(C)",
            "NIST SP 800-63B-4 3.2.2",
        ),
    ),
    checks=(
        check(
            "brute-force-blocking.guessing",
            Method.DRILL,
            "login:guessing",
            "login:slowed",
            f'(for n in $(seq 20 34); do {_GUESS} --interface 127.66.8.$n "$APP/login"; done) '
            "| grep -Eiq '^[a-z]*-refused: brute-force-blocking'",
        ),
    ),
)

IP_BLOCK_AFTER_FAILURES = Promise(
    slug="ip-block-after-failures",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.6",
        iso27001="A.8.5 A.8.20",
        gdpr="32(1)(b)",
        other=("ASVS-5.0 V6.1.1", "ASVS-5.0 V6.3.1"),
    ),
    checks=(
        check(
            "ip-block-after-failures.fifth",
            Method.ATTACK,
            "login:from_one_address",
            "login:blocked",
            f'(for n in 1 2 3 4 5 6; do {_GUESS} --interface 127.66.8.9 "$APP/login"; done) '
            "| grep -Eiq '^[a-z]*-refused: ip-block-after-failures'",
        ),
    ),
)

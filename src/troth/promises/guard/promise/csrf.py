"""The promise about tokens for important actions."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.guard.promise.declare import AREA, check

_POST = 'curl --cacert "$CA" -sS -o /dev/null -H "Origin: $APP"'
_REPLAY = (
    'j=$(mktemp); t=$(curl --cacert "$CA" -sS -c $j -H "troth-csrf: ask" "$APP/-/csrf" '
    '| sed -n \'s/.*"token": *"\\([^"]*\\)".*/\\1/p\'); '
    f'{_POST} -w "%{{http_code}}" -b $j -d "troth-csrf=$t" "$APP/-/sink/token" | grep -qx 200 && '
    f'for a in "-b $j -d n=1" "-d troth-csrf=$t" "-b $j -d troth-csrf=x$t"; do {_POST} -D - $a '
    "\"$APP/-/sink/token\" | grep -iq '^[a-z]*-refused: csrf-token' || exit 1; done"
)

CSRF_TOKEN = Promise(
    slug="csrf-token",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.1",
        iso27001="A.8.26 A.8.28",
        gdpr="32(1)(b)",
        other=("ASVS-5.0 V3.5.1", "OWASP CSRF Prevention Cheat Sheet"),
    ),
    checks=(
        check(
            "csrf-token.replay",
            Method.ATTACK,
            "csrf:replay",
            "csrf:refused",
            _REPLAY,
        ),
    ),
)

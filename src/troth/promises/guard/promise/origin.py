"""The promise about requests that other sites forge."""

from troth.kernel.model import Control, Kind, Method, Promise, Severity
from troth.promises.guard.promise.declare import AREA, check

ORIGIN_CHECK = Promise(
    slug="origin-check",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=(
        Control("SOC2", "CC6.1"),
        Control("ISO27001:2022", "A.8.26"),
        Control("GDPR", "32(1)(b)"),
        Control("ASVS-5.0", "V3.5.1"),
        Control("ASVS-5.0", "V3.5.3"),
        Control("W3C", "Fetch Metadata"),
    ),
    checks=(
        check(
            "origin-check.refuses",
            Method.LOOK,
            probe="origin:origin_look",
            judge="origin:origin_look",
            command=(
                'curl --cacert "$CA" -sS -o /dev/null -D - -X POST '
                '-H "Origin: https://stranger.example" -H "Sec-Fetch-Site: cross-site" "$APP/" '
                "| grep -Eic '^(HTTP/[0-9.]+ 403|[a-z]+-refused: origin-check)' | grep -qx 2"
            ),
        ),
        check(
            "origin-check.matrix",
            Method.ATTACK,
            probe="origin:origin_attack",
            judge="origin:origin_attack",
            command=(
                "(for m in POST PUT PATCH DELETE; do "
                'for o in https://stranger.example null "$APP.stranger.example"; do '
                'curl --cacert "$CA" -sS -o /dev/null -w "%{http_code}" -X $m -b canary=1 '
                '-H "Origin: $o" "$APP/no-such-page" | grep -qx 403 || exit 1; done; done; '
                'curl --cacert "$CA" -sS -o /dev/null -D - -X POST -H "Origin: $APP" '
                "\"$APP/no-such-page\" | grep -Eic '^[a-z]+-refused:' | grep -qx 0)"
            ),
        ),
    ),
)

"""Promises about what a browser carries to other sites, or lets them read: cookies and CORS."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.edge.promise.declare import AREA, check

CORS_POLICY = Promise(
    slug="cors-policy",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.1 CC6.6",
        iso27001="A.8.26 A.8.3",
        gdpr="32(1)(b)",
        other=("ASVS-5.0 V3.4.2", "ASVS-5.0 V3.5.2", "WHATWG Fetch"),
    ),
    checks=(
        check(
            "cors-policy.origins",
            Method.ATTACK,
            "cors:origins",
            "cors:cors",
            "(for o in https://stranger.example null https://sub.${APP#https://} "
            '$APP.stranger.example; do curl --cacert "$CA" -sS -o /dev/null -D - -H "Origin: $o" '
            "\"$APP/\" | grep -qi '^access-control-allow-origin' && exit 1; done; exit 0)",
        ),
    ),
)

COOKIE_HTTPONLY_SECURE = Promise(
    slug="cookie-httponly-secure",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.1",
        iso27001="A.8.5 A.8.26",
        gdpr="32(1)(b)",
        other=(
            "ASVS-5.0 V3.3.1",
            "ASVS-5.0 V3.3.2",
            "ASVS-5.0 V3.3.4",
            "HIPAA 164.312(d)",
            "RFC 6265bis",
        ),
    ),
    checks=(
        check(
            "cookie-httponly-secure.set",
            Method.LOOK,
            "cookies:one",
            "cookies:flags",
            'curl --cacert "$CA" -sS -o /dev/null -D - -d email=$$@example.org -d password=$$ '
            '"$APP/login" | awk \'tolower($1) == "set-cookie:" {n++; l = tolower($0); '
            "if (l !~ /; *secure/ || l !~ /; *httponly/ || l !~ /; *samesite=/) bad = 1} "
            "END {exit bad || !n}'",
        ),
        check(
            "cookie-httponly-secure.crawl",
            Method.SCAN,
            "cookies:every",
            "cookies:flags",
            'curl --cacert "$CA" -sS -o /dev/null -D - -d email=$$@example.org -d password=$$ '
            '"$APP/login" | awk \'tolower($1) == "set-cookie:" {n++; l = tolower($0); '
            "if (l !~ /; *secure/ || l !~ /; *httponly/ || l !~ /; *samesite=/) bad = 1} "
            "END {exit bad || !n}'",
        ),
        check(
            "cookie-httponly-secure.browser",
            Method.DRILL,
            "browser:cookies",
            "browser:cookies",
            'curl --cacert "$CA" -sS -o /dev/null -D - -d email=$$@example.org -d password=$$ '
            '"$APP/login" | grep -i "^set-cookie:" | grep -qi "; *httponly"',
        ),
    ),
)

COOKIE_SCOPE = Promise(
    slug="cookie-scope",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=supports(
        soc2="CC6.1",
        iso27001="A.8.26",
        gdpr="25",
        other=("ASVS-5.0 V3.3.3", "RFC 6265bis"),
    ),
    checks=(
        check(
            "cookie-scope.set",
            Method.LOOK,
            "cookies:one",
            "cookies:scope",
            'curl --cacert "$CA" -sS -o /dev/null -D - -d email=$$@example.org -d password=$$ '
            '"$APP/login" | awk \'tolower($1) == "set-cookie:" {n++; l = tolower($0); '
            "if (l ~ /; *domain=./) bad = 1} END {exit bad || !n}'",
        ),
        check(
            "cookie-scope.crawl",
            Method.SCAN,
            "cookies:every",
            "cookies:scope",
            'curl --cacert "$CA" -sS -o /dev/null -D - -d email=$$@example.org -d password=$$ '
            '"$APP/login" | awk \'tolower($1) == "set-cookie:" {n++; l = tolower($0); '
            "if (l ~ /; *domain=./) bad = 1} END {exit bad || !n}'",
        ),
    ),
)

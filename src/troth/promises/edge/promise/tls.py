"""Promises about the TLS that hosts speak: versions, certificates, attacks, grade."""

from datetime import timedelta

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.edge.promise.declare import AREA, check, daily, timed

# A hello of SSL 3 in bytes: version, 32 bytes of random, four suites, no compression.
_SSL3_HELLO = (
    r"printf '\026\003\000\0003\001\000\000/\003\000%s\000\000\010\000/\0005\000\n\000\005\001\000'"
    " 0123456789abcdef0123456789abcdef"
)
_OLD_REFUSED = (
    'curl --cacert "$CA" -fsS -o /dev/null --tlsv1.3 "$APP/" && '
    'curl --cacert "$CA" -fsS -o /dev/null --tls-max 1.2 "$APP/" && '
    '! curl --cacert "$CA" -sS -o /dev/null --tlsv1.0 --tls-max 1.1 '
    '--ciphers ALL:@SECLEVEL=0 "$APP/" 2>/dev/null'
)
_SSL3_REFUSED = (
    'curl --cacert "$CA" -fsS -o /dev/null "$APP/" && H=${APP#https://} && '
    'case "$H" in *:*) ;; *) H=$H:443 ;; esac && '
    f'! ({_SSL3_HELLO}; sleep 1) | curl -s -m 5 "telnet://$H" | od -An -tx1 | grep -q "^ 16"'
)
_CERTIFICATE = (
    'curl --cacert "$CA" -fsS -o /dev/null -w \'%{certs}\' "$APP/" '
    "| openssl x509 -noout -checkend 1814400"
)
_NO_OLD_CIPHERS = (
    'curl --cacert "$CA" -fsS -o /dev/null "$APP/" && '
    '! curl --cacert "$CA" -sS -o /dev/null --tls-max 1.2 '
    '--ciphers SHA1:SHA256:SHA384:@SECLEVEL=0 "$APP/" 2>/dev/null'
)

TLS_MODERN_VERSIONS = Promise(
    slug="tls-modern-versions",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.1 CC6.7",
        iso27001="A.8.24",
        gdpr="32(1)(a)",
        other=(
            "RFC 8996",
            "RFC 9325",
            "NIST SP-800-52r2",
            "ASVS-5.0 V12.1.1",
            "PCI-4.0.1 4.2.1",
        ),
    ),
    checks=(
        check("tls-modern-versions.app", Method.LOOK, "tls:versions", "tls:versions", _OLD_REFUSED),
        check(
            "tls-modern-versions.hosts",
            Method.SCAN,
            "tls:versions_everywhere",
            "tls:versions",
            'testssl.sh --quiet --protocols "$APP"',
        ),
    ),
)

TLS_NO_SSL2_SSL3 = Promise(
    slug="tls-no-ssl2-ssl3",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.1",
        iso27001="A.8.24",
        gdpr="32(1)(a)",
        other=("RFC 6176", "RFC 7568", "ASVS-5.0 V12.1.1"),
    ),
    checks=(
        check("tls-no-ssl2-ssl3.app", Method.LOOK, "tls:ancient", "tls:ancient", _SSL3_REFUSED),
        check(
            "tls-no-ssl2-ssl3.hosts",
            Method.SCAN,
            "tls:ancient_everywhere",
            "tls:ancient",
            'testssl.sh --quiet --protocols "$APP"',
        ),
    ),
)

TLS_STRONG_CERTIFICATE = Promise(
    slug="tls-strong-certificate",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.CRITICAL,
    controls=supports(
        soc2="CC6.1 CC6.7",
        iso27001="A.8.24",
        gdpr="32(1)(a)",
        other=("ASVS-5.0 V12.2.2", "PCI-4.0.1 4.2.1.1", "CA/B-BR SC-081v3"),
    ),
    checks=(
        check(
            "tls-strong-certificate.app",
            Method.LOOK,
            "certificate:served",
            "certificate:strong",
            _CERTIFICATE,
        ),
        check(
            "tls-strong-certificate.hosts",
            Method.SCAN,
            "certificate:served_everywhere",
            "certificate:strong",
            f'(for APP in "$APP" "$TROTH" "${{STATUS%/}}"; do {_CERTIFICATE} || exit 1; done)',
        ),
        check(
            "tls-strong-certificate.renewal",
            Method.DRILL,
            "certificate:renewal",
            "certificate:renewed",
            'curl --cacert "$CA" -fsS -o /dev/null -w \'%{certs}\' "$APP/" '
            "| openssl x509 -noout -startdate -enddate",
        ),
    ),
)

TLS_KNOWN_ATTACKS = Promise(
    slug="tls-known-attacks",
    area=AREA,
    kind=Kind.PROBED,
    severity=Severity.HIGH,
    rests_on=("tls-modern-versions", "tls-no-ssl2-ssl3"),
    controls=supports(
        soc2="CC6.1 CC7.1",
        iso27001="A.8.8 A.8.24",
        gdpr="32(1)(a)",
        other=("ASVS-5.0 V12.1.2", "PCI-4.0.1 4.2.1", "RFC 7457"),
    ),
    checks=(
        check(
            "tls-known-attacks.offered",
            Method.SCAN,
            "attacks:offers",
            "attacks:offered",
            _NO_OLD_CIPHERS,
        ),
        daily(
            "tls-known-attacks.tried",
            Method.ATTACK,
            "attacks:tried",
            "attacks:tried",
            'testssl.sh --quiet --vulnerable "$APP"',
        ),
    ),
)

TLS_GRADE_A_PLUS = Promise(
    slug="tls-grade-a-plus",
    area=AREA,
    kind=Kind.PROBED,
    severity=Severity.MEDIUM,
    rests_on=(
        "tls-modern-versions",
        "tls-no-ssl2-ssl3",
        "tls-strong-certificate",
        "tls-known-attacks",
        "hsts",
        "hsts-long-lifetime",
    ),
    controls=supports(
        soc2="CC6.7 CC4.1",
        iso27001="A.8.24 A.5.35",
        gdpr="32(1)(d)",
        other=("SSL-Labs rating-guide-2009r", "ASVS-5.0 V12.1.1"),
    ),
    checks=(
        check(
            "tls-grade-a-plus.handshakes",
            Method.SCAN,
            "grade:tls",
            "grade:tls",
            'testssl.sh --quiet --add-ca "$CA" "$APP" | grep "Overall Grade" | grep -F "A+"',
        ),
        daily(
            "tls-grade-a-plus.scanner",
            Method.SCAN,
            "grade:tls_scanned",
            "grade:tls_scanned",
            'sslyze --certinfo_ca_file "$CA" --mozilla_config=intermediate "${APP#https://}"',
        ),
    ),
)

_HOURLY = timedelta(hours=1), timedelta(hours=3)
CERTIFICATE_TRANSPARENCY = Promise(
    slug="certificate-transparency",
    area=AREA,
    kind=Kind.PROBED,
    severity=Severity.MEDIUM,
    controls=supports(
        soc2="CC7.1 CC7.2",
        iso27001="A.8.24 A.5.7 A.8.16",
        gdpr="32(1)(b)",
        other=("RFC 9162", "RFC 8659", "OWASP HTTP Headers cheat sheet"),
    ),
    checks=(
        timed(
            "certificate-transparency.stamps",
            Method.SCAN,
            *_HOURLY,
            "transparency:stamps",
            "transparency:stamps",
            "curl -fsS -o /dev/null -w '%{certs}' \"$APP/\" "
            "| openssl x509 -noout -ext ct_precert_scts | grep -c 'Log ID'",
        ),
        timed(
            "certificate-transparency.logs",
            Method.SCAN,
            *_HOURLY,
            "transparency:logs",
            "transparency:logs",
            'H=${APP#https://}; curl -fsS "https://api.certspotter.com/v1/issuances?domain='
            '${H%%:*}&expand=dns_names&expand=issuer"',
        ),
        timed(
            "certificate-transparency.caa",
            Method.SCAN,
            *_HOURLY,
            "transparency:caa",
            "transparency:caa",
            'H=${APP#https://}; dig +short CAA "${H%%:*}" | grep -E " issue(wild)? "',
        ),
    ),
)

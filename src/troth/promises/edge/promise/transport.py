"""Promises about the way to the first encrypted byte, and about what else is open."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.edge.promise.declare import AREA, check

TLS_EVERYWHERE = Promise(
    slug="tls-everywhere",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.CRITICAL,
    rests_on=("https-redirect", "tls-strong-certificate"),
    controls=supports(
        soc2="CC6.1 CC6.7",
        iso27001="A.8.24 A.8.20 A.5.14",
        gdpr="32(1)(a)",
        other=("ASVS-5.0 V12.2.1", "PCI-4.0.1 4.2.1", "HIPAA 164.312(e)(1)", "RFC 9325"),
    ),
    checks=(
        check(
            "tls-everywhere.hosts",
            Method.LOOK,
            "transport:hosts",
            "transport:tls_hosts",
            '(for u in "$APP/" "$TROTH/trust/" "$STATUS"; do curl --cacert "$CA" -fsS -o /dev/null '
            "-w '%{ssl_verify_result} %{scheme}\\n' \"$u\" | grep -qix '0 https' || exit 1; done)",
        ),
        check(
            "tls-everywhere.plaintext",
            Method.ATTACK,
            "transport:plaintext",
            "transport:no_plaintext",
            'curl --cacert "$CA" -fsS -o /dev/null "$APP/" && (for p in --http1.1 '
            '--http2-prior-knowledge; do curl $p -sS -m 5 -o /dev/null "http:${APP#https:}/" '
            "2>/dev/null && exit 1; done; exit 0)",
        ),
    ),
)

HTTPS_REDIRECT = Promise(
    slug="https-redirect",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.7",
        iso27001="A.8.20 A.8.24",
        gdpr="32(1)(a)",
        other=("ASVS-5.0 V12.2.1", "PCI-4.0.1 4.2.1", "RFC 6797 7.2"),
    ),
    checks=(
        check(
            "https-redirect.hosts",
            Method.LOOK,
            "transport:redirect",
            "transport:https_redirect",
            "curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' \"$HTTP/any?x=1\" "
            '| grep -Eqx "30[18] $APP/any[?]x=1"',
        ),
        check(
            "https-redirect.methods",
            Method.ATTACK,
            "transport:redirect_matrix",
            "transport:https_redirect",
            "(for m in GET HEAD POST PUT DELETE; do curl -sS -m 5 -X $m -I -w '%{http_code}' "
            '-o /dev/null "$HTTP/any?x=1" | grep -qx "30[18]" || exit 1; done; '
            "curl -sS -H 'Host: stranger.example' -D - \"$HTTP/\" "
            "| grep -i '^location:.*stranger' && exit 1; exit 0)",
        ),
    ),
)

ONLY_PORT_443 = Promise(
    slug="only-port-443",
    area=AREA,
    kind=Kind.PROBED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.6",
        iso27001="A.8.20 A.8.21 A.8.9",
        gdpr="32(1)(b)",
        other=("PCI-4.0.1 1.2.5", "PCI-4.0.1 1.3.1", "ASVS-5.0 V12.2.1"),
    ),
    checks=(
        check(
            "only-port-443.sweep",
            Method.DRILL,
            "ports:sweep",
            "ports:only_declared",
            # 255 curls of 257 ports; what seemed open is tried again: on loopback a connect may
            # meet itself.
            "export H=${APP#https://}; H=${H%%:*}; "
            'curl --cacert "$CA" -fsS -o /dev/null "$APP/" && '
            "seq 1 257 65279 | xargs -P 64 -I{} sh -c 'curl -s --connect-timeout 1 -m 2 "
            '-o /dev/null -w "%{time_connect} %{remote_port}\\n" '
            '"http://$H:[{}-$(({}+256))]/"\' | awk -v d=" 443 80 $APP/ $HTTP/ $STATUS/ " '
            '\'$1 > 0 && d !~ "[ :]"$2"[ /]" {print $2}\' | (while read -r p; do curl -s -m 2 '
            "-o /dev/null -w '%{time_connect}' \"http://$H:$p/\" | grep -q '[1-9]' && "
            'echo "open: $p" && exit 1; done; exit 0)',
        ),
    ),
)

"""The promises about the page itself. Read this first; the words stand in `sentences.toml`."""

from troth.kernel.model import Check, Control, Kind, Method, Promise, Severity
from troth.promises.declaring import Checks

AREA = "trust"
_GET = 'curl --cacert "$CA" -fsS'
_ITEMS = 'grep -o \'data-slug="[^"]*" data-state="[^"]*"\''
_OWN = Checks(AREA)


def _check(id_: str, method: Method, probe: str, command: str) -> Check:
    """A check whose probe (`file:function`) and judge have one name."""
    return _OWN.check(id_, method, probe, f":{probe.partition(':')[2]}", command)


PUBLIC_MEASURE_LIST = Promise(
    slug="public-measure-list",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=(
        Control("SOC2", "CC2.3"),
        Control("ISO27001:2022", "A.5.1"),
        Control("ISO27001:2022", "A.5.36"),
        Control("GDPR", "5(1)(a)"),
        Control("GDPR", "5(2)"),
        Control("FedRAMP-20x", "ADS"),
    ),
    checks=(
        _check(
            "public-measure-list.page",
            Method.LOOK,
            "page:measure_list",
            f'(a=$({_GET} "$TROTH/trust/" | grep -c "<li id="); '
            f'b=$({_GET} "$TROTH/api/v1/promises.json" | grep -c \'"slug":\'); '
            'test "$a" -gt 0 && test "$a" -eq "$b")',
        ),
        _check(
            "public-measure-list.log",
            Method.SCAN,
            "log:measures_in_log",
            f'(u=$({_GET} "$TROTH/trust/" | grep -o \'href="/trust/evidence/[^"]*"\' '
            '| cut -d\\" -f2 | sort -u); test -n "$u" && for e in $u; do '
            f'{_GET} -o /dev/null "$TROTH$e" || exit 1; done)',
        ),
    ),
)

PLANNED_LABELLED = Promise(
    slug="planned-labelled",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=(
        Control("SOC2", "CC2.3"),
        Control("ISO27001:2022", "A.5.36"),
        Control("GDPR", "5(1)(a)"),
    ),
    checks=(
        _check(
            "planned-labelled.page",
            Method.LOOK,
            "page:planned",
            f'(j=$({_GET} "$TROTH/api/v1/promises.json" | tr -d "\\n") && echo "$j" '
            '| grep -q \'"state":\' && ! echo "$j" | '
            'grep -Eq \'"state": "planned"[^}]*"planned_for": null\')',
        ),
    ),
)

READER_CAN_RETEST = Promise(
    slug="reader-can-retest",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.MEDIUM,
    controls=(
        Control("SOC2", "CC2.3"),
        Control("SOC2", "CC4.1"),
        Control("ISO27001:2022", "A.5.35"),
        Control("GDPR", "5(2)"),
    ),
    checks=(
        _check(
            "reader-can-retest.commands",
            Method.SCAN,
            "retest:retest",
            f'(j=$({_GET} "$TROTH/api/v1/promises.json") && echo "$j" '
            '| grep -q \'"command": "[^"]\' && ! echo "$j" | grep -q \'"command": ""\')',
        ),
    ),
)

PAGE_LANGUAGES = Promise(
    slug="page-languages",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.LOW,
    controls=(
        Control("SOC2", "CC2.3"),
        Control("ISO27001:2022", "A.5.1"),
        Control("GDPR", "12(1)"),
    ),
    checks=(
        _check(
            "page-languages.same",
            Method.LOOK,
            "page:languages",
            f'(w=$({_GET} "$TROTH/trust/" | {_ITEMS}); test -n "$w" && for l in it de fr; do '
            f'test "$w" = "$({_GET} "$TROTH/trust/$l/" | {_ITEMS})" || exit 1; done)',
        ),
    ),
)

TLS_REPORT_PUBLIC = Promise(
    slug="tls-report-public",
    area=AREA,
    kind=Kind.PROBED,
    severity=Severity.LOW,
    controls=(
        Control("SOC2", "CC2.3"),
        Control("ISO27001:2022", "A.5.36"),
        Control("GDPR", "5(2)"),
        Control("RFC", "9325"),
    ),
    checks=(
        _check(
            "tls-report-public.report",
            Method.SCAN,
            "log:tls_report",
            f'{_GET} "$TROTH/trust/tls-report" | grep -q "data-certificate=\\"$('
            'curl --cacert "$CA" -sS -o /dev/null -w "%{certs}" "$APP/" '
            '| openssl x509 -outform DER | openssl dgst -sha256 -r | cut -c1-64)\\""',
        ),
    ),
)

PROCEDURES_REVIEWED = Promise(
    slug="procedures-reviewed",
    area=AREA,
    kind=Kind.ATTESTED,
    severity=Severity.LOW,
    controls=(
        Control("SOC2", "CC4.1"),
        Control("SOC2", "CC5.3"),
        Control("ISO27001:2022", "A.5.1"),
        Control("ISO27001:2022", "A.5.36"),
        Control("ISO27001:2022", "A.5.37"),
        Control("GDPR", "24(1)"),
        Control("GDPR", "32(1)(d)"),
        Control("PCI-4.0.1", "12.1.2"),
        Control("HIPAA", "164.316(b)(2)(iii)"),
    ),
    checks=(
        _check(
            "procedures-reviewed.feed",
            Method.SCAN,
            "log:feed",
            f'(f=$({_GET} "$TROTH/trust/changes.atom"); '
            f's=$({_GET} "$TROTH/api/v1/promises.json" | grep -o \'"slug": "[^"]*"\' '
            '| cut -d\\" -f4); '
            'test -n "$s" && for n in $s; do '
            'echo "$f" | grep -q ":promise\\" term=\\"$n\\"" || exit 1; done)',
        ),
    ),
)

CONTACT_PUBLISHED = Promise(
    slug="contact-published",
    area=AREA,
    kind=Kind.PROBED,
    severity=Severity.LOW,
    controls=(
        Control("SOC2", "CC2.3"),
        Control("ISO27001:2022", "A.5.5"),
        Control("ISO27001:2022", "A.5.34"),
        Control("GDPR", "13(1)(a)"),
        Control("eCommerce-Directive", "5"),
    ),
    checks=(
        _check(
            "contact-published.pages",
            Method.LOOK,
            "contact:contact",
            '(for l in "" it/ de/ fr/; do '
            f'{_GET} "$TROTH/trust/$l" | grep -q \'href="mailto:\' || exit 1; done; '
            f'{_GET} "$APP/.well-known/security.txt" | grep -Eq "^Contact: (mailto|https):")',
        ),
    ),
)

"""The promise about payment cards. Read this first; the words stand in `sentences.toml`."""

from troth.kernel.model import Control, Kind, Method, Promise, Severity
from troth.promises.declaring import Checks

AREA = "payments"
_check = Checks(AREA).check
# A number that a brand has published for tests, in a query, a form and a header; and its neighbour,
# which is nobody's, for its check digit is wrong. Both are made by the command, so that pages that
# show it hold no number.
_ASK = 'curl --cacert "$CA" -sS -o /dev/null -D - -H "Origin: $APP"'
_REFUSED = (
    'c=4$(printf %014d 0 | tr 0 1); for a in "-G -d n=${c}1" "-d n=${c}1" "-H x-note:${c}1"; '
    f"do {_ASK} $a \"$APP/-/sink\" | grep -iq '^[a-z]*-refused: no-card-data-stored' || exit 1; "
    f"done; {_ASK} -d n=${{c}}2 \"$APP/-/sink\" | grep -q '^HTTP/[0-9.]* 200'"
)

NO_CARD_DATA_STORED = Promise(
    slug="no-card-data-stored",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=(
        Control("SOC2", "C1.1"),
        Control("SOC2", "CC6.7"),
        Control("ISO27001:2022", "A.8.12"),
        Control("ISO27001:2022", "A.8.11"),
        Control("ISO27001:2022", "A.5.34"),
        Control("GDPR", "5(1)(c)"),
        Control("GDPR", "25"),
        Control("PCI-4.0.1", "3.2.1"),
        Control("PCI-4.0.1", "3.3.1"),
        Control("ASVS-5.0", "V14.2.4"),
        Control("ASVS-5.0", "V14.2.6"),
    ),
    checks=(
        _check(
            "no-card-data-stored.refused",
            Method.ATTACK,
            probe=":posted",
            judge=":refused",
            command=_REFUSED,
        ),
        _check(
            "no-card-data-stored.sweep",
            Method.DRILL,
            probe=":swept",
            judge=":clean",
            command=_REFUSED,
        ),
    ),
)

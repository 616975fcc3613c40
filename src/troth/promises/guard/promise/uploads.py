"""The promise about files that visitors send."""

from troth.kernel.model import Kind, Method, Promise, Severity
from troth.promises.declaring import supports
from troth.promises.guard.promise.declare import AREA, check

# The EICAR test file, written backwards so that no scanner takes this file for one.
_EICAR = "'*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X'"
_SEND = (
    'curl --cacert "$CA" -sS -o /dev/null -w "%{http_code}" -H "Origin: $APP"'
    " -F 'file=@-;filename=note.txt' \"$APP/-/sink/upload\""
)
_REFUSED = (
    f"printf '%s\\n' {_EICAR} | rev | {_SEND} | grep -qx 403 && "
    f"printf 'a table for two, please' | {_SEND} | grep -qx 200"
)

UPLOADS_SCANNED = Promise(
    slug="uploads-scanned",
    area=AREA,
    kind=Kind.ENFORCED,
    severity=Severity.HIGH,
    controls=supports(
        soc2="CC6.8 CC6.6",
        iso27001="A.8.7 A.8.26",
        gdpr="32(1)(b)",
        other=("PCI-4.0.1 5.2.1", "ASVS-5.0 V5.2.2", "ASVS-5.0 V5.2.3", "ASVS-5.0 V5.4.3"),
    ),
    checks=(
        check(
            "uploads-scanned.desk",
            Method.ATTACK,
            "uploads:desk",
            "uploads:kept_away",
            _REFUSED,
        ),
    ),
)

"""Names of files: what leads out of a folder, and what pretends.

Source: CWE-22; Unicode Technical Report 36, 3.1 (direction overrides in names).
"""

import re

from troth.engines.uploads.model import REFUSED, Fault, UploadError

MAX_BYTES = 1024
_OUT = re.compile(rb"(^|[\\/])\.\.([\\/]|$)|^[\\/]|^[A-Za-z]:|\0")
# U+202A to U+202E and U+2066 to U+2069: what follows is shown in another order.
_TURNS = re.compile(rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")


def check(name: bytes) -> None:
    """Raises UploadError for the name of an archive's entry, or link, that leads out of it."""
    if len(name) > MAX_BYTES or _OUT.search(name):
        raise UploadError(
            Fault(
                code="archive-path",
                status=REFUSED,
                message="a name that leads out of the archive",
                value=name[:128],
            )
        )


def is_disguised(name: bytes) -> bool:
    """Whether a file's own name is no honest one: control bytes, or letters turned around."""
    return bool(_TURNS.search(name)) or any(byte < 32 or byte == 127 for byte in name)  # noqa: PLR2004 -- ASCII

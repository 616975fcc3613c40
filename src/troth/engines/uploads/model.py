"""What is asked of an upload, and what may be said of it."""

from dataclasses import dataclass

MAX_TOLD_BYTES = 128

# Statuses. Source: RFC 9110, 15.5 (400, 403, 413, 415) and 15.6.4 (503).
MALFORMED, REFUSED, TOO_LARGE, NOT_ALLOWED, GONE = 400, 403, 413, 415, 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why an upload is not let through.

    Args:
        code: for events and tests: `malware`, `kind`, `bomb`, ...
        status: of the answer.
        place: `FILES:field`, or `REQUEST_BODY`.
        value: what was found, clipped; a file's name, not its bytes.
        message: a sentence for the operator.
    """

    code: str
    status: int
    message: str
    place: str = "REQUEST_BODY"
    value: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a route takes; fields as in `[[guard.uploads.routes]]`."""

    kinds: frozenset[str]
    max_bytes: int
    parts: int = 1000
    refuses_macros: bool = True
    refuses_active_pdf: bool = True
    refuses_encrypted: bool = True
    reads_text: bool = False


class UploadError(ValueError):
    """An upload that is not read on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def malformed(message: str, code: str = "malformed", status: int = MALFORMED) -> UploadError:
    """A body that servers would read differently from each other."""
    return UploadError(Fault(code=code, status=status, message=message))

"""What no grammar can be asked about: bodies that are neither fields nor text."""

# Types that are read as fields, whatever their bytes are.
FIELDS = (b"application/x-www-form-urlencoded", b"multipart/", b"application/json", b"text/")
FIELD_ENDINGS = (b"+json", b"+xml", b"/json", b"/xml", b"javascript", b"graphql")
# Control characters that no text has; compressed and encrypted bytes have them in one of ten.
_CONTROLS = bytes([*range(9), *range(14, 27), *range(28, 32)])
_MANY = 50  # one of so many
_UTF16 = 0.4  # of every second byte is NUL in text of Latin letters


def is_fields(kind: bytes) -> bool:
    """Whether a Content-Type's body is read as fields or as text."""
    name = kind.partition(b";")[0].strip().lower()
    return not name or name.startswith(FIELDS) or name.endswith(FIELD_ENDINGS)


def is_binary(body: bytes) -> bool:
    """Whether bytes are no text in any encoding: a picture, an archive, something encrypted."""
    controls = len(body) - len(body.translate(None, _CONTROLS))
    if controls * _MANY <= len(body):
        return False
    return not any(
        half.count(0) > _UTF16 * len(half) for half in (body[::2], body[1::2]) if len(half) > 1
    )

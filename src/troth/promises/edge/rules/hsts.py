"""Strict-Transport-Security: what its value means (RFC 6797)."""

YEAR_S = 31_536_000  # Source: hstspreload.org, submission requirements: max-age of a year or more


def parse_hsts(value: str) -> tuple[int, bool, bool] | None:
    """max-age in seconds, includeSubDomains, preload (RFC 6797, 6.1); None when it is not valid."""
    age: int | None = None
    flags = set()
    for part in (piece.strip() for piece in value.split(";")):
        name, _, given = part.partition("=")
        name = name.strip().lower()
        if name in flags or (name == "max-age" and age is not None):
            return None
        if name == "max-age":
            digits = given.strip().strip('"')
            if not (digits.isascii() and digits.isdigit() and len(digits) <= len("9999999999")):
                return None
            age = int(digits)
        elif name:
            flags.add(name)
    if age is None:
        return None
    return age, "includesubdomains" in flags, "preload" in flags

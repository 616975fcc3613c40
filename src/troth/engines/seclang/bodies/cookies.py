"""The Cookie header, as servers read it (RFC 6265, 5.4), not as it should be written."""

from troth.engines.seclang.model import Pairs

_SPACE = b" \t\n\v\f\r"


def parse(header: bytes, most: int = 1000) -> tuple[Pairs, str]:
    """Names and values, and the limit that was passed (`arguments`; empty when none was).

    As ModSecurity v3: parted by semicolons, white space before a name is skipped, all other bytes
    stay (no quotes, no escapes are read); what has no name is no cookie; a bare name has an empty
    value.
    """
    pairs: list[tuple[bytes, bytes]] = []
    pieces = header.split(b";", most)
    limit = ""
    if len(pieces) > most:
        del pieces[most:]
        limit = "arguments"
    for piece in pieces:
        name, _, value = piece.lstrip(_SPACE).partition(b"=")
        if name:
            pairs.append((name, value))
    return tuple(pairs), limit

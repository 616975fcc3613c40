"""The Cookie header, as it is (RFC 6265, 5.4): pairs in order, two of one name are two."""

from troth.kernel.request import Request


def cookies(request: Request) -> list[tuple[bytes, bytes]]:
    """Name and value of every cookie that came along."""
    pairs = (pair for line in request.values(b"cookie") for pair in line.split(b";"))
    split = (pair.partition(b"=") for pair in pairs)
    return [(name.strip(), value.strip()) for name, _, value in split]


def one(request: Request, name: bytes) -> bytes:
    """The cookie of that name; empty where there is none, or two that contradict each other."""
    found = [value for key, value in cookies(request) if key == name]
    return found[0] if len(found) == 1 else b""

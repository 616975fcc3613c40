"""A value behind a slash: what follows `/` in a request's path is data as any other."""

from collections.abc import Callable


def rooted(recognise: Callable[[bytes], str | None]) -> Callable[[bytes], str | None]:
    """A detector that looks at `/value` as it looks at `value`, too."""

    def find(value: bytes) -> str | None:
        found = recognise(value)
        if found is None and value[:1] == b"/" and len(value) > 1:
            return recognise(value[1:])
        return found

    return find

"""What the probe sends: files that are bad in the way they are meant to be, and no other."""

import pytest

from troth.engines.uploads import Held, Rules, look
from troth.promises.guard.probe.uploads import _PNG, _bad
from troth.promises.guard.settings.uploads import HARMLESS

RULES = Rules(kinds=frozenset(HARMLESS), max_bytes=10**6)


def code(name: str, kind: str, content: bytes) -> str:
    head = f'--B\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    body = f"{head}Content-Type: {kind}\r\n\r\n".encode() + content + b"\r\n--B--\r\n"
    headers = ((b"content-type", b"multipart/form-data; boundary=B"),)
    fault = look(Held(body), headers, RULES, limit=10**6).fault
    return fault.code if fault else ""


@pytest.mark.parametrize(
    ("number", "expected"),
    list(enumerate(["malware", "malware", "bomb", "archive-path", "script", "name"])),
)
def test_each_is_refused_for_what_it_is(number, expected):
    assert code(*_bad()[number]) == expected


def test_the_picture_is_one():
    assert code("picture.png", "image/png", _PNG) == ""

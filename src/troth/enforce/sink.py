"""Where a replay of attacks ends when nobody stops it: what arrives is noted, and nothing is done.

The address (`/-/sink`) is asked about like any other, so a miss of the guard's harms nobody. Each
request of a replay carries a tag with the replay's own nonce; what came without one is not noted.
Below `flow/gone/` (of whatever prefix) nothing is there: 404, for flows that count such answers.
To a tag it answers at `leak/error` with an error that says too much, at `leak/none` with one that
does not.
"""

import re
from collections import deque
from pathlib import Path

import msgspec

from troth.adapters import files
from troth.enforce.wire import Message, Reply

NAME = "sink"
TAG = b"replay-tag"
MAX_NOTED = 8192
MAX_FILE_BYTES = 2 * 1024 * 1024
_TAG = re.compile(rb"[a-z0-9.-]{8,64}")
_GONE = b"/sink/flow/gone/"
_LEAKS = {
    b"/sink/leak/none": b"<h1>Error</h1><p>Something went wrong. Please try again later.</p>",
    # As PHP and MySQL print it; any rule set that looks at answers knows it.
    b"/sink/leak/error": (
        b"<h1>Error</h1><br />\n<b>Warning</b>:  mysqli_query(): You have an error in your SQL "
        b"syntax; check the manual that corresponds to your MySQL server version for the right "
        b"syntax to use near '7' at line 1 in <b>/var/www/a.php</b> on line <b>12</b><br />"
    ),
}
_HTML = ((b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store"))
_HEADERS = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


class Sink:
    """Notes the last `MAX_NOTED` tags; `save` writes them to a file.

    Args:
        path: of the file: a JSON array of tags, oldest first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._noted: deque[str] = deque(maxlen=MAX_NOTED)
        self._is_saved = True

    def answer(self, message: Message) -> Reply:
        """It arrived; `replay-tag` says so to whoever sent it."""
        path = message.target.partition(b"?")[0]
        status = 404 if _GONE in path else 200
        tags = [value for name, value in message.headers if name == TAG]
        if len(tags) != 1 or not _TAG.fullmatch(tags[0]):
            return Reply(status=status, headers=_HEADERS, body=b'{"noted":false}')
        leak = next((text for end, text in _LEAKS.items() if path.endswith(end)), None)
        if leak is not None:
            return Reply(status=500, headers=_HTML, body=leak)
        self._noted.append(tags[0].decode())
        self._is_saved = False
        return Reply(status=status, headers=(*_HEADERS, (TAG, tags[0])), body=b'{"noted":true}')

    def save(self) -> None:
        """Write the file if there is something new. Raises FileError."""
        if not self._is_saved:
            raw = msgspec.json.encode(tuple(self._noted))
            files.write_atomic(self._path, raw, mode=0o640, durable=False)
            self._is_saved = True


def load(path: Path) -> tuple[str, ...]:
    """What arrived, oldest first; nothing when there is no file.

    Raises:
        FileError: it cannot be read. ValueError: it is not such a file.
    """
    if not path.exists():
        return ()
    return msgspec.json.decode(files.read_capped(path, MAX_FILE_BYTES), type=tuple[str, ...])

"""Uploads, looked at where they lie: parts, kinds of files, archives, what pretends to be another.

    looked = look(content, headers, rules, limit=1_048_576, scan=None)

Pure: `Content` is anything that can be read at a place, so a body of a gigabyte costs no more
memory than its pieces. Nothing is unpacked to disk. Read `model` for what may be said of an upload,
`look` for the order in which it is asked.
"""

from troth.engines.uploads.content import Content, Held, Slice
from troth.engines.uploads.file import Scan
from troth.engines.uploads.look import Looked, look
from troth.engines.uploads.model import Fault, Rules, UploadError

__all__ = ["Content", "Fault", "Held", "Looked", "Rules", "Scan", "Slice", "UploadError", "look"]

"""Bodies as names and values: what a request says, taken apart as its server would.

`PROCESSORS[name](body, content_type, limits)` never raises, on any bytes: what cannot be read is
`Parts.error`, what is too much is `Parts.limit`. `forms.read` is for query strings as well. GraphQL
over HTTP is JSON.
"""

from collections.abc import Mapping
from types import MappingProxyType

from troth.engines.seclang.bodies import forms, markup, multipart, tree
from troth.engines.seclang.model import BodyProcessor

PROCESSORS: Mapping[str, BodyProcessor] = MappingProxyType(
    {
        "URLENCODED": forms.parse,
        "MULTIPART": multipart.parse,
        "JSON": tree.parse,
        "XML": markup.parse,
    }
)
"""By the names of `ctl:requestBodyProcessor`."""

"""SecLang's transformations (`t:lowercase`): bytes in, bytes out, pure, in linear time.

Each behaves as ModSecurity v3 does, found out by asking it; where it does not, its docstring says
so. A value that a transformation does not change comes back as the same object where that is cheap
to know. None makes more than seven bytes out of one (`utf8toUnicode` of two bytes: six).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from troth.engines.seclang.transform import armour, comments, escapes, path, space, unicode, url

Transformation = Callable[[bytes], bytes]


def _same(value: bytes) -> bytes:
    return value


FUNCTIONS: Mapping[str, Transformation] = MappingProxyType(
    {
        "base64decode": armour.base64_decode,
        "base64decodeext": armour.base64_decode_ext,
        "base64encode": armour.base64_encode,
        "cmdline": path.cmd_line,
        "compresswhitespace": space.compress_whitespace,
        "cssdecode": escapes.css_decode,
        "escapeseqdecode": escapes.escape_seq_decode,
        "hexdecode": armour.hex_decode,
        "hexencode": armour.hex_encode,
        "htmlentitydecode": escapes.html_entity_decode,
        "jsdecode": escapes.js_decode,
        "length": armour.length,
        "lowercase": space.lowercase,
        "md5": armour.md5,
        "none": _same,
        "normalisepath": path.normalise_path,
        "normalisepathwin": path.normalise_path_win,
        "normalizepath": path.normalise_path,
        "normalizepathwin": path.normalise_path_win,
        "parityeven7bit": armour.parity_even_7bit,
        "parityodd7bit": armour.parity_odd_7bit,
        "parityzero7bit": armour.parity_zero_7bit,
        "removecomments": comments.remove_comments,
        "removecommentschar": comments.remove_comments_char,
        "removenulls": space.remove_nulls,
        "removewhitespace": space.remove_whitespace,
        "replacecomments": comments.replace_comments,
        "replacenulls": space.replace_nulls,
        "sha1": armour.sha1,
        "sqlhexdecode": armour.sql_hex_decode,
        "trim": space.trim,
        "trimleft": space.trim_left,
        "trimright": space.trim_right,
        "uppercase": space.uppercase,
        "urldecode": url.url_decode,
        "urldecodeuni": url.url_decode_uni,
        "urlencode": url.url_encode,
        "utf8tounicode": unicode.utf8_to_unicode,
    }
)

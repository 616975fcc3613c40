"""Serialised objects that run code when they are read: Java, PHP, Python, .NET, Ruby, YAML, Node.

Data alone is harmless, and some of it is common (a PHP array in a cookie, ASP.NET's view state, a
Rails session). What counts is an object of a class that the sender chooses, in the format's own
header and grammar, whether in base64, in hexadecimal or raw; and keys that reach an object's
prototype.

Sources: CWE-502, CWE-1321; OWASP Deserialization Cheat Sheet; Java Object Serialization
Specification 6.4; PHP's unserialize(); Python's pickletools; MS-NRBF 2.6.1; Ruby's Marshal.
"""

import binascii
import re

from troth.engines.seclang.detect.layers import through
from troth.engines.seclang.detect.linear import Linear
from troth.engines.seclang.detect.rooted import rooted

MAX_PACKED = 64 * 1024

_JAVA = (b"\xac\xed\x00\x05", b"\xac\xed\x00\x05".hex().encode(), b"rO0AB")
_PHP = Linear(rb"(?<!\w)[OC]:\+?\d{1,4}:\"[A-Za-z_\\\x80-\xff][\w\\\x80-\xff]{0,200}\":\d{1,6}:\{")
_PICKLE = Linear(
    rb"(?<![A-Za-z])c(?:os|posix|nt|subprocess|sys|builtins|__builtin__|commands|pty|socket"
    rb"|shutil|importlib|runpy|operator|functools)\n\w{1,40}\n"
    rb"|(?:os|posix|nt|subprocess|builtins|__builtin__)[\x94\x8c]{1,4}.?(?:system|popen|Popen"
    rb"|exec|eval|check_output|getattr|call)"
)
_DANGEROUS = Linear(
    rb"(?:posix|subprocess|builtins|__builtin__|os|nt\b|pty)[\x00-\xff]{0,12}(?:system|popen"
    rb"|Popen|exec|eval|check_output|spawn|getattr)"
    rb"|Gem::(?:Requirement|Installer|SpecFetcher|StubSpecification|Package|RequestSet)"
    rb"|ActiveSupport::Deprecation|Net::(?:BufferedIO|WriteAdapter)|\bERB\b"
    rb"|System\.(?:Windows\.Data\.ObjectDataProvider|Diagnostics\.Process|Management\.Automation"
    rb"|Data\.DataSet|Security\.Principal|Configuration\.Install|Web\.UI"
    rb"|Collections\.Generic\.SortedSet|Delegate)"
)
_PACKED = re.compile(
    rb"(?:^|[=;,:\"'\s])((?:AAEAAAD/////|gA[JNRSWE][A-Za-z0-9+/_-]|BAh[A-Za-z0-9+/_-]|/w[A-Z]"
    rb"|KGRw|Y(?:29z|3Bvc2l4)|Y19f|KGx|gASV)[A-Za-z0-9+/_=-]{16,})"
)
_NET = Linear(
    rb"(?i:\"\$type\"\s{0,4}:\s{0,4}\"(?:System\.|Microsoft\.|Newtonsoft\.|\w+,)"
    rb"|<ObjectDataProvider\b|ObjectDataProvider,\s{0,4}Presentation|TypeConfuseDelegate"
    rb"|System\.Windows\.Data\.ObjectDataProvider)"
)
_JAVA_TYPES = Linear(
    rb"[\"']?@(?:type|class|c)[\"']?\s{0,4}:\s{0,4}[\"'](?:L?(?:com\.sun|java|javax"
    rb"|org\.(?:apache|spring|hibernate|codehaus|mozilla)|sun|ch\.qos|com\.mchange"
    rb"|com\.zaxxer|oracle|net\.sf)\b)"
    rb"|\[\s{0,4}\"(?:java\.(?:lang\.Process|util\.(?:Prior|Script))|com\.sun|org\.apache"
    rb"|org\.springframework|ch\.qos|javax\.)[\w.$]{1,100}\"\s{0,4},"
    rb"|<(?:java\.(?:lang\.ProcessBuilder|util\.PriorityQueue|beans\.EventHandler)|dynamic-proxy"
    rb"|sorted-set>\s{0,4}<|tree-map>\s{0,4}<entry>\s{0,4}<|jdk\.nashorn|javax\.(?:imageio"
    rb"|naming|swing))"
    rb"|<(?:object|void|java)\b[^>]{0,100}class\s{0,4}=\s{0,4}[\"'](?:java\.(?:lang\.(?:Process"
    rb"|Runtime)|beans\.XMLDecoder|io\.)|com\.sun|javax\.)"
    rb"|(?i:org\.apache\.commons\.(?:collections4?|fileupload"
    rb"|beanutils)\.[\w.]{0,80}(?:Transformer|functors|BeanComparator|DiskFileItem)"
    rb"|com\.sun\.rowset\.JdbcRowSetImpl|TemplatesImpl\b|ysoserial"
    rb"|org\.codehaus\.groovy\.runtime\.(?:MethodClosure|ConvertedClosure))"
)
_YAML = Linear(
    rb"!!?(?:<?!?ruby/(?:object|hash|struct|array|marshalable|exception)|python/(?:object|module"
    rb"|name|tuple)[/:\w.]{0,80}|javax\.script\.\w|java\.(?:net|lang|util)\.\w|com\.sun\.\w"
    rb"|org\.\w{2,20}\.\w|<tag:yaml\.org,2002:(?:python|ruby|java))"
    rb"|!ruby/object:\w"
)
_NODE = Linear(
    rb"_\$\$ND_FUNC\$\$_|[\"']_{2}proto_{2}[\"']\s{0,4}:|(?:^|[.\[&?{,\"'])__proto__(?:\]|\[|\."
    rb"|[\"']\]|=)|constructor(?:\.|\]?\[[\"']?)prototype(?:[\"']?\]|[.\[=]|$)"
    rb"|\"constructor\"\s{0,4}:\s{0,4}\{\s{0,4}\"prototype\""
)
_GATE = Linear(
    rb"[OC]:\+?\d|\xac\xed|aced0005|rO0AB|AAEAAAD|gA[JNRSWE]|BAh|c\w+\n"
    rb"|[\"'@]\$?[@$]?(?:type|class|c)\b|\$type|!r|!!|!<|__proto__|prototype|ND_FUNC|java"
    rb"|<(?:object|void|sorted-set|tree-map|dynamic)|org\.|com\.sun|Impl\b|ysoserial"
    rb"|ObjectData|\x8c|KGRw|Y29z|Y3Bv|Y19f"
)


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    if _GATE.search(value) is None:
        return None
    head = value.lstrip(b" \"'\r\n\t")
    if head.startswith(_JAVA) or _JAVA[0] in value:
        return "java"
    if head.startswith(b"AAEAAAD/////"):
        return "net"
    for name, pattern in (
        ("php", _PHP),
        ("python", _PICKLE),
        ("net", _NET),
        ("java-type", _JAVA_TYPES),
        ("yaml", _YAML),
        ("prototype", _NODE),
    ):
        if pattern.search(value):
            return name
    for found in _PACKED.finditer(value):
        if _is_dangerous(found.group(1)[:MAX_PACKED]):
            return "packed"
    return "java" if re.search(rb"[=;,:\"'\s]rO0AB[A-Za-z0-9+/]{8}", value) else None


def _is_dangerous(packed: bytes) -> bool:
    """Whether a serialised stream in base64 names a class that runs something."""
    digits = packed.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    try:
        stream = binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
    except binascii.Error:
        return False
    return _DANGEROUS.search(stream) is not None or _PICKLE.search(stream) is not None


find = through(rooted(recognise))

"""Values to scan: made by seeded dice out of the pieces that attacks and people write with."""

import random
from pathlib import Path

PIECES = (
    b"select union from where or and sleep( benchmark( 1=1 ' \" ` -- # /* */ ; | & && || $( ${ ` ("
    b" ) < > <script> </script> onerror= javascript: alert(1) <svg/onload= cat /etc/passwd ../ ..\\"
    b" %2e%2e/ %27 %3Cscript%3E &lt;script&gt; &#x27; \\u0027 \\x3c + %00 %u002f boot.ini php://"
    b" java.lang.Runtime ${jndi:ldap: {{7*7}} bash -c wget http:// = , . : - _ @ ! ? * [ ] { } ~ ^"
    b" the quick brown fox Hello perch\xc3\xa9 Gr\xc3\xb6\xc3\x9fe \xff\xfe a b c A B C 0 1 2026"
    b" john.doe@example.com Mozilla/5.0 (X11; Linux) true null"
).split(b" ")
GLUE = (b"", b" ", b"  ", b"\t", b"\n", b"\r\n", b"/", b"=", b"+", b"%20")


def values(count: int, seed: int) -> list[bytes]:
    """As many, the empty value and some short ones among them."""
    dice = random.Random(seed)
    made = [b"", b".", b"..", b"/", b"a", b"\0", b"\n"]
    while len(made) < count:
        parts = [dice.choice(PIECES) + dice.choice(GLUE) for _ in range(dice.randint(1, 8))]
        made.append(b"".join(parts))
    return made


def corpus(shared: Path, each: int, seed: int) -> list[bytes]:
    """Lines of the payload collection, some of each kind; none where there is none."""
    dice, found = random.Random(seed), []
    for path in sorted(shared.glob("corpora/payloads/*/true-positives.txt")):
        lines = path.read_bytes().splitlines()
        found += dice.sample(lines, min(each, len(lines)))
    return found

"""A SecLang engine: rules in the language of ModSecurity and the OWASP CRS, bytes in, verdict out.

    ruleset = parse([Source("my.conf", text)], data={"words.data": b"..."})
    program = compile(ruleset, paranoia=1)
    verdict = program.inspect(Message(method=b"GET", uri=b"/?id=1", headers=(...)))

Pure: no I/O, no clock, no dice. `parse` refuses a set of which one rule does not parse, with file
and line (`RuleError`). `compile` folds what is constant (paranoia levels, set-up values), groups
heads by what they look at (`Program.tests`, for `scan`), and turns rules into closures.
`Program.with_scan` lets a scanner say which heads may match at all; without one every rule runs,
one by one, on RE2.

What a value means, and the seams between the parts, is in `model`. Read `parse` for the language,
`plan` for the folding, `transaction` for how a request goes through.
"""

from troth.engines.seclang.compile import Program, compile  # noqa: A004 -- as `re.compile`
from troth.engines.seclang.model import (
    Limits,
    Match,
    Message,
    RuleError,
    Ruleset,
    Source,
    Verdict,
)
from troth.engines.seclang.parse import parse

__all__ = [
    "Limits",
    "Match",
    "Message",
    "Program",
    "RuleError",
    "Ruleset",
    "Source",
    "Verdict",
    "compile",
    "parse",
]

"""Many patterns over one value at once.

The plan hands over every operator that depends on a value alone as a `Test`, with its chain of
transformations and the spaces (classes of variables) it looks at. `Scanner(tests, ...)` answers,
space by space, which of them hold: `scanner.space("ARGS")(value) -> (3, 17)`.

Inside, a value goes through each distinct chain once, each distinct outcome through Hyperscan once;
what Hyperscan cannot say for sure is confirmed by RE2 in linear time. Expensive patterns stand
behind literals that a match must contain. What was found for short values is remembered.
`rx.rx(argument)` gives a matcher with captures, for what hit.

A scanner works from its first moment on RE2 alone. `Scanner.jobs` say which databases would make it
fast; `database.compile` does one, in whatever process, and `Scanner.adopt` takes it.
"""

from troth.engines.seclang.scan.database import Compiled, Job
from troth.engines.seclang.scan.scanner import Scanner
from troth.engines.seclang.scan.test import Test

__all__ = ["Compiled", "Job", "Scanner", "Test"]

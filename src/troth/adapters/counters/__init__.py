"""Counters: how often something happened, by GCRA, in this process or in Valkey/Redis.

Both answer the same `Ask`s with the same `Tally`s, and both round against the one who asks: no more
is ever admitted than `burst` at once and `limit` in a period after that.

`Memory` is exact for one process: the one guard that decides. Several guards that decide need
`Remote`, or each of them would admit the whole limit.
"""

from troth.adapters.counters.errors import CountersError
from troth.adapters.counters.memory import Memory

__all__ = ["CountersError", "Memory"]

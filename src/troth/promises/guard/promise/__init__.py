"""The promises of the guard. Read this first; the words stand in `sentences.toml`.

- `origin`: who may ask for a change
- `waf`: attacks that show in a request
- `declare`: how the above are spelled (timings, framework ids)

To add one: a `Promise` here and its name below, one line in `catalogue.py`, a probe, a judge, words
in four languages, a check in `enforce/`, and a liar in `tests/liars/` on which it turns red.
"""

from troth.promises.guard.promise.origin import ORIGIN_CHECK

__all__ = ["ORIGIN_CHECK"]

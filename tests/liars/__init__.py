"""Liars: small broken systems on which a promise must turn red. The test of the probes.

A liar is the honest system with ONE thing wrong, so that it breaks ONE promise:

    Liar("hsts", "says nothing of HTTPS", fragments=without("hsts"))

It may alter (`liar.py`): the `settings` the system is built from (the probes keep the honest ones),
the list of `fragments`, the compiled `resources` of Envoy, what the `upstream` answers, the `tls`
files, or bring a server of its own beside (`beside`). To add one: append it to the `LIARS` of the
file of its area (`edge_headers.py`, ...), or write a new file and name it in `matrix.py:FILES`.

The law (`matrix.py:verdict_on`): on liar x, x fails, and whatever else fails is declared to rest
on x; on the honest system nothing fails and nothing is unknown. `test_liars.py` (in `make test`)
holds each liar against its own promise and those resting on it; `make liars` runs every check on
every liar and signs what was seen red into `src/troth/liars.json`. By hand:
`.venv/bin/python tests/liars/matrix.py hsts csp`.

A `Ground` is up once per test worker (authority, guard, upstream, pages); an Envoy per liar takes
0.3 s. `ground.up(liar)` gives a `System` with `site`, `settings` and `vantage()`.
"""

"""What libinjection recognises, for `@detectSQLi` and `@detectXSS`: rule sets are tuned to it.

Written from the published description of its algorithm (N. Galbreath, Black Hat USA 2012) and from
what it answers; how that was measured: docs/why/0051. Our own grammars, which see more, are
`detect.sql` and `detect.html`.
"""

"""The machine that keeps the promises: each request is decided before the application sees it.

`decide.py` is the whole of it: a pure function of the request, a snapshot and the clock. The rest
is doors: `authz.py` answers Envoy's ext_authz questions on a unix socket (`wire.py` reads HTTP
strictly and bounds everything), `direct.py` answers the few requests that are the guard's own.
`snapshot.py` holds settings and checks as one immutable value, swapped whole.

The machine knows the shape of a check (`kernel.request.GuardCheck`) and never the name of a
promise: checks are handed in. Everything fails closed: what cannot be read or decided is refused.
"""

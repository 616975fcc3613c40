"""An embedded PostgreSQL: found in a wheel or named by the operator, run on a unix socket only.

`binaries` finds the programs and makes them readable for an unprivileged user; `configuration` is
the pure text of the files; `cluster` creates, starts, watches and stops one. Authentication is by
`peer`: the kernel says who connects, so there is no password to keep, leak or rotate.
"""

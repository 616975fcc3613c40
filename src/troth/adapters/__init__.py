"""The only doors to the outside: clock, chance, processes, files, sockets, http, tls, database ...

Each door bounds what goes through it (size, time, count) and raises its room's `Failure` with the
place and the mend. Nothing here knows a promise.
"""

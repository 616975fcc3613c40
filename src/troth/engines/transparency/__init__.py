"""Certificate Transparency as a library: log lists, embedded stamps, a search by name; no promise.

`stamps` is pure; `search` asks a service that reads all logs.
"""

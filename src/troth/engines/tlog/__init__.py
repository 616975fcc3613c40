"""A transparency log: what is in it cannot be changed without everybody being able to tell.

A Merkle tree (RFC 6962) in C2SP's tlog-tiles layout, its head a signed checkpoint: static files,
which any web server or bucket serves and which foreign tools verify. `log.Log` is the one writer,
`read` the reader, `witness` cosigns another installation's log. `merkle`, `tiles`, `note` and
`checkpoint` are pure.

Verification raises; nothing here answers with a bool that could be ignored.

Sources: RFC 6962 section 2.1; https://c2sp.org/tlog-tiles, /tlog-checkpoint, /signed-note,
/tlog-cosignature, /tlog-witness.
"""

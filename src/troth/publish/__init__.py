"""The machine that tells: from the log and the ring of looks to the page, its API and its feeds.

`record` reads and verifies what is known, `history` replays how it came about, `page` says what
holds now, `render` and `api` put it into HTML, JSON and Atom, `tree` puts that into files, each in
two variants: current, and stale for when nobody has looked for too long. `words` keeps the words
honest. Nothing here knows a promise by name; unknown is never green.
"""

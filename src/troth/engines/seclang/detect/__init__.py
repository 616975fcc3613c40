"""Own detectors, from the grammars of the attacks rather than from lists of their words.

Each topic is a module (`sql`, `html`, `nosql`, `ldap`, `graphql`, `shell`, `path`, ...) with one
face: `find(value) -> str | None`, a short reason when the value, as a whole or in the place where
it would be injected, is an attack of that kind; None for what people write. Pure, never raises,
linear time, bounded. `layers` unfolds encodings first, so that each grammar sees plain text.
"""

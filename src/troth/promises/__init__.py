"""Every promise, by area. Read an area's `promise.py` first.

An area is a folder with fixed file names: `promise` (declarations), `sentences.toml` (the words),
`settings`, `rules`, `enforce`, `jobs`, `probe`, `judge`. Areas are strangers to each other;
`declaring` and `judging` are what all of them share.
"""

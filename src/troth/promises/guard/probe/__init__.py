"""What looks at and attacks the running guard: facts, no opinion. One file a topic.

A probe is `def name(vantage, settings) -> Observation`. It goes in by the public address, as
anybody, each attack as a synthetic client of its own, and raises when it could not look.
"""

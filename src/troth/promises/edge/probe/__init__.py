"""What looks at and attacks the running edge: facts, no opinion. One file a topic.

A probe is `def name(vantage, settings) -> Observation`. It goes in by the public address, as
anybody, and raises when it could not look. `answers` fetches one answer of each kind, which all
looks of a round share; `crawl` follows links; each probe picks out what its judge needs and says
which facts are public at once (rates and what is served to everybody, never a single miss).
"""

"""The machine that attacks: what is due is run against the public address, judged and recorded.

`due` says what is to be run now; `run` runs it within a deadline and turns every mishap into
`error`, never into `pass`. A vantage seals what it saw (`rounds`) with a key of its own (`keys`),
remembers its sequence (`memory`) and hands the rounds over (`courier`). The ledger (`ledger`) is
the one writer: it believes or refuses (`admit`), keeps the newest rounds (`ring`) and writes the
log's `leaves`. `digest` and `tested` say which probe spoke, and whether it was ever seen red.

No database, and no promise is known here by name.
"""

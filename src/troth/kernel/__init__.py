"""What a promise is: model, state, evidence, errors.

Standard library only; no I/O, no clock, no dice. Whoever holds the log and a clock can recompute
with this room alone what Troth publishes: `state.state` is the whole judgement, and
`evidence` the whole format.
"""

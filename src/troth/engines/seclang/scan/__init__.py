"""Many patterns over one value at once.

The plan hands over every operator that depends on a value alone as a `Test`, with its chain of
transformations and the spaces (classes of variables) it looks at. `Scanner(tests, ...)` answers,
space by space, which of them hold: `scanner.space("ARGS")(value) -> (3, 17)`.

Inside, a value goes through each distinct chain once, each distinct outcome through Hyperscan once;
what Hyperscan cannot say for sure is confirmed by RE2 in linear time. Expensive patterns stand
behind literals that a match must contain. What was found for short values is remembered.
`rx(argument)` gives a matcher with captures, for what hit.
"""

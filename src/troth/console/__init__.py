"""Django, on Troth's own host only: accounts, records and the operators' desk.

`settings` derives Django's settings from troth.toml, nobody edits them; `schema` is the only tool
that changes the database; `records` holds what is kept, `identity` who somebody is. A view is HTTP,
a flow is the story, a rule is the arithmetic.
"""

"""Every change of the schema, in order; applied ones are never edited."""

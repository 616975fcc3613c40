"""Looks at the page as a reader would: over its public address, in every language."""

"""sslyze as a library of facts: run in an environment of its own, read as JSON; no promise here."""

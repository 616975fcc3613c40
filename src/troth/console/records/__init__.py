"""What is kept in PostgreSQL: people and invitations, findings, what is installed.

Its migrations are the only way to change the schema. Lower rooms see the views alone, by the named
queries of `adapters/queries.sql`.
"""

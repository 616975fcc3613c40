"""Certificates: a local authority, files that an operator keeps, and ACME. Knows no promise."""

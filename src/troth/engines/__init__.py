"""Libraries that know no promise."""

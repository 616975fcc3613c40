"""The promise about payment cards."""

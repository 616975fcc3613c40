"""One file a process, and `supervisor.py` that starts and watches them all.

A role reads troth.toml, builds what it needs, hands it down and says when it is ready (sd_notify).
"""

"""The stand-in logs and search are those of the liars."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

"""What the detectors' tests share: the lists beside this file, and the corpora in ../shared."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

"""Lets the tests import the modules of `packaging/demo_model`, which are run as scripts."""

from __future__ import annotations

import sys
from pathlib import Path

RECIPE = Path(__file__).parents[2] / "packaging" / "demo_model"
sys.path.insert(0, str(RECIPE))

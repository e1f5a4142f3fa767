"""Lets these tests import the fuzz targets, which are no part of the installed package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))  # at the end: the package is the installed one
sys.path.append(str(Path(__file__).parent))

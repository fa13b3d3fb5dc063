"""Checks of this machine and this clone, behind `alpacare doctor`: a line for each."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(__name__, examine="run_checks", finding="Finding ok warning wrong")

"""From a judge's reply to its verdict: a label or ratings, read as a pure function of the text."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__, labels="Labels", ratings="Ratings", reading="Reading read_verdict"
)

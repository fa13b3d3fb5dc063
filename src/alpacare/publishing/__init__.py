"""Publishing of data and weights: files, cards and licences, to a folder or to the Hub."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(__name__, publish="PublishOptions publish_packages")

"""What a dataset and a set of answers look like, in figures and tables.

Labels, root verbs, lengths, cut-off answers, refusals and nearest neighbours.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    counts="entropy share",
    dataset="DatasetRow NearestScores describe_dataset",
    generations="describe_generations",
    lengths="count_words",
    nearest="nearest_among nearest_of",
    refusals="refuses",
    verbs="root_verb",
)

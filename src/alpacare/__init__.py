"""Medical instruction tuning as one DVC pipeline.

In a notebook its results are pandas data frames (docs/notebook.md):

    import alpacare
    alpacare.leaderboard()
    alpacare.scores(rev="HEAD~1")
    alpacare.items(judge="overlap")
    alpacare.rubric_grades(judge="healthbench")
    alpacare.benchmark_results()
    alpacare.responses(student="half-rows")
"""

from alpacare.core.public import exports

# loaded at their first use: pandas takes longer than most commands
__getattr__, __all__ = exports(
    __name__,
    **{
        "comparison.frames": "leaderboard responses scores",
        "comparison.item_frames": "benchmark_results items rubric_grades",
        "core.errors": "BadInput",
    },
)


def __dir__() -> list[str]:
    """Name what a notebook's Tab key offers."""
    return __all__

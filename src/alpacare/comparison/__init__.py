"""Results compared: models with one another, at two commits, and judges with people.

Behind `alpacare leaderboard`, `compare`, `diff`, `agreement`, `safety` and `table`.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    agreement="measure_agreement report_agreement",
    compare="print_comparison",
    diff="print_diff",
    leaderboard="make_boards",
    rubric_board="make_rubric_boards",
    paper_table="format_table",
    safety="make_safety_boards",
)

"""Results compared: the mean over references, students at two commits, judges and people.

Behind `alpacare diff`, `agreement`, `table` and the means of `scores`.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    agreement="measure_agreement report_agreement",
    diff="print_diff",
    mean_win_rates="average_win_rates",
    paper_table="format_table",
)

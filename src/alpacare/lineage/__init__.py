"""Where a row, a count or an output comes from, read from the files that the stages wrote.

Behind `alpacare trace`, `funnel` and `doctor --freeze`.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    funnel="count_all",
    funnel_lines="Count Funnel",
    funnel_print="print_funnel",
    provenance="write_provenance",
    trace="trace_row",
    trace_print="print_trace",
)

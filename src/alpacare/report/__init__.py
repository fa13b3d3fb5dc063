"""The HTML report: results gathered from metrics and data, drawn, and written as one file.

Behind `alpacare report`.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(__name__, data="ReportData gather_report", page="write_report")

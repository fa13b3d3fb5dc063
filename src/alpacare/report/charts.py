"""Every picture of the report, by the part of the page that shows it."""

from alpacare.report.data import Report
from alpacare.report.data_charts import draw_dataset, draw_funnel
from alpacare.report.drawing import Figure
from alpacare.report.score_charts import draw_scores, draw_training


def draw_figures(report: Report) -> dict[str, list[Figure]]:
    """Give the figures of each part; the win rates' stand in papers, as the page has a table."""
    scores = list(draw_scores(report))
    return {
        "win rates": [each for each in scores if each.name.startswith("win-rates-")],
        "difficulty": [each for each in scores if each.name.startswith("difficulty-")],
        "training": list(draw_training(report.training)) if report.training else [],
        "funnel": list(draw_funnel(report.funnel)),
        "data": list(draw_dataset(report.datasets)),
    }

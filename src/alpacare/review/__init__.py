"""Blind comparisons by people: a page for reviewers, the key for the team, and returned reviews."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    label_studio="import_export",
    returned_reviews="ReturnedReviews read_reviews",
    review_files="describe_files draw_review find_run write_page write_tasks",
)

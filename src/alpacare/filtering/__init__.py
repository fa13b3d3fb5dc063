"""Which tasks are dropped, each with a drop reason and the matching row (witness).

Heuristics, contamination by test sets, and near-duplicates of seeds and of each other by ROUGE-L.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    contamination_gate="ContaminationGate MatchedTask find_contaminated read_test_sets",
    filter="DropReason Filter",
    settings="ContaminationSettings FilteredSettings HeuristicSettings",
    heuristics="HEURISTICS HeuristicFilter",
    contamination="ContaminationIndex ContaminationMatch TaskTexts",
    near_duplicates="KeepFirst KeepNone NearDuplicatePair pairs_across",
    nearest="nearest_scores",
    rouge="encode f_measure scores",
    task_texts="ComparedTexts TaskRow",
    shared_text="SharedText shared_text",
    tokens="auto latin mostly_unseen unicode",
)

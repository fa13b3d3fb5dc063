"""From verdicts to figures: win rates with intervals, length control, agreement, correction."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    agreement="Agreement AgreementReport Estimate compare_raters compare_raters_by",
    benchmark_score="BenchmarkScore score_benchmark",
    bootstrap="Resampling draw",
    correction="Pair correct_win_rate",
    crossed="item_means mean_win_rate",
    items="Items gather read_judgments",
    label_agreement="JudgedLabels Pair compare_labels pair_people",
    paired_comparison="average_preferences compare flips",
    people="correct_all rate_people",
    rubric_scores="Graded RubricScore grade item_score mean_score read_grades score_grades",
    score="Cell JudgeRun Rate Score",
    score_table="print_scores read_score",
    scoring="ItemFacts score_judgments",
    seed_variance="NOT_TRAINED SeedVariance pool_seeds",
    several="correct_several",
    win_rates="win_rate_of",
)

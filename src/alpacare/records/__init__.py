"""The rows (JSON Lines) that stages hand to each other, defined by pydantic models."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    benchmark_item="BenchmarkItem item_id read_benchmark",
    benchmark_result="BenchmarkResult read_results",
    category="Category",
    comparisons="JudgmentsSettings ModelsSettings",
    dropped="Dropped",
    generation="Generation",
    judgment="Judgment",
    labelled="LabelledAnswer LabelledCriterion read_labels",
    label_normalisation="normalise_difficulty normalise_input normalise_type",
    message="Message messages_id transcript",
    pairs="AnswerFiles Comparison pair_answers",
    review="Review answer_hash",
    shown_pair="ShownPair show_both_orders",
    response="Response",
    rubric="GradedItem RubricItem RubricJudgment RubricReply",
    task="AnyTask Instruction Question Seed SortedTask Task TestTask row_id same_task_key",
    test_set="read_test_set",
    thoughts="remove_thoughts",
)

"""Judges that compare or grade answers: their settings, requests to LLM judges, and verdicts."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    dialogue="Dialogue ask_judges find_replies",
    judge_request="JudgeRequest make_judge_requests",
    judges="AskedJudge Judge LLMJudge LongestJudge OverlapJudge RubricJudge read_judge "
    "read_rubric_judge",
    longest="judge_by_length",
    overlap="has_others judge_by_overlap",
    rubric_request="GradedAnswer RubricRequest make_rubric_judgments make_rubric_requests "
    "pair_rubrics",
)

"""Judges that compare answers: their settings, the requests to LLM judges, and their verdicts."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    judge_request="JudgeRequest ask_judges find_replies make_judge_requests",
    judges="Judge LLMJudge LongestJudge OverlapJudge read_judge",
    longest="judge_by_length",
    overlap="has_others judge_by_overlap",
)

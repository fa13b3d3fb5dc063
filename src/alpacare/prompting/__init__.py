"""Prompt templates, and the prompts of teacher, judges and student.

Training and generation fill the student's prompt by the same code.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    templates="render",
    variables="ANSWER COMPARISON GRADING TASK WITHOUT_INPUT WITH_INPUT Variables few_shot",
    distinct="DistinctTexts",
    chat_prompt="ChatPrompt",
    student_prompt="StudentPrompt",
    prompt_file="PromptFile",
    judge_prompt="JudgePrompt",
    rubric_prompt="RubricPrompt",
)

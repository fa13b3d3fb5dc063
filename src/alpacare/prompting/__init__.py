"""Prompt templates, and the prompts of students and judges.

Training and generation fill the student's prompt by the same code.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__, templates="render_chat", student_prompt="StudentPrompt", judge_prompt="JudgePrompt"
)

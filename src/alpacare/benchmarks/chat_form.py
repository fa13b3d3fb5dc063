"""A student's own prompt as a chat template, for `lm_eval.chat_template: true`."""

from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.prompting.student_prompt import StudentPrompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# What lm-eval asks, few-shot examples and all, is one message: the instruction.
_INSTRUCTION = "{{ bos_token }}{% set instruction = messages[-1]['content'] %}"


def chat_template_of(prompt: StudentPrompt, tokenizer: "PreTrainedTokenizerBase") -> str:
    """Give the chat template that asks as a student is asked elsewhere, in Jinja.

    Raises:
        BadInput: the student is a chat model whose tokenizer has no chat template.
    """
    if prompt.form == "alpaca":
        start = _INSTRUCTION if tokenizer.bos_token else _INSTRUCTION.partition("}}")[2]
        return start + prompt.without_input
    template = tokenizer.chat_template
    if not isinstance(template, str):
        raise BadInput(
            f"{tokenizer.name_or_path}: its tokenizer has no chat template; "
            "set lm_eval.chat_template: false"
        )
    return template

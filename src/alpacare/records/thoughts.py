"""The thoughts of a reasoning model, which its server may leave in the text of the answer.

"<think>The user asks about asthma.</think> Use a reliever." -> "Use a reliever."
"""

import re

# DeepSeek, Qwen and others; Seed and MiniMax ("seed:think"); Magistral; Kimi; Cohere; gpt-oss, with
# its special tokens and without. A tag in backticks is spoken of.
_NAME = r"(?:\w+:)?(?:think|thinking|thoughts?|reasoning)"
_BEGINS = (
    rf"<{_NAME}>",
    r"\[THINK\]",
    "◁think▷",
    r"<\|START_THINKING\|>",
    r"<\|channel\|>analysis<\|message\|>",
    r"(?-i:\Aanalysis(?=[A-Z]))",
)
_ENDS = (
    rf"</{_NAME}>",
    r"\[/THINK\]",
    "◁/think▷",
    r"<\|END_THINKING\|>",
    r"<\|channel\|>final<\|message\|>",
    "assistantfinal",
)
_TAG = re.compile(
    f"(?<!`)(?:(?P<begins>{'|'.join(_BEGINS)})|{'|'.join(_ENDS)})",
    re.IGNORECASE,
)
_PARTS = ("<", "[", "◁", "analysis", "assistantfinal")  # every tag has one; quicker to look for


def remove_thoughts(text: str) -> str:
    """Remove the thoughts from an answer; a text without any stays as it is.

    The opening tag may be in the prompt, so that a lone closing tag ends thoughts that began the
    answer; an answer that was cut off within its thoughts is empty.
    """
    lower = text.lower()
    if not any(part in lower for part in _PARTS):
        return text
    kept: list[str] = []
    start, thinking = 0, False
    for tag in _TAG.finditer(text):
        if tag["begins"]:
            kept += [] if thinking else [text[start : tag.start()]]
        elif not thinking:
            kept.clear()
        thinking, start = bool(tag["begins"]), tag.end()
    if not start:
        return text
    return "".join(kept if thinking else [*kept, text[start:]]).strip()

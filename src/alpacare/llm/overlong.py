"""Replies far longer than the request's limit: of a server that does not know `max_tokens`."""

from dataclasses import replace

from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.records.thoughts import remove_thoughts

OVERLONG = "cut far beyond max_tokens"
# A token of a text is about four characters of English, and fewer of most languages. Only in long
# runs of one character, such as blanks, are there more than these on average.
_CHARACTERS_PER_TOKEN, _FEWEST_TOKENS = 16, 64


def cut_overlong(answer: Answer, request: Request) -> Answer:
    """Cut a reply that its limit cannot have let through; the ledger has all of it."""
    tokens = request.most_output_tokens()
    if tokens is None:
        return answer
    most = max(tokens, _FEWEST_TOKENS) * _CHARACTERS_PER_TOKEN
    if len(answer.whole) <= most:
        return answer
    whole, warnings = answer.whole[:most], (*answer.warnings, OVERLONG)
    text = remove_thoughts(whole)
    return replace(answer, text=text, whole=whole, finish_reason="length", warnings=warnings)

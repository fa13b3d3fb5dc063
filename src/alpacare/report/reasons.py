"""Drop reasons in words, for people who do not read the code that gives them."""

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    # parsing of the teacher's replies, and imported files
    "no_tasks": "replies without any task",
    "missing_field": "without an instruction or another part of a task",
    "bad_type": "of an unknown type",
    "bad_difficulty": "with a difficulty that is not 1 to 5",
    "bad_json": "not to be read as JSON",
    "cut_off": "cut off at the limit of tokens",
    "same_task": "the same as an earlier task",
    # the teacher's answers
    "empty": "with an empty answer",
    "content_filter": "refused by the server's content filter",
    "refused": "refused by the teacher",
    "no_instruction": "without an instruction",
    "input_equals_output": "whose answer only repeats the input",
    # the verifier
    "answer_wrong": "whose answer a second model finds wrong",
    "found wrong": "found wrong by a second model",
    "unreadable": "whose check cannot be read",
    # the filter
    "rouge_l": "near-duplicates of another instruction",
    "rouge_l_seed": "near-duplicates of a seed task",
    "contamination": "copies of a test task",
    "instruction_words": "too short or too long",
    "input_words": "with an input too short or too long",
    "blocked_words": "with a word that is not wanted",
    "starts_with_punctuation": "that start with a punctuation mark",
    "not_english": "not in English",
    "empty_input": "that speak of an input which is not there",
    "unfinished_input": "with an unfinished input",
    "input_equals_instruction": "whose input repeats the instruction",
    "same_as_seed": "the same as a seed task",
    "answer_leaked": "that tell their own answer",
    # training
    "system_turn_not_read": "with a system turn, which the student's prompt has no place for",
    "prompt_too_long": "whose prompt alone is longer than the student's limit",
    "no_response": "without a response",
    "too_long": "longer than the student's limit",
    "truncated": "cut to fit the student's limit",
    "held out": "held out for validation",
}


def reason_in_words(reason: str) -> str:
    """Say what a drop reason means; one without words here is given as it is."""
    return _WORDS.get(reason, reason.replace("_", " "))

"""Response statistics before any judgment: length, cut-off, empty and repetitive answers."""

from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

from alpacare.records.generation import Generation
from alpacare.statistics.counts import share

# an answer that ends in none of these is taken to stop in mid-sentence
_ENDS = tuple(".!?…。！？:;\"'”’)]}»*`")  # noqa: RUF001


def describe_generations(answers: Sequence[Generation], run: Mapping[str, Any]) -> dict[str, Any]:
    """Describe all answers to one test set; shares are of all answers, rounded to four places.

    `cut_off`: ended by the token limit, of the answers whose finish reason is known. `unfinished`:
    ends in mid-sentence, by its last character. `run` is the file that the generating stage wrote
    beside the answers.
    """
    n = len(answers)
    known = [answer for answer in answers if answer.finish_reason != "unknown"]
    tokens = [answer.tokens for answer in answers if answer.tokens is not None]
    words = [len(answer.output.split()) for answer in answers]
    repeats = [r for answer in answers if (r := repetition(answer.output)) is not None]
    cut_off = sum(answer.finish_reason == "length" for answer in known)
    unfinished = sum(ends_unfinished(answer.output) for answer in answers)
    return {
        "answers": n,
        "words": {
            "mean": round(mean(words), 1) if words else None,
            "median": median(words) if words else None,
            "most": max(words, default=None),
        },
        "tokens_mean": round(mean(tokens), 1) if tokens else None,
        "cut_off": cut_off if known else None,
        "cut_off_share": share(cut_off, len(known)),
        "unfinished": unfinished,
        "unfinished_share": share(unfinished, n),
        "empty": sum(not answer.output.strip() for answer in answers),
        "repetition": round(mean(repeats), 4) if repeats else None,
        "input_left_out": sum(answer.input_left_out > 0 for answer in answers),
        "engine": run["engine"],
        "tokens_per_second": run.get("tokens_per_second"),
        "dollars": run.get("dollars"),
    }


def ends_unfinished(text: str) -> bool:
    """Say whether a text stops in mid-sentence; an empty one does not."""
    text = text.rstrip()
    return bool(text) and not text.endswith(_ENDS)


def repetition(text: str) -> float | None:
    """Give the share of a text's 4-grams of words that occur in it before; None if it has none.

    1 - unique / all: "seq-rep-4" of Welleck et al. 2019 (arXiv 1908.04319, section 6).
    """
    words = text.split()
    grams = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    return 1 - len(set(grams)) / len(grams) if grams else None

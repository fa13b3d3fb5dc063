"""Judge `loglik`: a local model says by log-likelihood which label it would write.

A verdict is read from probabilities and not from a text, so there is nothing to parse, and the
same prompts get the same verdicts.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from alpacare.compute.journal import Journal
from alpacare.compute.machine import device_name, versions
from alpacare.compute.pretrained import ModelSource, check_ids, read_config
from alpacare.compute.scratch import fingerprint, hash_code, hash_model
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.names import public_name
from alpacare.core.progress import track
from alpacare.generation import model as generation_model
from alpacare.generation.batched import plan_batches
from alpacare.generation.model import (
    PAD_ID,
    load_model,
    load_tokenizer,
    read_context,
)
from alpacare.local_judging.judges import LoglikJudge
from alpacare.local_judging.likelihood import Prompt, check_attention, score_batch
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.judgment import Slot

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class ScoredPrompt:
    """What one prompt got; `raw`: the log-likelihood of every label in nats, or why there is none.

    `slot` is None if the prompt does not fit the model's context, or if labels share the highest
    score to the bit and the judge knows no ties: a choice between them would go by position.
    """

    slot: Slot | None
    raw: str


class _Scoring(NamedTuple):
    """A judge's labels and the different prompts, as token ids."""

    judge: LoglikJudge
    labels: list[list[int]]
    prompts: list[Prompt]
    pad_id: int


def score_prompts(
    judge: LoglikJudge, prompts: Sequence[str], scratch: Path | None = None
) -> tuple[list[ScoredPrompt], dict[str, Any]]:
    """Let the model choose a label after each prompt; also say how that came about.

    A label's score is the sum of its tokens' log-probabilities, and the highest wins. Equal
    prompts are read once. One that is too long for the model is not cut, and gets no verdict.
    Scores are kept in `scratch`, also afterwards: a call that was stopped goes on, and one that
    comes again loads no model. Many calls may share the folder.

    Raises:
        BadInput: the model cannot be read, or cannot judge; the GPU's memory is full.
    """
    source = ModelSource(judge.model, judge.revision)
    tokenizer, context = load_tokenizer(source), read_context(source)
    labels = encode_labels(judge, tokenizer)
    encoded = _encode_prompts(judge, tokenizer, prompts)
    config = read_config(source)
    check_attention(config, judge.model)
    for number, ids in enumerate(encoded, 1):
        check_ids(source, tokenizer, config, ids, f"prompt {number} of {len(encoded)}")
    longest = max(map(len, labels))
    fitting = {ids for ids in encoded if context is None or len(ids) + longest <= context}
    # sorted: the order of the prompts shapes no batch
    distinct = sorted(fitting, key=lambda ids: (-len(ids), ids))
    scoring = _Scoring(judge, labels, distinct, PAD_ID)
    results, seconds = _score_or_read(scoring, scratch)
    scores = {distinct[place]: result for place, result in results.items()}
    scored = [
        _choose_label(judge, scores[ids])
        if ids in scores
        else ScoredPrompt(
            None,
            f"the prompt has {len(ids):,} tokens and the model's context is {context:,}, "
            f"less {longest} for a label",
        )
        for ids in encoded
    ]
    return scored, _describe_run(judge, encoded, scores, seconds)


def check_judge(judge: LoglikJudge) -> None:
    """Check all of a judge but the values of its weights.

    Raises:
        BadInput: its model cannot be read, or cannot judge.
    """
    source = ModelSource(judge.model, judge.revision)
    tokenizer = load_tokenizer(source)
    encode_labels(judge, tokenizer)
    _encode_prompts(judge, tokenizer, ["Which answer is better?"])
    check_attention(read_config(source), judge.model)


def encode_labels(judge: LoglikJudge, tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """Give the token ids of the labels.

    They are encoded by themselves and appended to the prompt's: no token spans the border, as none
    does where a model continues a text.

    Raises:
        BadInput: a label is the beginning of another one and could never be less likely.
    """
    written = list(judge.labels.values())
    labels = [tokenizer.encode(label, add_special_tokens=False) for label in written]
    for (short, ids), (long, longer) in permutations(zip(written, labels, strict=True), 2):
        if longer[: len(ids)] == ids:
            raise BadInput(
                f"{judge.model}: to its tokenizer label '{short}' is the beginning of label "
                f"'{long}'; choose labels that differ earlier"
            )
    return labels


def _encode_prompts(
    judge: LoglikJudge, tokenizer: "PreTrainedTokenizerBase", prompts: Sequence[str]
) -> list[Prompt]:
    form = StudentPrompt("", "{{ instruction }}", "chat" if judge.prompt == "chat" else "alpaca")
    try:
        return [tuple(form.encode(tokenizer, prompt, "")) for prompt in prompts]
    except BadInput as error:  # a student's other form is `alpaca`, a judge's is `plain`
        raise BadInput(f"{judge.model}: {error}".replace("use alpaca", "use plain")) from error


def _score_or_read(scoring: _Scoring, scratch: Path | None) -> tuple[dict[int, list[float]], float]:
    """Give the scores by the positions of the prompts, and the seconds that they took."""
    judge = scoring.judge
    parts = {
        "judge": judge.model_dump(exclude={"model", "prompt"}),
        "model": hash_model(judge.model, judge.revision),
        "labels": scoring.labels,
        "prompts": scoring.prompts,
        "pad": scoring.pad_id,
        "code": hash_code(__file__, generation_model.__file__),
        "versions": versions(device_name()),
    }
    with TemporaryDirectory() as temporary:
        folder = (scratch or Path(temporary)) / fingerprint(parts)
        folder.mkdir(parents=True, exist_ok=True)
        journal = Journal(folder)
        with hold_lock(folder / "stage.lock"):
            if len(journal.results()) < len(scoring.prompts):
                _score_rest(scoring, journal)
        return journal.results(), journal.seconds()


def _score_rest(scoring: _Scoring, journal: Journal) -> None:
    """Score the prompts that are not in the journal, on a GPU where there is one."""
    import torch

    judge, labels, prompts, pad_id = scoring
    device = "cuda" if torch.cuda.is_available() else "cpu"
    source = ModelSource(judge.model, judge.revision)
    model = load_model(source, judge.dtype, device, judge.threads)
    one_by_one = [[place] for place in range(len(prompts))]
    batches = one_by_one if device == "cpu" else plan_scoring(judge, labels, prompts)
    done = journal.results().keys()
    left = [batch for batch in batches if not done >= set(batch)]
    with track(f"{judge.model} judges", sum(map(len, left)), "prompts") as advance:
        for batch in left:
            start = time.monotonic()
            chosen = [prompts[place] for place in batch]
            try:
                scores = score_batch(model, chosen, labels, pad_id)
            except torch.OutOfMemoryError:
                raise BadInput(
                    f"{judge.model}: the GPU's memory is full; in the judge's settings lower "
                    "cache_tokens, or set dtype: bfloat16"
                ) from None
            if any(math.isnan(score) for row in scores for score in row):
                raise BadInput(
                    f"{judge.model}: its scores are no numbers; its weights are damaged, or need "
                    "dtype: float32"
                )
            journal.append(dict(zip(batch, scores, strict=True)), time.monotonic() - start)
            advance(len(batch), "")


def plan_scoring(
    judge: LoglikJudge, labels: Sequence[Sequence[int]], prompts: Sequence[Prompt]
) -> list[list[int]]:
    """Cut prompts into batches by `cache_tokens`; each label of several tokens needs a copy."""
    copies = max(1, sum(len(label) > 1 for label in labels))
    longest = max(map(len, labels))
    return plan_batches(list(map(len, prompts)), longest, judge.cache_tokens // copies)


def _choose_label(judge: LoglikJudge, scores: Sequence[float]) -> ScoredPrompt:
    raw = ", ".join(
        f"{label.strip()} {score:.4f}"
        for label, score in zip(judge.labels.values(), scores, strict=True)
    )
    best = max(scores)
    slots = [slot for slot, score in zip(judge.labels, scores, strict=True) if score == best]
    if len(slots) == 1:
        return ScoredPrompt(slots[0], raw)
    return ScoredPrompt("tie" if judge.tie is not None else None, raw)


def _describe_run(
    judge: LoglikJudge,
    prompts: Sequence[Prompt],
    scores: Mapping[Prompt, Sequence[float]],
    seconds: float,
) -> dict[str, Any]:
    """Say how scores came about, as a run of answers does: no times on a CPU."""
    device = device_name()
    on_cpu = device == "cpu"
    tokens = sum(map(len, scores))
    return {
        "engine": "loglik",
        **judge.model_dump(exclude={"kind"}),
        "model": public_name(judge.model),
        "exact": on_cpu,
        "prompts": len(prompts),
        "different": len(scores),
        "too_long": sum(ids not in scores for ids in prompts),
        "tokens": tokens,
        # on a CPU the same inputs give the same file, so it holds no times
        "call_seconds": None if on_cpu else round(seconds, 1),
        "tokens_per_second": None if on_cpu else round(tokens / seconds),
        "versions": versions(device),
    }

"""Judge `loglik`: a local model says by log-likelihood which label it would write.

A verdict is read off probabilities and not out of a text, so there is nothing to parse, and the
same prompts get the same verdicts.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.pinned_model import check_pinned
from alpacare.compute.versions import versions
from alpacare.core.errors import BadInput
from alpacare.core.progress import quiet_libraries, track
from alpacare.core.settings import Settings
from alpacare.generation.model import (
    Source,
    load_model,
    load_tokenizer,
    pad_token,
    read_context,
)
from alpacare.local_judging.likelihood import Prompt, check_attention, score_batch
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.judgment import Slot

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class LoglikJudge(Settings):
    """Which model judges, how it is prompted, and the labels it chooses from.

    Form `plain`: the start token and the prompt. `chat`: the model's own chat template around the
    prompt; a label begins its answer. `tie` null: no ties. Labels are written as the model would
    go on, with a space in front where it writes one. Of `dtype` bfloat16 logits come in coarse
    steps (0.1 at a logit of 20), so that equal scores do happen.

    `cache_tokens`: the most tokens held at once on a GPU, where a prompt counts once a label. A
    CPU reads prompts one by one: in company their last digits would change, and a model large
    enough to judge is no faster for it.
    """

    kind: Literal["loglik"]
    model: str
    revision: str | None
    prompt: Literal["plain", "chat"]
    first: str
    second: str
    tie: str | None
    cache_tokens: int = Field(gt=0)
    dtype: Literal["float32", "bfloat16"]
    threads: int = Field(gt=0)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_pinned(self.model, self.revision)
        written = [label.strip() for label in self.labels.values()]
        if not all(written):
            raise ValueError("first, second, tie: a label is blank; write it, or null for no ties")
        if len(set(written)) < len(written):
            raise ValueError("first, second, tie: two labels are the same; write different ones")
        return self

    @property
    def labels(self) -> dict[Slot, str]:
        """The labels that may be chosen."""
        labels: dict[Slot, str] = {"first": self.first, "second": self.second}
        return labels if self.tie is None else {**labels, "tie": self.tie}


@dataclass(frozen=True)
class Scored:
    """What one prompt got; `raw`: the log-likelihood of every label in nats, or why there is none.

    `slot` is None if the prompt does not fit the model's context, or if labels share the highest
    score to the bit and the judge knows no ties: a choice between them would go by position.
    """

    slot: Slot | None
    raw: str


def score_prompts(
    judge: LoglikJudge, prompts: Sequence[str]
) -> tuple[list[Scored], dict[str, Any]]:
    """Let the model choose a label after each prompt; also say how that came about.

    A label's score is the sum of its tokens' log-probabilities, and the highest wins. Equal
    prompts are read once. One that is too long for the model is not cut, and gets no verdict.

    Raises:
        BadInput: the model cannot be read, or cannot judge; the GPU's memory is full.
    """
    source = Source(judge.model, judge.revision)
    tokenizer, context = load_tokenizer(source), read_context(source)
    labels = encode_labels(judge, tokenizer)
    asked = _encode_prompts(judge, tokenizer, prompts)
    longest = max(map(len, labels))
    fitting = {ids for ids in asked if context is None or len(ids) + longest <= context}
    # sorted: the order of the prompts shapes no batch
    distinct = sorted(fitting, key=lambda ids: (-len(ids), ids))
    start = time.monotonic()
    scores = _score_all(judge, labels, distinct, pad_token(tokenizer)) if distinct else {}
    seconds = time.monotonic() - start
    scored = [
        _decide(judge, scores[ids])
        if ids in scores
        else Scored(
            None,
            f"the prompt has {len(ids):,} tokens and the model's context is {context:,}, "
            f"less {longest} for a label",
        )
        for ids in asked
    ]
    return scored, _describe(judge, asked, scores, seconds)


def encode_labels(judge: LoglikJudge, tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """Give the token ids of the labels.

    They are encoded by themselves and put behind the prompt's: no token spans the border, as none
    does where a model goes on writing.

    Raises:
        BadInput: a label is the beginning of another one and could never be less likely.
    """
    written = list(judge.labels.values())
    labels = [tokenizer.encode(label, add_special_tokens=False) for label in written]
    for place, label in enumerate(labels):
        for other, longer in enumerate(labels):
            if place != other and longer[: len(label)] == label:
                raise BadInput(
                    f"{judge.model}: to its tokenizer label '{written[place]}' is the beginning "
                    f"of label '{written[other]}'; choose labels that differ earlier"
                )
    return labels


def _encode_prompts(
    judge: LoglikJudge, tokenizer: "PreTrainedTokenizerBase", prompts: Sequence[str]
) -> list[Prompt]:
    form = StudentPrompt("", "{instruction}", "chat" if judge.prompt == "chat" else "alpaca")
    try:
        return [tuple(form.encode(tokenizer, prompt, "")) for prompt in prompts]
    except BadInput as error:  # a student's other form is `alpaca`, a judge's is `plain`
        raise BadInput(f"{judge.model}: {error}".replace("use alpaca", "use plain")) from error


def _load(judge: LoglikJudge) -> "PreTrainedModel":
    """Load the judge's model, on a GPU where there is one."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    make_deterministic(0, judge.threads)
    # some kernels of a GPU have no deterministic form
    torch.use_deterministic_algorithms(device == "cpu")
    quiet_libraries()
    model = load_model(Source(judge.model, judge.revision), judge.dtype, device, "sdpa")
    check_attention(model, judge.model)
    return model


def _score_all(
    judge: LoglikJudge, labels: Sequence[Sequence[int]], prompts: Sequence[Prompt], pad: int
) -> dict[Prompt, list[float]]:
    """Score the labels after different prompts, longest first."""
    import torch

    model = _load(judge)
    alone = model.device.type == "cpu"
    scores: dict[Prompt, list[float]] = {}
    with track(f"{judge.model} judges", len(prompts), "prompts") as advance:
        for batch in [[prompt] for prompt in prompts] if alone else plan(judge, labels, prompts):
            try:
                rows = score_batch(model, batch, labels, pad)
            except torch.OutOfMemoryError:
                raise BadInput(
                    f"{judge.model}: the GPU's memory is full; in the judge's settings lower "
                    "cache_tokens, or set dtype: bfloat16"
                ) from None
            if any(math.isnan(score) for row in rows for score in row):
                raise BadInput(
                    f"{judge.model}: its scores are no numbers; its weights are damaged, or need "
                    "dtype: float32"
                )
            scores.update(zip(batch, rows, strict=True))
            advance(len(batch), "")
    return scores


def plan(
    judge: LoglikJudge, labels: Sequence[Sequence[int]], prompts: Sequence[Prompt]
) -> list[Sequence[Prompt]]:
    """Cut prompts, longest first, into batches that `cache_tokens` allow, of one at least."""
    batches, start = [], 0
    copies = max(1, sum(len(label) > 1 for label in labels))
    while start < len(prompts):
        row = copies * (len(prompts[start]) + max(map(len, labels)))
        batches.append(prompts[start : start + max(1, judge.cache_tokens // row)])
        start += len(batches[-1])
    return batches


def _decide(judge: LoglikJudge, scores: Sequence[float]) -> Scored:
    raw = ", ".join(
        f"{label.strip()} {score:.4f}"
        for label, score in zip(judge.labels.values(), scores, strict=True)
    )
    best = max(scores)
    slots = [slot for slot, score in zip(judge.labels, scores, strict=True) if score == best]
    if len(slots) == 1:
        return Scored(slots[0], raw)
    return Scored("tie" if judge.tie is not None else None, raw)


def _describe(
    judge: LoglikJudge,
    asked: Sequence[Prompt],
    scores: Mapping[Prompt, Sequence[float]],
    seconds: float,
) -> dict[str, Any]:
    """Say how scores came about, as a run of answers does: no times on a CPU."""
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
    tokens = sum(map(len, scores))
    return {
        "engine": "loglik",
        **judge.model_dump(exclude={"kind"}),
        "exact": device == "cpu",
        "prompts": len(asked),
        "different": len(scores),
        "too_long": sum(ids not in scores for ids in asked),
        "tokens": tokens,
        # on a CPU the same inputs give the same file, so that no clock stands in it
        "call_seconds": None if device == "cpu" else round(seconds, 1),
        "tokens_per_second": None if device == "cpu" else round(tokens / seconds),
        "versions": versions(device),
    }

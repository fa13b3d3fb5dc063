"""One worker of a run: it answers its part of the prompts and writes them into the journal.

It runs in the stage's own process, or as one of several that `accelerate launch` starts, one a GPU:

    accelerate launch --num_processes 4 -m alpacare.generation.worker SCRATCH
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from alpacare.compute.journal import Journal
from alpacare.compute.pretrained import ModelSource
from alpacare.compute.workers import ERROR_FILE, check_worker_inputs, worker_lock
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.progress import RowsDone, tell_start, track
from alpacare.generation import batched, continuous
from alpacare.generation.model import end_tokens, load_model
from alpacare.generation.settings import Decoding, GenerationsSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

JOB = "job.json"
AnswerTokens = tuple[list[int], str]  # new token ids without the end of text, the finish reason


class GenerationJob(BaseModel):
    """What the workers read: prompts as token ids, and a seed for each."""

    model: str
    revision: str | None
    prompts: list[list[int]]
    seeds: list[int]
    end_ids: list[int]
    pad_id: int
    settings: GenerationsSettings
    title: str


def main(scratch: Path) -> None:
    """Answer one of several parts."""
    rank, workers = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    try:
        check_worker_inputs(scratch)
        with nullcontext() if rank else tell_start("generation"):
            run_worker(scratch, rank, workers)
    except BadInput as error:
        (scratch / ERROR_FILE).write_text(str(error))
        raise SystemExit(1) from None


def run_worker(scratch: Path, rank: int = 0, workers: int = 1) -> None:
    """Answer what is left of a worker's part.

    Raises:
        BadInput: the model cannot be read; a GPU's memory is full; a worker that outlived its
            stage still runs.
    """
    import torch

    job = GenerationJob.model_validate_json((scratch / JOB).read_text())
    journal = Journal(scratch)
    with hold_lock(scratch / worker_lock(rank)):
        batches = remaining_batches(job, journal, rank, workers)
        try:
            if batches:
                answer_batches(load_job_model(job), job, batches, journal, rank)
        except torch.OutOfMemoryError:
            raise BadInput(
                "the GPU's memory is full; in section generations lower cache_tokens, with which "
                "answering begins anew, or set dtype: bfloat16"
            ) from None


def load_job_model(job: GenerationJob) -> "PreTrainedModel":
    """Load a job's model with its engine's attention, on this worker's device.

    Raises:
        BadInput: the model cannot be read.
    """
    import torch

    device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    if device != "cpu":
        torch.cuda.set_device(device)  # for libraries that name no device
    settings = job.settings
    attention = continuous.attention_name() if settings.engine == "continuous" else None
    source = ModelSource(job.model, job.revision)
    return load_model(source, settings.dtype, device, settings.threads, attention)


def remaining_batches(
    job: GenerationJob, journal: Journal, rank: int, workers: int
) -> list[list[int]]:
    """Give the batches that a worker has still to answer: its part is every so many-th one.

    In float32 answers do not depend on what shares a batch: all prompts are one batch, whose rows
    make room for the next ones. Else the batches are the same with any number of workers and after
    any number of kills.
    """
    done = journal.results().keys()
    settings, lengths = job.settings, [len(ids) for ids in job.prompts]
    if settings.engine == "continuous" or settings.dtype == "float32":
        part = batched.longest_first(lengths)[rank::workers]  # others may have begun already
        left = [position for position in part if position not in done]
        return [left] if left else []
    batches = batched.plan_batches(lengths, settings.max_new_tokens, settings.cache_tokens)
    return [batch for batch in batches[rank::workers] if not done >= set(batch)]


def answer_batches(
    model: "PreTrainedModel",
    job: GenerationJob,
    batches: Sequence[list[int]],
    journal: Journal,
    rank: int = 0,
) -> None:
    """Answer batches, and write each into the journal as it is done."""
    end_ids = sorted({*job.end_ids, *end_tokens(model)})
    decoding = Decoding(job.settings, end_ids, job.pad_id)
    tokens, start = 0, time.monotonic()
    last = start
    display = track(job.title, sum(map(len, batches)), "tasks")
    with display if rank == 0 else nullcontext(lambda *_: None) as advance:

        def show(done: int, count: int) -> None:
            rate = count / (time.monotonic() - start)
            advance(done, f"{count:,} tokens, {rate:,.0f} tokens/s")

        def report(new: int) -> None:
            show(0, tokens + new)

        for answered in _generate(model, job, batches, decoding, report):
            answers = {
                position: trim_answer(ids, end_ids, job.settings.max_new_tokens)
                for position, ids in answered.items()
            }
            now = time.monotonic()
            journal.append(answers, now - last, rank)
            last = now
            tokens += sum(len(ids) for ids, _ in answers.values())
            show(len(answers), tokens)


def _generate(
    model: "PreTrainedModel",
    job: GenerationJob,
    batches: Sequence[list[int]],
    decoding: Decoding,
    report: RowsDone,
) -> Iterator[dict[int, list[int]]]:
    if job.settings.engine == "continuous":
        waiting = {position: job.prompts[position] for position in batches[0]}
        for position, ids in continuous.answer_stream(model, waiting, decoding):
            yield {position: ids}
        return
    for batch in batches:
        prompts, seeds = [job.prompts[p] for p in batch], [job.seeds[p] for p in batch]
        for ended in batched.answer_rows(model, prompts, seeds, decoding, report):
            yield {batch[place]: ids for place, ids in ended.items()}


def trim_answer(ids: list[int], end_ids: Sequence[int], most: int) -> AnswerTokens:
    """End an answer before its end of text; without one it was cut off."""
    kept = list(takewhile(lambda token: token not in end_ids, ids))
    return kept, "length" if len(kept) == len(ids) >= most else "stop"


if __name__ == "__main__":
    main(Path(sys.argv[1]))

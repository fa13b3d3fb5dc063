"""One worker of a run: it answers its share of the prompts and writes them into the journal.

In the stage's own process, or of several by `accelerate launch`, one a GPU:

    accelerate launch --num_processes 4 -m alpacare.generation.worker SCRATCH
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.workers import ERROR, lock_name
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import alone
from alpacare.core.progress import quiet_libraries, track
from alpacare.generation import batched, continuous
from alpacare.generation.decoding import Decoding
from alpacare.generation.journal import Journal, Row
from alpacare.generation.model import Source, end_tokens, load_model
from alpacare.generation.settings import GenerationsSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

JOB = "job.json"


class Job(BaseModel):
    """What the workers read: prompts as token ids, and a seed for each."""

    model: str
    revision: str | None
    prompts: list[list[int]]
    seeds: list[int]
    ends: list[int]
    pad: int
    settings: GenerationsSettings
    title: str


def main(scratch: Path) -> None:
    """Answer one share of several."""
    rank, workers = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    try:
        work(scratch, rank, workers)
    except BadInput as error:
        (scratch / ERROR).write_text(str(error))
        raise SystemExit(1) from None


def work(scratch: Path, rank: int = 0, workers: int = 1) -> None:
    """Answer what is left of a share: every so many-th batch, or prompt.

    Raises:
        BadInput: the model cannot be read; a GPU's memory is full; a worker that outlived its
            stage is still at it.
    """
    import torch

    job = Job.model_validate_json((scratch / JOB).read_text())
    journal = Journal(scratch)
    with alone(scratch / lock_name(rank)):
        mine = share_out(job, journal, rank, workers)
        try:
            if mine:
                answer(load(job), job, mine, journal, rank)
        except torch.OutOfMemoryError:
            raise BadInput(
                "the GPU's memory is full; in section generations lower cache_tokens, with which "
                "answering begins anew, or set dtype: bfloat16"
            ) from None


def load(job: Job) -> "PreTrainedModel":
    """Load a job's model as its engine wants it, on this worker's device.

    Raises:
        BadInput: the model cannot be read.
    """
    import torch

    device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    if device != "cpu":
        torch.cuda.set_device(device)  # libraries that ask for no device in particular get this one
    make_deterministic(0, job.settings.threads)
    # some kernels of a GPU have no deterministic form; what varies is written beside the answers
    torch.use_deterministic_algorithms(device == "cpu")
    quiet_libraries()
    paged = job.settings.engine == "continuous"
    attention = continuous.attention() if paged else "sdpa"
    return load_model(Source(job.model, job.revision), job.settings.dtype, device, attention)


def share_out(job: Job, journal: Journal, rank: int, workers: int) -> list[list[int]]:
    """Give the batches that a worker has still to answer.

    The batches are the same with any number of workers and after any number of kills, since in
    bfloat16 what shares a batch shapes its answers.
    """
    done = journal.rows().keys()
    if job.settings.engine == "continuous":
        mine = range(rank, len(job.prompts), workers)  # fixed, as others may have begun already
        left = [position for position in mine if position not in done]
        return [left] if left else []
    batches = batched.plan([len(ids) for ids in job.prompts], job.settings)
    return [batch for batch in batches[rank::workers] if not done >= set(batch)]


def answer(
    model: "PreTrainedModel", job: Job, mine: Sequence[list[int]], journal: Journal, rank: int = 0
) -> None:
    """Answer a share and write it into the journal, batch by batch."""
    ends = sorted({*job.ends, *end_tokens(model)})
    decoding = Decoding(job.settings, ends, job.pad)
    count = sum(map(len, mine))
    tokens, last = 0, time.monotonic()
    start = last
    with track(job.title, count, "tasks") if rank == 0 else nullcontext(_silent) as advance:
        for answered in _results(model, job, mine, decoding):
            rows = {p: cut(ids, ends, job.settings.max_new_tokens) for p, ids in answered.items()}
            now = time.monotonic()
            journal.append(rank, rows, now - last)
            last = now
            tokens += sum(len(ids) for ids, _ in rows.values())
            advance(len(rows), f"{tokens / (now - start):,.0f} tokens/s")


def _silent(units: int, note: str) -> None:
    pass


def _results(
    model: "PreTrainedModel", job: Job, mine: Sequence[list[int]], decoding: Decoding
) -> Iterator[dict[int, list[int]]]:
    if job.settings.engine == "continuous":
        prompts = {position: job.prompts[position] for position in mine[0]}
        for position, ids in continuous.answer_stream(model, prompts, decoding):
            yield {position: ids}
        return
    for batch in mine:
        prompts_of, seeds = [job.prompts[p] for p in batch], [job.seeds[p] for p in batch]
        new = batched.answer_batch(model, prompts_of, seeds, decoding)
        yield dict(zip(batch, new, strict=True))


def cut(ids: list[int], ends: Sequence[int], most: int) -> Row:
    """End an answer before its end of text; without one it was cut off."""
    place = next((n for n, token in enumerate(ids) if token in ends), None)
    if place is not None:
        return ids[:place], "stop"
    return ids, "length" if len(ids) >= most else "stop"


if __name__ == "__main__":
    main(Path(sys.argv[1]))

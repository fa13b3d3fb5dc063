"""A test set answered by a model on this machine, as generation records."""

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.compute import scratch
from alpacare.compute.versions import versions
from alpacare.compute.workers import ACCELERATE, run_workers
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import alone
from alpacare.core.files import write_json
from alpacare.generation import worker
from alpacare.generation.journal import Journal, Row
from alpacare.generation.model import Source, load_tokenizer, pad_token, read_context
from alpacare.generation.prompts import Asked, ask_all
from alpacare.generation.sampling import row_seed
from alpacare.generation.settings import GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Answers:
    """Answers in the order of the tests, and how they came about."""

    records: list[Generation]
    run: dict[str, Any]

    def save(self, out: Path, run: Path) -> str:
        """Write both files, and sum the answers up in a line."""
        jsonl.write(out, self.records)
        write_json(run, self.run)
        reasons = Counter(record.finish_reason for record in self.records)
        shortened = sum(record.input_left_out > 0 for record in self.records)
        line = f"{len(self.records)} answers, {reasons['length']} cut off"
        return line + (f", {shortened} to a shortened input" if shortened else "")


def answer_tests(
    source: Source,
    prompt: StudentPrompt,
    tests: Sequence[TestTask],
    settings: GenerationsSettings,
    generator: str,
    out: Path,
) -> Answers:
    """Let a model answer every test task; a run that was stopped goes on where it was.

    What is done stands in `.scratch` beside `out`, under a name made of all that shapes the
    answers. It stays there afterwards: an edit of code that shapes none costs seconds.

    Raises:
        BadInput: the model cannot be read; a prompt does not fit; the machine is too small.
        KeyboardInterrupt: it was stopped; the message says how to go on.
    """
    tokenizer = load_tokenizer(source)
    asked = ask_all(tests, prompt, tokenizer, room_for_prompts(source, settings))
    job = _make_job(source, tests, asked, tokenizer, settings, f"{generator} answers")
    folder = _make_folder(out, job)
    with alone(folder / "stage.lock"):
        (folder / worker.JOB).write_text(job.model_dump_json())
        _run(folder, job)
        rows = Journal(folder).rows()
    if len(rows) < len(tests):
        raise BadInput(f"{folder}: {len(tests) - len(rows)} answers are missing; give it once more")
    run = describe_run(job, rows, Journal(folder).seconds())
    _forget_others(folder, out)
    records = [
        make_record(test, asked[place], tokenizer, rows[place], generator)
        for place, test in enumerate(tests)
    ]
    return Answers(records, run)


def room_for_prompts(source: Source, settings: GenerationsSettings) -> int | None:
    """Give the most tokens a prompt may have, so that the longest answer still fits.

    Raises:
        BadInput: no prompt would fit.
    """
    context = read_context(source)
    if context is not None and settings.max_new_tokens >= context:
        raise BadInput(
            f"generations.max_new_tokens: {settings.max_new_tokens} leaves no room for a prompt "
            f"in the model's context of {context} tokens; lower it"
        )
    return None if context is None else context - settings.max_new_tokens


def _make_job(
    source: Source,
    tests: Sequence[TestTask],
    asked: Sequence[Asked],
    tokenizer: "PreTrainedTokenizerBase",
    settings: GenerationsSettings,
    title: str,
) -> worker.Job:
    end = tokenizer.eos_token_id
    seed = settings.seed if settings.temperature else 0  # without draws it shapes nothing
    return worker.Job(
        model=source.name,
        revision=source.revision,
        prompts=[each.ids for each in asked],
        seeds=[row_seed(seed, test.id) for test in tests],
        ends=[] if end is None else [end],
        pad=pad_token(tokenizer),
        settings=settings,
        title=title,
    )


def _make_folder(out: Path, job: worker.Job) -> Path:
    """Make the folder of a run, named by all that shapes its answers."""
    name = scratch.fingerprint(
        {
            "job": job.model_dump(exclude={"model", "title", "settings"}),
            "settings": _shaping(job.settings),
            "weights": scratch.hash_model(job.model, job.revision),
            "code": scratch.hash_files(*sorted(Path(__file__).parent.glob("*.py"))),
            "versions": versions(_device()),
        }
    )
    folder = out.parent / ".scratch" / f"{out.stem}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _shaping(settings: GenerationsSettings) -> dict[str, Any]:
    """Give the settings that shape answers, and no others: a change of these begins anew."""
    continuous = settings.engine == "continuous"
    idle = {"engine", "endpoint", "workers"} | (set() if continuous else {"step_tokens"})
    if not settings.temperature:
        idle |= {"top_p", "seed"}
    engine = "continuous" if continuous else "batched"
    return {"engine": engine, **settings.model_dump(exclude=idle)}


def _run(folder: Path, job: worker.Job) -> None:
    """Have the workers answer what is left."""
    workers = job.settings.workers
    if workers == 1:
        try:
            worker.work(folder)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_kept(folder, job)) from None
        return
    import torch

    gpus = torch.cuda.device_count()
    if gpus and workers > gpus:
        raise BadInput(f"generations.workers: {workers}, one a GPU, and this machine has {gpus}")
    shape = folder / "accelerate.yaml"
    shape.write_text(
        # MULTI_GPU also starts several processes on a CPU
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\n"
        f"use_cpu: {str(not gpus).lower()}\nnum_machines: 1\nnum_processes: {workers}\n"
        'main_process_port: 0\nmixed_precision: "no"\n'
    )
    threads = str(job.settings.threads)
    command = [*ACCELERATE, "--config_file", str(shape), "--num_cpu_threads_per_process", threads]
    command += ["-m", worker.__name__, str(folder)]
    run_workers(command, {}, folder, lambda: _kept(folder, job))


def _kept(folder: Path, job: worker.Job) -> str:
    done = len(Journal(folder).rows())
    return f"stopped: {done} of {len(job.prompts)} answers are kept; the same command goes on"


def describe_run(job: worker.Job, rows: dict[int, Row], seconds: float) -> dict[str, Any]:
    """Say how answers came about: all that could vary.

    No times on a CPU, where the same run gives the same bytes. `exact`: each answer is what its
    prompt alone would get.
    """
    settings, device = job.settings, _device()
    tokens, workers = sum(len(ids) for ids, _ in rows.values()), settings.workers
    return {
        **_shaping(settings),
        "exact": settings.dtype == "float32"
        and device == "cpu"
        and settings.engine != "continuous",
        "tokens": tokens,
        "tokens_per_second": None if device == "cpu" else round(tokens / seconds * workers),
        "versions": versions(device),
    }


def _device() -> str:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"


def _forget_others(folder: Path, out: Path) -> None:
    """Delete what runs with other settings left of this very output."""
    for other in folder.parent.iterdir():
        if other != folder and re.fullmatch(re.escape(out.stem) + "-[0-9a-f]{16}", other.name):
            shutil.rmtree(other, ignore_errors=True)


def make_record(
    test: TestTask,
    asked: Asked,
    tokenizer: "PreTrainedTokenizerBase",
    row: Row,
    generator: str,
) -> Generation:
    """Give a row's text: the new tokens and nothing else."""
    ids, reason = row
    return Generation(
        id=test.id,
        instruction=test.instruction,
        input=test.input,
        output=str(tokenizer.decode(ids, skip_special_tokens=True)),
        generator=generator,
        finish_reason="stop" if reason == "stop" else "length",
        tokens=len(ids) + (reason == "stop"),
        input_left_out=asked.left_out,
    )

"""A test set answered by a model on this machine, as generation records."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.compute.journal import Journal
from alpacare.compute.machine import device_name, versions
from alpacare.compute.pretrained import ModelSource, check_ids, read_config
from alpacare.compute.scratch import delete_other_runs, fingerprint, hash_code, hash_model
from alpacare.compute.workers import ACCELERATE, run_workers
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.files import read_json, write_json
from alpacare.core.texts import counted, repair_text
from alpacare.generation import continuous, worker
from alpacare.generation.model import PAD_ID, load_tokenizer, read_context
from alpacare.generation.prompts import EncodedPrompt, encode_prompts
from alpacare.generation.sampling import row_seed
from alpacare.generation.settings import GenerationsSettings
from alpacare.generation.worker import AnswerTokens, GenerationJob
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask
from alpacare.records.thoughts import remove_thoughts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class GenerationRun:
    """Answers in the order of the tests, and how they came about."""

    records: list[Generation]
    info: dict[str, Any]

    def save(self, out: Path, run: Path) -> str:
        """Write both files, and give a summary line."""
        jsonl.write(out, self.records)
        write_json(run, self.info)
        reasons = Counter(record.finish_reason for record in self.records)
        shortened = sum(record.input_left_out > 0 for record in self.records)
        line = f"{counted(len(self.records), 'answer')}, {reasons['length']} cut off"
        return line + (f", {shortened} to a shortened input" if shortened else "")


def generate_answers(
    source: ModelSource,
    prompt: StudentPrompt,
    tests: Sequence[TestTask],
    settings: GenerationsSettings,
    generator: str,
    scratch: Path,
) -> GenerationRun:
    """Let a model answer every test task; a run that was stopped goes on where it was.

    `scratch`: a folder for these answers alone. What is done is kept there in a folder that is
    named by all that shapes the answers, also afterwards: when the same answers are wanted again,
    they are read. What other settings or weights left there is deleted.

    Raises:
        BadInput: the model cannot be read; a prompt does not fit; the machine is too small.
        KeyboardInterrupt: it was stopped; the message says how to go on.
    """
    if settings.engine == "continuous":
        continuous.check_device()
    tokenizer = load_tokenizer(source)
    prompts = encode_prompts(tests, prompt, tokenizer, max_prompt_tokens(source, settings))
    config = read_config(source)
    for test, each in zip(tests, prompts, strict=True):
        check_ids(source, tokenizer, config, each.ids, f"test task {test.id}")
    seed = settings.seed if settings.temperature else 0  # without sampling it has no effect
    job = GenerationJob(
        model=source.name,
        revision=source.revision,
        prompts=[each.ids for each in prompts],
        seeds=[row_seed(seed, test.id) for test in tests],
        end_ids=sorted({*prompt.end_ids(tokenizer), tokenizer.eos_token_id} - {None}),
        pad_id=PAD_ID,
        settings=settings,
        title=f"{generator} answers",
    )
    folder = scratch / _name_run(job)
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder)
    with hold_lock(folder / "stage.lock"):
        (folder / worker.JOB).write_text(job.model_dump_json())
        _run_job(folder, job)
        answers: dict[int, AnswerTokens] = journal.results()
    if len(answers) < len(tests):
        missing = counted(len(tests) - len(answers), "answer")
        raise BadInput(f"{folder}: {missing} missing; run the command once more")
    delete_other_runs(folder)
    records = [
        make_record(test, prompts[place], tokenizer, answers[place], generator)
        for place, test in enumerate(tests)
    ]
    thoughts = sum(read_answer(tokenizer, ids)[1] for ids, _ in answers.values())
    info = describe_run(job, answers, journal.seconds()) | {"with_thoughts": thoughts}
    return GenerationRun(records, info)


def name_student(checkpoint: Path) -> str:
    """Name the student that a checkpoint holds, as it says itself.

    Raises:
        BadInput: there is no checkpoint, or an older one, that does not say.
    """
    name = read_json(checkpoint / "training.json").get("student")
    if not isinstance(name, str):
        raise BadInput(f"{checkpoint}: does not name its student; run `dvc repro checkpoint`")
    return name


def max_prompt_tokens(source: ModelSource, settings: GenerationsSettings) -> int | None:
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


def _name_run(job: GenerationJob) -> str:
    """Name a run by all that shapes its answers."""
    parts = {
        "job": job.model_dump(exclude={"model", "title", "settings"}),
        "settings": _effective_settings(job.settings),
        "weights": hash_model(job.model, job.revision),
        "code": hash_code(__file__),
        "versions": versions(device_name()),
    }
    return fingerprint(parts)


def _effective_settings(settings: GenerationsSettings) -> dict[str, Any]:
    """Give the settings that answers depend on: with other values all is answered again."""
    unused = {"engines", "servers", "workers"}
    if settings.engine != "continuous":
        unused.add("step_tokens")
    if not settings.temperature:
        unused |= {"top_p", "seed"}
    return {"engine": settings.engine, **settings.model_dump(exclude=unused)}


def _run_job(folder: Path, job: GenerationJob) -> None:
    workers = job.settings.workers
    if workers == 1:
        try:
            worker.run_worker(folder)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_progress(folder, job)) from None
        return
    import torch

    gpus = torch.cuda.device_count()
    if gpus and workers > gpus:
        raise BadInput(f"generations.workers: {workers}, one a GPU, and this machine has {gpus}")
    config = folder / "accelerate.yaml"
    config.write_text(
        # MULTI_GPU also starts several processes on a CPU
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\n"
        f"use_cpu: {str(not gpus).lower()}\nnum_machines: 1\nnum_processes: {workers}\n"
        'main_process_port: 0\nmixed_precision: "no"\n'
    )
    threads = str(job.settings.threads)
    command = [*ACCELERATE, "--config_file", str(config), "--num_cpu_threads_per_process", threads]
    command += ["-m", worker.__name__, str(folder)]
    run_workers(command, {}, folder, lambda: _progress(folder, job))


def _progress(folder: Path, job: GenerationJob) -> str:
    done = len(Journal(folder).results())
    return f"stopped: {done} of {len(job.prompts)} answers are kept; the same command goes on"


def describe_run(
    job: GenerationJob, answers: dict[int, AnswerTokens], seconds: float
) -> dict[str, Any]:
    """Say how answers came about: all that could vary.

    No times on a CPU, where the same run gives the same bytes. `exact`: each answer is what its
    prompt alone would get.
    """
    settings, device = job.settings, device_name()
    tokens, workers = sum(len(ids) for ids, _ in answers.values()), settings.workers
    on_cpu = device == "cpu"
    return {
        **_effective_settings(settings),
        "exact": settings.dtype == "float32" and on_cpu,
        "tokens": tokens,
        "tokens_per_second": None if on_cpu else round(tokens / seconds * workers),
        "versions": versions(device),
    }


def read_answer(tokenizer: "PreTrainedTokenizerBase", ids: list[int]) -> tuple[str, bool]:
    """Give the text of new tokens, as `core.texts` has all texts, and whether thoughts are gone.

    The tags of thoughts may be special tokens: these go only after the thoughts.
    """
    special = [
        token.content
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special and number in ids
    ]
    if special:
        whole = repair_text(str(tokenizer.decode(ids, skip_special_tokens=False)))
        answer = remove_thoughts(whole)
        if answer != whole:
            for token in special:
                answer = answer.replace(token, "")
            return answer.strip(), True
    plain = repair_text(str(tokenizer.decode(ids, skip_special_tokens=True)))
    answer = remove_thoughts(plain)
    return answer, answer != plain


def make_record(
    test: TestTask,
    prompt: EncodedPrompt,
    tokenizer: "PreTrainedTokenizerBase",
    answer: AnswerTokens,
    generator: str,
) -> Generation:
    """Make a row of the output: the text of the new tokens, without a model's thoughts."""
    ids, reason = answer
    return Generation(
        id=test.id,
        instruction=test.instruction,
        input=test.input,
        output=read_answer(tokenizer, ids)[0],
        generator=generator,
        finish_reason="stop" if reason == "stop" else "length",
        tokens=len(ids) + (reason == "stop"),
        input_left_out=prompt.tokens_left_out,
    )

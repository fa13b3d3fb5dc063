"""What bench/generate.py compares: ways to answer the same tasks with the same model.

    python bench/generate_ways.py WAY FOLDER

FOLDER is what bench/generate.py made. Answers once and prints the answers and the memory, as JSON:
bench/generate.py calls each way so in a process of its own.
"""

import json
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import Any

import torch

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.journal import Journal
from alpacare.core.settings import read_yaml
from alpacare.generation import worker
from alpacare.generation.batched import pad_left
from alpacare.generation.model import ModelSource, end_tokens, load_tokenizer
from alpacare.generation.settings import GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.training.base_model import train_tokenizer
from alpacare.training.settings import Architecture

REPOSITORY = Path(__file__).parents[1]
THREADS = 2
# fixed, as figures of another student could not be compared
SIZE = Architecture(hidden_size=128, layers=3, heads=2, vocab_size=4096, context=1024)
TASKS = 128
MOST = 128  # new tokens an answer
END = 512  # every so many-th token ends an answer: most are cut off, as 71 % of the demo's are
Asked = tuple[str, str]  # instruction and input
Lengths = Callable[[Any], tuple[int, int, int]]
Answer = tuple[list[int], str, str]  # tokens without the end of text, finish reason, text


@dataclass(frozen=True)
class Work:
    """What each way is given: a folder with a model, tasks, and how many new tokens at most."""

    folder: Path
    asked: list[Asked]
    most: int

    @classmethod
    def read(cls, folder: Path) -> "Work":
        """Read what `write` wrote."""
        values = json.loads((folder / "work.json").read_text())
        return cls(folder, [tuple(each) for each in values["asked"]], values["most"])

    def write(self) -> None:
        values = {name: value for name, value in asdict(self).items() if name != "folder"}
        (self.folder / "work.json").write_text(json.dumps(values))

    @property
    def prompt(self) -> StudentPrompt:
        return StudentPrompt.choose("alpaca", REPOSITORY / "prompts/student")

    def settings(self, **changes: Any) -> GenerationsSettings:
        """Those of params.yaml, but for the engine and what all ways must share."""
        values: dict[str, Any] = read_yaml(REPOSITORY / "params.yaml")["generations"]
        same = {"max_new_tokens": self.most, "temperature": 0.0, "dtype": "float32"}
        one_process = {"workers": 1, "threads": THREADS}
        return GenerationsSettings(**values | same | one_process | changes)


class Published:
    """AlpaCare's: a prompt at a time, decoded whole, and what follows "Response:" is the answer."""

    def __init__(self, work: Work, dtype: str = "float32", device: str = "cpu") -> None:
        from transformers import AutoModelForCausalLM

        make_deterministic(0, THREADS, on_cpu=device == "cpu")
        model = AutoModelForCausalLM.from_pretrained(
            work.folder, dtype=getattr(torch, dtype), trust_remote_code=False
        )
        self.model = model.to(device).eval()
        self.tokenizer = load_tokenizer(ModelSource(str(work.folder)))
        self.prompt, self.most = work.prompt, work.most

    def __call__(self, asked: Sequence[Asked]) -> list[Answer]:
        """Answer; the published limit of 1024 tokens is the others' limit of new ones instead."""
        return [self._answer(*each) for each in asked]

    def _answer(self, instruction: str, input: str) -> Answer:
        text = self.prompt.render(self.tokenizer, instruction, input)
        inputs = self.tokenizer(text, add_special_tokens=False, return_tensors="pt")
        inputs = inputs.to(self.model.device)
        width = inputs.input_ids.shape[1]
        ids = self.model.generate(
            **inputs,
            max_new_tokens=self.most,
            do_sample=False,
            pad_token_id=self.tokenizer.pad_token_id,
        )[0]
        whole = self.tokenizer.decode(ids, skip_special_tokens=True)
        row = worker.trim_answer(ids[width:].tolist(), end_tokens(self.model), self.most)
        return *row, whole.split("Response:")[1]


class OneBatch:
    """All prompts as one batch, padded on the left, which ends when its longest answer does."""

    def __init__(self, work: Work) -> None:
        self.published = Published(work)

    def __call__(self, asked: Sequence[Asked]) -> list[Answer]:
        """Answer with transformers' generate, and nothing of ours but the padding."""
        model, tokenizer = self.published.model, self.published.tokenizer
        most = self.published.most
        prompts = [self.published.prompt.encode(tokenizer, *each) for each in asked]
        ids, mask = pad_left(prompts, tokenizer.pad_token_id, model.device)
        whole = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=most,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
        rows = [
            worker.trim_answer(row, end_tokens(model), most)
            for row in whole[:, ids.shape[1] :].tolist()
        ]
        return [(*row, tokenizer.decode(row[0], skip_special_tokens=True)) for row in rows]


class Ours:
    """As the stage `generations` answers, journal included, with a model loaded before."""

    def __init__(self, work: Work, engine: str, **changes: Any) -> None:
        self.tokenizer = load_tokenizer(ModelSource(str(work.folder)))
        self.prompt = work.prompt
        self.job = worker.GenerationJob(
            model=str(work.folder),
            revision=None,
            prompts=[],
            seeds=[],
            end_ids=[self.tokenizer.eos_token_id],
            pad_id=self.tokenizer.pad_token_id,
            settings=work.settings(engines=[engine], **changes),
            title=engine,
        )
        self.model = worker.load_job_model(self.job)

    def __call__(self, asked: Sequence[Asked]) -> list[Answer]:
        """Answer in a new folder, as a run that was never stopped."""
        prompts = [self.prompt.encode(self.tokenizer, *each) for each in asked]
        job = self.job.model_copy(update={"prompts": prompts, "seeds": [0] * len(prompts)})
        with tempfile.TemporaryDirectory() as folder:
            journal = Journal(Path(folder))
            batches = worker.remaining_batches(job, journal, 0, 1)
            # only rank 0 shows progress
            worker.answer_batches(self.model, job, batches, journal, rank=1)
            answers = journal.results()
        return [self._decode(*answers[place]) for place in range(len(prompts))]

    def _decode(self, ids: list[int], reason: str) -> Answer:
        return ids, reason, self.tokenizer.decode(ids, skip_special_tokens=True)


Way = Callable[[Sequence[Asked]], list[Answer]]
WAYS: dict[str, Callable[[Work], Way]] = {
    "published": Published,
    "one batch": OneBatch,
    "batched": partial(Ours, engine="batched"),
}


def medinstruct(draw: Any) -> tuple[int, int, int]:
    """Words of an instruction, its input, and a text for the tokenizer, as in MedInstruct-test.

    Its 216 instructions have 25 words on average, 9 to 88, and no input.
    """
    return int(min(88, max(9, round(draw.lognormal(3.1, 0.45))))), 0, 60


def icliniq(draw: Any) -> tuple[int, int, int]:
    """The same as in iCliniq: its 1,000 questions have 92 words on average and 591 at most."""
    return 13, min(591, round(draw.lognormal(4.18, 0.83))), 60


def make_work(
    folder: Path, config: Any, lengths: Lengths, dtype: torch.dtype = torch.float32
) -> Work:
    """Tasks of made-up words, a tokenizer trained on them, and a LLaMA of random weights."""
    from train_ways import corpus  # here, or its libraries count as memory of answering
    from transformers import AutoModelForCausalLM

    texts = corpus(TASKS, lengths)
    work = Work(folder, [(instruction, input) for instruction, input, _ in texts], MOST)
    words = list(starmap(work.prompt.fill, work.asked)) + [text for *_, text in texts]
    tokenizer = train_tokenizer(words, SIZE.vocab_size)
    config.pad_token_id, config.bos_token_id = tokenizer.pad_token_id, tokenizer.bos_token_id
    config.eos_token_id = [tokenizer.eos_token_id, *range(END, config.vocab_size, END)]
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, trust_remote_code=False)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    work.write()
    return work


def tiny() -> Any:
    """A LLaMA of 0.8 million weights.

    Its weights are so large that each token changes what follows: those of an untrained model would
    have it repeat one for ever.
    """
    from transformers import LlamaConfig

    return LlamaConfig(
        hidden_size=SIZE.hidden_size,
        intermediate_size=SIZE.intermediate_size,
        num_hidden_layers=SIZE.layers,
        num_attention_heads=SIZE.heads,
        vocab_size=SIZE.vocab_size,
        max_position_embeddings=SIZE.context,
        initializer_range=1.4 / math.sqrt(SIZE.hidden_size),
    )


def memory(name: str) -> float:
    """MB of this process: VmRSS now, VmHWM at its highest.

    Not getrusage's ru_maxrss: it counts what the parent had when it started this process.
    """
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return round(next(int(words[1]) for words in lines if words[0] == f"{name}:") * 1024 / 1e6, 1)


def main(way: str, folder: Path) -> None:
    work = Work.read(folder)
    answer = WAYS[way](work)
    before = memory("VmRSS")
    answers = answer(work.asked)
    print(json.dumps({"before": before, "peak": memory("VmHWM"), "answers": answers}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

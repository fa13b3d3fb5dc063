"""Every engine gives the answers that one prompt at a time would get."""

import json
from pathlib import Path

import pytest
import torch
from answerers import answer, make_checkpoint, make_tests

from alpacare.compute.journal import Journal
from alpacare.core.texts import repair_text
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask

TESTS = make_tests(36, most=70)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint")


@pytest.fixture(scope="module")
def alone(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Generation]:
    """One prompt at a time, by transformers alone."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from alpacare.prompting.student_prompt import StudentPrompt

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
    model = AutoModelForCausalLM.from_pretrained(
        checkpoint, dtype=torch.float32, trust_remote_code=False
    ).eval()
    prompt = StudentPrompt.read(checkpoint / "prompt")

    def ask(test: TestTask) -> Generation:
        ids = torch.tensor([prompt.encode(tokenizer, test.instruction, test.input)])
        with torch.inference_mode():
            new = model.generate(ids, max_new_tokens=24, do_sample=False)[0, ids.shape[1] :]
        ended = int(new[-1]) == tokenizer.eos_token_id
        return Generation(
            **test.model_dump(include={"id", "instruction", "input"}),
            output=repair_text(tokenizer.decode(new[:-1] if ended else new)),
            generator="student",
            finish_reason="stop" if ended else "length",
            tokens=len(new),
        )

    return [ask(test) for test in TESTS]


@pytest.mark.parametrize(
    "changes",
    [
        {"cache_tokens": 10**6},
        {"cache_tokens": 2000},
        {"workers": 2},
    ],
    ids=["all at once", "few at once", "two workers"],
)
def test_answers_are_those_of_each_prompt_alone(
    changes: dict[str, object], checkpoint: Path, alone: list[Generation]
) -> None:
    lengths = {record.finish_reason for record in alone}
    assert lengths == {"stop", "length"}, "a test of answers that all end alike shows little"
    assert len({record.output for record in alone}) > 18
    assert answer(checkpoint, TESTS, **changes) == alone


def test_the_run_says_what_could_vary(checkpoint: Path) -> None:
    answer(checkpoint, TESTS[:3], "plain")
    answer(checkpoint, TESTS[:3], "short", dtype="bfloat16")
    plain, short = (json.loads(Path(f"{name}.json").read_text()) for name in ("plain", "short"))
    assert (plain["engine"], plain["exact"]) == ("batched", True)
    assert short["exact"] is False
    assert (plain["cache_tokens"], plain.get("step_tokens")) == (3000, None)
    assert plain["versions"]["transformers"]
    assert plain["tokens_per_second"] is None  # no times where the bytes are to be the same


def test_the_models_own_decoding_settings_do_not_count(
    checkpoint: Path, tmp_path: Path, alone: list[Generation]
) -> None:
    """A penalty in generation_config.json would change answers without a word in params.yaml."""
    other = make_checkpoint(tmp_path / "other")
    path = other / "generation_config.json"
    config = json.loads(path.read_text()) | {
        "do_sample": True, "temperature": 5.0, "repetition_penalty": 3.0, "max_new_tokens": 2,
    }  # fmt: skip
    path.write_text(json.dumps(config))
    assert answer(other, TESTS[:16]) == alone[:16]


def test_any_end_token_of_a_chat_model_ends_an_answer(
    checkpoint: Path, tmp_path: Path, alone: list[Generation]
) -> None:
    """Chat models name several in generation_config.json, and their tokenizer only one."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
    place = next(n for n, record in enumerate(alone) if record.finish_reason == "length")
    answer(checkpoint, [TESTS[place]])
    (folder,) = Path(".scratch/out").glob("*")
    ids, _ = Journal(folder).results()[0]
    other = make_checkpoint(tmp_path / "chatty")
    path = other / "generation_config.json"
    config = json.loads(path.read_text()) | {"eos_token_id": [tokenizer.eos_token_id, ids[5]]}
    path.write_text(json.dumps(config))
    (got,) = answer(other, [TESTS[place]])
    assert got.finish_reason == "stop"
    assert got.output == repair_text(tokenizer.decode(ids[: ids.index(ids[5])]))

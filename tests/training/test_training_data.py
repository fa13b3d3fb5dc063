"""From responses to sequences: what is held out or dropped and why, and how a step is split."""

import shutil
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st

from alpacare.compute import scratch
from alpacare.core.errors import BadInput
from alpacare.prompting import chat_template
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records import message
from alpacare.records.message import Message
from alpacare.records.response import Response
from alpacare.training.data import choose_held_out, pack_examples, prepare_data, split_step
from alpacare.training.run import name_run
from alpacare.training.sequences import PackedSequences
from students import TEXTS, TOKENIZER, make_examples, make_settings


def response(name: str, instruction: str, output: str, finish_reason: str = "stop") -> Response:
    return Response(
        id=name,
        instruction=instruction,
        input="",
        output=output,
        finish_reason=finish_reason,  # type: ignore[arg-type]
        model="m",
        request="r",
    )


LONG = " ".join(TEXTS * 9)
RESPONSES = [
    response("fine", "ask", TEXTS[0]),
    response("long", "ask", LONG),
    response("nothing", "ask", "", "length"),
    response("lost", LONG, TEXTS[1]),
]
TURNS = (Message(role="user", content="ask"), Message(role="assistant", content="now"))
TOLD = RESPONSES[0].model_copy(update={"messages": TURNS})
PROMPT = StudentPrompt("{{ instruction }}: {{ input }}", "{{ instruction }}")


@pytest.mark.parametrize(
    ("too_long", "kept", "lost"),
    [
        ("truncate", 2, {"nothing": "no_response", "lost": "prompt_too_long"}),
        ("drop", 1, {"long": "too_long", "nothing": "no_response", "lost": "prompt_too_long"}),
    ],
)
def test_every_dropped_example_has_its_reason(
    too_long: str, kept: int, lost: dict[str, str]
) -> None:
    data = prepare_data(RESPONSES, PROMPT, TOKENIZER, make_settings(too_long=too_long))
    assert {each.id: each.reason for each in data.dropped} == lost
    examples = [example for sequence in data.train for example in sequence]
    assert len(examples) == kept
    assert all(example.prompt_length < len(example.ids) for example in examples)
    assert data.teachers == ["m"]


@pytest.mark.parametrize("packing", [True, False])
def test_sequences_come_back_from_the_disk_as_they_were(tmp_path: Path, packing: bool) -> None:
    made = pack_examples(make_examples(20), make_settings(packing=packing))
    for name, sequences in (("train", made), ("validation", [])):
        PackedSequences.of(sequences).save(tmp_path / name)
        read = PackedSequences.load(tmp_path / name)
        assert list(read) == sequences
        assert list(read.padded(2)) == [*sequences, [], []]
        assert isinstance(read.ids, np.memmap), "not in the memory of every process"


def test_what_other_code_prepared_is_another_runs(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def name() -> str:
        return name_run(make_settings(), 0, {}, None)

    before = name()
    for module in (chat_template, message, scratch):  # beside the last lies what loads models
        here = Path(shutil.copytree(Path(module.__file__).parent, module.__name__))
        with monkeypatch.context() as patch:
            patch.setattr(module, "__file__", str(here / Path(module.__file__).name))
            assert name() == before
            changed = "weights.py" if module is scratch else Path(module.__file__).name
            (here / changed).write_text("")
            assert name() != before


def test_what_an_editor_leaves_beside_a_prompt_is_not_of_it(workspace: Path) -> None:
    shutil.copy(REPOSITORY / ".dvcignore", ".")
    shutil.copytree(REPOSITORY / "prompts/student", "prompt")
    before = scratch.hash_files(Path("prompt"))
    Path("prompt/.with_input.txt.swp").touch()
    assert scratch.hash_files(Path("prompt")) == before
    Path("prompt/more.txt").touch()
    assert scratch.hash_files(Path("prompt")) != before


@pytest.mark.parametrize(
    ("rows", "form", "message"),
    [
        (RESPONSES[2:], "alpaca", r"1 no_response \(.*\), 1 prompt_too_long \(.* 96 tokens; raise"),
        ([TOLD, TOLD], "chat", r"left to train on: 2 turns_not_in_template \(the base's chat"),
    ],
)
def test_when_nothing_is_left_its_reasons_are_counted(
    rows: list[Response], form: str, message: str
) -> None:
    prompt = replace(PROMPT, form=form)  # type: ignore[arg-type]
    tokenizer = copy(TOKENIZER)
    tokenizer.chat_template = "{{ raise_exception('no system turn') }}"
    with pytest.raises(BadInput, match=message):
        prepare_data(rows, prompt, tokenizer, make_settings())


def test_most_of_what_is_held_out_stays_so_when_data_grows() -> None:
    few = [f"a{n}" for n in range(100)]
    chosen = choose_held_out(few, 0.1)
    assert len(chosen) == 10
    assert choose_held_out(few[::-1], 0.1) == chosen[::-1]
    more = choose_held_out([*few, *(f"b{n}" for n in range(20))], 0.1)
    assert len(set(chosen) & set(more)) >= 7


@given(st.integers(1, 400), st.integers(1, 16), st.none() | st.integers(1, 64))
def test_a_step_is_split_with_little_rounding(
    per_step: int, processes: int, largest: int | None
) -> None:
    micro_batch, accumulation = split_step(per_step, processes, largest)
    assert micro_batch <= (largest or per_step)
    assert per_step <= micro_batch * accumulation * processes
    assert micro_batch * accumulation * processes < per_step + (accumulation + 1) * processes
    if largest:  # no device gets one sequence at a time because a number is prime
        assert (accumulation - 1) * largest < -(-per_step // processes)

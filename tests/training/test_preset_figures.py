"""The figures that presets and docs/train.md state are those that the functions give."""

import math
import re
from pathlib import Path
from shutil import copytree

import pytest
from conftest import REPOSITORY

from alpacare.core.errors import BadInput
from alpacare.pipeline.params import read_params
from alpacare.pipeline.presets import apply_preset
from alpacare.pipeline.students import read_students
from alpacare.training.memory_estimate import (
    LLAMA_7B,
    LLAMA_13B,
    PEAK_FLOPS,
    MemoryEstimate,
    ModelShape,
    count_adapter_parameters,
    count_parameters,
    estimate_memory,
    flops_per_token,
)
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student_file import read_student

PUBLISHED = sorted({path.stem for path in (REPOSITORY / "presets").glob("*.yaml")} - {"demo"})
TOKENS = 250  # of a sample, as every preset says
UTILISATION = 0.3  # of the peak FLOPs, as every preset says


@pytest.fixture
def project(params: Path) -> None:
    """The checked-in params.yaml with the presets and students beside it."""
    (params.parent / "presets").symlink_to(REPOSITORY / "presets")
    copytree(REPOSITORY / "students", params.parent / "students")


def text_of(name: str) -> str:
    return (REPOSITORY / f"presets/{name}.yaml").read_text()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_states_what_the_functions_give(project: None, name: str) -> None:
    """One student after another: memory and disk of the largest, hours of all."""
    apply_preset(name)
    students, text = read_students(read_params()), text_of(name)
    page = (REPOSITORY / "docs/train.md").read_text()
    lines = re.findall(
        r"^#   (\d) x (\w+)-\d+GB: ([\d.]+) GB a GPU, ([\d.]+) GB of disk, ([\d.]+) hours$",
        text,
        re.M,
    )
    assert lines
    assert f"of {TOKENS} tokens" in text
    assert "30 %" in text
    work = sum(flops(student, settings) for student, settings in students.items())
    for count, gpu, memory, disk, hours in lines:
        needs = [needed(settings, name, int(count)) for name, settings in students.items()]
        most, room = max(each.total for each in needs), max(each.disk for each in needs)
        seconds = work / (int(count) * PEAK_FLOPS[gpu] * UTILISATION)
        assert f"{most / 1e9:.1f} {room / 1e9:.1f}" == f"{memory} {disk}"
        assert f"{seconds / 3600:.1f}" == hours
        assert f"{room / 1e9:.0f} GB" in page
        assert f"{most / 1e9:.0f} GB" in page


def samples(student: str) -> int:
    return 25005 if student == "bioinstruct" else 52002


def shape_of(student: str) -> ModelShape:
    return LLAMA_13B if "13b" in student else LLAMA_7B


def flops(student: str, settings: CheckpointSettings) -> float:
    shape, lora = shape_of(student), settings.lora
    adapter = count_adapter_parameters(shape, lora.rank, lora.targets) if lora else 0
    tokens = samples(student) * TOKENS * settings.optimizer.epochs
    return tokens * flops_per_token(shape, TOKENS, adapter)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_states_what_going_on_takes(project: None, name: str) -> None:
    apply_preset(name)
    params, text = read_params(), text_of(name)
    steps, sizes, finished = set(), set(), set()
    for student, settings in read_students(params).items():
        each = round(samples(student) * settings.optimizer.epochs / settings.optimizer.batch_size)
        assert each / 15 < params.training.save_steps < each / 5
        need = needed(settings, student, 1)
        steps.add(f"{each:,}")
        sizes.add(f"{need.checkpoint / 1e9:.1f}")
        finished.add(f"{need.final_model / 1e9:.1f} GB")
    (line,) = (line for line in text.splitlines() if line.startswith("  save_steps:"))
    assert steps | sizes <= set(re.findall(r"[\d,.]+\d", line))
    if len(steps) > 1:
        assert all(each in text for each in finished)


def needed(settings: CheckpointSettings, student: str, processes: int) -> MemoryEstimate:
    per_step = settings.optimizer.batch_size * TOKENS / settings.max_seq_length
    each = math.ceil(per_step / processes)
    micro, lora = min(settings.micro_batch_size or each, each), settings.lora
    return estimate_memory(
        shape_of(student),
        micro_batch_size=micro,
        seq_length=settings.max_seq_length,
        dtype=settings.dtype,
        lora_rank=lora.rank if lora else None,
        lora_targets=lora.targets if lora else "all-linear",
        gradient_checkpointing=settings.gradient_checkpointing,
        accumulating=micro < each,
        optimizer=settings.optimizer.name,
        liger=settings.liger,
        processes=processes,
        sharded=processes > 1,
    )


def test_what_lora_needs_with_checkpointing_is_as_stated(project: None) -> None:
    apply_preset("bioinstruct")
    settings = read_students(read_params())["bioinstruct"]
    need = needed(settings.model_copy(update={"gradient_checkpointing": True}), "bioinstruct", 1)
    assert f"true: {need.total / 1e9:.1f} GB" in text_of("bioinstruct")
    page = (REPOSITORY / "docs/train.md").read_text()
    assert f"7B in {need.total / 1e9:.0f} GB" in page


# from each model's config.json on the Hub; the counts of weights are those that it states
MODERN = {
    "llama31-8b": (ModelShape(4096, 32, 32, 8, 128, 14336, 128256, tied=False), 8.03),
    "qwen3-4b": (ModelShape(2560, 36, 32, 8, 128, 9728, 151936, tied=True), 4.02),
    "qwen3-8b": (ModelShape(4096, 36, 32, 8, 128, 12288, 151936, tied=False), 8.19),
    "medgemma-4b": (ModelShape(2560, 34, 8, 4, 256, 10240, 262208, tied=True), 3.88),
    "smollm2-1.7b": (ModelShape(2048, 24, 32, 32, 64, 8192, 49152, tied=True), 1.71),
}


@pytest.mark.parametrize("name", MODERN)
def test_a_modern_student_states_what_it_needs(project: None, name: str) -> None:
    shape, billions = MODERN[name]
    assert f"{count_parameters(shape) / 1e9:.2f}" == f"{billions:.2f}"
    path = Path(f"students/{name}.yaml")
    with pytest.raises(BadInput, match="`alpacare pin NAME` asks the Hub for it"):
        read_student(path)
    text = path.read_text()
    path.write_text(text.replace("revision: null", f"revision: {'a' * 40}"))
    settings = read_student(path)
    lora = settings.lora
    assert lora
    need = estimate_memory(
        shape,
        micro_batch_size=settings.micro_batch_size or 1,
        seq_length=settings.max_seq_length,
        dtype=settings.dtype,
        lora_rank=lora.rank,
        quantize=bool(lora.quantize),
        gradient_checkpointing=settings.gradient_checkpointing,
        accumulating=True,
    )
    adapter = count_adapter_parameters(shape, lora.rank, lora.targets)
    work = 52002 * TOKENS * settings.optimizer.epochs * flops_per_token(shape, TOKENS, adapter)
    hours = work / (UTILISATION * PEAK_FLOPS["A100"]) / 3600
    assert f"{need.total / 1e9:.1f} GB on one GPU, {hours:.1f} hours on an A100" in text
    (room,) = re.findall(r"GPU of (\d+) GB", text)
    assert need.total < 0.85e9 * int(room)

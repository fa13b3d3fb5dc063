"""The figures that presets and docs/train.md state are those that the functions give."""

import math
import re
from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.pipeline.params import read_params
from alpacare.pipeline.presets import apply_preset
from alpacare.training.memory_estimate import (
    LLAMA_7B,
    LLAMA_13B,
    PEAK_FLOPS,
    MemoryEstimate,
    count_adapter_parameters,
    estimate_memory,
    flops_per_token,
)
from alpacare.training.settings import CheckpointSettings

PUBLISHED = sorted({path.stem for path in (REPOSITORY / "presets").glob("*.yaml")} - {"demo"})
TOKENS = 250  # of a sample, as every preset says
UTILISATION = 0.3  # of the peak FLOPs, as every preset says


@pytest.fixture
def project(params: Path) -> None:
    """The checked-in params.yaml with the presets beside it."""
    (params.parent / "presets").symlink_to(REPOSITORY / "presets")


def text_of(name: str) -> str:
    return (REPOSITORY / f"presets/{name}.yaml").read_text()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_states_what_the_functions_give(project: None, name: str) -> None:
    apply_preset(name)
    settings, text = read_params().checkpoint, text_of(name)
    page = (REPOSITORY / "docs/train.md").read_text()
    shape = LLAMA_13B if "13b" in name else LLAMA_7B
    samples = 25005 if name == "bioinstruct" else 52002
    lines = re.findall(
        r"^#   (\d) x (\w+)-\d+GB: ([\d.]+) GB a GPU, ([\d.]+) GB of disk, ([\d.]+) hours$",
        text,
        re.M,
    )
    assert lines
    assert f"of {TOKENS} tokens" in text
    assert "30 %" in text
    epochs, lora = settings.optimizer.epochs, settings.lora
    adapter = count_adapter_parameters(shape, lora.rank, lora.targets) if lora else 0
    work = samples * TOKENS * epochs * flops_per_token(shape, TOKENS, adapter)
    for count, gpu, memory, disk, hours in lines:
        need = needed(settings, name, int(count))
        seconds = work / (int(count) * PEAK_FLOPS[gpu] * UTILISATION)
        assert f"{need.total / 1e9:.1f} {need.disk / 1e9:.1f}" == f"{memory} {disk}"
        assert f"{seconds / 3600:.1f}" == hours
        assert f"{need.disk / 1e9:.0f} GB" in page
        assert f"{need.total / 1e9:.0f} GB" in page
    steps = round(samples * epochs / settings.optimizer.batch_size)
    stated = f"of about {steps:,}; one to go on from is {need.checkpoint / 1e9:.1f} GB"
    assert stated in text
    assert steps / 15 < settings.save_steps < steps / 5


def needed(settings: CheckpointSettings, name: str, processes: int) -> MemoryEstimate:
    per_step = settings.optimizer.batch_size * TOKENS / settings.max_seq_length
    each = math.ceil(per_step / processes)
    micro, lora = min(settings.micro_batch_size or each, each), settings.lora
    return estimate_memory(
        LLAMA_13B if "13b" in name else LLAMA_7B,
        micro_batch_size=micro,
        seq_length=settings.max_seq_length,
        dtype=settings.student.dtype,
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
    settings = read_params().checkpoint.model_copy(update={"gradient_checkpointing": True})
    need = needed(settings, "bioinstruct", 1)
    assert f"true: {need.total / 1e9:.1f} GB" in text_of("bioinstruct")
    page = (REPOSITORY / "docs/train.md").read_text()
    assert f"7B in {need.total / 1e9:.0f} GB" in page

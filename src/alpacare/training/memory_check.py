"""Whether a run fits into this machine's memory and disk, said before any weight is loaded."""

import shutil
from pathlib import Path
from typing import Any

from alpacare.compute.scratch import size
from alpacare.core.errors import BadInput
from alpacare.training.hardware import Hardware
from alpacare.training.memory_estimate import Estimate, Shape, estimate
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import RANDOM, Architecture, read_config

_CUDA_ITSELF = 10**9  # bytes that CUDA's context and kernels take on a GPU


def check_room(
    settings: CheckpointSettings,
    hardware: Hardware,
    batch: tuple[int, int],
    accumulating: bool,
    folder: Path,
) -> None:
    """Compare what a `batch` (rows, tokens a row) takes with the device, and a run with the disk.

    Says nothing about models that are no LLaMA's kin, whose needs are not known here.

    Raises:
        BadInput: too small, with the numbers.
    """
    need = _estimate(settings, hardware, batch, accumulating)
    if need is None:
        return
    free = shutil.disk_usage(_existing(folder)).free
    check_fits(need, _device_bytes(hardware), free + size(folder))


def check_fits(need: Estimate, device_bytes: int, disk_bytes: int) -> None:
    """Raise BadInput, with numbers and what would help, when a device or the disk is too small."""
    if need.total > device_bytes:
        raise BadInput(
            f"training needs about {_gb(need.total)} a device, and there are {_gb(device_bytes)} "
            f"(weights {_gb(need.weights)}, optimiser {_gb(need.optimiser)}, gradients "
            f"{_gb(need.gradients)}, copies {_gb(need.copies)}, activations "
            f"{_gb(need.activations)}); what helps, in section checkpoint: lora, fewer micro_rows, "
            "gradient_checkpointing, optimizer.eight_bit, or hardware with more devices"
        )
    if need.disk > disk_bytes:
        raise BadInput(
            f"training needs about {_gb(need.disk)} of disk (twice {_gb(need.resumable)} to resume "
            f"from, {_gb(need.model)} for the model), and {_gb(disk_bytes)} are free; make room"
        )


def _estimate(
    settings: CheckpointSettings, hardware: Hardware, batch: tuple[int, int], accumulating: bool
) -> Estimate | None:
    lora = settings.lora
    try:
        return estimate(
            read_shape(settings),
            rows=batch[0],
            row_length=batch[1],
            dtype=settings.student.dtype,
            lora_rank=lora.rank if lora else None,
            lora_targets=lora.targets if lora else "all-linear",
            gradient_checkpointing=settings.gradient_checkpointing,
            accumulating=accumulating,
            eight_bit=settings.optimizer.eight_bit,
            liger=settings.liger,
            processes=hardware.num_processes,
            sharded=hardware.sharded,
        )
    except BadInput:
        return None


def read_shape(settings: CheckpointSettings) -> Shape:
    """Give the student's sizes; BadInput when its configuration lacks one."""
    student = settings.student
    if student.base != RANDOM:
        return Shape.of(read_config(student))
    return random_shape(student.architecture)


def random_shape(architecture: Architecture) -> Shape:
    """Give the sizes of a student made from nothing."""
    return Shape(
        hidden_size=architecture.hidden_size,
        layers=architecture.layers,
        heads=architecture.heads,
        kv_heads=architecture.heads,
        head_size=architecture.hidden_size // architecture.heads,
        intermediate_size=architecture.intermediate_size,
        vocab_size=architecture.vocab_size,
        tied=True,
    )


def _device_bytes(hardware: Hardware) -> int:
    """Memory of the smallest GPU; of a CPU what is free, or what the container may take."""
    if hardware.use_cpu:
        import psutil

        free = int(psutil.virtual_memory().available)
        return min(free, _container_limit() or free) // hardware.here
    import torch

    devices = range(hardware.here)
    totals: list[Any] = [torch.cuda.get_device_properties(d).total_memory for d in devices]
    return int(min(totals)) - _CUDA_ITSELF


def _container_limit() -> int | None:
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else "max"
    return int(text) if text.isdigit() else None


def _existing(folder: Path) -> Path:
    return next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())


def _gb(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count < 1e12 else f"{count / 1e12:.3g} TB"

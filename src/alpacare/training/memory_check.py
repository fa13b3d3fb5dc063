"""Check that a run fits into memory and disk, before any weight is loaded."""

import shutil
from pathlib import Path
from typing import Any

from alpacare.compute.machine import memory
from alpacare.compute.pinned_model import PinnedModel
from alpacare.compute.scratch import folder_size
from alpacare.core.errors import BadInput
from alpacare.training.hardware import Hardware
from alpacare.training.memory_estimate import MemoryEstimate, ModelShape, estimate_memory
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import read_config

_CUDA_ITSELF = 10**9  # bytes that CUDA's context and kernels take on a GPU


def check_memory_and_disk(
    settings: CheckpointSettings,
    base: PinnedModel,
    hardware: Hardware,
    micro_batch: tuple[int, int],
    accumulating: bool,
    folder: Path,
) -> None:
    """Compare a `micro_batch` (sequences, tokens of each) with the device, a run with the disk.

    Does nothing for models unlike LLaMA, whose needs are not known here.

    Raises:
        BadInput: too small, with the numbers.
    """
    lora = settings.lora
    try:
        need = estimate_memory(
            ModelShape.from_config(read_config(base)),
            micro_batch_size=micro_batch[0],
            seq_length=micro_batch[1],
            dtype=settings.dtype,
            lora_rank=lora.rank if lora else None,
            lora_targets=lora.targets if lora else "all-linear",
            quantize=bool(lora and lora.quantize),
            gradient_checkpointing=settings.gradient_checkpointing,
            accumulating=accumulating,
            optimizer=settings.optimizer.name,
            liger=settings.liger,
            processes=hardware.num_processes,
            sharded=hardware.sharded,
        )
    except BadInput:
        return
    existing = next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())
    free = shutil.disk_usage(existing).free
    check_fits(need, _device_bytes(hardware), free + folder_size(folder))


def check_fits(need: MemoryEstimate, device_bytes: int, disk_bytes: int) -> None:
    """Raise BadInput, with numbers and what would help, when a device or the disk is too small."""
    if need.total > device_bytes:
        raise BadInput(
            f"training needs about {_gb(need.total)} a device, and there are {_gb(device_bytes)} "
            f"(weights {_gb(need.weights)}, optimizer {_gb(need.optimizer)}, gradients "
            f"{_gb(need.gradients)}, copies {_gb(need.weight_copies)}, activations "
            f"{_gb(need.activations)}); what helps: lora, a smaller "
            "micro_batch_size, gradient_checkpointing, optimizer.name: adamw_8bit, or hardware "
            "with more devices"
        )
    if need.disk > disk_bytes:
        raise BadInput(
            f"training needs about {_gb(need.disk)} of disk (twice {_gb(need.checkpoint)} to "
            f"resume from, {_gb(need.final_model)} for the model), and {_gb(disk_bytes)} are free; "
            "make room"
        )


def _device_bytes(hardware: Hardware) -> int:
    """Memory of the smallest GPU; without one, each process's part of the free memory."""
    if hardware.use_cpu:
        return memory()[1] // hardware.local_processes
    import torch

    devices = range(hardware.local_processes)
    totals: list[Any] = [torch.cuda.get_device_properties(d).total_memory for d in devices]
    return int(min(totals)) - _CUDA_ITSELF


def _gb(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count < 1e12 else f"{count / 1e12:.3g} TB"

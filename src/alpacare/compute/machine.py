"""This machine: hardware, system, libraries."""

import os
import platform
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil

GIB = 1 << 30


def describe_machine() -> dict[str, Any]:
    """Tell what could make results differ from another machine's; no name, user or address."""
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory()[0] / GIB, 1),
        "gpus": gpus(),
        "python": platform.python_version(),
        "packages": packages(),
    }


def memory() -> tuple[int, int]:
    """Give the bytes of memory, and those that are free; of a container, within its limit."""
    here = psutil.virtual_memory()
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else "max"
    most = int(text) if text.isdigit() else here.total
    return min(here.total, most), min(here.available, most)


def gpus() -> list[dict[str, Any]]:
    """List the GPUs that torch can use."""
    import torch

    if not torch.cuda.is_available():
        return []
    found = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [
        {
            "name": each.name,
            "memory_gib": round(each.total_memory / GIB, 1),
            "capability": f"{each.major}.{each.minor}",
            "cuda": torch.version.cuda,
            "driver": _driver(),
        }
        for each in found
    ]


def packages() -> dict[str, str]:
    """Give every installed package's version by its name, spelt as in requirements.lock."""
    found = {spell(each.name): each.version for each in distributions() if each.name}
    return dict(sorted(found.items()))


def spell(name: str) -> str:
    """Spell a package's name in the one way that all its spellings share."""
    return name.lower().replace("_", "-").replace(".", "-")


def _driver() -> str | None:
    """Give the version of the NVIDIA driver, as its kernel module tells it."""
    path = Path("/sys/module/nvidia/version")
    return path.read_text().strip() if path.exists() else None


def _processor() -> str | None:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), None)

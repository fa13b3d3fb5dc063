"""This machine: hardware, system, libraries."""

import platform
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

from alpacare.core.processors import cores

GIB = 1 << 30
# these can change the bytes of an output
PACKAGES = ("accelerate", "numpy", "peft", "safetensors", "tokenizers", "torch", "transformers")


def describe_machine() -> dict[str, Any]:
    """Name what could make results differ from another machine's; no host, user or address."""
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": cores(),
        "memory_gib": round(memory()[0] / GIB, 1),
        "gpus": gpus(),
        "python": platform.python_version(),
        "packages": packages(),
    }


def memory() -> tuple[int, int]:
    """Give the bytes of memory in all and free ones; within the limit of a container."""
    import psutil

    here = psutil.virtual_memory()
    limit = _read("/sys/fs/cgroup/memory.max")
    most = int(limit) if limit.isdigit() else here.total
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
            "driver": _read("/sys/module/nvidia/version") or None,  # of its kernel module
        }
        for each in found
    ]


def packages() -> dict[str, str]:
    """Give every installed package's version by its name, written as in requirements.lock."""
    found = {normalise_name(each.name): each.version for each in distributions() if each.name}
    return dict(sorted(found.items()))


def normalise_name(name: str) -> str:
    """Write a package's name in its normal form: lower case, with hyphens."""
    return name.lower().replace("_", "-").replace(".", "-")


def _read(path: str) -> str:
    """Read a file of the kernel; empty where there is none."""
    return Path(path).read_text().strip() if Path(path).exists() else ""


def _processor() -> str | None:
    lines = _read("/proc/cpuinfo").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), None)


def versions(device: str) -> dict[str, str]:
    """Name Python, the libraries that touch the weights, the processor's kind and the device."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "machine": platform.machine(),
        "device": device,
    }


def device_name() -> str:
    """Name the first GPU that torch can use; "cpu" without one."""
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"

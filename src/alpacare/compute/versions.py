"""What made an output: the versions that can change its bytes."""

import platform
from importlib.metadata import version

PACKAGES = ("accelerate", "numpy", "peft", "safetensors", "tokenizers", "torch", "transformers")


def versions(device: str) -> dict[str, str]:
    """Name Python, the libraries that touch the weights, the processor's kind and the device."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "machine": platform.machine(),
        "device": device,
    }

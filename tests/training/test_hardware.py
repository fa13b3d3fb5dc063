"""The files that say what accelerate runs on."""

from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from conftest import REPOSITORY

HARDWARE = sorted((REPOSITORY / "configs/accelerate").glob("*.yaml"))


@pytest.mark.parametrize("path", HARDWARE, ids=lambda path: path.stem)
def test_accelerate_reads_the_hardware_files(path: Path) -> None:
    hardware = load_config_from_file(str(path))
    assert hardware.mixed_precision == "no"  # else it would override checkpoint.dtype
    several = "fsdp2" in path.stem
    assert (hardware.distributed_type.value == "FSDP", hardware.num_processes > 1) == (
        several,
        several,
    )
    assert hardware.num_processes % hardware.num_machines == 0
    assert hardware.use_cpu == (path.stem == "cpu")
    assert hardware.fsdp_config.get("fsdp_version", 2) == 2
    assert "Llama" not in path.read_text()  # the model names its own layers

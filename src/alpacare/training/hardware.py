"""Check that this machine has what the settings ask for, before any weight is loaded."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field

from alpacare.compute.pinned_model import PinnedModel
from alpacare.core.errors import BadInput
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.training.memory_estimate import LLAMA_7B
from alpacare.training.settings import CheckpointSettings, TrainingSettings
from alpacare.training.student import check_base
from alpacare.training.trackers import check_trackers

if TYPE_CHECKING:
    from transformers import PretrainedConfig


class Hardware(Settings):
    """The part of a file in configs/accelerate that is used here; accelerate reads the rest."""

    model_config = ConfigDict(extra="ignore", strict=False)

    distributed_type: str
    use_cpu: bool = False
    num_machines: int = Field(default=1, gt=0)
    num_processes: int = Field(default=1, gt=0)

    @property
    def sharded(self) -> bool:
        """Whether weights and optimizer states are divided among the processes (FSDP2)."""
        return self.distributed_type == "FSDP"

    @property
    def local_processes(self) -> int:
        """Processes on this machine."""
        return -(-self.num_processes // self.num_machines)


def read_hardware(path: Path) -> Hardware:
    """Read a file of configs/accelerate.

    Raises:
        BadInput: no such file, or one that accelerate cannot read.
    """
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml")))
        raise BadInput(f"{path}: no such file; training.hardware may be {known or 'none yet'}")
    return check(read_yaml(path), Hardware, f"{path}: ")


def check_machine(
    settings: CheckpointSettings,
    training: TrainingSettings,
    hardware: Hardware,
    base: PinnedModel | None,
) -> None:
    """Check devices, optional packages, and the base model's configuration.

    Reads the configuration, which is downloaded if need be, and no weights. `base` None: it is
    made from nothing, and not yet.

    Raises:
        BadInput: the first thing that is missing or wrong.
    """
    _check_devices(settings, training.hardware, hardware)
    _check_optional_packages(settings, hardware)
    check_trackers(training.report_to)
    targets = settings.lora.targets if settings.lora else "all-linear"
    if base is None:
        _check_targets(list(LLAMA_7B.linear_layers), targets)
        return
    config = check_base(base, settings.prompt)
    context = getattr(config.get_text_config(), "max_position_embeddings", None)
    if context and settings.max_seq_length > context:
        raise BadInput(
            f"max_seq_length: {settings.max_seq_length} tokens exceed the context of "
            f"'{settings.base}', {context}"
        )
    if targets != "all-linear":
        _check_targets(_linear_layers(config), targets)


def _check_devices(settings: CheckpointSettings, name: str, hardware: Hardware) -> None:
    if hardware.use_cpu:
        if settings.dtype != "float32":
            raise BadInput(
                f"dtype: {settings.dtype} is for GPUs, and hardware "
                f"'{name}' is a CPU; take float32, or hardware with a GPU"
            )
        return
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if found < hardware.local_processes:
        raise BadInput(
            f"training.hardware: '{name}' needs {hardware.local_processes} GPU(s) "
            f"on this machine, and torch finds {found}; set num_processes in its file in "
            "configs/accelerate, or take other hardware, such as cpu for a small student"
        )
    oldest = min(torch.cuda.get_device_capability(device) for device in range(found))
    if settings.dtype == "bfloat16" and oldest < (8, 0):
        raise BadInput("dtype: this GPU is older than bfloat16 (Ampere); take float32")


def _check_optional_packages(settings: CheckpointSettings, hardware: Hardware) -> None:
    eight_bit = settings.optimizer.name == "adamw_8bit"
    four_bit = bool(settings.lora and settings.lora.quantize)
    for key, wanted, package, without in (
        ("liger", settings.liger, "liger-kernel", "false"),
        ("optimizer.name", eight_bit, "bitsandbytes", "adamw"),
        ("lora.quantize", four_bit, "bitsandbytes", "null"),
    ):
        if wanted and hardware.use_cpu:
            raise BadInput(f"{key}: needs a GPU; set it to {without} for hardware cpu")
        if wanted and find_spec(package.replace("-", "_")) is None:
            raise BadInput(f"{key}: {package} is not installed; run: make gpu")
    for key, wanted, value, without in (
        ("optimizer.name", eight_bit, "adamw_8bit", "adamw"),
        ("lora.quantize", four_bit, "nf4", "null"),
    ):
        if wanted and hardware.sharded:
            raise BadInput(
                f"{key}: {value} (bitsandbytes) cannot work on FSDP2's shards; set it to "
                f"{without}, or take one GPU"
            )


def _linear_layers(config: "PretrainedConfig") -> list[str]:
    """Name the linear layers of a model, built without its weights."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
    return [
        name
        for name, module in model.named_modules()
        if type(module).__name__ in ("Linear", "Conv1D")
    ]


def _check_targets(known: list[str], targets: str | list[str]) -> None:
    """Check that each target is the end of a linear layer's name, as peft reads it."""
    for target in targets if isinstance(targets, list) else []:
        if not any(f".{name}".endswith(f".{target}") for name in known):
            ends = sorted({name.rpartition(".")[2] for name in known})
            raise BadInput(f"lora.targets: no '{target}' in the student; known: {', '.join(ends)}")

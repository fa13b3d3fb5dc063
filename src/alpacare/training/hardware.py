"""Whether this machine has what the settings ask for, said before any weight is loaded."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml
from alpacare.training.memory_estimate import LLAMA_7B
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import RANDOM, read_config

if TYPE_CHECKING:
    from transformers import PretrainedConfig


class Hardware(BaseModel):
    """What matters here of a file in configs/accelerate; accelerate reads the rest."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    distributed_type: str
    use_cpu: bool = False
    num_machines: int = Field(default=1, gt=0)
    num_processes: int = Field(default=1, gt=0)

    @property
    def sharded(self) -> bool:
        """Whether weights and optimiser are cut into one part a process."""
        return self.distributed_type == "FSDP"

    @property
    def here(self) -> int:
        """Processes on this machine."""
        return -(-self.num_processes // self.num_machines)


def read_hardware(path: Path) -> Hardware:
    """Read a file of configs/accelerate.

    Raises:
        BadInput: no such file, or not what accelerate reads.
    """
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml")))
        raise BadInput(f"{path}: no such file; checkpoint.hardware may be {known or 'none yet'}")
    try:
        return Hardware.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def check_machine(settings: CheckpointSettings, hardware: Hardware) -> None:
    """Check devices, extras, and the base model's description.

    Reads the base's configuration, which is downloaded if need be, and no weights.

    Raises:
        BadInput: the first thing that is in the way.
    """
    _check_devices(settings, hardware)
    _check_extras(settings, hardware)
    targets = settings.lora.targets if settings.lora else "all-linear"
    if settings.student.base == RANDOM:
        _check_targets(list(LLAMA_7B.linears), targets)
        return
    config = read_config(settings.student)
    context = getattr(config, "max_position_embeddings", None)
    if context and settings.row_length > context:
        raise BadInput(
            f"checkpoint.row_length: {settings.row_length} tokens exceed the context of "
            f"'{settings.student.base}', {context}"
        )
    if targets != "all-linear":
        _check_targets(_linear_maps(config), targets)


def _check_devices(settings: CheckpointSettings, hardware: Hardware) -> None:
    if hardware.use_cpu:
        if settings.student.dtype != "float32":
            raise BadInput(
                f"checkpoint.student.dtype: {settings.student.dtype} is for GPUs, and hardware "
                f"'{settings.hardware}' is a CPU; take float32, or hardware with a GPU"
            )
        return
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if found < hardware.here:
        raise BadInput(
            f"checkpoint.hardware: '{settings.hardware}' needs {hardware.here} GPU(s) on this "
            f"machine, and torch finds {found}; set num_processes in its file in "
            "configs/accelerate, or take other hardware, such as cpu for a small student"
        )
    oldest = min(torch.cuda.get_device_capability(device) for device in range(found))
    if settings.student.dtype == "bfloat16" and oldest < (8, 0):
        raise BadInput(
            "checkpoint.student.dtype: this GPU is older than bfloat16 (Ampere); take float32"
        )


def _check_extras(settings: CheckpointSettings, hardware: Hardware) -> None:
    """Look for packages that only some settings need."""
    wanted = {"liger": (settings.liger, "liger_kernel", "liger-kernel")}
    wanted["optimizer.eight_bit"] = (settings.optimizer.eight_bit, "bitsandbytes", "bitsandbytes")
    for key, (on, module, package) in wanted.items():
        if on and hardware.use_cpu:
            raise BadInput(f"checkpoint.{key}: needs a GPU; set it to false for hardware cpu")
        if on and find_spec(module) is None:
            raise BadInput(f"checkpoint.{key}: {package} is not installed; run: make gpu")
    if settings.optimizer.eight_bit and hardware.sharded:
        raise BadInput(
            "checkpoint.optimizer.eight_bit: bitsandbytes cannot work on FSDP2's shards; set it "
            "to false, or take one GPU"
        )
    if settings.report_to:
        _check_trackers(settings.report_to)


def _check_trackers(names: list[str]) -> None:
    from transformers.integrations import integration_utils as trackers

    installed = trackers.get_available_reporting_integrations()  # type: ignore[no-untyped-call]
    for name in names:
        if name not in trackers.INTEGRATION_TO_CALLBACK:
            known = ", ".join(sorted(trackers.INTEGRATION_TO_CALLBACK))
            raise BadInput(f"checkpoint.report_to: no tracker '{name}'; known: {known}")
        if name not in installed:
            raise BadInput(f"checkpoint.report_to: {name} is not installed; pip install {name}")


def _linear_maps(config: "PretrainedConfig") -> list[str]:
    """Name the linear maps of a model, built without its weights."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    return [
        name
        for name, module in model.named_modules()
        if type(module).__name__ in ("Linear", "Conv1D")
    ]


def _check_targets(known: list[str], targets: str | list[str]) -> None:
    """See that each target is the end of a linear map's name, as peft reads it."""
    for target in targets if isinstance(targets, list) else []:
        if not any(f".{name}".endswith(f".{target}") for name in known):
            ends = sorted({name.rpartition(".")[2] for name in known})
            raise BadInput(
                f"checkpoint.lora.targets: no '{target}' in the student; known: {', '.join(ends)}"
            )

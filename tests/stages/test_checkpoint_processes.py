"""`checkpoint` on two processes, with whole copies and with shards: one process's losses."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from safetensors.torch import load_file
from test_checkpoint import OPTIONS, edit, responses, train

__all__ = ["responses"]  # a fixture

LORA = "{rank: 4, alpha: 8, dropout: 0.0, targets: all-linear}"
HARDWARE = REPOSITORY / "configs/accelerate"
# accelerate keeps FSDP2 for GPUs, while torch has it for CPUs too: each worker is told so
ALLOW_FSDP_ON_CPU = """
import os
if os.environ.get("ACCELERATE_USE_FSDP") == "true" and "RANK" in os.environ:
    from accelerate import state
    plain = state.AcceleratorState.__init__
    def init(self, *args, **kwargs):
        if not state.AcceleratorState._shared_state:
            state.PartialState(cpu=True)
            state.PartialState._shared_state["distributed_type"] = "MULTI_GPU"
        plain(self, *args, **kwargs)
        open("kind", "w").write(str(self.distributed_type))
    state.AcceleratorState.__init__ = init
"""


def two_processes(kind: str) -> Path:
    """The checked-in file of this kind, for two CPU processes."""
    name, changes = {
        "ddp": ("cpu", {'"NO"': "MULTI_GPU", "num_processes: 1": "num_processes: 2"}),
        "fsdp2": (
            "one-node-fsdp2",
            {"use_cpu: false": "use_cpu: true", "num_processes: 8": "num_processes: 2"},
        ),
    }[kind]
    text = (HARDWARE / f"{name}.yaml").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = Path(f"{kind}.yaml")
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("lora", "kinds"), [("lora: null", ["ddp", "fsdp2"]), (f"lora: {LORA} #", ["fsdp2"])]
)
def test_two_processes_learn_as_one_does(
    responses: Path, params: Path, monkeypatch: pytest.MonkeyPatch, lora: str, kinds: list[str]
) -> None:
    changes = {"batch_size: 1 ": "batch_size: 4 ", "packing: true": "packing: false"}
    changes |= {"gradient_checkpointing: false": "gradient_checkpointing: true"}
    edit(params, {**changes, "lora: null": lora, "epochs: 5": "epochs: 2"})
    Path("shim").mkdir()
    Path("shim/sitecustomize.py").write_text(ALLOW_FSDP_ON_CPU)
    monkeypatch.setenv("PYTHONPATH", f"shim{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    losses, weights = {}, {}
    for out in ("one", *kinds):
        hardware = OPTIONS[3] if out == "one" else two_processes(out)
        result: Any = train(responses, out, hardware)
        assert result.exit_code == 0, result.output
        lines = Path(out, "history.jsonl").read_text().splitlines()
        losses[out] = [json.loads(line)["loss"] for line in lines]
        weights[out] = load_file(Path(out, "model.safetensors"))
    assert Path("kind").read_text().endswith("FSDP")
    for kind in kinds:
        assert losses[kind] == pytest.approx(losses["one"], abs=1e-5)
        assert weights[kind].keys() == weights["one"].keys()
        for name, weight in weights["one"].items():
            assert weights[kind][name].sub(weight).abs().max() < 1e-5

"""`checkpoint` on two processes, each with a shard of the weights: one process's losses."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from safetensors.torch import load_file
from tiny_study import STUDENT, rows, train

__all__ = ["rows"]  # a fixture

LORA = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear"}
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


def two_processes() -> Path:
    """The checked-in file for several GPUs, for two CPU processes."""
    text = (REPOSITORY / "configs/accelerate/one-node-fsdp2.yaml").read_text()
    for old, new in (("use_cpu: false", "use_cpu: true"), ("processes: 8", "processes: 2")):
        assert old in text
        text = text.replace(old, new)
    path = Path("hardware/cpu.yaml")
    path.parent.mkdir()
    path.write_text(text)
    return path.parent


@pytest.mark.parametrize("lora", [None, LORA])
def test_two_processes_learn_as_one_does(
    rows: Path, monkeypatch: pytest.MonkeyPatch, lora: object
) -> None:
    student = {"packing": False, "gradient_checkpointing": True, "lora": lora}
    STUDENT.write_text(json.dumps({**student, "optimizer": {"batch_size": 4, "max_steps": 3}}))
    Path("shim").mkdir()
    Path("shim/sitecustomize.py").write_text(ALLOW_FSDP_ON_CPU)
    monkeypatch.setenv("PYTHONPATH", f"shim{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    losses, weights = {}, {}
    for out, hardware in (("one", None), ("two", two_processes())):
        result: Any = train(rows, out, hardware=hardware)
        assert result.exit_code == 0, result.output
        lines = Path(out, "history.jsonl").read_text().splitlines()
        losses[out] = [json.loads(line)["loss"] for line in lines]
        weights[out] = load_file(Path(out, "model.safetensors"))
    assert Path("kind").read_text().endswith("FSDP")
    assert losses["two"] == pytest.approx(losses["one"], abs=1e-5)
    assert weights["two"].keys() == weights["one"].keys()
    for name, weight in weights["one"].items():
        assert weights["two"][name].sub(weight).abs().max() < 1e-5

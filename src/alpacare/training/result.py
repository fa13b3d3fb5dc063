"""The checkpoint's folder, written from what the workers left in the scratch folder."""

import json
import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alpacare.compute.machine import versions
from alpacare.compute.pinned_model import RANDOM
from alpacare.core import jsonl
from alpacare.core.files import write_json
from alpacare.core.input_state import check_inputs
from alpacare.core.texts import counted
from alpacare.training.data import TrainingData
from alpacare.training.held_out import HeldOutLosses, estimate, estimate_change
from alpacare.training.prepared import TOKENIZER
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import load_merging
from alpacare.training.trainer import TrainingJob
from alpacare.training.validation import read_measurements

_CARD = Path(__file__).parent / "templates" / "model_card.md"
History = list[dict[str, float]]


def write_result(
    scratch: Path,
    out: Path,
    job: TrainingJob,
    training: Mapping[str, Any],
) -> str:
    """Fill the folder `out` with weights, tokenizer, history and card; give a summary line.

    `training` is from `summarise_training`. No times on a CPU: same run, same bytes.
    """
    history: History = json.loads((scratch / "history.json").read_text())
    speed: dict[str, Any] = json.loads((scratch / "speed.json").read_text())
    _move_weights(scratch / "result", out, job)
    shutil.copytree(scratch / TOKENIZER, out, dirs_exist_ok=True)
    _write_generation_config(out / "generation_config.json", job.end_ids)
    (out / "history.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in history))
    write_json(out / "training.json", training)
    write_json(out / "versions.json", versions(speed["device"]))
    if speed["device"] != "cpu":
        write_json(out / "speed.json", speed)
    measured = read_measurements(scratch)
    if measured:
        jsonl.write(out / "validation.jsonl", measured)
    (out / "README.md").write_text(model_card(training, history, measured))
    line = f"{counted(training['examples'], 'example')}, loss {history[0]['loss']:.2f} -> "
    line += f"{history[-1]['loss']:.2f} nats a token"
    if speed["tokens_per_second"]:
        line += f", {speed['tokens_per_second']:,} tokens/s"
    if speed["utilisation"]:
        line += f" ({speed['utilisation']:.0%} of peak FLOPs)"
    return line


def move_result(finished: Path, out: Path) -> None:
    """Give a finished folder its place; a copy would need the disk space twice.

    Raises:
        BadInput: an input of the stage has changed since it began; nothing was moved.
    """
    check_inputs()
    old = out.with_name(f".{out.name}.{os.urandom(4).hex()}")
    if out.exists():
        out.replace(old)
    finished.replace(out)
    shutil.rmtree(old, ignore_errors=True)


def _write_generation_config(path: Path, end_ids: Sequence[int]) -> None:
    """Leave only special tokens, with all that end an answer here.

    Servers would follow the base's decoding settings, and answer otherwise than what was measured.
    """
    config = json.loads(path.read_text()) if path.exists() else {}
    kept = {name: config[name] for name in config if name.endswith("_token_id")}
    known = kept.get("eos_token_id") or []
    ends = sorted({*([known] if isinstance(known, int) else known), *end_ids})
    write_json(path, {**kept, "eos_token_id": ends if len(ends) > 1 else ends[0]})


def _move_weights(result: Path, out: Path, job: TrainingJob) -> None:
    """Move the weights to `out`; with LoRA the adapters, and the base with them merged in."""
    settings = job.settings
    if settings.lora is None:
        for file in result.glob("*"):
            if file.suffix in (".safetensors", ".json"):
                file.replace(out / file.name)  # a copy would need the disk space twice
        return
    from peft import PeftModel
    from safetensors import safe_open

    with safe_open(result / "adapter_model.safetensors", "pt") as adapter:
        if not adapter.keys():  # peft only warns when names match nothing
            raise RuntimeError(f"{result}: the adapters were lost when they were saved")
    base = load_merging(settings, job.base)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        PeftModel.from_pretrained(base, result).merge_and_unload().save_pretrained(out)
    (result / "README.md").unlink(missing_ok=True)  # peft's, an empty form
    config = json.loads((result / "adapter_config.json").read_text())
    config["target_modules"].sort()  # peft writes a set, in another order each time
    config["base_model_name_or_path"] = settings.public_base
    write_json(result / "adapter_config.json", config)
    result.replace(out / "adapter")


def summarise_training(
    job: TrainingJob,
    student: str,
    data: TrainingData,
    data_hash: str,
    base_hash: str | None,
    per_step: int,
) -> dict[str, Any]:
    """Count examples, sequences and tokens; `per_step` sequences a step, on all devices.

    A base model that is a folder is named by the folder's last part and its content's hash: others
    read this, and the path may name a person.
    """
    settings = job.settings
    tokens = int(data.train.lengths.sum())
    capacity = len(data.train) * longest_sequence(settings, data)
    return {
        "student": student,
        "seed": job.seed,
        "settings": settings.model_copy(update={"base": settings.public_base}).model_dump(),
        "data": data_hash,
        "base_sha256": base_hash if settings.base == RANDOM or settings.is_folder else None,
        "teachers": data.teachers,
        "examples": len(data.train.lengths),
        "held_out": len(data.validation.lengths),
        "truncated": int(data.train.truncated.sum()),
        "dropped": len(data.dropped),
        "tokens": tokens,
        "response_tokens": int(data.train.written.sum()),
        "sequences": len(data.train),
        "packing_efficiency": round(tokens / capacity, 4),
        "sequences_per_step": per_step,
        "tokens_per_step": round(tokens * per_step / len(data.train)),
    }


def longest_sequence(settings: CheckpointSettings, data: TrainingData) -> int:
    """Tokens of the longest sequence that is trained on."""
    if settings.packing:
        return settings.max_seq_length
    return int(data.train.lengths.max())


def model_card(
    training: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    measured: Sequence[HeldOutLosses] = (),
) -> str:
    """Write the card from `training.json`, the history, and what was measured on held-out rows."""
    settings = training["settings"]
    lora, optimizer = settings["lora"], settings["optimizer"]
    base = "random weights" if settings["base"] == RANDOM else f"`{settings['base']}`"
    digest = training["base_sha256"]
    if on_hub := settings["revision"] is not None and not digest:
        base += f" at `{settings['revision']}`"
    elif digest:
        base += f", a folder with the SHA-256 `{digest}`"
    how = f"LoRA of rank {lora['rank']}, merged into the weights" if lora else "all weights"
    if lora and lora["quantize"]:
        how = f"Q{how}; the base in 4 bits ({lora['quantize']})"
    return _CARD.read_text(encoding="utf-8").format(
        **{**training, "teachers": ", ".join(f"`{name}`" for name in training["teachers"])},
        validation=_validation_lines(measured),
        base=base,
        base_line=f"base_model: {settings['base']}\n" if on_hub else "",
        length=_length(optimizer),
        how=f"{how}, {settings['dtype']} arithmetic",
        **optimizer,
        first=history[0]["loss"],
        last=history[-1]["loss"],
    )


def _validation_lines(measured: Sequence[HeldOutLosses]) -> str:
    """Say what the loss on held-out examples was, and is."""
    if not measured:
        return ""
    first, last = measured[0], measured[-1]
    return (
        f"| loss on held-out examples | {estimate(first)} before training, {estimate(last)} at the "
        "end, in nats a response token, with 95 % intervals over examples |\n"
        f"| change | {estimate_change(first, last)} |\n"
    )


def _length(optimizer: Mapping[str, Any]) -> str:
    steps, epochs = optimizer["max_steps"], optimizer["epochs"]
    return counted(steps, "step") if steps else counted(epochs, "epoch")

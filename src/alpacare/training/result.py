"""What a training run leaves: the checkpoint's folder, from the workers' scratch."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.compute.versions import versions
from alpacare.core.files import write_json
from alpacare.training.data import TrainingData
from alpacare.training.model_card import model_card
from alpacare.training.settings import CheckpointSettings
from alpacare.training.student import load_base

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

History = list[dict[str, float]]


def write_result(
    scratch: Path,
    fresh: Path,
    settings: CheckpointSettings,
    training: Mapping[str, Any],
    tokenizer: "PreTrainedTokenizerBase",
) -> str:
    """Fill the folder `fresh` with weights, tokenizer, history and card; sum the run up in a line.

    `training` is what `summary` gives. No times on a CPU: the same run gives the same bytes.
    """
    history: History = json.loads((scratch / "history.json").read_text())
    speed: dict[str, Any] = json.loads((scratch / "speed.json").read_text())
    _take_weights(scratch / "result", fresh, settings, tokenizer)
    tokenizer.save_pretrained(fresh)
    _forget_wishes(fresh / "generation_config.json")
    (fresh / "history.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in history))
    write_json(fresh / "training.json", training)
    write_json(fresh / "versions.json", versions(speed["device"]))
    if speed["device"] != "cpu":
        write_json(fresh / "speed.json", speed)
    (fresh / "README.md").write_text(model_card(training, history))
    return _told(training, history, speed)


def _take_weights(
    result: Path,
    fresh: Path,
    settings: CheckpointSettings,
    tokenizer: "PreTrainedTokenizerBase",
) -> None:
    """Take the weights; of LoRA the adapters too, and merged into the base."""
    if settings.lora is None:
        for file in result.glob("*"):
            if file.suffix in (".safetensors", ".json"):
                file.replace(fresh / file.name)  # a copy would need room for the model twice
        return
    from peft import PeftModel
    from safetensors import safe_open

    with safe_open(result / "adapter_model.safetensors", "pt") as adapter:
        if not adapter.keys():  # peft only warns of names that match nothing
            raise RuntimeError(f"{result}: the adapters were lost when they were saved")
    base = load_base(settings.student, tokenizer, frozen=True)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        PeftModel.from_pretrained(base, result).merge_and_unload().save_pretrained(fresh)
    (result / "README.md").unlink(missing_ok=True)  # peft's, an empty form
    result.replace(fresh / "adapter")


def _forget_wishes(path: Path) -> None:
    """Keep of the base's wishes for decoding only its special tokens: servers would follow them,
    and another student than the one that was measured would answer.
    """
    if path.exists():
        wishes = json.loads(path.read_text())
        write_json(path, {name: wishes[name] for name in wishes if name.endswith("_token_id")})


def summary(
    settings: CheckpointSettings, data: TrainingData, data_hash: str, per_step: int
) -> dict[str, Any]:
    """Count examples, rows and tokens; `per_step` rows make a step, on all devices together."""
    examples = data.examples
    tokens = sum(len(example.ids) for example in examples)
    prompt_tokens = sum(example.prompt_length for example in examples)
    return {
        "settings": settings.model_dump(),
        "data": data_hash,
        "teachers": data.teachers,
        "examples": len(examples),
        "held_out": sum(len(row) for row in data.validation),
        "truncated": sum(example.truncated for example in examples),
        "dropped": len(data.lost),
        "tokens": tokens,
        "response_tokens": tokens - prompt_tokens,
        "rows": len(data.train),
        "row_fill": round(tokens / (len(data.train) * longest_row(settings, data)), 4),
        "rows_per_step": per_step,
        "tokens_per_step": round(tokens * per_step / len(data.train)),
    }


def longest_row(settings: CheckpointSettings, data: TrainingData) -> int:
    """Tokens of the longest row that is trained on."""
    if settings.packing:
        return settings.row_length
    return max(len(example.ids) for example in data.examples)


def _told(training: Mapping[str, Any], history: History, speed: Mapping[str, Any]) -> str:
    first, last = history[0]["loss"], history[-1]["loss"]
    line = f"{training['examples']} examples, loss {first:.2f} -> {last:.2f} nats a token"
    if speed["tokens_per_second"]:
        line += f", {speed['tokens_per_second']:,} tokens/s"
    if speed["utilisation"]:
        line += f" ({speed['utilisation']:.0%} of peak FLOPs)"
    return line

"""Reading a pretrained model's weights: all of them, or one line that says which do not fit.

transformers draws random weights for those that it does not find, and says so on stderr only. Here
a model whose weights do not all load is refused, wherever it was to be used.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.compute.libraries import import_libraries
from alpacare.compute.pretrained import ModelSource, check_folder, read_object, reading
from alpacare.core.errors import BadInput

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

_SHOWN = 3  # names of weights in a message
# masks and positions that older versions of transformers saved, and that are computed now
_BUFFER = re.compile(
    r"(?:^|\.)(?:(?:attn|attention)\.(?:masked_)?bias|rotary_emb\.inv_freq|position_ids)$"
)


def check_weights(source: ModelSource, config: "PretrainedConfig") -> None:
    """Check that the weights in a folder are those of its configuration; only names are read.

    Raises:
        BadInput: some are missing, too many, or of another size.
    """
    import torch
    from transformers import AutoModelForCausalLM

    if source.folder is None or getattr(config, "quantization_config", None):
        return  # what is downloaded, or kept in a form of its own, is known when it is loaded
    with reading(source, "weights"), _without_report():
        stored = _read_sizes(source.folder)
        with torch.device("meta"):
            kind = type(AutoModelForCausalLM.from_config(config, trust_remote_code=False))  # type: ignore[no-untyped-call]
        _, report = kind.from_pretrained(
            None,
            config=config,
            state_dict=stored,
            device_map={"": "meta"},
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    _check_report(source, report)


def _read_sizes(folder: Path) -> "dict[str, torch.Tensor]":
    """Give each weight's name and size, as a tensor without data."""
    import torch
    from safetensors import safe_open

    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    files = [single]
    if not single.exists() and index.exists():
        files = [folder / name for name in sorted({*read_object(index)["weight_map"].values()})]
    sizes = {}
    for file in files:
        with safe_open(file, "pt") as opened:
            for name in opened.keys():  # noqa: SIM118  it is no mapping
                shape = opened.get_slice(name).get_shape()
                sizes[name] = torch.empty(shape, device="meta")
    return sizes


@contextmanager
def _without_report() -> Iterator[None]:
    """Silence transformers' bars, and its table of what did not load: here it is one line."""
    import_libraries()
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _check_report(source: ModelSource, report: dict[str, Any]) -> None:
    """Refuse what transformers only reports; buffers of old versions are no weights."""
    beyond = [name for name in report["unexpected_keys"] if not _BUFFER.search(name)]
    for names, what in (
        ([each[0] for each in report["mismatched_keys"]], "of another size"),
        (report["missing_keys"], "missing"),
        (beyond, "too many"),
    ):
        if names:
            shown = ", ".join(sorted({*names})[:_SHOWN])
            raise BadInput(
                f"{source.name}: its weights are not those of its config.json; {what}: "
                f"{len({*names})}, first {shown}{_hint(report)}; save the whole model by "
                "model.save_pretrained"
            )


def _hint(report: dict[str, Any]) -> str:
    """Say what such weights often are."""
    stored = report["unexpected_keys"]
    if any("lora_" in name for name in stored):
        return " (these are an adapter's, not merged)"
    if stored and report["missing_keys"]:
        return f" (the files have names such as {min(stored)})"
    return ""


def read_weights(
    source: ModelSource, dtype: str, attention: str | None = None, **options: Any
) -> "PreTrainedModel":
    """Load a model's weights as `dtype`; `attention` None: transformers' best for its kind.

    That is sdpa, or eager where its arithmetic would differ, as for Gemma 2.

    Raises:
        BadInput: they cannot be read, are no safetensors, or are not those of its configuration.
    """
    import torch
    from transformers import AutoModelForCausalLM

    check_folder(source)
    with reading(source, "weights"), _without_report():
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source.name,
            revision=source.revision,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation=attention,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    model: PreTrainedModel
    model, report = loaded
    _check_report(source, report)
    return model

"""Reading a pretrained model: configuration, tokenizer, weights; or one line that says why not.

transformers draws random weights for those that it does not find, and says so on stderr only. Here
a model whose weights do not all load is refused, wherever it was to be used.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.compute.pinned_model import explain_loading
from alpacare.core.errors import BadInput

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_SHOWN = 3  # names of weights in a message


@dataclass(frozen=True)
class ModelSource:
    """Where a model's files are: a folder, or a Hub id at a commit."""

    name: str
    revision: str | None = None

    @property
    def folder(self) -> Path | None:
        """The folder, if it is one."""
        path = Path(self.name)
        return path if path.is_dir() else None


@contextmanager
def _reading(source: ModelSource, part: str) -> Iterator[None]:
    """Say in one line that a file cannot be read."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:  # each loader has errors of its own
        advice = (
            "check that its files are whole: `dvc checkout`, or copy them again"
            if source.folder
            else "check name and revision; a model behind a licence wants HF_TOKEN in the "
            "environment"
        )
        why = explain_loading(error)
        raise BadInput(f"{source.name}: its {part} cannot be read ({why}); {advice}") from error


def check_folder(source: ModelSource) -> None:
    """Look for what is often taken for a model and is none.

    Raises:
        BadInput: an adapter, weights for llama.cpp, in pickle files, or none.
    """
    folder = source.folder
    if folder is None:
        return
    if (folder / "adapter_config.json").exists():
        base = _read_object(folder / "adapter_config.json").get("base_model_name_or_path")
        raise BadInput(
            f"{folder}: holds an adapter of {base or 'another model'}, which transformers would "
            "load in place of what is here; merge it into that model (peft's merge_and_unload, "
            "then save_pretrained) and name the folder of the result"
        )
    if any(folder.glob("*.safetensors")):
        return
    if gguf := sorted(folder.glob("*.gguf")):
        raise BadInput(
            f"{folder}: {gguf[0].name} is a GGUF file, weights for llama.cpp, mostly quantised; "
            "name the model that it was made from, or convert it (docs/train.md)"
        )
    raise BadInput(
        f"{folder}: no .safetensors in this folder (weights in pickle files can run code, and are "
        "not read); save them by model.save_pretrained"
    )


def read_config(source: ModelSource) -> "PretrainedConfig":
    """Read a model's configuration.

    Raises:
        BadInput: as `check_folder`; no such model, revision or file; or it may not be read.
    """
    from transformers import AutoConfig

    check_folder(source)
    config: PretrainedConfig
    with _reading(source, "configuration"):
        config = AutoConfig.from_pretrained(
            source.name, revision=source.revision, trust_remote_code=False
        )
    return config


def read_tokenizer(source: ModelSource) -> "PreTrainedTokenizerBase":
    """Load a model's tokenizer.

    Raises:
        BadInput: it has none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    if source.folder:
        _check_tokenizer_files(source.folder)
    tokenizer: PreTrainedTokenizerBase
    with _reading(source, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(
            source.name, revision=source.revision, trust_remote_code=False
        )
    return tokenizer


def _check_tokenizer_files(folder: Path) -> None:
    if (folder / "tokenizer.json").exists() or (folder / "tokenizer_config.json").exists():
        return
    if (folder / "tokenizer.model").exists():
        raise BadInput(
            f"{folder}: tokenizer.model alone does not say how a text begins, and would be read "
            "otherwise than the model was trained; copy tokenizer_config.json, or tokenizer.json, "
            "from where the model is from"
        )
    raise BadInput(
        f"{folder}: no tokenizer in this folder (tokenizer.json, or tokenizer.model); copy it from "
        "where the model is from; of a student: `dvc checkout`, or `dvc pull`"
    )


def check_embedding(
    source: ModelSource, tokenizer: "PreTrainedTokenizerBase", config: "PretrainedConfig"
) -> None:
    """Check that each token of texts has a row in the embedding.

    Special ones may lie beyond it (Gemma 3's for an image does in the models without images), if
    they are not those that begin and end a text.

    Raises:
        BadInput: one does; it would end in an IndexError, on a GPU without a word.
    """
    special = {id for id, token in tokenizer.added_tokens_decoder.items() if token.special}
    special -= {tokenizer.bos_token_id, tokenizer.eos_token_id}
    ids = {*tokenizer.get_vocab().values()} - special
    check_ids(source, tokenizer, config, max(ids, default=0))


def check_ids(
    source: ModelSource,
    tokenizer: "PreTrainedTokenizerBase",
    config: "PretrainedConfig",
    highest: int,
) -> None:
    """Check that the highest of some token ids has a row in the embedding; errors as above."""
    rows = getattr(config.get_text_config(), "vocab_size", None)
    if rows is not None and highest >= rows:
        text = tokenizer.convert_ids_to_tokens(highest)
        raise BadInput(
            f"{source.name}: its tokenizer has the token {highest} ('{text}'), and the model an "
            f"embedding of {rows} tokens; take the tokenizer that belongs to these weights, or "
            "enlarge them (model.resize_token_embeddings, then save_pretrained)"
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
    with _reading(source, "weights"), _without_report():
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
        files = [folder / name for name in sorted({*_read_object(index)["weight_map"].values()})]
    sizes = {}
    for file in files:
        with safe_open(file, "pt") as opened:
            for name in opened.keys():  # noqa: SIM118  it is no mapping
                shape = opened.get_slice(name).get_shape()
                sizes[name] = torch.empty(shape, device="meta")
    return sizes


@contextmanager
def _without_report() -> Iterator[None]:
    """Silence transformers' table of what did not load: `_check_report` says it in a line."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _check_report(source: ModelSource, report: dict[str, Any]) -> None:
    """Refuse what transformers only reports; buffers of old versions are no weights."""
    beyond = [name for name in report["unexpected_keys"] if name.endswith("weight")]
    beyond += [name for name in report["unexpected_keys"] if "lora_" in name]
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
    with _reading(source, "weights"), _without_report():
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


def _read_object(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values

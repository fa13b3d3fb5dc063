"""Reading a pretrained model's configuration and tokenizer, or one line that says why not."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.compute.pinned_model import GGUF, explain_loading
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase


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
def reading(source: ModelSource, part: str) -> Iterator[None]:
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
        base = read_object(folder / "adapter_config.json").get("base_model_name_or_path")
        raise BadInput(
            f"{folder}: holds an adapter of {base or 'another model'}, which transformers would "
            "load in place of what is here; merge it into that model (peft's merge_and_unload, "
            "then save_pretrained) and name the folder of the result"
        )
    if any(folder.glob("*.safetensors")):
        return
    if gguf := sorted(folder.glob("*.gguf")):
        raise BadInput(f"{folder}: {gguf[0].name} is {GGUF} {gguf[0]} FOLDER")
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
    with reading(source, "configuration"):
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
    with reading(source, "tokenizer"):
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
    if beyond := _find_beyond(tokenizer, config, ids):
        raise BadInput(
            f"{source.name}: its tokenizer has {beyond}; take the tokenizer that belongs to these "
            "weights, or enlarge them (model.resize_token_embeddings, then save_pretrained)"
        )


def check_ids(
    source: ModelSource,
    tokenizer: "PreTrainedTokenizerBase",
    config: "PretrainedConfig",
    ids: Iterable[int],
    place: str,
) -> None:
    """Check that each token of one text has a row in the embedding; `place` says which text.

    Raises:
        BadInput: one has none, such as a special token that the text happens to spell.
    """
    if beyond := _find_beyond(tokenizer, config, ids):
        raise BadInput(
            f"{place}: for {source.name} it holds {beyond}; take that token out of the text"
        )


def _find_beyond(
    tokenizer: "PreTrainedTokenizerBase", config: "PretrainedConfig", ids: Iterable[int]
) -> str | None:
    """Name the highest of some tokens, if it has no row in the embedding."""
    rows = getattr(config.get_text_config(), "vocab_size", None)
    highest = max(ids, default=0)
    if rows is None or highest < rows:
        return None
    text = tokenizer.convert_ids_to_tokens(highest)
    return f"the token {highest} ('{text}'), and the model an embedding of {rows} tokens"


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file of a model.

    Raises:
        BadInput: it is not whole, or holds no object.
    """
    values = read_json(path)
    if not isinstance(values, dict):
        raise BadInput(f"{path}: expected a JSON object, found {type(values).__name__}")
    return values

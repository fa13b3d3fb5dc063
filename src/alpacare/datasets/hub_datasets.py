"""Datasets of the Hugging Face Hub, and folders in their form, read by the `datasets` library.

No code of a dataset is run: the library reads data files only, since its version 4.
"""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput
from alpacare.core.progress import track
from alpacare.datasets.downloads import explain_status

if TYPE_CHECKING:
    from datasets import DatasetBuilder


@dataclass(frozen=True)
class HubDataset:
    """The rows of one split, where they are from for errors, and the record of that."""

    name: str
    place: str
    rows: Iterable[dict[str, Any]]
    meta: dict[str, Any]


def open_on_hub(
    repo: str, revision: str | None, split: str | None, config: str | None
) -> HubDataset:
    """Open hf://REPO@REVISION; the commit that a branch, a tag or nothing means is recorded.

    Raises:
        BadInput: the Hub cannot be reached or refuses, no such dataset, split or config.
    """
    from huggingface_hub import HfApi

    place = f"hf://{repo}"
    try:
        info = HfApi().dataset_info(repo, revision=revision)
        pinned = f"{place}@{info.sha}"
        builder = _builder(repo, config, info.sha)
    except Exception as error:  # of httpx, of both libraries, of their offline mode
        raise BadInput(f"{place}: {_one_line(error)}") from error
    if str(info.sha) not in str(builder.base_path):
        raise BadInput(f"{place}: another commit than {info.sha} came, from a cache; try again")
    chosen, rows = _read_split(builder, split, pinned)
    meta = {"source": pinned, "split": chosen, "config": config}
    licence = info.card_data and info.card_data.get("license")
    meta |= {"licence": f"{licence}, as the dataset's page says" if licence else None}
    return HubDataset(
        repo.split("/")[1], pinned, rows, {key: value for key, value in meta.items() if value}
    )


def open_folder(folder: Path, split: str | None, config: str | None) -> HubDataset:
    """Open a folder that `save_to_disk` wrote, or of data files as the Hub has them.

    Raises:
        BadInput: it holds no such data, or several splits or configs and none is named.
    """
    place = str(folder)
    name = folder.resolve().name
    try:
        if (folder / "dataset_dict.json").exists() or (folder / "state.json").exists():
            from datasets import Dataset, load_from_disk

            saved = load_from_disk(place)
            splits = {str(saved.split or "train"): saved} if isinstance(saved, Dataset) else saved
            chosen = _choose(split, list(splits), place)
            rows: Iterable[dict[str, Any]] = splits[chosen]
        else:
            chosen, rows = _read_split(_builder(place, config, None), split, place)
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"{place}: {_one_line(error)}") from error
    meta = {"source": name, "split": chosen, "config": config}
    return HubDataset(name, place, rows, {key: value for key, value in meta.items() if value})


def _builder(path: str, config: str | None, revision: str | None) -> "DatasetBuilder":
    import datasets

    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False  # it asks a host that nobody named
    return datasets.load_dataset_builder(path, name=config, revision=revision)


def _read_split(
    builder: "DatasetBuilder", split: str | None, place: str
) -> tuple[str, Iterator[dict[str, Any]]]:
    """Give the name and the rows of one split; no other is fetched."""
    chosen = _choose(split, list(map(str, builder.config.data_files)), place)
    return chosen, _rows(builder, chosen, place)


def _rows(builder: "DatasetBuilder", split: str, place: str) -> Iterator[dict[str, Any]]:
    told = (builder.info.splits or {}).get(split)  # most pages say how many rows there are
    total = told.num_examples if told else 0
    shown = track(place, total, "rows") if total else nullcontext(lambda done, note: None)
    try:
        with shown as advance:
            for row in builder.as_streaming_dataset(split=split):
                advance(1, "")
                yield row
    except Exception as error:  # of pyarrow, httpx and the library
        raise BadInput(f"{place}: {_one_line(error.__cause__ or error)}") from error


def _choose(split: str | None, there: list[str], place: str) -> str:
    if split is None and len(there) == 1:
        return there[0]
    if split not in there:
        wanted = f"no split '{split}'" if split else "it has several splits"
        raise BadInput(f"{place}: {wanted}; name one with --split: {', '.join(there)}")
    return split


def _one_line(error: BaseException) -> str:
    """Say what went wrong, and of a missing config which there are."""
    if answered := explain_status(error):
        return answered
    text = " ".join((str(error) or type(error).__name__).split())
    return text.split(" Example of usage:")[0].replace(
        "Config name is missing. Please pick one among", "--config is missing; name one of"
    )

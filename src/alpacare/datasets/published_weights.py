"""Published weights: `make fetch DATASET=alpacare-7b` brings a model in that nobody trains here.

models/published/NAME holds it as safetensors and DVC tracks it; prompts/local_models/published-NAME
names it, so that it can answer as any other local model.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, atomic_folder
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.datasets.catalogue import CATALOGUE, check_name, write_down
from alpacare.datasets.downloads import FOLDER as DOWNLOADS
from alpacare.datasets.downloads import explain_hub
from alpacare.datasets.pickled_weights import convert
from alpacare.sharing.tracked import dvc_file, dvc_track

PUBLISHED = Path("models/published")
LOCAL_MODELS = Path("prompts/local_models")
_BESIDE = (".json", ".model", ".txt", ".jinja")  # configuration and tokenizer
_NOT_WANTED = ("trainer_state.json", "training_args.json")


class PublishedWeights(Settings):
    """A model of the Hugging Face Hub; `commit` is null until somebody has fetched it."""

    kind: Literal["weights"]
    repository: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]
    commit: Annotated[str, StringConstraints(pattern="^[0-9a-f]{40}$")] | None
    prompt: Literal["alpaca", "chat"]
    licence: str


def find_weights(name: str) -> PublishedWeights | None:
    """Look up weights in configs/datasets.yaml; None if the name is of data, or of nothing.

    Raises:
        BadInput: an entry that does not fit.
    """
    entry = read_yaml(CATALOGUE).get(name)
    if not (isinstance(entry, dict) and entry.get("kind") == "weights"):
        return None
    check_name(name)
    return check(entry, PublishedWeights, f"{CATALOGUE}: {name}.")


def fetch_weights(name: str, known: PublishedWeights) -> Iterator[str]:
    """Download weights, convert what is pickled, and name them as a local model; yield lines.

    Raises:
        BadInput: the network, the disk, another file than announced, a pickle with more than
            tensors, or a folder in the way; nothing is written but what was downloaded so far.
    """
    folder = PUBLISHED / name
    if dvc_file(folder).exists():
        yield f"{folder}: is tracked by DVC; if it is not here, `dvc pull {folder}`"
    else:
        if folder.exists():
            raise BadInput(f"{folder}: exists, and DVC has no copy of it; move it away")
        commit = _fetch(known, folder)
        if known.commit is None:
            write_down("commit", commit, after=name)
            yield f"{CATALOGUE}: {name}.commit: {commit}"
        known = known.model_copy(update={"commit": commit})
        source = {"source": f"huggingface.co/{known.repository}", "commit": commit}
        dvc_track(folder, {**source, "licence": known.licence}, remote="weights")
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        yield f"{folder}: {size / 1e9:,.1f} GB of {known.repository} at {commit[:12]}"
    _name_model(name, known, folder)
    yield f"licence: {known.licence}"


def _name_model(name: str, known: PublishedWeights, folder: Path) -> None:
    path = LOCAL_MODELS / contestant(name) / "settings.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(
            f"# {known.repository} of the Hugging Face Hub, commit {known.commit}, fetched by\n"
            f"# `make fetch DATASET={name}`. Licence: {known.licence}\n"
            f"model: {folder}\nrevision: null\nprompt: {known.prompt}\n"
        )


def contestant(name: str) -> str:
    """Name the local model: students may have the dataset's own name."""
    return f"published-{name}"


def _fetch(known: PublishedWeights, folder: Path) -> str:
    """Download into a temporary folder, and make `folder` of it; give the commit that came."""
    with _asking_hub(known.repository):
        from huggingface_hub import HfApi, hf_hub_download

        repository = known.repository
        info = HfApi().model_info(repository, revision=known.commit, files_metadata=True)
        files = _wanted(repository, info)
        _check_space(repository, sum(file.size or 0 for file in files))
        work = DOWNLOADS / repository.replace("/", "--")
        names = [file.rfilename for file in files]
        for name in names:
            hf_hub_download(repository, name, revision=info.sha, local_dir=work)
    for file in files:
        _check(work / file.rfilename, file, repository)
    with atomic_folder(folder) as fresh:
        pickled = convert(work, fresh)
        for name in {*names} - pickled:  # last, so that what fails before leaves the download
            (work / name).rename(fresh / name)
    shutil.rmtree(work)
    return str(info.sha)


@contextmanager
def _asking_hub(repository: str) -> Iterator[None]:
    try:
        yield
    except BadInput:
        raise
    except KeyboardInterrupt:
        stopped = "stopped: what came stays, and the same command goes on from there"
        raise KeyboardInterrupt(stopped) from None
    except Exception as error:  # of httpx, of the Hub's library, of the disk
        raise BadInput(f"{repository}: {explain_hub(error)}") from error


def _wanted(repository: str, info: Any) -> list[Any]:
    """Choose the weights, safetensors where there are any, and the files beside them."""
    top = [file for file in info.siblings or [] if "/" not in file.rfilename]
    weights = [file for file in top if file.rfilename.endswith(".safetensors")]
    if not weights:
        weights = [
            file
            for file in top
            if file.rfilename.startswith("pytorch_model") and file.rfilename.endswith(".bin")
        ]
    if not weights:
        raise BadInput(f"{repository}: holds neither safetensors nor pytorch_model*.bin")
    beside = [file for file in top if Path(file.rfilename).suffix in _BESIDE]
    return weights + [file for file in beside if file.rfilename not in _NOT_WANTED]


def _check_space(repository: str, size: int) -> None:
    free = shutil.disk_usage(".").free
    if free < 2 * size:  # the download and what is made of it, and DVC's cache where it copies
        raise BadInput(
            f"{repository}: has {size / 1e9:,.1f} GB, which takes twice as much here, and "
            f"{free / 1e9:,.1f} GB are free; free some space"
        )


def _check(path: Path, file: Any, repository: str) -> None:
    """Compare a large file with the SHA-256 that the Hub tells."""
    wanted = file.lfs.sha256 if file.lfs else None
    if wanted is None:
        return
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != wanted:
        path.unlink()
        raise BadInput(f"{repository}: {path.name}: SHA-256 {found}, expected {wanted}; try again")

"""Weights that PyTorch pickled, as safetensors: read once, tensors only, one file at a time.

A pickle may hold a program; `weights_only` reads tensors and refuses all else.
"""

import json
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from alpacare.compute.pretrained import read_object
from alpacare.core.errors import BadInput

if TYPE_CHECKING:
    from torch import Tensor

_INDEX = "pytorch_model.bin.index.json"


def convert(folder: Path, out: Path) -> set[str]:
    """Write each pytorch_model*.bin in a folder, and their index, as safetensors into `out`.

    Returns their names.

    Raises:
        BadInput: a file holds more than tensors, or it or the index cannot be read.
    """
    from safetensors.torch import save_file

    pickled = sorted(folder.glob("pytorch_model*.bin"))
    for path in pickled:
        target = out / _new_name(path.name)
        save_file(_unshared(_read(path)), target, metadata={"format": "pt"})
    index = folder / _INDEX
    if index.exists():
        content = read_object(index)
        names = content.get("weight_map")
        if not isinstance(names, dict):
            raise BadInput(f"{index}: no weight_map; download it again")
        content["weight_map"] = {tensor: _new_name(file) for tensor, file in names.items()}
        (out / "model.safetensors.index.json").write_text(json.dumps(content, indent=2) + "\n")
    return {_INDEX, *(path.name for path in pickled)}


def _new_name(name: str) -> str:
    return f"{name.removesuffix('.bin').replace('pytorch_model', 'model', 1)}.safetensors"


def _read(path: Path) -> dict[str, "Tensor"]:
    import torch

    try:
        tensors: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise BadInput(
            f"{path.name}: holds more than tensors, and to read that may run a program; it is not "
            "read"
        ) from None
    except (RuntimeError, EOFError, ValueError) as error:
        raise BadInput(f"{path.name}: is no file of PyTorch's ({type(error).__name__})") from error
    if not isinstance(tensors, dict) or not all(map(torch.is_tensor, tensors.values())):
        raise BadInput(f"{path.name}: holds no weights by name")
    return tensors


def _unshared(tensors: dict[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Give each tensor its own memory, as safetensors want it: tied ones share theirs."""
    seen: set[int] = set()
    own = {}
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        own[name] = tensor.clone().contiguous() if place in seen else tensor.contiguous()
        seen.add(place)
    return own

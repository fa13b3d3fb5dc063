"""What a package exports, loaded when it is first used: a stage loads only what it runs."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def exports(package: str, **modules: str) -> tuple[Callable[[str], Any], list[str]]:
    """Give a package's `__getattr__` and `__all__` from its modules' public names (PEP 562).

    __getattr__, __all__ = exports(__name__, packing="Example build_tensors", data="prepare")
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return load, sorted(homes)

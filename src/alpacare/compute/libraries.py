"""torch and transformers, imported in three quarters of the time that Python takes for them."""

import gc
import sys
from importlib import import_module


def import_libraries() -> None:
    """Import torch and what transformers needs for models, and silence its own bars.

    Python looks for garbage again and again while a million objects are made, and once more at the
    end of the process: a second and a half of CPU of each stage with a model, for nothing, since
    what modules hold stays. One display is enough, so that transformers shows none.
    """
    if "transformers.modeling_utils" not in sys.modules:
        _import_quickly("transformers.modeling_utils")
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _import_quickly(module: str) -> None:
    collecting = gc.isenabled()
    gc.disable()
    try:
        import_module(module)
    finally:
        gc.freeze()
        if collecting:
            gc.enable()

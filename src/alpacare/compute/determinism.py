"""Same inputs, same bytes: seeds, threads and kernels are fixed before torch does any work."""

import os
import random

from alpacare.compute.libraries import import_libraries

# How long threads that wait for one another spin before they sleep. GNU OpenMP's own 300,000 turns
# make training many times slower where something else wants one of the cores; the bits are the
# same (bench/busy.py).
SPIN_COUNT = "1000"
os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)  # read once, when torch is imported


def make_deterministic(seed: int, threads: int, *, on_cpu: bool = True) -> None:
    """Seed every generator, fix the CPU thread count and ask for deterministic kernels.

    The thread count is part of the arithmetic: it decides how sums are split. It comes from the
    settings, so a run on more or fewer cores rounds the same way and is only faster or slower.
    Some kernels of a GPU have no deterministic form: outputs name the device.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import_libraries()
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(on_cpu)
    # else torch fills every new tensor with NaN, to show reads before writes: a twentieth of the
    # time, for defects that torch has its own tests for
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]

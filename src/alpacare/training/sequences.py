"""Packed sequences as arrays, in memory or mapped from files, so that many stay small."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.training.packing import Example, PackedSequence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class PackedSequences:
    """Sequences of examples; one is cut out of the arrays when it is asked for by its position."""

    ids: "Integers"  # tokens of all examples, one after another, in the order of the sequences
    lengths: "Integers"  # tokens of each example
    prompts: "Integers"  # tokens of each example's prompt
    truncated: "Integers"  # 1 for an example that was cut
    sizes: "Integers"  # examples of each sequence
    gaps: "Integers"  # [gaps, 3]: number of the example, start and end in it

    @classmethod
    def of(cls, sequences: Sequence[PackedSequence]) -> "PackedSequences":
        """Copy examples into arrays."""
        import numpy as np

        examples = list(chain.from_iterable(sequences))
        lengths = np.array([len(example.ids) for example in examples], dtype=np.int64)
        tokens = chain.from_iterable(example.ids for example in examples)
        gaps = [(number, *gap) for number, each in enumerate(examples) for gap in each.gaps]
        return cls(
            ids=np.fromiter(tokens, np.int32, count=int(lengths.sum())),
            lengths=lengths,
            prompts=np.array([example.prompt_length for example in examples], dtype=np.int64),
            truncated=np.array([example.truncated for example in examples], dtype=np.int8),
            sizes=np.array([len(sequence) for sequence in sequences], dtype=np.int64),
            gaps=np.array(gaps, dtype=np.int64).reshape(-1, 3),
        )

    def save(self, folder: Path) -> None:
        """Write the arrays into a new folder, a file each."""
        import numpy as np

        folder.mkdir()
        for each in fields(self):
            np.save(folder / f"{each.name}.npy", getattr(self, each.name))

    @classmethod
    def load(cls, folder: Path) -> "PackedSequences":
        """Map what `save` wrote: processes that read it share its memory."""
        import numpy as np

        names = (each.name for each in fields(cls))
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))

    def padded(self, count: int) -> "PackedSequences":
        """Append so many sequences that are empty."""
        import numpy as np

        return replace(self, sizes=np.append(self.sizes, np.zeros(count, dtype=np.int64)))

    @cached_property
    def _token_ends(self) -> "Integers":
        return self.lengths.cumsum()

    @cached_property
    def _example_ends(self) -> "Integers":
        return self.sizes.cumsum()

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, position: int) -> PackedSequence:
        end = int(self._example_ends[position])
        return [self._example(number) for number in range(end - int(self.sizes[position]), end)]

    def __iter__(self) -> Iterator[PackedSequence]:
        return (self[position] for position in range(len(self)))

    @cached_property
    def written(self) -> "Integers":
        """Tokens of each example that count in the loss."""
        import numpy as np

        read: Integers = np.bincount(
            self.gaps[:, 0], self.gaps[:, 2] - self.gaps[:, 1], minlength=len(self.lengths)
        )
        return self.lengths - self.prompts - read.astype(np.int64)

    def _example(self, number: int) -> Example:
        end = int(self._token_ends[number])
        ids = self.ids[end - int(self.lengths[number]) : end].tolist()
        first, last = self.gaps[:, 0].searchsorted([number, number + 1])
        gaps = tuple((start, end) for _, start, end in self.gaps[first:last].tolist())
        return Example(ids, int(self.prompts[number]), bool(self.truncated[number]), gaps)

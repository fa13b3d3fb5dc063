"""Engine `batched`: transformers' generate on left-padded prompts of similar length.

Every few tokens, rows that have ended leave the batch, and the next prompts take their places.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alpacare.core.progress import RowsDone, ignore_progress
from alpacare.generation.cache import join_caches, keep_rows, make_cache, rows_can_join
from alpacare.generation.sampling import make_sampler
from alpacare.generation.settings import Decoding, GenerationsSettings

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedModel

_CHUNK = 32  # new tokens between two checks of which rows have ended
_JOINING = 1 / 2  # of the rows that the cache can hold are free before others join
_WORTH = 256  # tokens of padding that a further call must save: it has a cost of its own
_SIMILAR = 3 / 4  # prompts are read together if the shortest is so long beside the longest


def longest_first(lengths: Sequence[int]) -> list[int]:
    """Positions in the order of answering: a batch too large for the memory shows at once."""
    return sorted(range(len(lengths)), key=lambda position: (-lengths[position], position))


def rows_at_once(longest: int, new_tokens: int, cache_tokens: int) -> int:
    """How many prompts, padded to the longest and with `new_tokens` each, the cache can hold."""
    return max(1, cache_tokens // (longest + new_tokens))


def plan_batches(lengths: Sequence[int], new_tokens: int, cache_tokens: int) -> list[list[int]]:
    """Cut prompts into batches of similar length: little padding, the same in every run.

    A batch holds as many prompts as `rows_at_once`. Returns positions.
    """
    batches: list[list[int]] = []
    most = 0  # rows of the last batch
    for position in longest_first(lengths):
        if not batches or len(batches[-1]) == most:
            most = rows_at_once(lengths[position], new_tokens, cache_tokens)
            batches.append([])
        batches[-1].append(position)
    return batches


def answer_rows(
    model: "PreTrainedModel",
    prompts: Sequence[list[int]],
    seeds: Sequence[int],
    decoding: Decoding,
    report: RowsDone = ignore_progress,
) -> Iterator[dict[int, list[int]]]:
    """Answer prompts, as many at once as the settings allow; yield answers as they end.

    An answer is a prompt's position and its new token ids, what follows an end of text included.
    `report` is told now and then how many tokens the answers under way have so far.
    """
    can_join = rows_can_join(make_cache(model))
    waiting = longest_first([*map(len, prompts)])
    rows: _Rows | None = None
    while waiting or rows:
        if waiting and (can_join or not rows):
            count = _free_rows(rows, prompts, waiting[0], decoding.settings)
            taken, waiting = waiting[:count], waiting[count:]
            groups = _similar(taken, prompts) if can_join else [taken]
            new = [_read(model, group, prompts, seeds, decoding) for group in groups]
            rows = _join([rows, *new] if rows else new)
        assert rows is not None
        rows.extend(model, decoding, _CHUNK)
        report(sum(rows.made))
        if ended := rows.remove_ended(decoding, can_join):
            yield ended
        rows = rows if rows.positions else None


def _free_rows(
    rows: "_Rows | None", prompts: Sequence[list[int]], first: int, settings: GenerationsSettings
) -> int:
    """How many prompts to read beside those under way, `first` the longest of them.

    None until a good part of the cache is free: to read one after the other takes longer.
    """
    held = rows.positions if rows else []
    longest = max(len(prompts[position]) for position in [*held, first])
    most = rows_at_once(longest, settings.max_new_tokens, settings.cache_tokens)
    free = most - len(held)
    return free if free >= _JOINING * most else 0


@dataclass
class _Rows:
    """Answers under way."""

    positions: list[int]
    seeds: list[int]
    made: list[int]  # new tokens of each
    ids: "torch.Tensor"  # [rows, tokens], prompts and new tokens, padded on the left
    mask: "torch.Tensor"  # 0 for padding
    cache: "DynamicCache | None"

    def extend(self, model: "PreTrainedModel", decoding: Decoding, most: int) -> None:
        """Give each row as many new tokens, or fewer where one comes to the limit."""
        import torch

        settings, width = decoding.settings, self.ids.shape[1]
        count = min(most, settings.max_new_tokens - max(self.made))
        if not count:
            return
        samplers = []
        if settings.temperature:
            samplers = [make_sampler(self.seeds, self.made, width, settings)]
        with torch.inference_mode():
            output: Any = model.generate(  # type: ignore[operator]
                input_ids=self.ids,
                attention_mask=self.mask,
                past_key_values=self.cache,
                generation_config=decoding.config(count),
                logits_processor=samplers,
            )
        self.ids = output.sequences
        added = self.ids.shape[1] - width
        self.mask = torch.nn.functional.pad(self.mask, (0, added), value=1)
        self.made = [made + added for made in self.made]

    def remove_ended(self, decoding: Decoding, trim: bool) -> dict[int, list[int]]:
        """Remove rows that have ended, and give their new tokens by position.

        `trim`: leave out the padding that all others have.
        """
        import torch

        ends, limit = {*decoding.end_ids}, decoding.settings.max_new_tokens
        new = [ids[-made:] for ids, made in zip(self.ids.tolist(), self.made, strict=True)]
        kept = [row for row, ids in enumerate(new) if len(ids) < limit and ends.isdisjoint(ids)]
        gone = sorted({*range(len(new))} - {*kept})
        answers = {self.positions[row]: new[row] for row in gone}
        if gone:
            self.positions = [self.positions[row] for row in kept]
            self.seeds = [self.seeds[row] for row in kept]
            self.made = [self.made[row] for row in kept]
        if gone and kept:
            index = torch.tensor(kept, device=self.ids.device)
            padding = int(self.mask[index].argmax(1).min()) if trim else 0
            self.ids, self.mask = self.ids[index, padding:], self.mask[index, padding:]
            if self.cache:
                keep_rows(self.cache, index, padding)
        return answers


def _read(
    model: "PreTrainedModel",
    positions: list[int],
    prompts: Sequence[list[int]],
    seeds: Sequence[int],
    decoding: Decoding,
) -> _Rows:
    """Read prompts, and give each its first new token; all, where no cache keeps what was read."""
    ids, mask = pad_left([prompts[p] for p in positions], decoding.pad_id, model.device)
    cache = make_cache(model)
    rows = _Rows(positions, [seeds[p] for p in positions], [0] * len(positions), ids, mask, cache)
    rows.extend(model, decoding, 1 if cache else decoding.settings.max_new_tokens)
    return rows


def _similar(positions: Sequence[int], prompts: Sequence[list[int]]) -> list[list[int]]:
    """Cut positions, longest first, into groups of similar length."""
    groups: list[list[int]] = []
    longest = 0
    for done, position in enumerate(positions):
        length = len(prompts[position])
        saved = (len(positions) - done) * (longest - length)
        if not groups or (length < _SIMILAR * longest and saved >= _WORTH):
            groups.append([])
            longest = length
        groups[-1].append(position)
    return groups


def _join(parts: list[_Rows]) -> _Rows:
    """Make one of all; shorter ones are padded."""
    import torch

    if len(parts) == 1:
        return parts[0]
    width = max(part.ids.shape[1] for part in parts)
    pad = torch.nn.functional.pad
    ids, mask = (
        torch.cat([pad(tensor, (width - tensor.shape[1], 0)) for tensor in tensors])
        for tensors in ([part.ids for part in parts], [part.mask for part in parts])
    )
    caches = [part.cache for part in parts if part.cache]
    return _Rows(
        [position for part in parts for position in part.positions],
        [seed for part in parts for seed in part.seeds],
        [made for part in parts for made in part.made],
        ids,
        mask,
        join_caches(caches),
    )


def pad_left(
    prompts: Sequence[Sequence[int]], pad_id: int, device: "torch.device"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Stack prompts, [rows, longest], with padding before them, and a mask that is 0 there."""
    import torch

    width = max(map(len, prompts))
    ids = [[pad_id] * (width - len(prompt)) + [*prompt] for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)

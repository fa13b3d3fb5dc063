"""Samples of seeds: fair, stable, reproducible."""

import pytest
from tasks import make_seeds

from alpacare.core.errors import BadInput
from alpacare.instructions.few_shot_sampler import FewShotSampler, sample_from_pool


@pytest.mark.parametrize(("size", "count"), [(3, 10), (3, 4), (4, 5), (1, 3), (3, 3)])
def test_every_seed_is_shown_once_before_any_is_shown_twice(size: int, count: int) -> None:
    sampler = FewShotSampler(make_seeds(count), seed=0)
    samples = [sampler.sample(size) for _ in range(60)]
    shown = [seed.id for sample in samples for seed in sample]
    assert all(len({seed.id for seed in sample}) == size for sample in samples)
    for turn in range(0, len(shown) - count, count):
        assert len(set(shown[turn : turn + count])) == count


def test_an_edited_seed_changes_only_its_own_samples() -> None:
    seeds = make_seeds(177)
    edited = [*seeds[:50], make_seeds(999)[-1], *seeds[51:]]
    old, new = FewShotSampler(seeds, seed=0), FewShotSampler(edited, seed=0)
    changed = [sample for _ in range(59) if (sample := old.sample(3)) != new.sample(3)]
    assert len(changed) == 1
    assert seeds[50] in changed[0]


def test_samples_of_changing_size_hold_no_seed_twice() -> None:
    sampler = FewShotSampler(make_seeds(7), seed=0)
    samples = [sampler.sample(size) for size in [5, 3, 4, 1, 6, 2] * 9]
    assert all(len({seed.id for seed in sample}) == len(sample) for sample in samples)


def test_too_few_seeds_are_named() -> None:
    with pytest.raises(BadInput, match=r"2 seeds, but instructions\.seeds_per_request is 3"):
        FewShotSampler(make_seeds(2), seed=0).check_size(3)


def test_a_sample_is_the_same_every_time_and_differs_by_request() -> None:
    samples = [sample_from_pool(range(100), 2, 0, number) for number in range(50)]
    assert samples == [sample_from_pool(range(100), 2, 0, number) for number in range(50)]
    assert all(len(set(sample)) == 2 for sample in samples)
    assert len({place for sample in samples for place in sample}) > 50
    assert sorted(sample_from_pool(range(2), 2, 0, 0)) == [0, 1]

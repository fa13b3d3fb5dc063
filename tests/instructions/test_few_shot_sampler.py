"""Hands of seeds: fair, stable, the same every time."""

import pytest
from tasks import make_seeds

from alpacare.core.errors import BadInput
from alpacare.instructions.few_shot_sampler import Deck, drawn


@pytest.mark.parametrize(("size", "count"), [(3, 10), (3, 4), (4, 5), (1, 3), (3, 3)])
def test_every_seed_is_shown_once_before_any_is_shown_twice(size: int, count: int) -> None:
    deck = Deck(make_seeds(count), seed=0)
    hands = [deck.deal(size) for _ in range(60)]
    dealt = [seed.id for hand in hands for seed in hand]
    assert all(len({seed.id for seed in hand}) == size for hand in hands)
    for turn in range(0, len(dealt) - count, count):
        assert len(set(dealt[turn : turn + count])) == count


def test_an_edited_seed_changes_only_its_own_hands() -> None:
    seeds = make_seeds(177)
    edited = [*seeds[:50], make_seeds(999)[-1], *seeds[51:]]
    old, new = Deck(seeds, seed=0), Deck(edited, seed=0)
    changed = [hand for _ in range(59) if (hand := old.deal(3)) != new.deal(3)]
    assert len(changed) == 1
    assert seeds[50] in changed[0]


def test_hands_of_changing_size_hold_no_seed_twice() -> None:
    deck = Deck(make_seeds(7), seed=0)
    hands = [deck.deal(size) for size in [5, 3, 4, 1, 6, 2] * 9]
    assert all(len({seed.id for seed in hand}) == len(hand) for hand in hands)


def test_too_few_seeds_are_named() -> None:
    with pytest.raises(BadInput, match=r"2 seeds, but instructions\.seeds_per_request is 3"):
        Deck(make_seeds(2), seed=0).check(3)


def test_a_draw_is_the_same_every_time_and_differs_by_request() -> None:
    draws = [drawn(range(100), 2, 0, number) for number in range(50)]
    assert draws == [drawn(range(100), 2, 0, number) for number in range(50)]
    assert all(len(set(draw)) == 2 for draw in draws)
    assert len({place for draw in draws for place in draw}) > 50
    assert sorted(drawn(range(2), 2, 0, 0)) == [0, 1]

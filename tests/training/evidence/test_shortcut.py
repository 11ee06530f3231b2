import numpy as np
import pytest

from training.evidence.shortcut import FEATURES, auroc_among_alike, border, rank_correlation
from training.measuring.metrics import auroc


def test_nothing_but_the_border_is_seen():
    film = np.random.default_rng(0).random((512, 512), dtype=np.float32)
    changed = film.copy()
    changed[64:-64, 64:-64] = 0
    assert np.array_equal(border(film), border(changed))
    changed[:4] = 0
    assert not np.array_equal(border(film), border(changed))


def test_every_view_gives_as_many_numbers_of_any_film():
    films = [np.full((512, 512), level, dtype=np.float32) for level in (0.2, 0.7)]
    for see in FEATURES.values():
        assert see(films[0]).shape == see(films[1]).shape


def test_a_score_that_is_the_confounder_knows_little_beyond_it():
    rng = np.random.default_rng(0)
    confounder = rng.normal(size=4000)
    labels = (confounder + rng.normal(size=4000) > 1).astype(int)
    assert auroc(labels, confounder) > 0.8
    assert auroc_among_alike(labels, confounder, confounder) < auroc(labels, confounder) - 0.1
    assert auroc_among_alike(labels, labels + 0.1 * rng.normal(size=4000), confounder) == 1


def test_a_score_that_has_nothing_to_do_with_the_confounder_keeps_its_auroc():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 4000)
    scores = labels + rng.normal(size=4000)
    among_alike = auroc_among_alike(labels, scores, rng.normal(size=4000))
    assert among_alike == pytest.approx(auroc(labels, scores), abs=0.01)


def test_a_guess_that_is_the_same_for_all_films_goes_with_nothing():
    scores = np.array([0.1, 0.4, 0.9])
    assert rank_correlation(scores, 2 * scores) == pytest.approx(1)
    assert rank_correlation(scores, np.full(3, 0.5)) == rank_correlation(np.full(3, 0.5), scores) == 0

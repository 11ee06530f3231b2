"""What can be guessed of a film without its lungs, and whether the network lives on that.

A classifier learns the labels of train from border pixels, grey-level statistics or sharpness alone. On val, whose
films all come from one source, whatever it still guesses is no trace of the source but what the label goes with:
build, projection, how much air a film shows. A network that lived on the same would tell positive from negative films
no better where that classifier cannot.
"""

from collections.abc import Callable

import cv2
import numpy as np
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier

from app.segmentation.network.preprocessing import PreprocessingConfig, resize
from training.data.films import PreparedFilms
from training.measuring.metrics import auroc

BORDER = 4
"""Width of the visible border, in pixels of a film shrunk to 64 × 64."""
STRATA = 4
"""Equal parts of val in which the classifier's scores are alike."""


def border(image: np.ndarray) -> np.ndarray:
    """Show the outermost pixels of a film, float32 (H, W) in [0, 1], shrunk."""
    small = resize(image, PreprocessingConfig(64))
    inner = np.zeros(small.shape, dtype=bool)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    return small[~inner]


def grey_levels(image: np.ndarray) -> np.ndarray:
    """Count a film's grey levels."""
    return np.histogram(image, bins=32, range=(0, 1), density=True)[0]


def sharpness(image: np.ndarray) -> np.ndarray:
    """Measure where compression and resampling leave their mark."""
    return np.array([cv2.Laplacian(image, cv2.CV_32F).var()])


FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "border": border,
    "grey levels": grey_levels,
    "sharpness": sharpness,
}
ALL = "all of these"


def shortcuts(films: PreparedFilms, probabilities: np.ndarray) -> dict:
    """Measure what is guessed without the lungs, and what the network knows beyond it.

    Args:
        films: Prepared films.
        probabilities: float (N,), the network's answers to the expert-labelled films of val.

    Returns:
        "auroc_without_lung" by what was seen; "auroc_of_network"; "auroc_of_network_among_alike", over the pairs of
        positive and negative films in one of `STRATA` strata of the score without lung; and
        "rank_correlation_of_negatives", of the network's answers and that score.
    """
    labels = films.table["label"].to_numpy()
    train, val = films.rows("train"), films.expert_rows("val")
    seen, unseen = _features(films, train), _features(films, val)
    guessed = {}
    for name in seen:
        classifier = HistGradientBoostingClassifier(random_state=0).fit(seen[name], labels[train])
        guessed[name] = classifier.predict_proba(unseen[name])[:, 1]
    truth, all_guessed = labels[val], guessed[ALL]
    return {
        "auroc_without_lung": {name: round(auroc(truth, scores), 4) for name, scores in guessed.items()},
        "auroc_of_network": round(auroc(truth, probabilities), 4),
        "auroc_of_network_among_alike": round(auroc_among_alike(truth, probabilities, all_guessed), 4),
        "rank_correlation_of_negatives": round(rank_correlation(probabilities[truth == 0], all_guessed[truth == 0]), 4),
    }


def rank_correlation(scores: np.ndarray, others: np.ndarray) -> float:
    """Correlate the ranks of two scores (Spearman); one that is the same for all films goes with nothing, 0."""
    return float(spearmanr(scores, others).statistic) if np.ptp(scores) and np.ptp(others) else 0.0


def _features(films: PreparedFilms, rows: np.ndarray) -> dict[str, np.ndarray]:
    features = {name: np.stack([see(films.image(row)) for row in rows]) for name, see in FEATURES.items()}
    return {**features, ALL: np.concatenate(list(features.values()), axis=1)}


def auroc_among_alike(labels: np.ndarray, scores: np.ndarray, confounder: np.ndarray) -> float:
    """Pool the AUROC over strata of a confounder, each weighted by its pairs of positive and negative films.

    Args:
        labels: int (N,), 0 or 1.
        scores: float (N,).
        confounder: float (N,); its quantiles bound the strata.
    """
    stratum = np.digitize(confounder, np.quantile(confounder, np.arange(1, STRATA) / STRATA))
    groups = [stratum == number for number in range(STRATA)]
    pairs = np.array([(labels[group] == 1).sum() * (labels[group] == 0).sum() for group in groups])
    return float(
        sum(share * auroc(labels[g], scores[g]) for share, g in zip(pairs / pairs.sum(), groups, strict=True) if share)
    )

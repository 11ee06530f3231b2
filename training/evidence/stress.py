"""What the network must not be doing: reading the source of a film, its borders, or any picture at all.

The shortcut check asks what can be guessed of a film without its lungs, and whether the network knows more
(`training.evidence.shortcut`). The robustness check re-encodes, crops and brightens the films of val and reports how
far the answers move. The familiarity check asks whether pictures that are no chest films, shipped with scikit-image,
scikit-learn and pydicom, lie further from the training films than the films of val do.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from app.segmentation.network.preprocessing import preprocess
from app.segmentation.predictor import Predictor
from training.data.films import PreparedFilms
from training.data.other_pictures import pictures_of_other_things
from training.errors import UserError
from training.evidence.film_answers import UNCHANGED, kept_answers
from training.evidence.shortcut import shortcuts
from training.measuring.metrics import auroc
from training.measuring.writing import publish

SLIGHT_CHANGES = ("JPEG at quality 50", "90 % crop", "10 % brighter", "10 % darker")
"""Changes that a reader would hardly notice; `training.evidence.shift` measures what more of them cost."""


def stress(weights: Path, data: Path, out: Path) -> dict:
    """Print and write the shortcut, robustness and familiarity checks on the validation split.

    Args:
        weights: Released checkpoint.
        data: Prepared folder.
        out: Folder to write: stress.json, and `answers/`, from which an interrupted measurement goes on. `shift` keeps
            the same answers, so give both the same folder.

    Returns:
        What was written.
    """
    predictor, films = Predictor.load(weights), PreparedFilms.open(data)
    out.mkdir(parents=True, exist_ok=True)
    changes = (UNCHANGED, *SLIGHT_CHANGES)
    answers = {change: kept_answers(predictor, films, "val", out / "answers", change) for change in changes}
    result = {
        "sha256": predictor.sha256,
        "shortcuts": shortcuts(films, answers[UNCHANGED]["probability"].to_numpy()),
        "mean_absolute_change": mean_changes(answers),
        "familiarity": familiarity(predictor, films),
    }
    publish(result, out / "stress.json")
    return result


def mean_changes(answers: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Mean absolute change of the probability over the films, by what was done to them."""
    before = answers[UNCHANGED]["probability"]
    return {name: round(float((answers[name]["probability"] - before).abs().mean()), 4) for name in SLIGHT_CHANGES}


def familiarity(predictor: Predictor, films: PreparedFilms) -> dict[str, float]:
    """Tell films of val from pictures that are no chest films by their distance alone."""

    known = predictor.feature_distribution
    if known is None:
        raise UserError(f"{predictor.metadata.name} does not know which films are familiar; release it again.")

    def distance(image: np.ndarray) -> float:
        return known.in_limits(predictor.engine.run(preprocess(image, predictor.metadata.preprocessing)).features)

    rows = films.expert_rows("val")
    positive = films.table["label"].to_numpy()[rows] == 1
    real = np.array([distance(films.image(row)) for row in rows])
    other = np.array([distance(image) for image in pictures_of_other_things()])
    labels = np.repeat([0, 1], [len(real), len(other)])
    return {
        "films": len(real),
        "other_pictures": len(other),
        "auroc": round(auroc(labels, np.concatenate([real, other])), 4),
        "positive_films_warned_of": round(float((real > 1)[positive].mean()), 4),
        "negative_films_warned_of": round(float((real > 1)[~positive].mean()), 4),
        "other_pictures_warned_of": round(float((other > 1).mean()), 4),
    }

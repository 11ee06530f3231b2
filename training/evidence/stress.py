"""What the network must not be doing: reading the source of a film, its borders, or any picture at all.

The shortcut check asks what can be guessed of a film without its lungs, and whether the network knows more
(`training.evidence.shortcut`). The robustness check re-encodes, crops and brightens the films of val and reports how
far the answers move. The familiarity check asks whether pictures that are no chest films, shipped with scikit-image,
scikit-learn and pydicom, lie further from the training films than the films of val do.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
from PIL import Image

from app.segmentation.network.preprocessing import preprocess
from app.segmentation.predictor import Predictor
from training.data.films import PreparedFilms
from training.evidence.shortcut import shortcuts
from training.releasing.evaluate import publish
from training.releasing.film_answers import UNCHANGED, kept_answers
from training.releasing.metrics import auroc

SLIGHT_CHANGES = ("JPEG at quality 50", "90 % crop", "10 % brighter", "10 % darker")
"""Changes that a reader would hardly notice; `training.evidence.shift` measures what more of them cost."""
PICTURE_FOLDERS = {"skimage": "data", "sklearn.datasets": "images"}
NOT_A_FILM = ("JPEG2000.dcm", "CT_small.dcm", "MR_small.dcm", "examples_jpeg2k.dcm", "liver_1frame.dcm", "693_J2KI.dcm")


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

    def distance(image: np.ndarray) -> float:
        batch = preprocess(image, predictor.metadata.preprocessing)
        return predictor.feature_distribution.distance(predictor.engine.run(batch).features)

    limit = predictor.feature_distribution.limit
    rows = films.rows("val", ["expert_mask"])
    positive = films.table["label"].to_numpy()[rows] == 1
    real = np.array([distance(films.image(row)) for row in rows])
    other = np.array([distance(image) for image in pictures_of_other_things()])
    labels = np.repeat([0, 1], [len(real), len(other)])
    return {
        "films": len(real),
        "other_pictures": len(other),
        "auroc": round(auroc(labels, np.concatenate([real, other])), 4),
        "positive_films_warned_of": round(float((real > limit)[positive].mean()), 4),
        "negative_films_warned_of": round(float((real > limit)[~positive].mean()), 4),
        "other_pictures_warned_of": round(float((other > limit).mean()), 4),
    }


def pictures_of_other_things() -> Iterator[np.ndarray]:
    """Photographs, textures, microscopy, CT and MR slices, a blank page: float32 (H, W) in [0, 1]."""
    for package, folder in PICTURE_FOLDERS.items():
        for path in sorted(Path(str(files(package) / folder)).iterdir()):
            if path.suffix in (".png", ".jpg"):
                yield np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255
    for name in NOT_A_FILM:
        pixels = pydicom.dcmread(files("pydicom.data") / "test_files" / name).pixel_array.astype(np.float32)
        grey = pixels if pixels.ndim == 2 else pixels.mean(axis=-1)
        yield (grey - grey.min()) / max(float(np.ptp(grey)), 1)
    yield np.ones((512, 512), dtype=np.float32)

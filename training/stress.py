"""What the network must not be doing: reading the source of a film, its borders, or any picture at all.

The shortcut check trains a classifier that sees no lung, only border pixels and the statistics of the
grey levels: on val it should do little better than chance. The robustness check re-encodes, crops and
brightens the films of val and reports how far the answers move. The familiarity check asks whether
pictures that are no chest films, shipped with scikit-image, scikit-learn and pydicom, lie further
from the training films than the films of val do.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pydicom
from PIL import Image
from sklearn.ensemble import HistGradientBoostingClassifier
from tqdm import tqdm

from app.segmentation.predictor import Predictor
from app.segmentation.preprocessing import PreprocessingConfig, preprocess, resize
from app.segmentation.radiograph import Radiograph
from training.changes import CHANGES
from training.data.films import PreparedFilms
from training.evaluate import publish
from training.metrics import auroc

BORDER = 4
"""Width of the visible border, in pixels of a film shrunk to 64 × 64."""
SLIGHT_CHANGES = ("JPEG at quality 50", "90 % crop", "10 % brighter", "10 % darker")
"""Changes that a reader would hardly notice; `training.shift` measures what more of them cost."""
PICTURE_FOLDERS = {"skimage": "data", "sklearn.datasets": "images"}
NOT_A_FILM = ("JPEG2000.dcm", "CT_small.dcm", "MR_small.dcm", "examples_jpeg2k.dcm", "liver_1frame.dcm", "693_J2KI.dcm")


def stress(weights: Path, data: Path, out: Path | None = None) -> dict:
    """Print and write the shortcut, robustness and familiarity checks on the validation split.

    Args:
        weights: Released checkpoint.
        data: Prepared folder.
        out: JSON file to write, besides printing.

    Returns:
        What was written.
    """
    predictor, films = Predictor.load(weights), PreparedFilms.open(data)
    result = {
        "sha256": predictor.sha256,
        "shortcut_auroc": shortcut_auroc(films),
        "mean_absolute_change": answer_changes(predictor, films),
        "familiarity": familiarity(predictor, films),
    }
    publish(result, out)
    return result


def shortcut_auroc(films: PreparedFilms) -> float:
    """AUROC on val of a classifier that was shown the borders and grey levels of train, and no lung."""
    labels = films.table["label"].to_numpy()
    train, val = films.rows("train"), films.rows("val", ["expert_mask"])
    seen, unseen = (np.stack([_without_lung(films.image(row)) for row in rows]) for rows in (train, val))
    classifier = HistGradientBoostingClassifier(random_state=0).fit(seen, labels[train])
    return round(auroc(labels[val], classifier.predict_proba(unseen)[:, 1]), 4)


def _without_lung(image: np.ndarray) -> np.ndarray:
    small = resize(image, PreprocessingConfig(64))
    inner = np.zeros(small.shape, dtype=bool)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    histogram, _ = np.histogram(image, bins=32, range=(0, 1), density=True)
    sharpness = float(cv2.Laplacian(image, cv2.CV_32F).var())  # compression and resampling leave their mark here
    return np.concatenate([small[~inner], histogram, [sharpness]])


def answer_changes(predictor: Predictor, films: PreparedFilms) -> dict[str, float]:
    """Mean absolute change of the probability over val, by what was done to the films."""

    def probability(image: np.ndarray) -> float:
        return predictor.predict(Radiograph(image, "PNG")).probability

    moved = {name: [] for name in SLIGHT_CHANGES}
    for row in tqdm(films.rows("val", ["expert_mask"]), desc="robustness", unit="film"):
        image, true_mask = films.image(row), films.true_mask(row)
        before = probability(image)
        for name in SLIGHT_CHANGES:
            moved[name].append(abs(probability(CHANGES[name](image, true_mask)[0]) - before))
    return {name: round(float(np.mean(values)), 4) for name, values in moved.items()}


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

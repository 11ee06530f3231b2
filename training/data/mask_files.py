"""Masks as people store them: one picture a film, of two values."""

import unicodedata
from collections.abc import Collection
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, UnidentifiedImageError

from app.segmentation.reading.film_file import open_film
from training.data.tables import did_you_mean, some
from training.errors import TrainingDataError

MOST = 0.6
"""Share of a film that no pneumothorax covers, both lungs together: a mask that does is inverted, or no mask."""


def find_masks(folder: Path, image_ids: Collection[str]) -> dict[str, Path]:
    """Find the masks of films.

    Args:
        folder: Where they are: `<image_id>.png`. Hidden files are of no account.
        image_ids: The films'.

    Returns:
        Paths by image id, of the films that have a mask.

    Raises:
        TrainingDataError: If a file in it is no film's.
    """
    if not folder.is_dir():
        return {}
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    others = [path.name for path in files if path.suffix.lower() != ".png" or path.is_dir()]
    if others:
        raise TrainingDataError(
            f"{folder} holds {len(others)} thing(s) that are no PNG file: {some(others)}; save masks as PNG, which "
            "keeps every pixel."
        )
    masks = {normal(path.stem): path for path in files}
    strange = [image_id for image_id in masks if image_id not in image_ids]
    if strange:
        raise TrainingDataError(
            f"{len(strange)} of {len(files)} masks in {folder} belong to no film of the manifest: "
            f"{some([masks[name].name for name in strange])}{did_you_mean(strange[0], list(image_ids))}; a mask is "
            "called as its film's image_id."
        )
    return masks


def normal(name: str) -> str:
    """Write a name in one form of Unicode: file systems keep letters with accents in two."""
    return unicodedata.normalize("NFC", name)


def read_mask(path: Path, is_positive: bool = False) -> np.ndarray:
    """Read a mask: bool (H, W), true where it is not black.

    Args:
        path: The mask.
        is_positive: Whether the manifest says that it marks something.

    Raises:
        TrainingDataError: If it is damaged, has more than two values or none that is black, or marks nearly all or,
            against the manifest, nothing.
    """
    try:
        with open_film(path) as file:  # it may be a pipe, which would wait for its other end
            picture = Image.open(file)
            picture.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise TrainingDataError(f"{path} is no picture that can be read; save the mask again.") from error
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        if np.asarray(picture.convert("RGBA"))[..., 3].min() < 255:
            raise TrainingDataError(f"{path} is transparent in places; save the mask in black and white.")
    kept = {"1": "L", **{mode: mode for mode in ("L", "I", "I;16", "I;16B", "F")}}
    levels = np.asarray(picture.convert(kept.get(picture.mode, "RGB")))
    flat = levels.reshape(-1, levels.shape[2]) if levels.ndim == 3 else levels.reshape(-1, 1)
    marked = cast(np.ndarray, flat.astype(bool).any(axis=1))
    shown = flat[marked]
    if len(shown) and (shown != shown[0]).any():
        count = len(np.unique(flat, axis=0))
        raise TrainingDataError(f"{path} holds {count} values; a mask has two, black and another one.")
    if marked.mean() > MOST:
        raise TrainingDataError(
            f"{path} marks {100 * marked.mean():.0f} % of its film; a mask is black where nothing is to be seen."
        )
    if is_positive and not marked.any():
        raise TrainingDataError(f"{path} marks nothing, but the film's label is 1.")
    return np.reshape(marked, levels.shape[:2])

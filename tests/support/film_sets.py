"""Little data sets of synthetic films in the manifest's form."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from app.segmentation.reading.geometry import Laterality
from tests.support.film_files import to_png
from training.releasing.phantom.drawing import draw_phantom

SQUARES = 8
"""Side of the squares, in pixels, of which positive films carry a faint pattern."""


def write_film_set(
    folder: Path, splits: Sequence[str], *, size: int = 256, films_of_a_patient: int = 1, findings: Sequence[str] = ()
) -> Path:
    """Write films, every second one with a pneumothorax, and their manifest.

    Positive films carry a pattern besides, so that even a network that has hardly learnt tells them from the others:
    what is chosen on so few films has something to choose by.

    Args:
        folder: Where to; made if missing.
        splits: Of each film.
        size: Side of the films, in pixels.
        films_of_a_patient: How many films in a row are of one patient.
        findings: What the reports name, film by film; none: no report is known.
    """
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    pattern = (np.indices((size, size)) // SQUARES).sum(axis=0) % 2 - 0.5
    rows = []
    for index, split in enumerate(splits):
        side = [None, Laterality.LEFT, None, Laterality.RIGHT][index % 4]
        phantom = draw_phantom(seed=index, size=size, pneumothorax=side)
        image_id, image = f"film-{index:02d}", phantom.image
        if side is not None:
            image = np.clip(image + 0.3 * pattern, 0, 1).astype(np.float32)
            Image.fromarray(phantom.true_mask).save(folder / "masks" / f"{image_id}.png")
        (folder / "images" / f"{image_id}.png").write_bytes(to_png(image))
        rows.append({"image_id": image_id, "patient_id": f"patient-{index // films_of_a_patient}", "split": split})
    table = pd.DataFrame(rows).assign(label_source="expert_mask", nih_findings=list(findings) or "")
    table.to_csv(folder / "manifest.csv", index=False)
    return folder

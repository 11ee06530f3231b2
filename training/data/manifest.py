"""A folder with `manifest.csv`, `images/` and `masks/`: films that were already gathered and split."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from training.data.films import FilmRecord
from training.data.lineage import patient_or_unknown
from training.data.sources import SourceFilm


def read_manifest(folder: Path) -> Iterator[SourceFilm]:
    """List the films of a manifest.

    `manifest.csv` needs the columns image_id, split and label_source; patient_id, view, age, sex, nih_findings,
    pseudo_probability, report_probability, patient_probability and leak_probability are used where present. The film
    is `images/<image_id>.*`; the mask, where there is one, `masks/<image_id>.png`.

    Args:
        folder: The data set.

    Raises:
        FileNotFoundError: If the manifest names a film that is not there.
    """
    table = pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False)
    files = {path.stem: path for path in (folder / "images").iterdir()}
    for row in table.to_dict("records"):
        image_id = row["image_id"]
        if image_id not in files:
            raise FileNotFoundError(f"{folder / 'manifest.csv'} names {image_id}, but images/ holds no such film.")
        record = FilmRecord(
            image_id=image_id,
            patient_id=patient_or_unknown(row.get("patient_id"), image_id),
            split=row["split"],
            label_source=row["label_source"],
            view=row.get("view", ""),
            age=row.get("age", ""),
            sex=row.get("sex", ""),
            findings=row.get("nih_findings", ""),
            pseudo_probability=row.get("pseudo_probability", "") if row["label_source"] == "pseudo_disputed" else "",
            report_probability=row.get("report_probability", ""),
            patient_probability=row.get("patient_probability", ""),
            leak_probability=row.get("leak_probability", ""),
        )
        yield SourceFilm(record, files[image_id], partial(_read_mask, folder / "masks" / f"{image_id}.png"))


def _read_mask(path: Path) -> np.ndarray | None:
    return np.asarray(Image.open(path)) > 0 if path.is_file() else None

"""Any source of films into the one form that training reads."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap
from tqdm import tqdm

from app.segmentation.errors import PleuraError
from app.segmentation.network.preprocessing import PreprocessingConfig, resize
from app.segmentation.reading.image_io import read_radiograph
from training.data.films import FilmRecord, resize_mask
from training.data.lineage import demand_clean_lineage
from training.data.manifest import read_manifest
from training.data.siim import read_siim
from training.data.sources import SourceFilm


def prepare(
    source: Path,
    out: Path,
    annotations: Path | None = None,
    patients: Path | None = None,
    size: int = 512,
    unknown_patients: bool = False,
) -> None:
    """Bring a data set into the form that training reads.

    Args:
        source: Folder with manifest.csv, images/ and masks/; or, with annotations, a DICOM tree.
        out: Folder to write.
        annotations: SIIM-ACR's train-rle.csv, if that is what the source is.
        patients: Table ImageId, PatientId for SIIM-ACR, whose own patient ids are not reliable.
        size: Side of the stored films, in pixels: at least the largest training size.
        unknown_patients: Whether train may hold films without a patient id although val or test have them.
    """
    films = list(read_manifest(source) if annotations is None else read_siim(source, annotations, patients))
    records = pd.DataFrame([film.record for film in films])
    demand_clean_lineage(records, np.flatnonzero(records["split"] == "train"), unknown_patients)
    table = write_prepared(films, out, size)
    if table["patient_id"].is_unique:
        print("Warning: no two films share a patient id; if ids are not real, a patient may be in several splits.")
    print(table.groupby(["split", "label_source", "label"]).size().to_string())


def write_prepared(films: Iterable[SourceFilm], folder: Path, size: int) -> pd.DataFrame:
    """Decode every film once and store it at the size training will read.

    Args:
        films: What to store.
        folder: Where to; created if missing.
        size: Side S of the stored square, in pixels: at least the largest training size.

    Returns:
        The table written to `films.csv`.
    """
    films = list(films)
    folder.mkdir(parents=True, exist_ok=True)
    images, masks = (
        open_memmap(folder / name, mode="w+", dtype=np.uint8, shape=(len(films), size, size))
        for name in ("images.npy", "masks.npy")
    )
    square = PreprocessingConfig(size)
    rows = []
    for index, film in enumerate(tqdm(films, desc="prepare", unit="film")):
        try:
            image = resize(read_radiograph(film.path.read_bytes()).image, square)
        except PleuraError as error:
            error.add_note(f"The film is {film.path}; repair it, or leave it out.")
            raise
        images[index] = np.rint(image * 255)
        mask = film.read_mask()
        if mask is not None:
            masks[index] = resize_mask(mask, square)
        rows.append({**vars(film.record), "label": int(masks[index].any())})
    images.flush()
    masks.flush()
    table = pd.DataFrame(rows, columns=[field.name for field in fields(FilmRecord)] + ["label"])
    table.to_csv(folder / "films.csv", index=False)
    return table

"""Any source of films into the one form that training reads."""

import shutil
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap
from tqdm import tqdm

from app.segmentation.errors import PleuraError
from app.segmentation.network.preprocessing import PreprocessingConfig, resize
from app.segmentation.reading.film_file import open_film
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.radiograph import Radiograph
from training.data import description
from training.data.films import FilmRecord, resize_mask
from training.data.lineage import demand_clean_lineage
from training.data.manifest import DRAWN, read_manifest
from training.data.siim import read_siim
from training.data.sources import SourceFilm
from training.data.tables import did_you_mean, some
from training.errors import MissingFilmError, TrainingDataError, UserError

FILES = ("films.csv", "images.npy", "masks.npy", description.FILE)
"""What a prepared folder holds."""


def prepare(
    source: Path,
    out: Path,
    annotations: Path | None = None,
    patients: Path | None = None,
    size: int = 512,
    unknown_patients: bool = False,
) -> None:
    """Bring films, masks and a manifest into the form that training reads, or say what is wrong with them.

    Args:
        source: Folder with manifest.csv, images/, masks/ and, for the model card, DATASET.md; or, with annotations, a
            DICOM tree.
        out: Folder to write; a prepared folder that is there is replaced.
        annotations: SIIM-ACR's train-rle.csv, if that is what the source is.
        patients: Table ImageId, PatientId for SIIM-ACR, whose own patient ids are not reliable.
        size: Side of the stored films, in pixels: at least the largest training size.
        unknown_patients: Whether train may hold films without a patient id although val or test have them.
    """
    if not source.is_dir():
        raise MissingFilmError(f"{source} is no folder; --source names the one that holds the films.")
    description.read_description(source)
    films = list(read_manifest(source) if annotations is None else read_siim(source, annotations, patients))
    records = pd.DataFrame([film.record for film in films])
    if annotations is None:
        _demand_masks(source / "masks", records)
    demand_clean_lineage(records, np.flatnonzero(records["split"] == "train"), unknown_patients)
    table = write_prepared(films, out, size)
    description.copy_description(source, out)
    if table["patient_id"].is_unique:
        print("Warning: no two films share a patient id; if ids are not real, a patient may be in several splits.")
    _report(table, out)


def write_prepared(films: Iterable[SourceFilm], folder: Path, size: int) -> pd.DataFrame:
    """Decode every film once and store it at the size training will read.

    Args:
        films: What to store.
        folder: Where to; one that was prepared before is replaced once all films are decoded, and not before.
        size: Side S of the stored square, in pixels: at least the largest training size.

    Returns:
        The table written to `films.csv`.

    Raises:
        TrainingDataError: If films or masks cannot be read, or do not fit each other; the message names them.
    """
    films = list(films)
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - set(FILES)):
        raise UserError(f"{folder} holds something else than prepared films; name another --out.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        table = _decode_all(films, unfinished, size)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return table


def _decode_all(films: list[SourceFilm], folder: Path, size: int) -> pd.DataFrame:
    images, masks = (
        open_memmap(folder / name, mode="w+", dtype=np.uint8, shape=(len(films), size, size))
        for name in ("images.npy", "masks.npy")
    )
    rows: list[dict] = []
    refused: list[str] = []
    for index, film in enumerate(tqdm(films, desc="prepare", unit="film")):
        try:
            images[index], masks[index] = _decode(film, size)
        except TrainingDataError as error:
            refused.append(f"{film.record.image_id}: {error}" if film.record.image_id not in str(error) else str(error))
        except (PleuraError, OSError) as error:
            refused.append(f"{film.path}: {error}")
        rows.append({**vars(film.record), "label": int(masks[index].any())})
    if refused:
        raise TrainingDataError(
            f"{len(refused)} film(s) cannot be prepared; repair them, or leave them out. {some(refused, ' ')}"
        )
    images.flush()
    masks.flush()
    table = pd.DataFrame(rows, columns=[field.name for field in fields(FilmRecord)] + ["label"])
    table.to_csv(folder / "films.csv", index=False)
    return table


def _decode(film: SourceFilm, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Bring a film and its mask to a square, both uint8 (S, S)."""
    square = PreprocessingConfig(size)
    with open_film(film.path) as file:
        radiograph = read_radiograph(file.read())
    mask = film.read_mask()
    if mask is None:
        small = np.zeros((size, size), dtype=np.uint8)
    else:
        _demand_same_size(film, radiograph, mask)
        small = resize_mask(mask, square).astype(np.uint8)
        if mask.any() and not small.any():  # a sliver, but the film's label hangs on it
            marked = np.argwhere(mask) * size // mask.shape
            small[marked[:, 0], marked[:, 1]] = 1
    return np.rint(resize(radiograph.image, square) * 255).astype(np.uint8), small


def _demand_same_size(film: SourceFilm, radiograph: Radiograph, mask: np.ndarray) -> None:
    stored = tuple(radiograph.header.text(name) for name in ("Rows", "Columns"))  # of oblong pixels it has others
    if mask.shape != radiograph.image.shape and tuple(map(str, mask.shape)) != stored:
        height, width = radiograph.image.shape
        raise TrainingDataError(
            f"{film.path.name} has {width} × {height} pixels, but its mask has {mask.shape[1]} × {mask.shape[0]}."
        )


def _demand_masks(folder: Path, records: pd.DataFrame) -> None:
    """Refuse films whose masks somebody drew, but where no folder holds any: all would count as negative."""
    if folder.is_dir():
        return
    drawn = bool(records["label_source"].isin(DRAWN).any())
    others = [path.name for path in sorted(folder.parent.iterdir()) if path.is_dir() and path.name != "images"]
    meant = did_you_mean(folder.name, others)
    if drawn or meant:
        raise TrainingDataError(
            f"{folder} is no folder{meant}, and all {len(records)} film(s) would count as negative; make it, empty if "
            "nothing is marked on any film."
        )


def _report(table: pd.DataFrame, out: Path) -> None:
    print(f"masks found: {int(table['label'].sum())} of {len(table)} films")
    print(table.groupby(["split", "label_source", "label"]).size().to_string())
    for split in ("train", "val"):
        labels = table.loc[table["split"] == split, "label"]
        if labels.nunique() < 2:
            print(
                f"Warning: {split} has {int(labels.sum())} positive and {int((labels == 0).sum())} negative film(s); "
                "training needs some of both."
            )
    print(f"next: python -m training train --data {out} --run runs/mine")

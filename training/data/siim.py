"""SIIM-ACR Pneumothorax Segmentation as Kaggle ships it: a tree of DICOM files and a table of run lengths."""

import hashlib
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from training.data.films import FilmRecord
from training.data.lineage import patient_or_unknown
from training.data.sources import SourceFilm
from training.data.tables import demand_unique, read_table, some
from training.errors import MissingFilmError, TrainingDataError

NOTHING_MARKED = "-1"
HELD_OUT = 0.1
"""Share of patients in val, and in test."""


def read_siim(folder: Path, annotations: Path, patients: Path | None = None) -> Iterator[SourceFilm]:
    """List the annotated films of SIIM-ACR.

    Args:
        folder: Root of the DICOM tree; a file's name is its image id.
        annotations: `train-rle.csv`, with one row an annotation: ImageId, EncodedPixels.
        patients: Table with the columns ImageId, PatientId that overrules the DICOM header's PatientID, which
            Kaggle's release replaced by random ones.

    Raises:
        TrainingDataError: If no DICOM file has an annotation, one is damaged or there twice, or a table lacks a column.
    """
    table = read_table(annotations, ("ImageId", "EncodedPixels"))
    runs_of = table.groupby("ImageId")["EncodedPixels"].agg(list).to_dict()
    known = {}
    if patients is not None:
        named = read_table(patients, ("ImageId", "PatientId"))
        demand_unique(patients, named, "ImageId")
        known = named.set_index("ImageId")["PatientId"].to_dict()
    files = _find_files(folder, annotations, runs_of)
    for path in files:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
            shape = (int(header.Rows), int(header.Columns))
        except (InvalidDicomError, AttributeError, TypeError, ValueError, EOFError) as error:
            raise TrainingDataError(f"{path} is no DICOM file that can be read: {error}.") from error
        patient_id = patient_or_unknown(known.get(path.stem) or str(header.get("PatientID") or ""), path.stem)
        record = FilmRecord(
            image_id=path.stem,
            patient_id=patient_id,
            split=split_of(patient_id, HELD_OUT, HELD_OUT, seed=0),
            label_source="expert_mask",
            view=str(header.get("ViewPosition", "")),
            age=str(header.get("PatientAge", "")).strip("Y").lstrip("0"),
            sex=str(header.get("PatientSex", "")),
        )
        yield SourceFilm(record, path, partial(unite, runs_of[path.stem], shape))


def _find_files(folder: Path, annotations: Path, annotated: Collection[str]) -> list[Path]:
    """Find the films that are annotated, and say what has no film or no annotation."""
    found = sorted(folder.rglob("*.dcm"))
    files = {path.stem: path for path in found if path.stem in annotated}
    if not files:
        raise MissingFilmError(f"No DICOM file under {folder} is named in {annotations}.")
    if twice := [path.stem for path in found if files.get(path.stem, path) != path]:
        raise TrainingDataError(f"{folder} holds {len(twice)} film(s) in two files: {some(twice)}; leave one of each.")
    if spare := [path.name for path in found if path.stem not in annotated]:
        print(f"{len(spare)} file(s) are left out, for {annotations.name} does not name them: {some(spare)}")
    if missing := sorted(set(annotated) - set(files)):
        print(f"{len(missing)} film(s) of {annotations.name} are left out, for no file is called so: {some(missing)}")
    return list(files.values())


def split_of(patient_id: str, val_share: float, test_share: float, seed: int) -> str:
    """Place a patient, and so all films of that patient, in "train", "val" or "test", by seed and patient id alone."""
    digest = hashlib.sha256(f"{seed}/{patient_id}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < test_share:
        return "test"
    return "val" if position < test_share + val_share else "train"


def unite(annotations: list[str], shape: tuple[int, int]) -> np.ndarray | None:
    """Unite all annotations of a film into one mask, bool (H, W); None if nothing is marked."""
    marked = [text for text in annotations if text.strip() != NOTHING_MARKED]
    return np.logical_or.reduce([decode_runs(text, shape) for text in marked]) if marked else None


def decode_runs(text: str, shape: tuple[int, int]) -> np.ndarray:
    """Decode SIIM's run lengths: pairs of (gap since the last run, length), column by column.

    Raises:
        TrainingDataError: If these are no runs, or leave the film.
    """
    height, width = shape
    try:
        gaps, lengths = np.array(text.split(), dtype=int).reshape(-1, 2).T
    except (ValueError, OverflowError) as error:
        raise TrainingDataError(f"Runs are pairs of whole numbers, not {text[:40]!r}.") from error
    if min(gaps.min(initial=0), lengths.min(initial=0)) < 0:
        raise TrainingDataError(f"Runs are pairs of whole numbers above 0, not {text[:40]!r}.")
    ends = np.cumsum(gaps + lengths)
    if len(ends) and ends[-1] > height * width:
        raise TrainingDataError(f"Runs end at pixel {ends[-1]} of a film with {height * width}.")
    flat = np.zeros(height * width, dtype=bool)
    for end, length in zip(ends, lengths, strict=True):
        flat[end - length : end] = True
    return flat.reshape(width, height).T

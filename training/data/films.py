"""The one form every data set is brought into.

A prepared folder holds `films.csv` (one row a film), `images.npy` uint8 (N, S, S), bone bright, and
`masks.npy` uint8 (N, S, S) in {0, 1}; row i of the table is plane i of both arrays.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from app.segmentation.network.preprocessing import PreprocessingConfig, resize
from training.errors import TrainingDataError


@dataclass(frozen=True)
class FilmRecord:
    """What is known of a film besides its pixels.

    Attributes:
        image_id: Unique in the data set.
        patient_id: Films of one patient share it and stay in one split. Unknown: `lineage.patient_or_unknown`.
        split: "train", "val" or "test".
        label_source: Who says so: "expert_mask", "expert_mask_matched" (an expert's mask whose film was found again),
            "expert_adjudicated" or "expert_normal" (read as negative), "reader_mask" (given by a reader of the web
            application), "pseudo_confident", "pseudo_disputed" or "nih_report_text".
        view: "PA", "AP" or "".
        age: Years, or "".
        sex: "F", "M" or "".
        findings: Findings named by the report's text, separated by "|".
        pseudo_probability: Where a second model disputes the label: its probability of a pneumothorax; else "".
        report_probability: Where the report is inferred: the probability that it names a pneumothorax; else "".
        patient_probability: Where the patient is inferred: the probability that it is this one; else "".
        leak_probability: Where the patient is inferred: the probability that it is one of val or test; else "".
    """

    image_id: str
    patient_id: str
    split: str
    label_source: str = "expert_mask"
    view: str = ""
    age: str = ""
    sex: str = ""
    findings: str = ""
    pseudo_probability: str = ""
    report_probability: str = ""
    patient_probability: str = ""
    leak_probability: str = ""


TEXT = {field.name: str for field in fields(FilmRecord)}
"""How the table's columns are read; a column that an older folder lacks is empty."""


NEEDED = {"image_id", "patient_id", "split", "label"}
AGAIN = "prepare or copy it again."


def names_pneumothorax(table: pd.DataFrame) -> np.ndarray:
    """Tell which films of a table, bool (N,), have a report text that names a pneumothorax, as far as it is known."""
    return table["findings"].str.contains("Pneumothorax", regex=False).to_numpy()


def hard_negatives(table: pd.DataFrame) -> np.ndarray:
    """Tell which films, bool (N,), have an empty mask although the report text or a second model disagrees."""
    disputed = (table["pseudo_probability"] != "").to_numpy()
    return (table["label"] == 0).to_numpy() & (names_pneumothorax(table) | disputed)


def resize_mask(mask: np.ndarray, config: PreprocessingConfig) -> np.ndarray:
    """Bring a mask, bool (H, W), to the network's square: bool (S, S), as `resize` brings its film."""
    return resize(mask.astype(np.float32), config) >= 0.5


@dataclass(frozen=True)
class PreparedFilms:
    """A prepared folder, opened for reading; pixels stay on disk until they are asked for."""

    table: pd.DataFrame
    images: np.ndarray
    masks: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> "PreparedFilms":
        """Open what `write_prepared` wrote.

        Raises:
            FileNotFoundError: If the folder was not prepared.
            TrainingDataError: If its files are damaged, or do not belong to each other.
        """
        if not (folder / "films.csv").is_file():
            raise FileNotFoundError(f"{folder} holds no films.csv; run `python -m training prepare` first.")
        try:
            table = pd.read_csv(folder / "films.csv", dtype=TEXT, keep_default_na=False)
            images, masks = (np.load(folder / name, mmap_mode="r") for name in ("images.npy", "masks.npy"))
        except (ValueError, EOFError) as error:
            raise TrainingDataError(f"{folder} is damaged ({' '.join(str(error).split())}); {AGAIN}") from error
        if not NEEDED <= set(table) or not table["label"].isin([0, 1]).all():
            raise TrainingDataError(f"{folder / 'films.csv'} lacks a column, or a label of 0 or 1; {AGAIN}")
        shapes = {(*planes.shape, str(planes.dtype)) for planes in (images, masks)}
        if shapes != {(len(table), *images.shape[1:2] * 2, "uint8")}:
            raise TrainingDataError(f"{folder}: films.csv, images.npy and masks.npy are not of the same films; {AGAIN}")
        return cls(table.assign(**{name: "" for name in TEXT if name not in table}), images, masks)

    def rows(self, split: str, label_sources: Iterable[str] | None = None) -> np.ndarray:
        """Row numbers of a split, optionally of some label sources only."""
        chosen = self.table["split"] == split
        if label_sources is not None:
            chosen &= self.table["label_source"].isin(list(label_sources))
        return np.flatnonzero(chosen)

    def expert_rows(self, split: str) -> np.ndarray:
        """Row numbers of a split's films whose masks are an expert's: those that are measured on."""
        return self.rows(split, ["expert_mask"])

    def image(self, row: int) -> np.ndarray:
        """Film as float32 (S, S) in [0, 1], as `read_radiograph` gives it."""
        return self.images[row].astype(np.float32) / 255

    def true_mask(self, row: int) -> np.ndarray:
        """Reference mask, bool (S, S)."""
        return self.masks[row].astype(bool)

    def certainty(self, row: int) -> float:
        """How far a film's label is to be believed: 1, or where a second model disputes it the mean of both beliefs."""
        film = self.table.iloc[row]
        if film["pseudo_probability"] == "":
            return 1.0
        second = float(film["pseudo_probability"])
        return (1 + (second if film["label"] == 1 else 1 - second)) / 2

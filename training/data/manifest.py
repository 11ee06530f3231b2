"""A folder with `manifest.csv`, `images/` and `masks/`: films that were already gathered and split."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from training.data.films import FilmRecord
from training.data.lineage import NOBODY, patient_or_unknown
from training.data.mask_files import find_masks, normal, read_mask
from training.data.sources import SourceFilm
from training.data.tables import LINE, demand_unique, demand_values, did_you_mean, read_table, some
from training.errors import MissingFilmError, TrainingDataError

REQUIRED = ("image_id", "split", "label_source")
DESCRIBING = (
    *("patient_id", "view", "age", "sex", "nih_findings", "label"),
    *("pseudo_probability", "report_probability", "patient_probability", "leak_probability"),
)
NOT_READ = (
    *("source", "official_split", "nih_id", "mask_pixels"),
    *("drawn", "finding", "probability", "model"),  # of the films that readers of the web application gave
)
SPLITS = ("train", "val", "test")
LABEL_SOURCES = (
    *("expert_mask", "expert_mask_matched", "expert_adjudicated", "expert_normal", "reader_mask"),
    *("pseudo_confident", "pseudo_disputed", "nih_report_text"),
)
DRAWN = ("expert_mask", "expert_mask_matched", "reader_mask")
"""Those of them whose positives are told by a mask that a person drew."""
VIEWS, SEXES, LABELS = ("PA", "AP", ""), ("F", "M", "O", ""), ("0", "1", "")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".dcm", ".dicom", ".dic", ".ima")
"""What a film's file may end in; another ending is part of its name, as in a DICOM file that is called by its UID."""


def read_manifest(folder: Path) -> Iterator[SourceFilm]:
    """List the films of a manifest; nothing of a film is decoded yet.

    `manifest.csv` needs the columns image_id, split and label_source; patient_id, view, age, sex, nih_findings, label,
    pseudo_probability, report_probability, patient_probability and leak_probability are used where present. The film
    is `images/<image_id>.*`; the mask, where there is one, `masks/<image_id>.png`.

    Args:
        folder: The data set.

    Raises:
        TrainingDataError: If anything in it is not as it must be; the message names file, line or column.
    """
    path = folder / "manifest.csv"
    if not path.is_file():
        raise MissingFilmError(f"{folder} holds no manifest.csv, which has a line for each film.")
    table = _checked(path, read_table(path, REQUIRED, (*DESCRIBING, *NOT_READ)))
    files = _find_films(path, folder / "images", list(table["image_id"]))
    masks = find_masks(folder / "masks", set(table["image_id"]))
    _check_labels(path, table, set(masks))
    for row in table.to_dict("records"):
        image_id, disputed = row["image_id"], row["label_source"] == "pseudo_disputed"
        record = FilmRecord(
            image_id=image_id,
            patient_id=patient_or_unknown(row["patient_id"], image_id),
            split=row["split"],
            label_source=row["label_source"],
            view=row["view"],
            age=row["age"],
            sex=row["sex"],
            findings=row["nih_findings"],
            pseudo_probability=row["pseudo_probability"] if disputed else "",
            report_probability=row["report_probability"],
            patient_probability=row["patient_probability"],
            leak_probability=row["leak_probability"],
        )
        mask = partial(read_mask, masks[image_id], row["label"] == "1") if image_id in masks else _nothing
        yield SourceFilm(record, files[image_id], mask)


def demand_patients(path: Path, table: pd.DataFrame) -> None:
    """Refuse a column patient_id that names nobody: as many patients would be one.

    Raises:
        TrainingDataError: If there is such an id; the message says how many films have it.
    """
    nobody = table[table["patient_id"].str.lower().isin(NOBODY)]
    if len(nobody):
        name = nobody.iloc[0]["patient_id"]
        raise TrainingDataError(
            f"{path}, line {nobody.iloc[0][LINE]}: {(nobody['patient_id'] == name).sum()} film(s) have the patient_id "
            f"{name!r}, which names nobody; leave the cell empty where the patient is unknown."
        )


def demand_numbers(path: Path, table: pd.DataFrame, column: str, highest: float) -> None:
    """Refuse a column with anything else than numbers from 0 to a highest one, or nothing.

    Raises:
        TrainingDataError: If it has.
    """
    numbers = pd.to_numeric(table[column], errors="coerce")
    wrong = table[(table[column] != "") & ~numbers.between(0, highest)]
    if len(wrong):
        raise TrainingDataError(
            f"{path}, line {wrong.iloc[0][LINE]}: {column} is {wrong.iloc[0][column]!r}, not a number from 0 to "
            f"{highest:g}."
        )


def _checked(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    table = table.assign(
        image_id=table["image_id"].map(normal),
        split=table["split"].str.lower(),
        view=table["view"].str.upper(),
        sex=table["sex"].str.upper(),
    )
    unnamed = table[(table["image_id"] == "") | table["image_id"].str.contains(r"[/\\]")]
    if len(unnamed):
        raise TrainingDataError(
            f"{path}, line {unnamed.iloc[0][LINE]}: image_id is {unnamed.iloc[0]['image_id']!r}; it is the name of the "
            "film's file in images/ without its ending."
        )
    demand_unique(path, table, "image_id")
    for column, allowed in {"split": SPLITS, "label_source": LABEL_SOURCES, "view": VIEWS, "sex": SEXES}.items():
        demand_values(path, table, column, allowed)
    demand_values(path, table, "label", LABELS)
    demand_patients(path, table)
    demand_numbers(path, table, "age", 200)
    for column in ("pseudo_probability", "report_probability", "patient_probability", "leak_probability"):
        demand_numbers(path, table, column, 1)
    disputed = table[(table["label_source"] == "pseudo_disputed") & (table["pseudo_probability"] == "")]
    if len(disputed):
        raise TrainingDataError(
            f"{path}, line {disputed.iloc[0][LINE]}: a film of the label source pseudo_disputed needs a "
            "pseudo_probability."
        )
    return table


def _find_films(path: Path, folder: Path, image_ids: Sequence[str]) -> dict[str, Path]:
    if not folder.is_dir():
        raise MissingFilmError(
            f"{folder} is no folder; the films lie there, called <image_id>.png, .dcm, .jpg or .webp."
        )
    files: dict[str, Path] = {}
    twice = []
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.is_dir():
            continue
        name = normal(file.stem if file.suffix.lower() in ENDINGS else file.name)
        if name in files:
            twice.append(name)
        files[name] = file
    wanted = set(image_ids)
    if twice := [name for name in twice if name in wanted]:
        raise TrainingDataError(f"{folder} holds {len(twice)} film(s) in two files: {some(twice)}; leave one of each.")
    missing = [image_id for image_id in image_ids if image_id not in files]
    if missing:
        raise MissingFilmError(
            f"{path} names {len(missing)} film(s) that are not in {folder.name}/: {some(missing)}"
            f"{did_you_mean(missing[0], list(files))}."
        )
    if spare := [files[name].name for name in files if name not in wanted]:
        print(f"{len(spare)} file(s) of {folder} are left out, for {path.name} does not name them: {some(spare)}")
    return files


def _check_labels(path: Path, table: pd.DataFrame, masked: set[str]) -> None:
    has_mask = table["image_id"].isin(masked)
    for label, wrong, what in (("1", ~has_mask, "has no mask"), ("0", has_mask, "has a mask")):
        against = table[(table["label"] == label) & wrong]
        if len(against):
            raise TrainingDataError(
                f"{path}, line {against.iloc[0][LINE]}: {against.iloc[0]['image_id']} has the label {label}, but "
                f"{what}; so it is with {len(against)} film(s)."
            )


def _nothing() -> None:
    return None

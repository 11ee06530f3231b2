"""What a site says of its films, joined to the files: nothing that does not fit is dropped without a word."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from app.segmentation.reading import view
from app.segmentation.reading.film_file import open_film
from app.segmentation.reading.film_folder import entries
from training.data.manifest import demand_numbers, demand_patients
from training.data.mask_files import normal
from training.data.tables import LINE, read_table, some
from training.errors import MissingFilmError, TrainingDataError

REQUIRED = ("film", "label")
DESCRIBING = ("patient_id", "view", "age", "sex", "manufacturer", "model")
WORDS = {"1": 1, "positive": 1, "yes": 1, "true": 1, "0": 0, "negative": 0, "no": 0, "false": 0}
"""How a label may be written, in small letters."""


@dataclass(frozen=True)
class Issue:
    """A film or label that is left out.

    Attributes:
        film: Its name, as the site writes it.
        code: Why, for programs.
        detail: Why, for people.
    """

    film: str
    code: str
    detail: str


@dataclass
class LabelledFilms:
    """Films with one label each, and what was left out."""

    films: list[dict] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def join_labels(folder: Path, labels: Path, apart_from: Iterable[Path] = ()) -> LabelledFilms:
    """Join the files below a folder to the lines of a table.

    Args:
        folder: Films, at any depth; hidden files are of no account.
        labels: CSV with film (path below the folder, or the file's name, with or without its ending) and label (1 or
            0); patient_id, view, age, sex, manufacturer and model go before what a DICOM header says.
        apart_from: Files and folders that may lie among the films, and hold none.

    Returns:
        A row a film: the table's columns, "path", and "sha256" of the file; and who has no row, and why.

    Raises:
        TrainingDataError: If folder or table cannot be used at all.
    """
    if not folder.is_dir():
        raise MissingFilmError(f"{folder} is no folder; --films names the one that holds the films.")
    table = _checked(labels)
    joined = LabelledFilms()
    files: dict[str, Path] = {}
    for entry in entries(folder, [labels, *apart_from]):
        if entry.error is None:
            files[normal(entry.name)] = entry.path
        else:
            joined.issues.append(Issue(entry.name, "unreadable", f"{entry.error.strerror}; films in it have no row"))
    if not files:
        raise MissingFilmError(f"{folder} holds no files.")
    named = by_name(files)
    lines: dict[str, list[dict]] = defaultdict(list)
    for row in table.to_dict("records"):
        found = named.get(normal(row["film"].replace("\\", "/").removeprefix("./")), [])
        if len(found) == 1:
            lines[found[0]].append(row)
        elif found:
            detail = f"line {row[LINE]}: {len(found)} files have this name; write their paths below the folder"
            joined.issues.append(Issue(row["film"], "ambiguous_name", detail))
        else:
            joined.issues.append(Issue(row["film"], "label_without_film", f"line {row[LINE]}: no such file"))
    for name in files:
        if name not in lines:
            joined.issues.append(Issue(name, "film_without_label", "the table does not name it"))
    _one_label_each(files, lines, joined)
    return joined


def _checked(labels: Path) -> pd.DataFrame:
    table = read_table(labels, REQUIRED, DESCRIBING)
    words = table["label"].str.lower()
    wrong = table[~words.isin(WORDS)]
    if len(wrong):
        line, value = wrong.iloc[0][[LINE, "label"]]
        raise TrainingDataError(f"{labels}, line {line}: label is {value!r}, not 1 or 0.")
    unnamed = table[table["film"] == ""]
    if len(unnamed):
        raise TrainingDataError(f"{labels}, line {unnamed.iloc[0][LINE]}: film is empty.")
    demand_patients(labels, table)
    demand_numbers(labels, table, "age", 200)
    views = table["view"].map(lambda said: view.named_by(said, (), "").upper())  # as a header's view is named
    return table.assign(label=words.map(WORDS), view=views, sex=table["sex"].str.upper())


def by_name(files: Iterable[str]) -> dict[str, list[str]]:
    """Say which files may be meant by a name: the longest form that is given decides."""
    named: dict[str, list[str]] = {}
    for form in (
        lambda path: path.as_posix(),
        lambda path: path.with_suffix("").as_posix(),
        lambda path: path.name,
        lambda path: path.stem,
    ):
        own: dict[str, list[str]] = defaultdict(list)
        for name in files:
            own[form(PurePosixPath(name))].append(name)
        named = {**own, **named}
    return named


def _one_label_each(files: dict[str, Path], lines: dict[str, list[dict]], joined: LabelledFilms) -> None:
    """Keep films that are named once, or alike; a film that lies there twice counts once."""
    same: dict[str, list[str]] = defaultdict(list)
    for name in lines:
        same[_sha256(files[name])].append(name)
    for sha256, names in same.items():
        rows = [row for name in names for row in lines[name]]
        places = ", ".join(f"line {row[LINE]}" for row in rows)
        if len({row["label"] for row in rows}) > 1:
            joined.issues += [Issue(name, "contradicting_labels", f"{places} say different things") for name in names]
            continue
        if len({row["patient_id"] for row in rows}) > 1:
            joined.issues += [Issue(name, "contradicting_patients", f"{places} name different ones") for name in names]
            continue
        first, *others = names
        joined.issues += [Issue(name, "film_twice", f"the same file as {first}, which is counted") for name in others]
        if len(lines[first]) > 1:
            differing = [name for name in DESCRIBING if len({row[name] for row in rows}) > 1]
            alike = f"with another {some(differing)}: the first one counts" if differing else "alike: counted once"
            joined.issues.append(Issue(first, "label_twice", f"{places}, {alike}"))
        joined.films.append({**rows[0], "film": first, "path": files[first], "sha256": sha256})


def _sha256(path: Path) -> str:
    try:
        with open_film(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return f"unreadable {path}"  # it is refused when it is read

"""A site's films answered, exactly as they are served, and what there is to say of each besides."""

import os
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from tqdm import tqdm

from app.segmentation.decision.decision import Prediction
from app.segmentation.errors import PleuraError
from app.segmentation.predictor import Predictor
from app.segmentation.reading.film_file import demand_size, open_film
from app.segmentation.reading.film_reader import ReaderUnavailableError, shared_reader
from app.segmentation.reading.radiograph import Radiograph
from training.acceptance.labels import Issue, LabelledFilms, by_name
from training.data.lineage import patient_or_unknown
from training.data.mask_files import normal, read_mask
from training.errors import TrainingDataError
from training.measuring.metrics import PIXELS, overlap

AHEAD = 3
"""Films that are read while one is answered."""


def answer_films(predictor: Predictor, labelled: LabelledFilms, masks: Path | None) -> pd.DataFrame:
    """Answer films; those that are refused join what is left out.

    Args:
        predictor: The model.
        labelled: From `labels.join_labels`; its issues grow.
        masks: Folder of <film's name without ending>.png, or none. A negative film without one has an empty mask; a
            positive film without one has none that is known.

    Returns:
        A row a film, as `figures.Answers` takes it (pixel counts are NaN where no mask is known), and what is known
        of film, machine and patient, its doubts, distance and logits.
    """
    known = _masks_of(masks, labelled)
    rows = []
    for film, read in tqdm(_read_ahead(labelled.films), "answer", len(labelled.films), unit="film"):
        try:
            radiograph = read.result()
            prediction = predictor.predict(radiograph)
        except ReaderUnavailableError:
            raise  # it is no film's fault
        except PleuraError as error:
            labelled.issues.append(Issue(film["film"], error.code, str(error)))
        except OSError as error:
            labelled.issues.append(Issue(film["film"], "unreadable", f"{error.strerror}."))
        else:
            rows.append(_row(predictor, film, radiograph, prediction) | _overlap(film, prediction, known, labelled))
    return pd.DataFrame(rows)


def _read_ahead(films: list[dict]) -> Iterator[tuple[dict, Future[Radiograph]]]:
    """Read films while others are answered, a few in memory: it does not grow with their number.

    Each is read in a process of its own, as where they are served: whatever a file does to it costs that film.
    """
    waiting: deque[tuple[dict, Future[Radiograph]]] = deque()
    with ThreadPoolExecutor(AHEAD) as threads:
        for film in films:
            waiting.append((film, threads.submit(_read, film["path"])))
            if len(waiting) > AHEAD:
                yield waiting.popleft()
        yield from waiting


def _read(path: Path) -> Radiograph:
    with open_film(path) as file:
        demand_size(os.fstat(file.fileno()).st_size)
        return cast(Radiograph, shared_reader().read(file.read()))


def _row(predictor: Predictor, film: dict, radiograph: Radiograph, prediction: Prediction) -> dict:
    header = radiograph.header
    patient = film["patient_id"] or header.text("PatientID")
    age = film["age"] or ("" if radiograph.age_years is None else f"{radiograph.age_years:.0f}")
    point = predictor.decision.of_view(radiograph.view_position).operating_point
    return {
        **{name: film[name] for name in ("film", "label")},
        "patient_id": patient_or_unknown(patient, film["film"]),
        "view": film["view"] or radiograph.view_position,
        "age": age,
        "sex": film["sex"] or header.text("PatientSex"),
        "manufacturer": film["manufacturer"] or header.text("Manufacturer"),
        "model": film["model"] or header.text("ManufacturerModelName"),
        "probability": prediction.probability,
        "finding": str(prediction.finding),
        "called": int(point.calls(prediction.probability)),
        "withheld_for": prediction.withheld_for or "",
        "doubts": " ".join(doubt.code for doubt in prediction.doubts),
        "distance": np.nan if prediction.distance is None else prediction.distance,
        "image_logit": prediction.evidence.image_logit,
        "map_logit": prediction.evidence.map_logit,
    }


def _masks_of(folder: Path | None, labelled: LabelledFilms) -> dict[str, Path | None]:
    """Find the masks of films by their names; a mask of no film, of several, or beside another one is an issue."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise TrainingDataError(f"{folder} is no folder; --masks names the one that holds the masks.")
    named = by_name([film["film"] for film in labelled.films])
    left_out = {Path(issue.film).stem for issue in labelled.issues}
    masks: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir() and not path.name.startswith(".")):
        place = path.relative_to(folder).with_suffix("").as_posix()
        films = named.get(normal(place)) or named.get(normal(path.stem)) or []
        if len(films) > 1:
            detail = f"{len(films)} films have this name; put the mask where its film lies"
            labelled.issues.append(Issue(path.name, "ambiguous_name", detail))
        elif films and path.suffix.lower() == ".png":
            masks[films[0]].append(path)
        elif films or path.stem not in left_out:  # else it is named already
            labelled.issues.append(Issue(path.name, "mask_without_film", "no film that is measured is called so"))
    for film, paths in masks.items():
        if len(paths) > 1:
            places = ", ".join(path.relative_to(folder).as_posix() for path in paths)
            labelled.issues.append(Issue(film, "mask_refused", f"it has {len(paths)} masks: {places}"))
    return {film: paths[0] if len(paths) == 1 else None for film, paths in masks.items()}


def _overlap(film: dict, prediction: Prediction, masks: dict[str, Path | None], labelled: LabelledFilms) -> dict:
    unknown = dict.fromkeys(PIXELS, np.nan)
    path = masks.get(film["film"])
    if path is None and film["film"] in masks:
        return unknown  # it has several
    try:
        if path is None:
            true_mask = np.zeros(prediction.mask.shape, dtype=bool)
            return unknown if film["label"] else overlap(prediction.mask, true_mask)
        true_mask = read_mask(path, bool(film["label"]))
    except TrainingDataError as error:
        labelled.issues.append(Issue(film["film"], "mask_refused", str(error)))
        return unknown
    if true_mask.shape != prediction.mask.shape:
        detail = f"{path.name} has {' × '.join(map(str, true_mask.shape[::-1]))} pixels, its film others"
        labelled.issues.append(Issue(film["film"], "mask_refused", detail))
        return unknown
    if true_mask.any() and not film["label"]:
        labelled.issues.append(
            Issue(film["film"], "mask_against_label", f"{path.name} marks something, the label is 0")
        )
        return unknown
    return overlap(prediction.mask, true_mask)

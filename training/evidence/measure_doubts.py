"""Which films each check of the picture flags, and what it notices of films that were inverted, turned or slanted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.segmentation.decision.checks import doubts_about
from app.segmentation.decision.population import Population
from app.segmentation.reading.radiograph import Radiograph, with_bright_bone
from training.data.films import PreparedFilms
from training.measuring.writing import publish
from training.releasing.fit_orientation import tilted
from training.releasing.population import describe_population

ANGLES = (10, 20, 30, 40)
EVERY = 5
"""Of train, each so many-th film is inverted, turned and put at a slant: a thousand tell enough."""


def measure_doubts(data: Path, out: Path | None = None) -> dict:
    """Print and write which share of the films each check of the picture flags, and what it finds when it should.

    Args:
        data: Prepared folder.
        out: JSON file to write, besides printing.

    Returns:
        What was written, by split: films flagged by each check as they are; shares of films noticed once
        they are inverted, turned, or at a slant (zoomed in, so that no empty corner gives it away).
    """
    films, result = PreparedFilms.open(data), {}
    learnt_from = describe_population(films, films.rows("train"), source="this folder")

    def codes_of(image: np.ndarray) -> list[str]:
        return _codes(image, learnt_from)

    for split in ("train", "val"):
        rows = films.rows(split)
        changed = rows[:: EVERY if split == "train" else 1]

        def share(noticed: Callable[[np.ndarray], bool], rows: np.ndarray = changed) -> float:
            return round(sum(noticed(films.image(row)) for row in rows) / len(rows), 4)

        codes = [code for row in rows for code in codes_of(films.image(row))]
        result[split] = {
            "films": len(rows),
            "films_changed": len(changed),
            "flagged": {code: codes.count(code) for code in sorted(set(codes))},
            "corrected_once_inverted": share(lambda image: _radiograph(1 - image).was_inverted),
            "noticed_once_inverted": share(lambda image: any("inverted" in code for code in codes_of(1 - image))),
            "noticed_once_turned": {90 * turns: share(_turns_noticed(turns, codes_of)) for turns in (1, 2, 3)},
            "noticed_once_tilted": {angle: share(_slant_noticed(angle, codes_of)) for angle in ANGLES},
        }
    publish(result, out)
    return result


def _turns_noticed(turns: int, codes_of: Callable[[np.ndarray], list[str]]) -> Callable[[np.ndarray], bool]:
    return lambda image: "turned" in codes_of(np.rot90(image, turns))


def _slant_noticed(degrees: float, codes_of: Callable[[np.ndarray], list[str]]) -> Callable[[np.ndarray], bool]:
    return lambda image: bool({"tilted", "turned"} & set(codes_of(tilted(image, degrees))))


def _radiograph(image: np.ndarray) -> Radiograph:
    return with_bright_bone(Radiograph(np.ascontiguousarray(image), "PNG"))


def _codes(image: np.ndarray, learnt_from: Population) -> list[str]:
    return [doubt.code for doubt in doubts_about(_radiograph(image), learnt_from)]

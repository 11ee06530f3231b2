"""A file in, the film and its answer out: what pages and API have in common."""

import secrets
import time
from dataclasses import dataclass, replace

from app.analysis.answer import to_answer
from app.analysis.turns import Turns
from app.segmentation.predictor import Prediction, Predictor
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.radiograph import Radiograph
from app.studies.answer import Answer


@dataclass(frozen=True)
class AnalysedFilm:
    """A film with its answer.

    Attributes:
        radiograph: The film.
        prediction: The model's answer to it.
        answer: The same, as a study keeps it.
    """

    radiograph: Radiograph
    prediction: Prediction
    answer: Answer


class Analysis:
    """A model at work on one film at a time. Shared between the threads that answer requests.

    Reading a film of 50 megapixels may take more than a gigabyte and an inference takes every core:
    several films at once would need several times the memory, and none would be answered sooner.

    Attributes:
        predictor: The model.
        turns: Who else has work for every core takes a turn, too.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.turns = Turns()

    def analyse(self, data: bytes) -> AnalysedFilm:
        """Read a film and answer it, as soon as the films before it have been.

        Args:
            data: The whole file.

        Returns:
            The film with its answer. `timing_ms` has the stage "reading" too; waiting for other films is in none.

        Raises:
            PleuraError: If the film cannot be read or answered; the subclass says why.
        """
        with self.turns:
            started = time.perf_counter()
            radiograph = read_radiograph(data)
            reading = 1e3 * (time.perf_counter() - started)
            prediction = self.predictor.predict(radiograph)
        timing_ms = {"reading": reading, **prediction.timing_ms, "total": reading + prediction.timing_ms["total"]}
        prediction = replace(prediction, timing_ms=timing_ms)
        answer = to_answer(radiograph, prediction, self.predictor, secrets.token_urlsafe(24))
        return AnalysedFilm(radiograph, prediction, answer)

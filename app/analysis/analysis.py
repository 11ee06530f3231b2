"""A file in, the film and its answer out: what pages and API have in common."""

import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import cast

from app.analysis.answer import to_answer
from app.analysis.turns import Turns
from app.segmentation.predictor import Prediction, Predictor
from app.segmentation.reading.film_reader import FilmReader
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
    several films at once would need several times the memory, and none would be answered sooner. One film is read
    while the one before it is answered, and no more.

    Attributes:
        predictor: The model.
        film_reader: The process that decodes films.
        reading: Whose film is read next.
        turns: Whose film is answered next. Who else has work for every core takes a turn, too.
    """

    def __init__(self, predictor: Predictor, film_reader: FilmReader) -> None:
        self.predictor = predictor
        self.film_reader = film_reader
        self.reading = Turns()
        self.turns = Turns()
        self._reading_since: float | None = None

    def analyse(self, data: bytes, client: str = "somebody") -> AnalysedFilm:
        """Read a film and answer it, as soon as the films before it have been.

        Args:
            data: The whole file.
            client: Who sent it, as `Turns.turn` distinguishes them.

        Returns:
            The film with its answer. `timing_ms` has the stage "reading" too; waiting for other films is in none.

        Raises:
            BusyError: If as many films wait as may.
            PleuraError: If the film cannot be read or answered; the subclass says why.
        """
        with ExitStack() as turn:
            with self.reading.turn(client):
                radiograph, reading = self._read(data)
                turn.enter_context(self.turns)  # before the next film is read: there is never more than one ahead
            prediction = self.predictor.predict(radiograph)
        timing_ms = {"reading": reading, **prediction.timing_ms, "total": reading + prediction.timing_ms["total"]}
        prediction = replace(prediction, timing_ms=timing_ms)
        answer = to_answer(radiograph, prediction, self.predictor, secrets.token_urlsafe(24))
        return AnalysedFilm(radiograph, prediction, answer)

    def reading_seconds(self) -> float:
        """How long the film in hand has been read; 0 if none is. One that is read, and waits for an answer, is not."""
        since = self._reading_since
        return 0.0 if since is None else time.monotonic() - since

    def _read(self, data: bytes) -> tuple[Radiograph, float]:
        """Return a film, and how many milliseconds it took; its turn has come."""
        started = self._reading_since = time.monotonic()
        try:
            radiograph = cast(Radiograph, self.film_reader.read(data))
        finally:
            self._reading_since = None
        return radiograph, 1e3 * (time.monotonic() - started)

"""What an export says of a study: the film, the mask that counts, its regions by side, and names for new objects."""

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from app.analysis import wording
from app.analysis.language import SOURCE, language, mark, tr
from app.segmentation.decision.postprocessing import PostprocessingConfig, Region, segment
from app.segmentation.network.preprocessing import restore
from app.segmentation.notice import NOTICE
from app.segmentation.reading.geometry import FilmGeometry, Laterality
from app.studies.answer import Answer
from app.studies.drawing import greys_of
from app.studies.masks import stored_mask
from app.studies.resizing import resized
from app.studies.study import Study
from app.version import VERSION

EVERYTHING = PostprocessingConfig(mask_threshold=0.5, min_area_fraction=0.0, min_film_probability=0.0)
"""Of a reader's mask every region counts."""

EXAMPLE = mark("EXAMPLE: a synthetic film, of no patient.")


@dataclass(frozen=True)
class ExportedStudy:
    """A study as it is exported.

    Attributes:
        study: With its pictures.
        secret: Key from which the names of new DICOM objects are made.
    """

    study: Study
    secret: str

    @property
    def answer(self) -> Answer:
        """The model's answer."""
        return self.study.answer

    @property
    def header(self) -> dict[str, str]:
        """What is kept of the file's header, by DICOM keyword."""
        return self.study.dicom_header or {}

    @cached_property
    def film(self) -> np.ndarray:
        """The film as displayed, uint8 (h, w); smaller than stored if it is very large."""
        return greys_of(self.study.film_png)

    @property
    def is_corrected(self) -> bool:
        """Whether the mask is the reader's own."""
        return bool(self.study.corrected_png)

    @cached_property
    def mask(self) -> np.ndarray:
        """The reader's mask if there is one, else the model's: bool, in the film's pixels as stored.

        A film is shown in the rows and columns in which it is stored, neither turned nor mirrored; where its pixels are
        not square, it is shown and judged in its true shape, and `in_stored_rows` leads back.
        """
        return stored_mask(self.study)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in which the film is judged: that of `mask`."""
        return self.answer.film.height, self.answer.film.width

    @property
    def stored_shape(self) -> tuple[int, int]:
        """Rows and columns that the file itself has."""
        rows, columns = (int(self.header.get(keyword, 0)) for keyword in ("Rows", "Columns"))
        return (rows, columns) if rows and columns else self.shape

    def in_stored_rows(self, pixels: np.ndarray) -> np.ndarray:
        """Bring the film, a map or masks, (H, W) or (H, W, n), to the rows and columns that the file itself has."""
        return resized(pixels, self.stored_shape)

    @cached_property
    def probability_map(self) -> np.ndarray:
        """The model's map, float32 in [0, 1], in the film's pixels as stored."""
        return restore(greys_of(self.study.probability_png).astype(np.float32) / 255, self.mask.shape)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The regions of `mask`; the probability of those of a reader's mask means nothing."""
        if not self.is_corrected:
            return self.answer.regions
        _, regions = segment(self.mask.astype(np.float32), 1.0, self._geometry, EVERYTHING)
        return regions

    @cached_property
    def sides(self) -> dict[Laterality, np.ndarray]:
        """The parts of `mask` on each side of the patient that has one; a region belongs where its centre is."""
        count, components, _, centres = cv2.connectedComponentsWithStats(self.mask.astype(np.uint8), connectivity=8)
        side_of = [self._geometry.laterality_at(float(centres[component][0])) for component in range(count)]
        parts = {
            side: np.array([component > 0 and side_of[component] is side for component in range(count)])[components]
            for side in Laterality
        }
        return {side: part for side, part in parts.items() if part.any()}

    def side_words(self, side: Laterality) -> str:
        """Name a side: the patient's, where the file says which is which; else the picture's."""
        return wording.side(side, self.answer.film)

    @property
    def states_side(self) -> bool:
        """Whether the file says which side of the patient is which."""
        return self.answer.film.states_side

    @property
    def _geometry(self) -> FilmGeometry:
        film = self.answer.film
        return FilmGeometry(self.shape, film.pixel_spacing_mm, film.image_left)

    @property
    def conclusion(self) -> str:
        """The finding in words."""
        return wording.conclusion(self.answer)

    @property
    def headline(self) -> str:
        """The finding in words, with the number of warnings."""
        return wording.headline(self.answer)

    @property
    def chance(self) -> str | None:
        """The probability as the page prints it; None where the figure means nothing."""
        return None if self.answer.is_withheld else wording.chance(self.answer.probability)

    @property
    def operating_point(self) -> str:
        """Name and place of the operating point."""
        return wording.operating_point(self.answer.model.operating_point)

    @property
    def model_name(self) -> str:
        """Name of the model."""
        return self.answer.model.name

    @property
    def hash_prefix(self) -> str:
        """The beginning of the SHA-256 of the model's file."""
        return self.answer.model.short_hash

    @property
    def marker(self) -> str:
        """Whose mask it is."""
        return "reader" if self.is_corrected else "model"

    @property
    def is_judged(self) -> bool:
        """Whether an empty mask means anything: it does not where the answer is withheld and the reader drew none."""
        return self.is_corrected or not self.answer.is_withheld

    @property
    def marking(self) -> str:
        """Say who marks what is marked, or nothing, or that nobody judged the film."""
        if not self.is_judged:
            return tr("Nothing is marked: the answer is withheld")
        if self.is_corrected:
            return tr("Marked by the reader") if self.mask.any() else tr("The reader marks nothing")
        return tr("Marked by the model") if self.mask.any() else tr("The model marks nothing")

    @property
    def verdict(self) -> str:
        """What the reader says of the model's answer, as a sentence; empty where nothing was said."""
        if not self.study.verdict:
            return ""
        if self.study.verdict == "right":
            return tr("The reader says that the model is right.")
        return tr("The reader says that the model is wrong.")

    @property
    def warning(self) -> str:
        """What nobody who opens an export of an example may overlook; empty for a film that was uploaded."""
        return tr(EXAMPLE) if self.study.example else ""

    @property
    def imprint(self) -> str:
        """What every export says of where it comes from."""
        made = tr("Pleura {version}, model {model}, SHA-256 {hash}.", **self.maker)
        return f"{self.warning} {made} {self.marking}. {tr(NOTICE)}".lstrip()

    @property
    def maker(self) -> dict[str, str]:
        """What names the maker of an answer: version, model, hash."""
        return {"version": VERSION, "model": self.model_name, "hash": self.hash_prefix}

    @cached_property
    def _instance(self) -> str:
        """What tells this film from others: the name of its instance, or of a picture what it shows."""
        return self.header.get("SOPInstanceUID") or hashlib.sha256(self.study.film_png).hexdigest()

    def film_uid(self, kind: str) -> str:
        """Name what no file names: the film's study, series or instance."""
        return keyed_uid("", repr((kind, self._instance)))

    def new_uid(self, kind: str, *, spoken: bool = False) -> str:
        """Name an object made of this study.

        The same film, judged by the same weights and version, gets the same names whenever it is sent, so that no
        archive files it twice; a reader's mask gives others. They are no secret: de-identified objects get new ones.

        Args:
            kind: Of object.
            spoken: Whether it holds sentences: then it is another object in another language.
        """
        corrected = hashlib.sha256(self.study.corrected_png or b"").hexdigest()
        named: tuple[str, ...] = (kind, self._instance, self.answer.model.sha256, VERSION, corrected)
        if spoken and language() != SOURCE:
            named = (*named, language())
        return keyed_uid("", repr(named))


def keyed_uid(secret: str, text: str) -> str:
    """Make a UID that is equal for equal texts under one secret, and tells nothing of either.

    A UID of the 2.25 arc holds a UUID (PS3.5 B.2); this one is drawn from a hash.
    """
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"

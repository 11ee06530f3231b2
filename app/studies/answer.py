"""The answer to a film: what a study keeps, the API sends and the pages show.

It stands on the studies' floor because a study keeps it, and no floor may know of one above: `analysis` makes an
answer of a prediction, exports and web read it. Figures are rounded when it is made, so that what is kept, sent and
shown is the same to the last digit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from app.segmentation.decision.calibration import Finding, OperatingPoint
from app.segmentation.decision.doubts import Doubt
from app.segmentation.decision.population import FIRST_RELEASES
from app.segmentation.decision.postprocessing import Region
from app.segmentation.notice import NOTICE
from app.segmentation.reading.geometry import Laterality
from app.studies.drawing import MaskPicture

HASH_LENGTH = 12


@dataclass(frozen=True)
class Film:
    """What is to be known of the film itself.

    Attributes:
        format: "DICOM", "PNG", "JPEG" or "WEBP".
        width: Pixels, as stored.
        height: Likewise.
        pixel_spacing_mm: (row, column) distance of pixel centres on the detector; None if unknown or not credible.
        image_left: The patient's side shown at the picture's left edge.
        states_side: Whether the file says which side that is; otherwise it is the usual one.
    """

    format: str
    width: int
    height: int
    pixel_spacing_mm: tuple[float, float] | None
    image_left: Laterality
    states_side: bool

    def place_of(self, laterality: Laterality) -> str:
        """Name a side for programs: the patient's, or the picture's where the file does not say which is which."""
        if self.states_side:
            return f"patient {laterality}"
        return "picture left" if laterality is self.image_left else "picture right"

    def to_json(self) -> dict[str, Any]:
        """Describe it in plain JSON types."""
        spacing_mm = self.pixel_spacing_mm
        return {
            "format": self.format,
            "width": self.width,
            "height": self.height,
            "pixel_spacing_mm": None if spacing_mm is None else list(spacing_mm),
            "image_left": str(self.image_left),
            "states_side": self.states_side,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        spacing_mm = said["pixel_spacing_mm"]
        return cls(
            **{
                **said,
                "pixel_spacing_mm": None if spacing_mm is None else tuple(spacing_mm),
                "image_left": Laterality(said["image_left"]),
            }
        )


@dataclass(frozen=True)
class Model:
    """The model that gave an answer.

    Attributes:
        name: Of the checkpoint.
        sha256: Hash of its file, hexadecimal.
        engine: What computed it, with its version.
        operating_point: Where it turns probabilities into findings.
        source: Where the films come from that it learnt from, as a sentence goes on after "films of".
    """

    name: str
    sha256: str
    engine: str
    operating_point: OperatingPoint
    source: str

    @property
    def short_hash(self) -> str:
        """The beginning of the hash, enough to tell models apart."""
        return self.sha256[:HASH_LENGTH]

    def to_json(self) -> dict[str, Any]:
        """Describe it in plain JSON types."""
        return {**vars(self), "operating_point": vars(self.operating_point)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; before 2026-11-27 it wrote neither engine nor source."""
        point = OperatingPoint(**said["operating_point"])
        return cls(**{"engine": "", "source": FIRST_RELEASES.source, **said, "operating_point": point})


@dataclass(frozen=True)
class Answer:
    """The answer to one film.

    Attributes:
        id: Unguessable name of this answer, and of the study that keeps it.
        film: What is to be known of the film.
        finding: Indeterminate, and nothing marked, where the answer is withheld.
        probability: Calibrated probability of a pneumothorax; it means nothing where the answer is withheld.
        regions: What the model marks, largest first.
        mask: The same as a picture.
        doubts: Reasons to doubt the answer.
        withheld_for: Code of the doubt for which no answer stands; None where one does.
        model: Which model gave it.
        timing_ms: Milliseconds by stage, and their "total".
        notice: What it must not be used for.
    """

    id: str
    film: Film
    finding: Finding
    probability: float
    regions: tuple[Region, ...]
    mask: MaskPicture
    doubts: tuple[Doubt, ...]
    withheld_for: str | None
    model: Model
    timing_ms: Mapping[str, float]
    notice: str = NOTICE

    @property
    def is_withheld(self) -> bool:
        """Whether the model may say nothing about this film: `reason_withheld` says why."""
        return self.withheld_for is not None

    @property
    def reason_withheld(self) -> Doubt | None:
        """The doubt for which no answer stands; None where one does."""
        return next((doubt for doubt in self.doubts if doubt.code == self.withheld_for), None)

    @property
    def warnings(self) -> tuple[Doubt, ...]:
        """The doubts that weigh most."""
        return tuple(doubt for doubt in self.doubts if doubt.severity == "warning")

    @property
    def sides(self) -> tuple[Laterality, ...]:
        """The patient's sides on which something is marked, that of the largest region first."""
        return tuple(dict.fromkeys(region.laterality for region in self.regions))

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.timing_ms["total"] / 1000

    def to_json(self) -> dict[str, Any]:
        """Describe it in plain JSON types: the body of `POST /api/v1/predictions`, as `openapi.json` describes it."""
        return {
            "id": self.id,
            "film": self.film.to_json(),
            "finding": str(self.finding),
            "probability": self.probability,
            "regions": [region_json(region) for region in self.regions],
            "mask": self.mask.to_json(),
            "quality": [vars(doubt) for doubt in self.doubts],
            "withheld_for": self.withheld_for,
            "model": self.model.to_json(),
            "timing_ms": dict(self.timing_ms),
            "notice": self.notice,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            id=said["id"],
            film=Film.from_json(said["film"]),
            finding=Finding(said["finding"]),
            probability=said["probability"],
            regions=tuple(_region(region) for region in said["regions"]),
            mask=MaskPicture.from_json(said["mask"]),
            doubts=tuple(Doubt(**doubt) for doubt in said["quality"]),
            withheld_for=said["withheld_for"],
            model=Model.from_json(said["model"]),
            timing_ms=said["timing_ms"],
            notice=said["notice"],
        )


def region_json(region: Region) -> dict[str, Any]:
    """Describe a region in plain JSON types."""
    return {**vars(region), "laterality": str(region.laterality), "bbox": list(region.bbox)}


def _region(said: Mapping[str, Any]) -> Region:
    return Region(**{**said, "laterality": Laterality(said["laterality"]), "bbox": tuple(said["bbox"])})

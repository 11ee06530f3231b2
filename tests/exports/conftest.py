"""A study as the pages keep it, with an answer of the test's choice: no network runs."""

import secrets
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from dicomweb_client.api import DICOMwebClient

from app.analysis.answer import to_answer
from app.exports.exported_study import ExportedStudy
from app.segmentation.decision.population import FIRST_RELEASES
from app.segmentation.reading.image_io import read_radiograph
from app.studies.drawing import film_png, grey_png, mask_png
from app.studies.header import kept_of
from app.studies.study import Study
from tests.support.answers import DECISION, make_prediction, regions_of
from tests.support.answers import MODEL as TINY
from tests.support.orthanc import running_orthanc

SECRET = "a secret of the tests, long enough to be one"
MODEL = SimpleNamespace(
    metadata=SimpleNamespace(name=TINY.name),
    sha256=TINY.sha256,
    decision=DECISION,
    engine=SimpleNamespace(description=TINY.engine),
    population=FIRST_RELEASES,
)


@pytest.fixture
def make_exported() -> Callable[..., ExportedStudy]:
    """Make a study of a film."""

    def make(
        data: bytes,
        mask: np.ndarray,
        finding: str = "positive",
        probability: float = 0.87,
        doubts: tuple = (),
        corrected: np.ndarray | None = None,
        **columns: object,
    ) -> ExportedStudy:
        radiograph = read_radiograph(data)
        prediction = make_prediction(finding, probability, mask, regions_of(mask, radiograph), doubts, map_step=1)
        study = Study(
            **{
                "id": secrets.token_urlsafe(24),
                "owner": "owner",
                "file_name": "chest.dcm",
                "created_at": 1_700_000_000.0,
                "expires_at": 1_700_003_600.0,
                "film_png": film_png(radiograph.image),
                "probability_png": grey_png(prediction.evidence.probability_map),
                "disagreement_png": grey_png(prediction.evidence.disagreement_map),
                "dicom_header": kept_of(radiograph.header),
                "corrected_png": None if corrected is None else mask_png(corrected),
                **columns,
            }
        )
        study.answer = to_answer(radiograph, prediction, MODEL, study.id)
        return ExportedStudy(study, SECRET)

    return make


@pytest.fixture(scope="session")
def archive_address(tmp_path_factory) -> Iterator[str]:
    """The DICOMweb root of a running archive."""
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as address:
        yield address


@pytest.fixture(scope="session")
def archive(archive_address) -> DICOMwebClient:
    """A client of that archive."""
    return DICOMwebClient(archive_address)

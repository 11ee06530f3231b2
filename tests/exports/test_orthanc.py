"""The DICOM exports in a real archive: stored, found and fetched over DICOMweb (STOW-RS, QIDO-RS, WADO-RS)."""

import io

import pydicom
import pytest

from tests.support.dicom_exports import BOTH, FILMS, IMAGE, MASK, REQUIRED, dicom_exports, marked, referenced, said
from tests.support.film_files import to_dicom


@pytest.mark.parametrize("anonymous", [False, True])
@pytest.mark.parametrize("film", ["dicom", "png", "jpeg"])
def test_an_archive_takes_finds_and_returns_every_object(archive, make_exported, film, anonymous):
    exports = dicom_exports(make_exported(FILMS[film], BOTH), anonymous)
    archive.store_instances(list(exports.values()))
    (study,) = {made.StudyInstanceUID for made in exports.values()}
    found = archive.search_for_instances(study)
    assert {item["00080018"]["Value"][0] for item in found} == {made.SOPInstanceUID for made in exports.values()}
    for name, made in exports.items():
        stored = archive.retrieve_instance(study, made.SeriesInstanceUID, made.SOPInstanceUID)
        assert said(stored) == said(made), name
        if "PixelData" in made:
            assert stored.PixelData == made.PixelData, name
        metadata = archive.retrieve_instance_metadata(study, made.SeriesInstanceUID, made.SOPInstanceUID)
        assert metadata["00081090"]["Value"] == ["tiny"]


def test_they_are_filed_with_their_film(archive, make_exported):
    source = pydicom.dcmread(io.BytesIO(FILMS["dicom"]))
    exports = dicom_exports(make_exported(FILMS["dicom"], MASK))
    archive.store_instances([source, *exports.values()])
    (study,) = archive.search_for_studies(search_filters={"PatientID": "4711-0815", "AccessionNumber": "ACC-77"})
    assert study["0020000D"]["Value"] == [source.StudyInstanceUID]
    (series,) = archive.search_for_series(source.StudyInstanceUID, search_filters={"Modality": "CR"})
    (kept,) = archive.search_for_instances(source.StudyInstanceUID, series["0020000E"]["Value"][0])
    for made in exports.values():
        assert kept["00080018"]["Value"][0] in referenced(made)


def test_the_archive_draws_the_segment_where_the_mask_is(archive, make_exported):
    film = to_dicom(IMAGE[:, ::-1], **REQUIRED)  # another than above: of one film there is one segmentation
    made = dicom_exports(make_exported(film, MASK))["segmentation.dcm"]
    archive.store_instances([made])
    stored = archive.retrieve_instance(made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID)
    assert (marked(stored)[0] == MASK).all()

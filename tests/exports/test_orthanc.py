"""The DICOM exports in a real archive: stored, found and fetched over DICOMweb (STOW-RS, QIDO-RS, WADO-RS)."""

import io
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient

from tests.support.dicom_exports import BOTH, FILMS, MASK, dicom_exports, marked, referenced, said
from tests.support.needs import lacking

ORTHANC = shutil.which("Orthanc", path=f"{os.environ['PATH']}:/usr/sbin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_SECONDS = 90


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Iterator[DICOMwebClient]:
    """An Orthanc of the test's own, on a port of the loopback address."""
    if not ORTHANC or not PLUGIN.exists():
        lacking("no Orthanc with DICOMweb on this machine (Debian: apt install orthanc orthanc-dicomweb)")
    folder = tmp_path_factory.mktemp("orthanc")
    port = free_port()
    configuration = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [str(PLUGIN)],
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([ORTHANC, str(folder / "orthanc.json")], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/system", process, folder / "log")
        yield DICOMwebClient(f"http://127.0.0.1:{port}/dicom-web")
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Orthanc does not answer:\n{log.read_text()}")


@pytest.mark.parametrize("anonymous", [False, True])
@pytest.mark.parametrize("film", ["dicom", "png", "jpeg"])
def test_an_archive_takes_finds_and_returns_every_object(archive, make_reading, film, anonymous):
    exports = dicom_exports(make_reading(FILMS[film], BOTH), anonymous)
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


def test_they_are_filed_with_their_film(archive, make_reading):
    source = pydicom.dcmread(io.BytesIO(FILMS["dicom"]))
    exports = dicom_exports(make_reading(FILMS["dicom"], MASK))
    archive.store_instances([source, *exports.values()])
    (study,) = archive.search_for_studies(search_filters={"PatientID": "4711-0815", "AccessionNumber": "ACC-77"})
    assert study["0020000D"]["Value"] == [source.StudyInstanceUID]
    (series,) = archive.search_for_series(source.StudyInstanceUID, search_filters={"Modality": "CR"})
    (kept,) = archive.search_for_instances(source.StudyInstanceUID, series["0020000E"]["Value"][0])
    for made in exports.values():
        assert kept["00080018"]["Value"][0] in referenced(made)


def test_the_archive_draws_the_segment_where_the_mask_is(archive, make_reading):
    made = dicom_exports(make_reading(FILMS["dicom"], MASK))["segmentation.dcm"]
    archive.store_instances([made])
    stored = archive.retrieve_instance(made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID)
    assert (marked(stored)[0] == MASK).all()

"""Which films are of one patient, and when each was taken: what the header must say for priors to be found.

What is found names no patient: it is a keyed hash that tells "the same" from "another".
"""

import hashlib
import hmac
import io
import re

import pydicom
from pydicom.dataset import Dataset

from app.segmentation.reading.dicom_header import raw_date, raw_text
from app.segmentation.reading.dicom_io import DAMAGE, looks_like_dicom

IDENTITY = ("PatientID", "IssuerOfPatientID", "PatientBirthDate")
DATES = ("AcquisitionDate", "ContentDate", "StudyDate")

PLACEHOLDER = re.compile(
    r"[\W_0x?]*|n/?a|none|null|unknown|unbekannt|test|patient|(anon|de-?ident|removed|phi).*", re.I
)
"""What machines and de-identifiers write where a patient's number belongs; many patients share it."""

FIRST_DIGITAL_YEAR = 1980
"""Before it there was no computed radiography: such a date is a de-identifier's."""


def read_origin(data: bytes, secret: str) -> dict[str, str | None]:
    """Read of a file whose film it is, and of which day.

    Args:
        data: The whole file, already decoded once without error.
        secret: Key of the hash; without it nobody can try out numbers of patients.

    Returns:
        "patient_key": equal for films of one patient under one secret, else None; "taken_on": ISO date or None.
    """
    nothing = {"patient_key": None, "taken_on": None}
    if not looks_like_dicom(data):
        return nothing
    try:
        header = pydicom.dcmread(
            io.BytesIO(data), force=True, stop_before_pixels=True, specific_tags=[*IDENTITY, *DATES]
        )
        return {"patient_key": _patient_key(header, secret), "taken_on": _taken_on(header)}
    except DAMAGE:  # the film itself was readable: priors are a convenience it does without
        return nothing


def _patient_key(header: Dataset, secret: str) -> str | None:
    identity = [raw_text(header, keyword) for keyword in IDENTITY]
    if PLACEHOLDER.fullmatch(identity[0]):
        return None
    return hmac.new(secret.encode(), "\0".join(identity).encode(), hashlib.sha256).hexdigest()


def _taken_on(header: Dataset) -> str | None:
    for keyword in DATES:
        day = raw_date(header, keyword)
        if day is not None and day.year >= FIRST_DIGITAL_YEAR:
            return day.isoformat()
    return None

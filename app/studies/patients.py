"""Which films are of one patient, and when each was taken: what the header must say for priors to be found.

What is found names no patient: it is a keyed hash that tells "the same" from "another".
"""

import hashlib
import hmac
import re

from app.segmentation.reading.file_header import FileHeader

IDENTITY = ("PatientID", "IssuerOfPatientID", "PatientBirthDate")
DATES = ("AcquisitionDate", "ContentDate", "StudyDate")

PLACEHOLDER = re.compile(
    r"[\W_0x?]*|n/?a|none|null|unknown|unbekannt|test|patient|(anon|de-?ident|removed|phi).*", re.I
)
"""What machines and de-identifiers write where a patient's number belongs; many patients share it."""

FIRST_DIGITAL_YEAR = 1980
"""Before it there was no computed radiography: such a date is a de-identifier's."""


def origin_of(header: FileHeader, secret: str) -> dict[str, str | None]:
    """Say whose film a file holds, and of which day.

    Args:
        header: The file's.
        secret: Key of the hash; without it nobody can try out numbers of patients.

    Returns:
        "patient_key": equal for films of one patient under one secret, else None; "taken_on": ISO date or None.
    """
    return {"patient_key": _patient_key(header, secret), "taken_on": _taken_on(header)}


def _patient_key(header: FileHeader, secret: str) -> str | None:
    identity = [header.text(keyword) for keyword in IDENTITY]
    if PLACEHOLDER.fullmatch(identity[0]):
        return None
    return hmac.new(secret.encode(), "\0".join(identity).encode(), hashlib.sha256).hexdigest()


def _taken_on(header: FileHeader) -> str | None:
    days = (header.day(keyword) for keyword in DATES)
    return next((day.isoformat() for day in days if day is not None and day.year >= FIRST_DIGITAL_YEAR), None)

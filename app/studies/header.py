"""The few values of a file's header that an export must carry to be filed with its film.

Only these are kept of the header, with the study, and as long as it. Of a picture that is no DICOM object it is what
compression took away.
"""

import re

from app.segmentation.reading.file_header import LOSSY, FileHeader

IDENTITY = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"),
    *("ReferringPhysicianName", "StudyDescription"),
)
INSTANCE = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID")
DISPLAY = ("PatientOrientation", "BurnedInAnnotation", "BodyPartExamined", "Rows", "Columns")

KEPT = (*IDENTITY, *STUDY, *INSTANCE, *DISPLAY, *LOSSY)

UID = re.compile(r"[!-\[\]-~]{1,255}")
"""UIDs are kept to the letter, though the standard forbids leading zeros, a dot at the end or more than 64 characters:
whoever has such a film looks it up by its text, and an archive too. Only what cannot be one at all is left out."""

RATIO = r"\d{1,8}(\.\d{0,7})?"

CODES = {
    **dict.fromkeys(("Rows", "Columns"), r"\d{1,5}"),
    "PatientSex": r"[MFO]",
    "BurnedInAnnotation": r"YES|NO",
    "BodyPartExamined": r"[A-Z0-9 _]{1,16}",
    "PatientOrientation": r"[APRLHF]{1,3}\\[APRLHF]{1,3}",
    "LossyImageCompression": r"00|01",
    "LossyImageCompressionRatio": rf"{RATIO}(\\{RATIO})*",
    "LossyImageCompressionMethod": r"[A-Z0-9_ ]{1,16}(\\[A-Z0-9_ ]{1,16})*",
    "StudyTime": r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?",
}
"""What the value of a code or a time must match, whole: one that does not is left out."""


def kept_of(header: FileHeader) -> dict[str, str]:
    """Take out of a file's header what exports need.

    Returns:
        Values by DICOM keyword, without those that are missing or malformed.
    """
    values = {keyword: _checked(keyword, header) for keyword in KEPT}
    return {keyword: value for keyword, value in values.items() if value}


def _checked(keyword: str, header: FileHeader) -> str:
    """Return a value, or "" if it is not what its attribute may hold."""
    text = header.text(keyword)
    if keyword.endswith("UID"):
        return text if UID.fullmatch(text) else ""
    if keyword.endswith("Date"):
        day = header.day(keyword)
        return "" if day is None else f"{day:%Y%m%d}"
    if keyword in CODES:
        code = text.upper()
        return code if re.fullmatch(CODES[keyword], code) else ""
    return text.replace("\\", " ")  # it would make two values of one

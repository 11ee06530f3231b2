"""Does a header say that a film is a radiograph? By Modality and, where nobody knows that, by the SOP class."""

import re

from pydicom.config import IGNORE
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)

from app.segmentation.reading.body_part import shows_chest
from app.segmentation.reading.vocabulary import SAYS_NOTHING, words

RADIOGRAPHS = {code: code for code in ("CR", "DX", "RG", "RF", "SC", "OT")} | dict.fromkeys(
    "DR XR RX DDR DRX CXR XRAY XRAYS RAD RTG RONTGEN ROENTGEN".split(), "DX"
)
"""Codes of what may be a radiograph, and what takes their place where PS3.3 C.7.3.1.1.1 was not read, to that code."""

CLASSES = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)
"""SOP classes of radiographs alone."""

OTHER_CLASSES = re.compile(
    r"\b(CT|MR|PET|US|VL|RT|Ultrasound|Nuclear|Positron|Mammography|Tomosynthesis|Intra-Oral|Angiographic|Ophthalmic|"
    r"Intravascular|Endoscopic|Microscop\w+|Photographic|Photoacoustic|Dermoscopic|XA|3D|Breast)\b"
)
"""What tells SOP classes of other images by their names (PS3.6 A); Radiofluoroscopic and Secondary Capture are open."""

OPEN = ("", "OT")
"""What leaves the kind open."""

COMPANIONS = frozenset("SR PR KO DOC AU REG SEG STAIN PLAN ANN HC".split())
"""Codes of objects that hold no picture of their own."""

OTHERS = COMPANIONS | frozenset(
    """
    AR ASMT BDUS BI BMD CD CF CFM CP CS CT CTPROTOCOL DD DF DG DM DMS DS EC ECG EEG EMG EOG EPS ES FA FID FS GM HD
    IO IOL IVOCT IVUS KER LEN LP LS MA MG MR MS NM OAM OCT OP OPM OPR OPT OPTBSV OPTENF OPV OSS POS PT PX RESP
    RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SM SMR SRF ST TEXTUREMAP TG US VA VF VIDD XA
    XAPROTOCOL XC TAC TC RM RMN IRM EKG
    """.split()
)
"""The standard's other codes, retired ones too, and what some departments write for them."""

OTHER_STEMS = re.compile(
    "^(CT|MR|PT|PET|US|NM|MG|XA|SR|ECG)|(CT|MRI?|PET|US|NM|MG)$|TOMOGR|MAMMO|ULTRAS|ECHO|ECOGR|SONO|ANGIO|SCINT|SPECT|"
    "MAGNET|FLUORO|REPORT"
)
"""What tells other kinds in longer words."""


def named_by(text: str) -> str:
    """Read Modality (0008,0060): the code that is meant, or what is said instead.

    Returns:
        "" if nothing is said. Of several values the first that is none of a radiograph, if there is one; reports and
        the like may lie beside a radiograph in the list of a study.
    """
    values = [words(value) for value in re.split(r"[\\/,;+]", text)]
    radiographs = [code for value in values if (code := _radiograph(value))]
    unknown = ["".join(value) for value in values if not (_radiograph(value) or SAYS_NOTHING.issuperset(value))]
    foreign = [value for value in unknown if not (radiographs and value in COMPANIONS)]
    return (foreign or radiographs or [""])[0]


def _radiograph(said: list[str]) -> str:
    """The code that words mean which say no more than "radiograph" and "chest"; "" if they do not."""
    whole = "".join(said)
    if whole in RADIOGRAPHS:
        return RADIOGRAPHS[whole]
    said = " ".join(said).replace("X RAY", "XRAY").split()
    codes = [RADIOGRAPHS[word] for word in said if word in RADIOGRAPHS]
    others = [word for word in said if word not in RADIOGRAPHS and word not in SAYS_NOTHING]
    return codes[0] if codes and all(shows_chest(word) for word in others) else ""


def is_other(modality: str, sop_class: str) -> bool:
    """Whether an object is no radiograph.

    A word that nobody knows is another kind's, unless the object is of a class for radiographs alone: then it is to be
    doubted. Where there is no word, or it says no more than "other", the class decides.

    Args:
        modality: From `named_by`.
        sop_class: SOP Class UID.
    """
    if modality in OPEN:
        return OTHER_CLASSES.search(UID(sop_class, validation_mode=IGNORE).name) is not None
    if modality in RADIOGRAPHS.values():
        return False
    return sop_class not in CLASSES or modality in OTHERS or OTHER_STEMS.search(modality) is not None

"""Does a header say that a film is no frontal one? By View Position, View Code Sequence or Patient Orientation."""

import re
from collections.abc import Iterable
from itertools import pairwise

from app.segmentation.reading.file_header import Code
from app.segmentation.reading.vocabulary import words

NOT_FRONTAL_WORDS = frozenset(
    """
    LL RL LAT LATS LLAT RLAT LATL LATR LTLAT RTLAT LTL RTL LLL RLL LLD RLD LLO RLO LAO RAO LPO RPO LO RO OAD OAI OPD
    OPI AOB POB ML LM MLO LMO OBL OBLI OBLIQ DEC DECUB XTLAT XTL CTL HTL SWIM SWIMMER SWIMMERS TRANSTHORACIC
    TRANSLATERAL AXIAL TANGENTIAL SIDE PERFIL PERF PROF OBLQ ZIJD SEIT SEITL SEITE SEITENLAGE SEITENBILD
    SEITENAUFNAHME SCHR SCHRAG SCHRAEG SCHRAGE BOCZ SKOS SKOSNE SKOSNA BOK SIKMY SIKMA SIKME SIDA SIDO SIDOBILD
    SIDEBILDE SIDEBILLEDE VIISTO VINO OLDAL OLDALSO OLDALIRANYU OLDALFELVETEL OLDALNEZET OLDALNEZETI FERDE YAN OBLIK
    DWARS ZIJ ZIJDELINGS ZIJDELINGSE ZIJAANZICHT KYLJ SKRA SKRASNED SANU POSTRANI POSTRANSKI NGHIENG SISI БОК КОСАЯ
    КОСОЙ КОСОЕ КОСА КОСИЙ צד
    """.split()
)
NOT_FRONTAL_STEMS = tuple(
    """
    LATER TRANSLAT OBLIQ OBLIC DECUBIT PROFIL BOKOV PLAGI SEITLI BOCZN BOCN SIVU SIDEOPT SIDEPROJ SIDOPROJ STRANSK
    SONIN KULG HLIÐAR БОКОВ БОЧН БІЧН ЛАТЕРАЛ ПРОФИЛ ПРОФІЛ СТРАНИЧН ΠΛΑΓΙ ΛΟΞ ΠΡΟΦΙΛ
    """.split()
)
"""Words that begin so, in Latin's daughters above all; `NOT_FRONTAL_WORDS` are whole."""

INSIDE = tuple(
    """
    CROSSTABLE XTABLE LDECUB RDECUB SHOOTTHROUGH 侧位 側位 侧面 側面 侧卧 側卧 側臥 斜位 측면 측와 사위
    جانبي جانبی نیمرخ مائل צדדי פרופיל לטרלי ด้านข้าง पार्श्व
    """.split()
)
"""What stands somewhere in a view, written together; several scripts part no words."""

ABBREVIATED = re.compile(
    r"(L|R|LT|RT|LEFT|RIGHT|CHEST|CXR|THORAX)(LAT(ERAL\w*)?|DEC(UB\w*)?|OBL\w*)|LAT(LT|RT|LEFT|RIGHT|LAT|DEC(UB\w*)?)"
)
"""Side or body part and kind of view in one word, as far as these are frequent."""

FRONTAL = {"AP": {"AP", "ANTEROPOSTERIOR"}, "PA": {"PA", "POSTEROANTERIOR"}}
"""The two ways of a frontal film's beam, and what a word or two of its name may be."""

LYING_ON_THE_BACK = re.compile(r"SUPIN|PRON[OE]|DECUB\w* (DORSAL|VENTRAL)|RUCKENLAGE|BAUCHLAGE")
"""Decubitus without a side: Romance languages say so of who lies on the back or the belly, which is a frontal film."""

FRONTAL_CODES = {
    **{"399348003": "AP", "R-10206": "AP", "272479007": "PA", "R-40888": "PA", "R-10214": "PA"},
    **{"399033003": "", "R-10202": ""},
}
SAGITTAL = ("30730003", "G-A145", "R-10222")
"""A lateral film to some, and the direction of a frontal film's beam to others: it says nothing."""

OTHER_CODES = {
    **{"399067008": "LATERAL", "R-102CD": "LATERAL", "399198007": "RIGHT LATERAL", "R-10232": "RIGHT LATERAL"},
    **{
        "399173006": "LEFT LATERAL",
        "R-10236": "LEFT LATERAL",
        "399352003": "LATERAL-MEDIAL",
        "R-10228": "LATERAL-MEDIAL",
    },
    **{"399260004": "MEDIAL-LATERAL", "R-10224": "MEDIAL-LATERAL", "399182000": "OBLIQUE", "R-102C1": "OBLIQUE"},
    **{"399038007": "RIGHT POSTERIOR OBLIQUE", "R-10210": "RIGHT POSTERIOR OBLIQUE"},
    **{"399006002": "LEFT POSTERIOR OBLIQUE", "R-10212": "LEFT POSTERIOR OBLIQUE"},
    **{"399356000": "RIGHT ANTERIOR OBLIQUE", "R-40985": "RIGHT ANTERIOR OBLIQUE", "R-10218": "RIGHT ANTERIOR OBLIQUE"},
    **{"399135007": "LEFT ANTERIOR OBLIQUE", "R-10220": "LEFT ANTERIOR OBLIQUE"},
    **{
        "399236003": "RIGHT OBLIQUE",
        "R-10234": "RIGHT OBLIQUE",
        "399184004": "LEFT OBLIQUE",
        "R-10238": "LEFT OBLIQUE",
    },
    **{"399312000": "AP OBLIQUE", "R-10208": "AP OBLIQUE", "399059000": "PA OBLIQUE", "R-10216": "PA OBLIQUE"},
    **{"399160007": "FRONTAL OBLIQUE", "R-10204": "FRONTAL OBLIQUE", "260427002": "LATERAL OBLIQUE"},
    **{"R-40783": "LATERAL OBLIQUE", "260426006": "MEDIAL OBLIQUE", "R-40782": "MEDIAL OBLIQUE"},
    **{"399368009": "MEDIO-LATERAL OBLIQUE", "R-10226": "MEDIO-LATERAL OBLIQUE"},
    **{"399099002": "LATERO-MEDIAL OBLIQUE", "R-10230": "LATERO-MEDIAL OBLIQUE"},
    **{"399004004": "OBLIQUE AXIAL", "R-10246": "OBLIQUE AXIAL"},
    **{"399132005": "FRONTAL-OBLIQUE AXIAL", "R-10252": "FRONTAL-OBLIQUE AXIAL"},
    **{"399325008": "SAGITTAL-OBLIQUE AXIAL", "R-10254": "SAGITTAL-OBLIQUE AXIAL"},
    **{"272476000": "TRANSTHORACIC", "R-40885": "TRANSTHORACIC"},
    **{"399061009": "AXIAL", "R-10241": "AXIAL", "399110001": "TANGENTIAL", "R-102C2": "TANGENTIAL"},
    **{"111069": "CROSS-TABLE", "32185000": "LATERAL DECUBITUS", "F-10318": "LATERAL DECUBITUS"},
    **{"102536004": "LEFT LATERAL DECUBITUS", "F-10319": "LEFT LATERAL DECUBITUS"},
    **{"102535000": "RIGHT LATERAL DECUBITUS", "F-10317": "RIGHT LATERAL DECUBITUS"},
}
"""CID 4010, 4011 and 20 (PS3.16): SNOMED CT, the SNOMED-RT codes that it replaces, and those of earlier versions."""

ORIENTATION = re.compile(r"([APRLHF]{1,3})\\([APRLHF]{1,3})")


def is_frontal(view: str) -> bool:
    """Whether a name of a view may be that of a frontal film."""
    said = words(view)
    if LYING_ON_THE_BACK.search(" ".join(said)):
        said = [word for word in said if not word.startswith("DEC")]
    joined = "".join(said)
    if joined in ("L", "R"):  # alone it is a view; beside another word it is the side of a marker
        return False
    is_part = any(part in joined for part in INSIDE)
    is_word = any(word.startswith(NOT_FRONTAL_STEMS) or ABBREVIATED.fullmatch(word) for word in said)
    return not (is_part or is_word or NOT_FRONTAL_WORDS & {*said, joined})


def named_by(text: str, codes: Iterable[Code], orientation: str) -> str:
    """Choose what a header calls the view, of all that it says.

    Args:
        text: View Position (0018,5101).
        codes: Of View Code Sequence (0054,0220), and of the sequences that modify it.
        orientation: Patient Orientation (0020,0020).

    Returns:
        The first that names another view than a frontal one; else "AP" or "PA", by the text before the codes; else the
        text.
    """
    codes = list(codes)
    named = [text, *(_name_of(code) for code in codes), _seen_from(orientation)]
    frontal = [_beam_of(text), *(FRONTAL_CODES.get(code.value.upper(), "") for code in codes)]
    other = [name for name in named if not is_frontal(name)]
    return next((name for name in (*other, *frontal) if name), text)


def _beam_of(text: str) -> str:
    said = words(text)
    named = [beam for beam, names in FRONTAL.items() if names & {*said, *map("".join, pairwise(said))}]
    return named[0] if len(named) == 1 else ""


def _name_of(code: Code) -> str:
    if code.value.upper() in FRONTAL_CODES or code.value.upper() in SAGITTAL:
        return ""
    return OTHER_CODES.get(code.value.upper(), code.meaning.upper())


def _seen_from(orientation: str) -> str:
    """Tell by the directions of rows and columns (PS3.3 C.7.6.1.1.1) a film that was not taken from front or back."""
    directions = ORIENTATION.fullmatch(orientation.upper().replace(" ", ""))
    if directions is None:
        return ""
    along_rows, along_columns = directions.groups()
    if along_columns[0] in "AP":
        kind = "axial"
    elif along_rows[0] in "AP":
        kind = "lateral"
    elif set("AP") & set(along_rows):
        kind = "oblique"
    else:
        return ""
    return f"{kind} (Patient Orientation {orientation})"

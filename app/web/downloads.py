"""Downloads: the exports of a study, and the worklist as a table."""

import io
import re
from pathlib import PurePath

from flask import Blueprint, Response, abort, current_app, request, send_file
from werkzeug.exceptions import BadRequest

from app.analysis.language import mark
from app.exports.catalogue import exports_of
from app.exports.exported_study import ExportedStudy
from app.exports.worklist_csv import worklist_csv
from app.web.services import services
from app.web.session import client, own_study, own_worklist

MAX_STEM_LENGTH = 60
WHOSE = {(): False, (("deidentify", "0"),): False, (("deidentify", "1"),): True}
"""By what a query asks: whether to leave out whose film it is."""

blueprint = Blueprint("downloads", __name__)


@blueprint.get("/studies/<study_id>/exports/<file>")
def export(study_id: str, file: str) -> Response:
    """Send one export of a study; with `?deidentify=1` one that does not say whose film it is.

    Where that is asked for in other words, nothing is sent.
    """
    study = own_study(study_id)
    chosen = next((export for export in exports_of(study) if export.file == file), None) or abort(404)
    anonymous = WHOSE.get(tuple(request.args.items(multi=True)))
    if anonymous is None:
        raise BadRequest(mark("An export takes deidentify=1 or deidentify=0 and nothing else. Nothing was sent."))
    with services().exporting.turn(client()):
        made = chosen.make(ExportedStudy(study, current_app.config["SECRET_KEY"]), anonymous)
    stem = "deidentified" if anonymous else _stem(study.file_name)
    return _download(made, f"{stem}-pleura-{chosen.file}", chosen.media_type)


@blueprint.get("/worklist.csv")
def worklist() -> Response:
    """Send this session's worklist, in its order; names of files stand in it, and nothing can be left out."""
    if request.args:
        raise BadRequest(mark("The list as a table takes no query: it always names its files. Nothing was sent."))
    return _download(worklist_csv(own_worklist().studies), "pleura-worklist.csv", "text/csv")


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"exports_of": exports_of}


def _download(content: bytes, name: str, media_type: str) -> Response:
    return send_file(io.BytesIO(content), media_type, as_attachment=True, download_name=name, etag=False)


def _stem(file_name: str) -> str:
    """What any file system takes of a file's name, without its ending."""
    return re.sub(r"[^\w-]+", "_", PurePath(file_name).stem)[:MAX_STEM_LENGTH].strip("_-") or "film"

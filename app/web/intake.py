"""A film in, a kept study out: what uploads and examples have in common."""

from flask import current_app

from app.analysis.keeping import kept_columns
from app.studies.study import Study
from app.web import audit
from app.web.monitoring import observe
from app.web.services import services
from app.web.session import client, note_film, owner


def take_in(data: bytes, file_name: str, example: str | None = None) -> Study:
    """Analyse a film, and keep it with its answer for this browser session.

    Args:
        data: The whole file.
        file_name: By which a person recognises the film.
        example: Name of the example, if it is one.

    Raises:
        TooManyStudiesError: If this session keeps as many as it may.
        PleuraError: If the film has no answer; the subclass says why.
    """
    services().studies.check_room(owner())
    analysed = services().analysis.analyse(data, client())
    columns = kept_columns(analysed, current_app.config["SECRET_KEY"])
    study = services().studies.add(owner(), file_name, analysed.answer, example=example, **columns)
    note_film()
    if example is None:
        observe(analysed)
    audit.uploaded(study.id)
    return study

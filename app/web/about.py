"""Pages about the model and about the API, for those who want to know before they trust or call it."""

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, send_file

from app.web.card import Card, card_of
from app.web.services import services

blueprint = Blueprint("about", __name__)


@blueprint.get("/model")
def model() -> str:
    """Say what the model is for, how good it is, on which films, and where its limits are."""
    return render_template("model.html", card=_card())


@blueprint.get("/model/<name>.svg")
def plot(name: str) -> Response:
    """Send one of its plots."""
    card = _card()
    if card.plots is None or name not in [shown for shown, *_ in card.shown_plots]:
        abort(404)
    return send_file(card.plots / f"{name}.svg", mimetype="image/svg+xml")


@blueprint.get("/api")
def api() -> str:
    """Show the description of the API as a page."""
    described = json.loads(Path(__file__).with_name("openapi.json").read_text("utf-8"))
    return render_template("api.html", described=described, kind=kind_of, is_off=current_app.config["API"] == "off")


def kind_of(schema: dict[str, Any]) -> str:
    """Name the kind of a value in a few words: "number, 0 to 1", "list of Region"."""
    if reference := schema.get("$ref"):
        return reference.rsplit("/", 1)[1]
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kinds = schema.get("type", "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds and "items" in schema:
        kinds = [f"list of {kind_of(schema['items'])}" if kind == "array" else kind for kind in kinds]
    name = " or ".join(kinds)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{name}, {low} to {high}"
    return name if low is None else f"{name}, at least {low}"


def _card() -> Card:
    return card_of(services().predictor, Path(current_app.config["WEIGHTS"]))

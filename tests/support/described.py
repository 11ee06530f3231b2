"""The API as `openapi.json` describes it."""

import copy
import json

import jsonschema

from app.config import ROOT

DESCRIPTION = json.loads((ROOT / "app" / "web" / "openapi.json").read_text())


def check_against(schema: str, document: dict) -> None:
    """Fail unless a document has all that its schema demands, and nothing that it does not describe."""
    components = copy.deepcopy(DESCRIPTION["components"])
    pending = list(components["schemas"].values())
    while pending:
        part = pending.pop()
        if "properties" in part:
            part["additionalProperties"] = False
            pending.extend(part["properties"].values())
    wanted = {"$ref": f"#/components/schemas/{schema}", "components": components}
    jsonschema.Draft202012Validator(wanted).validate(document)

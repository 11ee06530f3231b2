"""Entry point of a WSGI server: `gunicorn wsgi:app`."""

import sys

from app import create_app
from app.config import SettingError
from app.segmentation.errors import PleuraError

APP_LOAD_ERROR = 4
"""gunicorn's own exit status: with any other it would start one worker after another, each to fail likewise."""

# Threads that take films apart give Python's lock up after a millisecond, not five: pages and probes wait for several.
sys.setswitchinterval(0.001)

try:
    app = create_app()
except (PleuraError, SettingError) as error:
    print(f"Pleura cannot start. {error}", file=sys.stderr)
    raise SystemExit(APP_LOAD_ERROR) from None

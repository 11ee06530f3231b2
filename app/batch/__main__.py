"""Run the command: `python -m app.batch --help`."""

import sys

if __name__ == "__main__":
    try:
        from app.batch.command import main

        status = main()
    except KeyboardInterrupt:  # while libraries were loaded: there is nothing to tell yet
        status = 130
    sys.exit(status)

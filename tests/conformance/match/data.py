"""Where the recorded data lie, and how a test says that it was skipped.

The folder stands beside the repository (../shared/data) or where MILLRACE_DATA points; it is no part of it.
"""

import os
import pathlib
import sys

SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def folder(*parts):
    """The folder of that name, or the end of the test."""
    root = pathlib.Path(__file__).resolve().parents[3].parent / "shared" / "data"
    path = pathlib.Path(os.environ.get("MILLRACE_DATA") or root).joinpath(*parts)
    if not path.is_dir():
        print(f"SKIPPED: no folder {path} (MILLRACE_DATA names the folder of all data)")
        sys.exit(SKIPPED)
    return path

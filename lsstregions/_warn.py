"""Warnings that name the line of whoever called this package."""

import os
import sys
import warnings

# What astropy and regions put between us and our callers does not count as theirs.
_NOT_OF_CALLERS = (
    os.path.dirname(__file__) + os.sep,
    os.path.join("astropy", "io", "registry") + os.sep,
    os.path.join("regions", "core") + os.sep,
)


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line outside of this package that brought it about."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and any(place in frame.f_code.co_filename for place in _NOT_OF_CALLERS):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)

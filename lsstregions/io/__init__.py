"""Files: one module a format, registered with astropy's unified I/O when this package is imported."""

from typing import Any

from astropy.io import registry

from . import fits_mask

__all__ = ["fits_mask", "read", "write"]


def read(kind: type, path: Any, **options: Any) -> Any:
    """Read an object of a class of this package; `format` is found from the file where it is not given."""
    return registry.read(kind, path, **options)


def write(value: Any, path: Any, **options: Any) -> None:
    """Write an object of a class of this package; `format` is found from the name where it is not given."""
    registry.write(value, path, **options)

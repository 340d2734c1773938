"""Files: one module a format, registered with astropy's unified I/O when this package is imported.

================  =====================  ====================================  ===========================
`format`          recognised by          written by                            keeps
================  =====================  ====================================  ===========================
``fits``          content, ``.fits``     ``fits_footprints.write_footprints``  everything
``lsst``          content                no; read by ``lsst.read_lsst``        everything
``parquet``       content, ``.parquet``  ``arrow.write_parquet``               everything
``geojson``       ``.geojson``           ``outlines.write_geojson``            everything but pixel values
``coco``          ``.json``              ``coco.write_coco``                   pixels, region
``labels``        content                ``labels.write_labels``               disjoint pixels, region
``wkt``           ``.wkt``               ``outlines.write_wkt``                pixels
``ds9``           content, ``.reg``      ``outlines.write_regions``            pixels
``crtf``          content, ``.crtf``     ``outlines.write_regions``            pixels
``fits-regions``  content                ``outlines.write_regions``            pixels
``ecsv``          ``.ecsv``              ``FootprintSet.measure``; no reader   a table of measurements
================  =====================  ====================================  ===========================

Any FITS file with footprints of one of these kinds, FITS regions included, is read as ``fits``. A `LossWarning` tells
what a file does not keep. A `SpanSet` is kept as one footprint; what is read as one is the union of the footprints.
Files come into place when they are complete, and a file that is not what it should be is a `FileFormatError`, which
is an OSError and a ValueError.
"""

from typing import Any

from astropy.io import registry

from ..footprints import FootprintSet
from ..spans import SpanSet
from . import _formats, fits_mask
from ._checked import FileFormatError, LossWarning, name_of
from .arrow import from_arrow, to_arrow
from .outlines import to_polygons
from .tables import to_table

__all__ = [
    "FileFormatError",
    "LossWarning",
    "fits_mask",
    "from_arrow",
    "read",
    "to_arrow",
    "to_polygons",
    "to_table",
    "write",
]

_formats.register()


def read(kind: type, path: Any, **options: Any) -> Any:
    """Read an object of a class of this package.

    Parameters
    ----------
    kind : class
        `SpanSet`, `FootprintSet`, `Mask` or `MaskedImage`.
    path : path-like
    **options : dict
        `format`, found from the file where it is not given, and what the format takes.

    Raises
    ------
    FileFormatError
        If the file is of no format that is known.
    ValueError
        If there is no such format.
    """
    try:
        return registry.read(kind, path, **options)
    except registry.IORegistryError:
        _check_format(kind, "Read", options.get("format"))
        raise FileFormatError(f"{name_of(path)}: it is of no format that is known; format= says which") from None


def write(value: Any, path: Any, **options: Any) -> None:
    """Write an object of a class of this package.

    Parameters
    ----------
    value : SpanSet, FootprintSet, Mask or MaskedImage
    path : path-like
    **options : dict
        `format`, found from the name where it is not given, `overwrite`, and what the format takes.

    Raises
    ------
    ValueError
        If there is no such format, or the name does not tell.
    """
    try:
        registry.write(value, path, **options)
    except registry.IORegistryError:
        _check_format(type(value), "Write", options.get("format"))
        if isinstance(value, FootprintSet | SpanSet):
            suffixes = sorted(end for form in _formats.FORMATS.values() if form.write for end in form.suffixes)
            ends = f"one of {', '.join(suffixes)}"
        else:
            ends = ".fits, for a mask or an image"
        raise ValueError(f"{name_of(path)}: the name must end in {ends}, or format= say what it is") from None


def _check_format(kind: type, what: str, name: str | None) -> None:
    formats = registry.get_formats(kind, what)["Format"].tolist()
    if name is not None and name not in formats:
        raise ValueError(f"format must be one of {', '.join(formats)}, not {name!r}")

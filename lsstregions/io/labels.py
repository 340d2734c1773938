"""Footprints as label images in FITS: pixels of footprint i have the value i + 1, others 0.

What overlaps an earlier footprint is lost, and so are peaks, signs, pixel values and empty footprints; a
`LossWarning` says which of them there are.
"""

import os
from typing import Any

import numpy as np
from astropy.io import fits

from .._validate import native
from .._warn import warn
from ..footprints import FootprintSet
from ._checked import LossWarning, reading, warn_of_loss
from ._files import replacing
from .fits_footprints import open_checked
from .fits_mask import _first, _names_planes, _origin, _put_origin

#: A label image of more pixels is a mistake: write footprints.
MAX_PIXELS = 2**32


def write_labels(
    footprints: FootprintSet,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    compression: str | None = "PLIO_1",
) -> None:
    """Write footprints as a label image, of their region or the smallest box that holds them.

    Parameters
    ----------
    footprints : FootprintSet
    path : path-like
    overwrite : bool, optional
        Whether a file of that name may be replaced.
    compression : {"PLIO_1", "GZIP_1", "GZIP_2", "RICE_1", None}, optional
        How tiles of the image are compressed. What is for masks, PLIO_1, is many times as fast as GZIP_1, which takes
        its place from 2**24 footprints on.

    Warns
    -----
    LossWarning
        If there is something that a label image cannot keep.

    Raises
    ------
    ValueError
        If the image would be too large.
    FileExistsError, FileNotFoundError
        If the file is there and `overwrite` is False, or there is no such folder.
    """
    box = footprints._box()
    if box.area > MAX_PIXELS:
        raise ValueError(f"a label image of {box.width} x {box.height} pixels is too large")
    warn_of_loss(footprints, "label image", ("the region",))
    if footprints.union().area < footprints.area.sum():
        warn("label image files do not keep overlaps: pixels go to the first footprint", LossWarning)
    if footprints.clip(box).area.sum() < footprints.area.sum():
        warn("label image files do not keep pixels outside the region", LossWarning)
    header = fits.Header()
    _put_origin(header, box.xy0)
    labels = footprints.to_labels(box)
    compression = "GZIP_1" if compression == "PLIO_1" and len(footprints) >= 2**24 else compression
    if compression is None or not labels.size:
        hdu = fits.ImageHDU(labels, header, name="LABELS")
    else:
        hdu = fits.CompImageHDU(labels, header, name="LABELS", compression_type=compression)
    with replacing(path, overwrite) as new:
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(new)


def read_labels(path: Any, *, hdu: int | str | None = None) -> FootprintSet:
    """Read the labels of an image as footprints, in rising order of the labels.

    Parameters
    ----------
    path : path-like or binary file
    hdu : int or str, optional
        Which HDU, by default the first image of integers.

    Raises
    ------
    FileFormatError
        If there is no image of integers, or the file is corrupt.
    """
    with reading(path):
        hdus = open_checked(path, images=True)
        found = _first(hdus, _is_labels) if hdu is None else hdus[hdu]
        if found is None and any(map(_names_planes, hdus)):
            raise ValueError("it holds a mask: Mask.read(path).footprints(plane) takes footprints from a plane of it")
        if found is None:
            raise ValueError("there is no image of integers, and nothing else that holds footprints")
        data = found.data
        if data is None:
            # FITS has no data for an image without pixels.
            data = np.zeros((0, 0), np.int32)
        if data.dtype.kind == "f" and "BLANK" in found.header:
            # Blank pixels have come as NaN.
            data = np.nan_to_num(data).astype(np.int64)
        return FootprintSet.from_labels(native(data), _origin(found.header))


def _is_labels(hdu: Any) -> bool:
    header = hdu.header
    plain = header.get("BSCALE", 1) == 1 and float(header.get("BZERO", 0)).is_integer()
    return bool(hdu.is_image) and header.get("NAXIS") == 2 and header["BITPIX"] > 0 and plain and not _names_planes(hdu)

"""Footprints in FITS files: binary tables that any FITS reader understands.

The primary header says what the file is: ``LRKIND = 'FootprintSet'``, the version of the layout ``LRVERS = 1``, the
region by ``LRXSTART``, ``LRXSTOP``, ``LRYSTART``, ``LRYSTOP`` (half-open; absent if there is none), and carries a WCS
and any metadata. The tables are

- ``FOOTPRINTS``: a row a footprint, with the corner ``x``, ``y`` of its box, ``n_spans``, ``n_peaks`` and ``sign``;
- ``SPANS``: all spans, one footprint after the other, each sorted: ``dy`` and ``dx``, where a span begins, from that
  corner, and ``width``, how many pixels it has;
- ``PEAKS``: ``x_peak``, ``y_peak``, ``peak_value`` and any more columns of all peaks, one footprint after the other;
- ``VALUES``, for heavy footprints: ``image`` and perhaps ``variance`` and ``mask`` of all pixels, in the order of the
  spans.

Integers are kept in the smallest type that holds a column, which for most spans is a byte; cards ``LRTYPn`` say the
NumPy dtype of those whose own counts. Pixels count from 0 as everywhere in this package. Strings must be ASCII;
blanks at their ends are lost.
"""

import io
import math
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from .._peaks import Peaks
from .._validate import as_int32_array
from ..footprints import FootprintSet
from ..geom import Box2I
from ._checked import checked_box, checked_footprints, content, offsets_of_counts, reading, warn_of
from ._files import replacing
from .fits_mask import _meta_header, _wcs_header

VERSION = 1
# What FITS tables do not know, or know by an offset only, and what keeps it without loss.
_WIDER = {"i1": np.int16, "u2": np.int32, "u4": np.int64, "u8": np.int64, "f2": np.float32}
_EDGES = ("LRXSTART", "LRXSTOP", "LRYSTART", "LRYSTOP")
# What compression can save: a header that promises more pixels than this from a byte is corrupt.
_MAX_RATIO = 1000


def write_footprints(
    footprints: FootprintSet, path: Any, *, overwrite: bool = False, wcs: Any = None, meta: Any = None
) -> None:
    """Write footprints with all that belongs to them to a FITS file.

    Parameters
    ----------
    footprints : FootprintSet
    path : path-like
    overwrite : bool, optional
        Whether a file of that name may be replaced.
    wcs : `~astropy.wcs.WCS`, optional
        That of the image, for whoever reads the file.
    meta : mapping or `~astropy.io.fits.Header`, optional
        Cards of the primary header.

    Warns
    -----
    LossWarning
        If a column of texts has blanks at their ends, which FITS does not keep.

    Raises
    ------
    FileExistsError, FileNotFoundError
        If the file is there and `overwrite` is False, or there is no such folder.
    ValueError
        If a column, the metadata or the WCS cannot be kept in FITS.
    """
    header = fits.Header()
    header["LRKIND"] = "FootprintSet", "what lsstregions keeps here"
    header["LRVERS"] = VERSION, "version of the layout"
    header["LRHEAVY"] = footprints.is_heavy, "whether a table VALUES has pixel values"
    if footprints.region is not None:
        for keyword, edge in zip(_EDGES, footprints.region._edges, strict=True):
            header[keyword] = edge, "edge of the region, half-open, pixels from 0"
    if wcs is not None:
        header.update(_wcs_header(wcs))
    if meta is not None:
        cards = _meta_header(meta)
        for keyword in ("LRKIND", "LRVERS", "LRHEAVY", *_EDGES):
            # Of the footprints whose file the metadata comes from.
            cards.remove(keyword, ignore_missing=True, remove_all=True)
        header.extend(cards, unique=True)
    peaks = footprints._peaks
    warn_of({f"blanks at the ends of {name}" for name, column in peaks.columns.items() if _ends_blank(column)}, "FITS")
    x, _, y, _ = footprints.bbox.T
    n_spans = np.diff(footprints.offsets)
    each = {
        "x": x,
        "y": y,
        "n_spans": n_spans,
        "n_peaks": np.diff(peaks.offsets),
        "sign": footprints.sign.astype(np.int16),
    }
    row, x_start, x_stop = footprints.spans.T.astype(np.int64)
    spans = {"dy": row - np.repeat(y, n_spans), "dx": x_start - np.repeat(x, n_spans), "width": x_stop - x_start}
    pixels = {"x_peak": peaks["x_peak"], "y_peak": peaks["y_peak"]}
    hdus = [
        fits.PrimaryHDU(header=header),
        _table("FOOTPRINTS", _compact(each)),
        _table("SPANS", _compact(spans)),
        _table("PEAKS", _compact(pixels) | {"peak_value": peaks["peak_value"]} | peaks.columns),
    ]
    if footprints.is_heavy:
        hdus.append(_table("VALUES", footprints.values))
    with replacing(path, overwrite) as new:
        fits.HDUList(hdus).writeto(new)


def read_footprints(path: Any) -> FootprintSet:
    """Read footprints from a FITS file that `write_footprints` made; see `lsstregions.io.read` for others.

    Raises
    ------
    FileFormatError
        If the file is truncated, corrupt, none of ours or of a later version.
    """
    with reading(path):
        return footprints_of(open_checked(path))


def read_header(path: Any) -> fits.Header:
    """Return the primary header of a FITS file: the WCS and metadata that were written with footprints.

    Raises
    ------
    FileFormatError
        If the file is no FITS.
    """
    with reading(path):
        return open_checked(path)[0].header


def open_checked(path: Any, *, images: bool = False) -> fits.HDUList:
    """Open a FITS file all of whose data are there: what a header says is not trusted beyond the end of the file.

    Compressed images are the tables that they are kept in, unless `images` says otherwise.

    Raises
    ------
    ValueError
        If an HDU is truncated, or promises more pixels than its bytes can hold.
    """
    data = content(path)
    hdus = fits.open(io.BytesIO(data), memmap=False, lazy_load_hdus=False, disable_image_compression=True)
    for i, hdu in enumerate(hdus):
        if hdu.fileinfo()["datLoc"] + hdu.size > len(data):
            raise ValueError(f"HDU {i} is truncated")
        if images and "ZIMAGE" in hdu.header:
            pixels = math.prod(int(hdu.header[f"ZNAXIS{axis + 1}"]) for axis in range(int(hdu.header["ZNAXIS"])))
            if pixels > _MAX_RATIO * len(data):
                raise ValueError(f"HDU {i} promises {pixels} pixels from {len(data)} bytes")
    return fits.open(io.BytesIO(data), memmap=False, lazy_load_hdus=False) if images else hdus


def is_ours(hdus: fits.HDUList) -> bool:
    """Whether a FITS file is one that `write_footprints` made."""
    return "LRKIND" in hdus[0].header


def footprints_of(hdus: fits.HDUList) -> FootprintSet:
    """Return the footprints of an open FITS file of ours.

    Raises
    ------
    ValueError, TypeError, KeyError, OverflowError
        If there is none of ours, of a later version, or its columns are not what they should be.
    """
    header = hdus[0].header
    if header.get("LRKIND") != "FootprintSet":
        raise ValueError("it holds no footprints of lsstregions: the primary header has no LRKIND that says so")
    version = header.get("LRVERS")
    if version != VERSION:
        raise ValueError(f"it is of version {version!r} of the layout; this version of lsstregions reads {VERSION}")
    if header.get("LRHEAVY", False) and "VALUES" not in hdus:
        raise ValueError("it is truncated: the table VALUES is missing")
    each, spans, pixels = (_columns(hdus, extension) for extension in ("FOOTPRINTS", "SPANS", "PEAKS"))
    offsets = offsets_of_counts(each["n_spans"], len(spans["dy"]), "n_spans")
    # Sums of two int32 cannot wrap in int64.
    x, y = (np.repeat(as_int32_array(each[column], column).astype(np.int64), each["n_spans"]) for column in ("x", "y"))
    dy, dx, width = (_steps(spans[column], column) for column in ("dy", "dx", "width"))
    runs = np.column_stack((y + dy, x + dx, x + dx + width))
    return checked_footprints(
        runs,
        offsets,
        _region(header),
        peaks=Peaks.from_columns(pixels, offsets_of_counts(each["n_peaks"], len(pixels["x_peak"]), "n_peaks")),
        sign=each["sign"],
        values=_columns(hdus, "VALUES") if "VALUES" in hdus else None,
    )


def _steps(column: NDArray, name: str) -> NDArray[np.int64]:
    """Return differences of int32, which need not fit into int32."""
    if column.dtype.kind not in "iu" or (column.size and max(-int(column.min()), int(column.max())) >= 1 << 32):
        raise ValueError(f"{name} must be integers of less than 2**32, not {column.dtype}")
    return column.astype(np.int64)


def _ends_blank(column: NDArray) -> bool:
    """Whether a column has texts that end in a blank."""
    return column.dtype.kind in "SU" and bool((np.char.rstrip(column, None) != column).any())


def _region(header: fits.Header) -> Box2I | None:
    if not any(keyword in header for keyword in _EDGES):
        return None
    return checked_box([header[keyword] for keyword in _EDGES])


# Tables


def _compact(columns: dict[str, NDArray]) -> dict[str, NDArray]:
    """Return columns of integers in the smallest types that hold them."""
    return {name: column.astype(_smallest(column), copy=False) for name, column in columns.items()}


def _smallest(column: NDArray) -> Any:
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    kinds: tuple[Any, ...] = (np.uint8, np.int16, np.int32, np.int64)
    return next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)


def _table(name: str, columns: dict[str, NDArray]) -> fits.BinTableHDU:
    """Return a table of columns, with cards for the dtypes that FITS does not know."""
    kept = {column: _fitting(column, array) for column, array in columns.items()}
    rows = np.empty(
        len(next(iter(kept.values()))),
        [(column, array.dtype.newbyteorder(">"), array.shape[1:]) for column, array in kept.items()],
    )
    for column, array in kept.items():
        rows[column] = array
    hdu = fits.BinTableHDU(rows, name=name)
    for number, (column, array) in enumerate(columns.items(), 1):
        if kept[column].dtype != array.dtype or array.dtype.kind == "S":
            hdu.header[f"LRTYP{number}"] = array.dtype.newbyteorder("=").str[1:], f"dtype of {column}"
    return hdu


def _fitting(name: str, array: NDArray) -> NDArray:
    """Return a column in a type that FITS knows, without loss."""
    if not (name.isascii() and name.isprintable() and 0 < len(name) <= 68):
        raise ValueError(f"a column cannot be called {name!r} in FITS")
    if array.dtype.kind == "U":
        try:
            return np.char.encode(array, "ascii").astype(f"S{max(1, array.dtype.itemsize // 4)}")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"the column {name!r} has text that is not ASCII, which FITS cannot keep: {error}"
            ) from None
    if array.dtype.kind == "S" or array.dtype.str[1:] in ("b1", "u1", "i2", "i4", "i8", "f4", "f8", "c8", "c16"):
        return array
    wider: Any = _WIDER.get(array.dtype.str[1:])
    if wider is None or (array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(wider).max):
        raise ValueError(f"the column {name!r}, of {array.dtype}, cannot be kept in FITS")
    return array.astype(wider)


def _columns(hdus: fits.HDUList, name: str) -> dict[str, NDArray]:
    """Return the columns of a table in native byte order and their own dtypes."""
    if name not in hdus or not isinstance(hdus[name], fits.BinTableHDU):
        raise ValueError(f"there is no table {name}")
    hdu = hdus[name]
    columns = {}
    for number, column in enumerate(hdu.columns.names, 1):
        array = np.array(hdu.data.field(number - 1))
        kind = np.dtype(hdu.header.get(f"LRTYP{number}", array.dtype.str[1:]))
        if array.dtype.kind not in "biufcSU" or kind.kind not in "biufcSU":
            raise ValueError(f"the column {column!r} of the table {name} is of {array.dtype}")
        columns[column] = array if kind == array.dtype else _as_it_was(array, kind, column)
    return columns


def _as_it_was(array: NDArray, kind: np.dtype, name: str) -> NDArray:
    if kind.kind in "SU" and array.dtype.kind == "U" and kind.itemsize <= array.dtype.itemsize:
        return array.astype(kind)
    if array.dtype.kind in "iu" and kind.kind in "iu" and array.size:
        limits = np.iinfo(kind)
        if array.min() < limits.min or array.max() > limits.max:
            raise ValueError(f"the column {name!r} does not fit into {kind}")
    elif kind.kind != array.dtype.kind or kind.itemsize > 16:
        raise ValueError(f"the column {name!r}, of {array.dtype}, cannot have been of {kind}")
    return array.astype(kind)

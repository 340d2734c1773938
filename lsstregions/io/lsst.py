"""Footprints in the files of LSST's afw: source catalogues and archives, read without the LSST stack.

An archive is an index table and, behind it, tables of data. A row of the index says that the object ``id``, of the
class ``name``, has ``nrows`` rows from ``row0`` on in the data table number ``cat.archive`` (its card ``AR_CATN``) as
its own table number ``cat.persistable``. A Footprint's own tables are

- 0: the ``id`` of its SpanSet in the archive, or in files from before afw had SpanSet, the spans themselves;
- 1: its peaks; 2, for a heavy one: a row of arrays ``image``, ``mask``, ``variance``.

Spans are ``y``, ``x0``, ``x1``, with x1 in the span. Files do not keep the region. Catalogues say in their column
``footprint`` which object is a row's.
"""

from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from .. import _columns, _measure
from .._peaks import Peaks
from .._ragged import offsets_of, ranges
from .._validate import INT32_MAX, as_int32_array
from .._warn import warn
from ..footprints import FootprintSet
from ._checked import LossWarning, checked_footprints, name_of, offsets_of_counts, reading
from .fits_footprints import open_checked

_INDEX = ("id", "cat.archive", "cat.persistable", "row0", "nrows", "name")
# What the columns of peaks are called here; others keep their names.
_PEAK_COLUMNS = {"i_x": "x_peak", "i_y": "y_peak", "peakValue": "peak_value", "f_x": "x", "f_y": "y"}
_SPANS, _PEAKS, _PIXELS = 0, 1, 2


def read_lsst(path: Any) -> FootprintSet:
    """Read the footprints of a source catalogue or an archive that LSST's afw wrote.

    Parameters
    ----------
    path : path-like or binary file

    Returns
    -------
    FootprintSet
        One footprint for each row of the catalogue, empty for a row without; those of an archive alone in the order of
        their ids. Flags of peaks become boolean columns. If only some footprints are heavy, the pixel values of the
        others are NaN (0 in the mask), with a `LossWarning`.

    Raises
    ------
    FileFormatError
        If the file holds no archive, or a corrupt one.
    """
    with reading(path):
        footprints, partly_heavy = _footprints_of(open_checked(path))
    if partly_heavy:
        warn(f"{name_of(path)}: some footprints are not heavy; their pixel values are NaN", LossWarning)
    return footprints


def has_footprints(hdus: fits.HDUList) -> bool:
    """Whether a FITS file has an archive with footprints; exposures have archives of other things."""
    where = _index_of(hdus)
    return where is not None and any("Footprint" in name for name in np.array(hdus[where].data["name"], str))


def _index_of(hdus: fits.HDUList) -> int | None:
    """Return the number of the HDU that is the index of an archive, or None."""
    return next((i for i, hdu in enumerate(hdus) if _has_columns(hdu, _INDEX)), None)


def _has_columns(hdu: Any, names: tuple[str, ...]) -> bool:
    return isinstance(hdu, fits.BinTableHDU) and set(names) <= set(hdu.columns.names)


class _Archive:
    """The index of an archive, as columns, and its data tables."""

    def __init__(self, hdus: fits.HDUList):
        where = _index_of(hdus)
        if where is None:
            raise ValueError("there is no archive of LSST: no table is an index of objects")
        table = hdus[where].data
        self.id, self.table, self.part, self.row0, self.nrows = (
            np.array(table[name], np.int64) for name in _INDEX[:-1]
        )
        self.name = np.char.strip(np.array(table["name"], str))
        self.tables = {}
        for hdu in hdus[where + 1 :]:
            if "AR_CATN" in hdu.header and isinstance(hdu, fits.BinTableHDU):
                self.tables[int(hdu.header["AR_CATN"])] = hdu

    def rows(
        self, objects: NDArray[np.int64], part: int, names: tuple[str, ...]
    ) -> tuple[fits.BinTableHDU, NDArray, NDArray]:
        """Return the table that holds a part of some objects, the first row and the number of rows of each."""
        chosen = np.flatnonzero((self.part == part) & np.isin(self.name, names))
        chosen = chosen[np.argsort(self.id[chosen], kind="stable")]
        place = np.searchsorted(self.id[chosen], objects)
        if len(objects) and (not len(chosen) or (place == len(chosen)).any()):
            raise ValueError(f"the index lacks an object that is referred to: {int(objects.max())}")
        found = chosen[place] if len(objects) else chosen[:0]
        if (self.id[found] != objects).any():
            raise ValueError(f"the index lacks the object {objects[self.id[found] != objects][0]}")
        numbers = np.unique(self.table[found])
        if len(numbers) != 1 or int(numbers[0]) not in self.tables:
            raise ValueError(f"the objects {names[0]} must be in one table that is there, not in {numbers.tolist()}")
        hdu = self.tables[int(numbers[0])]
        first, count = self.row0[found], self.nrows[found]
        size = int(hdu.header["NAXIS2"])
        if (first < 0).any() or (count < 0).any() or (first > size).any() or (count > size - first).any():
            raise ValueError(f"the index goes beyond the {size} rows of table {numbers[0]}")
        if count.sum() > 4 * size + len(count):
            raise ValueError(f"the index refers to the {size} rows of table {numbers[0]} many times over")
        return hdu, first, count


def _footprints_of(hdus: fits.HDUList) -> tuple[FootprintSet, bool]:
    archive = _Archive(hdus)
    # Heavy ones are of classes HeavyFootprintF and so on, by the type of their pixels.
    names = tuple(name for name in np.unique(archive.name).tolist() if "Footprint" in name)
    if not names:
        raise ValueError("the archive holds no footprints")
    listed = _catalogue_ids(hdus)
    if listed is None:
        listed = np.unique(archive.id[np.isin(archive.name, names)])
    there = np.flatnonzero(listed != 0)
    objects = listed[there]
    if not len(objects):
        return FootprintSet._from_columns(np.empty((0, 3), np.int32), np.zeros(len(listed) + 1, np.int64)), False
    runs, counts = _spans(archive, objects, names)
    canonical, offsets = _columns.fuse(runs, np.repeat(there.astype(np.int32), counts), len(listed))
    peaks = _peaks(archive, objects, names, there, len(listed))
    values, partly = _values(archive, objects, names, _measure.extents(runs, offsets_of(counts))[1])
    if values and not np.array_equal(canonical, runs):
        raise ValueError("the spans of heavy footprints are not in order: their pixel values cannot be told apart")
    return checked_footprints(canonical, offsets, peaks=peaks, values=values), partly


def _catalogue_ids(hdus: fits.HDUList) -> NDArray[np.int64] | None:
    """Return what the column `footprint` of a catalogue says, None where there is no catalogue."""
    for hdu in hdus:
        if _has_columns(hdu, ("footprint",)) and hdu.columns["footprint"].format in ("1J", "J", "1K", "K"):
            return np.array(hdu.data["footprint"], np.int64)
    return None


def _spans(archive: _Archive, objects: NDArray, names: tuple[str, ...]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the spans of footprints as runs, and how many each has."""
    hdu, first, count = archive.rows(objects, _SPANS, names)
    if not _has_columns(hdu, ("y", "x0", "x1")):
        if (count != 1).any():
            raise ValueError("a footprint must have one SpanSet")
        sets = np.array(hdu.data["id"], np.int64)[first]
        hdu, first, count = archive.rows(sets, _SPANS, ("SpanSet",))
    index = ranges(first, count)
    y, x0, x1 = (np.array(hdu.data[name], np.int64)[index] for name in ("y", "x0", "x1"))
    if len(x1) and x1.max() >= INT32_MAX:
        raise OverflowError(f"spans must fit into int32, not reach {x1.max()}")
    if (x1 < x0).any():
        raise ValueError("spans must not end before they begin")
    return as_int32_array(np.column_stack((y, x0, x1 + 1)), "spans"), count


def _peaks(archive: _Archive, objects: NDArray, names: tuple[str, ...], there: NDArray, count: int) -> Peaks:
    # Footprints without a peak may have no row in the index.
    have = np.isin(objects, archive.id[(archive.part == _PEAKS) & np.isin(archive.name, names)])
    sizes = np.zeros(count, np.int64)
    if not have.any():
        return Peaks.none(count)
    hdu, first, rows = archive.rows(objects[have], _PEAKS, names)
    sizes[there[have]] = rows
    index = ranges(first, rows)
    columns = {}
    for name in hdu.columns.names:
        if name == "flags" and hdu.columns[name].format.endswith("X"):
            bits = np.array(hdu.data[name])[index]
            for bit in range(bits.shape[1]):
                columns[str(hdu.header.get(f"TFLAG{bit + 1}", f"flag_{bit}"))] = bits[:, bit].copy()
        else:
            column = np.array(hdu.data[name])[index]
            columns[_PEAK_COLUMNS.get(name, name)] = column.astype(column.dtype.newbyteorder("="), copy=False)
    return Peaks.from_columns(columns, offsets_of_counts(sizes, len(index), "peaks"))


def _values(
    archive: _Archive, objects: NDArray, names: tuple[str, ...], areas: NDArray[np.int64]
) -> tuple[dict[str, NDArray], bool]:
    """Return the pixel values of heavy footprints, and whether only some are heavy."""
    heavy = np.isin(objects, archive.id[(archive.part == _PIXELS) & np.isin(archive.name, names)])
    if not heavy.any():
        return {}, False
    hdu, first, rows = archive.rows(objects[heavy], _PIXELS, names)
    if (rows != 1).any():
        raise ValueError("a heavy footprint must have one row of pixels")
    is_heavy = np.repeat(heavy, areas)
    values = {}
    for name in ("image", "mask", "variance"):
        if name not in hdu.columns.names:
            continue
        # One array a row, of any length.
        arrays = [np.asarray(array) for array in hdu.data[name]]
        given = np.concatenate([arrays[row] for row in first])
        if [len(arrays[row]) for row in first] != areas[heavy].tolist():
            raise ValueError(f"the column {name} must have a value for each pixel of each footprint")
        given = given.astype(given.dtype.newbyteorder("="))
        if name == "mask" and given.dtype == np.int16:
            # Kept with an offset that makes them unsigned; LSST's masks are int32.
            given = given.view(np.uint16).astype(np.int32)
        if heavy.all():
            values[name] = given
            continue
        kind = given.dtype if name == "mask" else np.result_type(given.dtype, np.float32)
        values[name] = np.full(len(is_heavy), 0 if name == "mask" else np.nan, kind)
        values[name][is_heavy] = given
    return values, not heavy.all()

"""The peaks of many footprints, in columns: what FootprintSet keeps and its table of peaks is made of."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _columns
from ._ragged import offsets_of, owners_of
from ._validate import as_int32_array, check_unmasked, joined

if TYPE_CHECKING:
    from astropy.table import Table

#: Pixel and value of a peak, as the kernels write them.
PEAK = np.dtype([("x_peak", np.int32), ("y_peak", np.int32), ("peak_value", np.float64)])
PIXEL_COLUMNS = ("x_peak", "y_peak", "peak_value")

_DESCRIPTIONS = {
    "id": "number of the peak",
    "x_peak": "column of the peak's pixel",
    "y_peak": "row of the peak's pixel",
    "x": "position of the peak in x",
    "y": "position of the peak in y",
    "peak_value": "value of the peak's pixel",
}


class Peaks:
    """Peaks in the order of their footprints, and where those of each begin.

    ``pixels`` holds what every peak has; ``columns`` what was added. A missing ``id`` is the number of the peak from 1
    on, missing ``x`` and ``y`` are those of the pixel.
    """

    __slots__ = ("columns", "offsets", "pixels")

    def __init__(self, pixels: NDArray, offsets: NDArray[np.int64], columns: dict[str, NDArray] | None = None):
        self.pixels, self.offsets, self.columns = pixels, offsets, columns or {}
        places = {name: self.columns[name].astype(float, copy=False) for name in ("x", "y") if name in self.columns}
        self.columns = self.columns | places
        for array in (pixels, offsets, *self.columns.values()):
            array.flags.writeable = False

    @classmethod
    def none(cls, count: int) -> "Peaks":
        """Return the peaks of footprints that have none."""
        return cls(np.empty(0, PEAK), np.zeros(count + 1, np.int64))

    @classmethod
    def sorted(cls, parts: Iterable[NDArray], labels: NDArray[np.int32], sign: NDArray[np.int8]) -> "Peaks":
        """Return peaks grouped by label, the most significant first; they are numbered as they come out.

        Their pixels come in one or several arrays.
        """
        ordered, offsets, _ = _columns.sort_peaks([pixels.view(np.uint8) for pixels in parts], labels, sign, False)
        return cls(ordered.view(PEAK), offsets)

    @classmethod
    def from_table(cls, table: "Table") -> "Peaks":
        """Return the peaks of a table as those of one footprint; x_peak, y_peak and peak_value must be there."""
        if not hasattr(table, "colnames"):
            raise TypeError(f"peaks must be a Table, not {type(table).__name__}")
        peaks = cls.from_columns({name: _plain(table[name], name) for name in table.colnames})
        check_ids(peaks["id"])
        return peaks

    @classmethod
    def from_columns(cls, columns: dict[str, NDArray], offsets: NDArray[np.int64] | None = None) -> "Peaks":
        """Return peaks in the order of their footprints, or of one; x_peak, y_peak and peak_value must be there."""
        missing = set(PIXEL_COLUMNS).difference(columns)
        if missing:
            raise KeyError(f"peaks must have the columns {', '.join(PIXEL_COLUMNS)}; {sorted(missing)} are missing")
        value = columns["peak_value"]
        if value.dtype.kind not in "biuf":
            raise TypeError(f"peak_value must be real numbers, not dtype {value.dtype}")
        if np.isnan(value).any():
            raise ValueError("peak_value must not be NaN: such peaks have no order")
        for name in PIXEL_COLUMNS:
            if columns[name].shape != (len(value),):
                raise ValueError(f"{name} must be one value for each of {len(value)} peaks, not {columns[name].shape}")
        offsets = np.array([0, len(value)]) if offsets is None else offsets
        pixels = np.empty(len(value), PEAK)
        for name in ("x_peak", "y_peak"):
            pixels[name] = as_int32_array(columns[name], name)
        pixels["peak_value"] = value
        others = {name: column for name, column in columns.items() if name not in PIXEL_COLUMNS}
        for name, column in others.items():
            check_column(name, column, len(value))
        return cls(pixels, offsets, others)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, name: str) -> NDArray:
        if name in PIXEL_COLUMNS:
            return self.pixels[name]
        if name in self.columns:
            return self.columns[name]
        if name == "id":
            return np.arange(1, len(self) + 1)
        if name in ("x", "y"):
            return self.pixels[f"{name}_peak"].astype(float)
        raise KeyError(f"peaks have no column {name!r}; they have {self.names}")

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [*_DESCRIPTIONS, *(name for name in self.columns if name not in _DESCRIPTIONS)]

    @property
    def owners(self) -> NDArray[np.int32]:
        """The footprint that each peak is of."""
        return owners_of(self.offsets)

    def equals(self, other: "Peaks") -> bool:
        """Whether all columns and offsets are equal."""
        return (
            np.array_equal(self.offsets, other.offsets)
            and set(self.names) == set(other.names)
            and all(same(self[name], other[name]) for name in self.names)
        )

    def with_offsets(self, order: NDArray[np.int64] | None, offsets: NDArray[np.int64]) -> "Peaks":
        """Return the peaks `order`, or all, grouped anew; ids stay with their peaks."""
        if order is None:
            return Peaks(self.pixels, offsets, self.columns)
        columns = {name: column[order] for name, column in (self.columns | {"id": self["id"]}).items()}
        return Peaks(self.pixels[order], offsets, columns)

    def with_columns(self, **columns: ArrayLike) -> "Peaks":
        """Return the peaks with columns added or replaced."""
        return Peaks(self.pixels, self.offsets, self.columns | {k: np.array(v) for k, v in columns.items()})

    def grouped(self, labels: NDArray[np.int32], sign: NDArray[np.int8]) -> "Peaks":
        """Return the peaks grouped by label, those with a negative one left out, the most significant first."""
        labels, sign = np.ascontiguousarray(labels, np.int32), np.ascontiguousarray(sign, np.int8)
        _, offsets, order = _columns.sort_peaks([self.pixels.view(np.uint8)], labels, sign, True)
        return self.with_offsets(order, offsets)

    def table(self) -> "Table":
        """Return a new table of all peaks."""
        from astropy.table import Table

        table = Table({name: self[name] for name in self.names}, copy=True)
        for name, description in _DESCRIPTIONS.items():
            table[name].info.description = description
        return table


def _plain(column: Any, name: str) -> NDArray:
    """Return a copy of a column of a table that is an array and nothing more."""
    from astropy.table import Column

    if not isinstance(column, Column):
        raise TypeError(f"{name} must be a plain column, not {type(column).__name__}")
    if column.unit is not None and str(column.unit) not in ("", "pix"):
        raise TypeError(f"{name} must have no unit, which peaks do not keep, not {column.unit}")
    check_unmasked(column, name)
    return np.array(column)


def check_ids(ids: ArrayLike) -> None:
    """Raise ValueError if peaks share an id; only those of footprints that were taken twice may, also in files."""
    if len(np.unique(ids)) < np.size(ids):
        raise ValueError("id must be different for each peak")


def check_column(name: str, column: ArrayLike, count: int) -> None:
    """Raise TypeError or ValueError if a column of so many peaks, one that they may lack, is not as it must be."""
    if np.shape(column)[:1] != (count,):
        raise ValueError(f"{name} must have a value for each of {count} peaks, not {np.shape(column)}")
    check_unmasked(column, name)
    array = np.asarray(column)
    if name not in ("id", "x", "y") or not array.size:
        return
    if array.ndim > 1:
        raise ValueError(f"{name} must be one number a peak, not of the shape {array.shape}")
    if name == "id":
        if array.dtype.kind not in "iu":
            raise TypeError(f"id must be integers, not dtype {array.dtype}")
        return
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be real numbers, not dtype {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {array[~np.isfinite(array)][0]}")


def same(a: NDArray, b: NDArray) -> bool:
    """Whether two arrays are equal, NaN being equal to itself."""
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def in_json(column: NDArray, name: str) -> list[Any]:
    """Return a column as JSON has it, which knows no infinities and no NaN: they are texts, that NumPy reads again."""
    if column.dtype.kind not in "biufU" or (column.dtype.kind == "f" and column.dtype.itemsize > 8):
        raise ValueError(f"the column {name!r} of peaks, of {column.dtype}, cannot be kept in JSON")
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        column = np.where(np.isfinite(column), column.astype(object), column.astype(str))
    values: list[Any] = column.tolist()
    return values


def dtype_from_json(text: Any) -> np.dtype:
    """Return the dtype that JSON gives for a column of peaks."""
    dtype = np.dtype(str(text))
    if dtype.kind not in "biufU" or dtype.itemsize > 4096:
        raise ValueError(f"a column of peaks cannot be of {text!r}")
    return dtype


def concatenated(parts: Sequence[Peaks]) -> Peaks:
    """Return all peaks of all footprints; clashing ids are made anew.

    Peaks that lack a column have NaN there, or empty strings.

    Raises
    ------
    TypeError
        If a column is of different kinds.
    ValueError
        If some peaks lack a column of integers or booleans, or have another number of values in it.
    """
    if len(parts) == 1:
        return parts[0]
    starts = offsets_of([len(part) for part in parts])
    offsets = np.concatenate(
        [np.zeros(1, np.int64), *(part.offsets[1:] + start for part, start in zip(parts, starts, strict=False))]
    )
    columns: dict[str, NDArray] = {}
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        having = [part[name] for part in parts if len(part) and name in part.names]
        like = having[0] if having else next(part.columns[name] for part in parts if name in part.columns)
        if any(_kind_of(other) != _kind_of(like) for other in having):
            kinds = ", ".join(sorted({str(column.dtype) for column in having}))
            raise TypeError(f"the column {name!r} of peaks must be of one kind to be joined, not of the dtypes {kinds}")
        if any(other.shape[1:] != like.shape[1:] for other in having):
            shapes = ", ".join(sorted({str(column.shape[1:]) for column in having}))
            raise ValueError(f"the column {name!r} of peaks must have one shape a peak to be joined, not {shapes}")
        columns[name] = joined([_filled(part, name, like) for part in parts], name)
    ids = columns.get("id")
    if ids is not None and len(np.unique(ids)) < len(ids):
        del columns["id"]
    return Peaks(np.concatenate([part.pixels for part in parts]), offsets, columns)


def _kind_of(column: NDArray) -> str:
    """Return what kind of values a column has; integers go with floats."""
    return column.dtype.kind.replace("u", "f").replace("i", "f")


def _filled(part: Peaks, name: str, like: NDArray) -> NDArray:
    """Return a column of peaks that may lack it, and then has nothing to say."""
    shape = (len(part), *like.shape[1:])
    if len(part) == 0:
        return np.empty(shape, like.dtype)
    if name in part.names:
        return part[name]
    if like.dtype.kind in "SU":
        return np.zeros(shape, like.dtype)
    if like.dtype.kind not in "fc":
        raise ValueError(
            f"some of the peaks to be joined lack the column {name!r}, and there is nothing to say so in a column of "
            f"dtype {like.dtype}; see with_peak_columns"
        )
    return np.full(shape, np.nan, like.dtype)

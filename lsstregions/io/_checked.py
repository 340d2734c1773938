"""What readers do with what they find in files: check it before use, and say in one error what is wrong."""

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._peaks import Peaks
from .._pixel_region import LossWarning
from .._ragged import offsets_of
from .._validate import INT32_MAX, as_int32_array, as_offsets
from .._warn import warn
from ..footprints import FootprintSet
from ..geom import Box2I

#: The most rows that outlines in a file may cover; as spans they take 0.8 gigabytes. Those of a small file may cover
#: fewer, and more for each number that it gives.
MAX_ROWS, FEW_ROWS, ROWS_PER_NUMBER = 2**26, 2**22, 2**10

#: The most bytes that a file may unpack to: gzip packs a thousand of them into one.
MAX_UNPACKED = 2**31


class FileFormatError(OSError, ValueError):
    """A file is not what it should be: truncated, corrupt, of another format, or of a later version of it."""


@contextmanager
def reading(path: Any) -> Iterator[None]:
    """Turn whatever goes wrong with the content of a file into a `FileFormatError` that names it."""
    try:
        yield
    except (FileFormatError, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:
        raise FileFormatError(f"{name_of(path)}: {str(error) or type(error).__name__}") from error


def name_of(path: Any) -> str:
    """Return what to call a path or an open file in a message."""
    if isinstance(path, str | os.PathLike):
        return os.fspath(path)
    return str(getattr(path, "name", None) or getattr(getattr(path, "raw", None), "name", None) or "the file")


def content(path: Any) -> bytes:
    """Return the bytes of a path or an open binary file, uncompressed.

    Raises
    ------
    ValueError
        If it unpacks to more than `MAX_UNPACKED` bytes.
    """
    if isinstance(path, str | os.PathLike):
        with open(path, "rb") as file:
            return content(file)
    # Other files may unpack what they read, as those that astropy opens do.
    data = path.read() if isinstance(path, _PLAIN) else _unpacked(path)
    return _unpacked(gzip.open(io.BytesIO(data))) if data[:2] == b"\x1f\x8b" else data


_PLAIN = (io.FileIO, io.BufferedReader, io.BytesIO)


def _unpacked(file: Any) -> bytes:
    data = file.read(MAX_UNPACKED + 1)
    if len(data) > MAX_UNPACKED:
        raise ValueError(f"it unpacks to more than {MAX_UNPACKED} bytes; unpack it first")
    return data


def checked_footprints(
    spans: ArrayLike,
    offsets: ArrayLike,
    region: Box2I | None = None,
    *,
    peaks: Peaks | None = None,
    sign: ArrayLike | None = None,
    values: dict[str, NDArray] | None = None,
) -> FootprintSet:
    """Return columns that come from a file as a FootprintSet, if that is what they are.

    Raises
    ------
    ValueError, OverflowError
        If offsets fall or end elsewhere, spans are not canonical in their footprint, or columns differ in length.
    """
    runs, begins = checked_columns(spans, offsets)
    count = len(begins) - 1
    if sign is not None:
        sign = np.array(sign, np.int8)
        if sign.shape != (count,) or (np.abs(sign) > 1).any():
            raise ValueError(f"sign must be 1, 0 or -1 for each of {count} footprints")
    area = int((runs[:, 2].astype(np.int64) - runs[:, 1]).sum())
    for name, column in (values or {}).items():
        if column.shape != (area,):
            raise ValueError(f"{name} must have a value for each of {area} pixels, not the shape {column.shape}")
    return FootprintSet._from_columns(runs, begins, region, peaks=peaks, sign=sign, values=values)


def checked_columns(spans: ArrayLike, offsets: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return spans and offsets of which a kernel can be sure: the one canonical in each footprint, the other rising."""
    runs = as_int32_array(spans, "spans")
    if runs.ndim != 2 or runs.shape[1] != 3:
        raise ValueError(f"spans must have the shape (n, 3), not {runs.shape}")
    begins = as_offsets(offsets, len(runs), "offsets")
    y, x_start, x_stop = runs.T
    _refuse(x_stop <= x_start, runs, "is empty or stops before it starts")
    _refuse(y == INT32_MAX, runs, "lies beyond int32")
    out_of_order = np.zeros(len(runs), bool)
    out_of_order[1:] = (y[1:] < y[:-1]) | ((y[1:] == y[:-1]) & (x_start[1:] <= x_stop[:-1]))
    # The first span of a footprint may lie anywhere.
    out_of_order[begins[:-1][begins[:-1] < len(runs)]] = False
    _refuse(out_of_order, runs, "is out of order, or overlaps or touches the one before it")
    return runs, begins


def offsets_of_counts(counts: ArrayLike, total: int, name: str) -> NDArray[np.int64]:
    """Return where each of several groups begins, of which the sizes are known."""
    array = np.asarray(counts)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be integers, not of dtype {array.dtype}")
    if len(array) and (array.min() < 0 or array.max() > total):
        raise ValueError(f"{name} must lie between 0 and {total}, not {array.min()} and {array.max()}")
    offsets = offsets_of(array)
    if offsets[-1] != total:
        raise ValueError(f"{name} must add up to {total}, not to {offsets[-1]}")
    return offsets


def check_rows(count: float, given: int) -> None:
    """Refuse too many rows for so many numbers of a file: a few of an outline or a run length can mean any number."""
    most = min(MAX_ROWS, FEW_ROWS + ROWS_PER_NUMBER * given)
    if not count <= most:
        raise ValueError(f"footprints of {given} numbers must not take more than {most} rows in all, not {count:.3g}")


def checked_box(edges: Any) -> Box2I | None:
    """Return a box from its edges ``x_start, x_stop, y_start, y_stop``, or None from None."""
    if edges is None:
        return None
    x_start, x_stop, y_start, y_stop = edges
    return Box2I((x_start, x_stop), (y_start, y_stop))


def _refuse(bad: NDArray[np.bool_], runs: NDArray[np.int32], reason: str) -> None:
    if bad.any():
        i = int(bad.argmax())
        raise ValueError(f"span {i}, (y, x_start, x_stop) = {tuple(runs[i].tolist())}, {reason}")


def losses(footprints: FootprintSet) -> set[str]:
    """Return what these footprints have beyond pixels."""
    there = {
        "peaks": len(footprints._peaks) > 0,
        "signs": bool((footprints.sign != 1).any()),
        "pixel values": footprints.is_heavy,
        "the region": footprints.region is not None,
        "empty footprints": bool((np.diff(footprints.offsets) == 0).any()),
    }
    return {name for name, has in there.items() if has}


def warn_of_loss(footprints: FootprintSet, format_name: str, kept: tuple[str, ...] = ()) -> None:
    """Warn of what a format cannot keep of these footprints."""
    warn_of(losses(footprints).difference(kept), format_name)


def warn_of(lost: set[str], format_name: str) -> None:
    """Warn of what a format cannot keep, if there is something."""
    if lost:
        warn(f"{format_name} files do not keep {', '.join(sorted(lost))}", LossWarning)

"""The one layer that checks what users pass: kinds, ranges, byte order. Kernels trust what comes out of it."""

import math
import operator
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _runs

T = TypeVar("T")

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1
#: The most rows that one call makes spans for: beyond, an argument is a mistake and not a task.
MAX_ROWS = 2**28


def require(value: Any, kind: type[T], name: str) -> T:
    """Return `value`, which must be of a class."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIO" else "a"
        hint = "; Box2I.from_shape(shape) makes one" if kind.__name__ == "Box2I" and isinstance(value, tuple) else ""
        raise TypeError(f"{name} must be {article} {kind.__name__}, not {value!r:.100}{hint}")
    return value


def as_int(value: Any, name: str) -> int:
    """Return `value` as a Python int; floats are refused, even integral ones."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None


def as_int32(value: Any, name: str) -> int:
    """Return `value` as an int that fits into int32."""
    result = as_int(value, name)
    if not INT32_MIN <= result <= INT32_MAX:
        raise OverflowError(f"{name} must fit into int32, not {result}")
    return result


def as_float(value: Any, name: str) -> float:
    """Return `value` as a float; NaN and infinities pass."""
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None


def as_finite(value: Any, name: str) -> float:
    """Return `value` as a finite float."""
    result = as_float(value, name)
    if not math.isfinite(result):
        raise ValueError(f"{name} must be finite, not {result}")
    return result


def as_radians(angle: Any, name: str = "angle") -> float:
    """Return an angle, a number in radians or a Quantity, as a finite float in radians."""
    return as_finite(angle.to_value("rad") if hasattr(angle, "to_value") else angle, name)


def as_any_pair(pair: Any, name: str) -> tuple[Any, Any]:
    """Return the two parts of a pair, of any kind."""
    try:
        first, second = pair
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a pair, not {pair!r}") from None
    return first, second


def as_pair(pair: Any, name: str) -> tuple[int, int]:
    """Return a pair of int32 such as ``xy0`` or a shape."""
    first, second = as_any_pair(pair, name)
    return as_int32(first, f"{name}[0]"), as_int32(second, f"{name}[1]")


def as_connectivity(connectivity: Any) -> int:
    """Return 4 or 8."""
    if np.ndim(connectivity) or connectivity not in (4, 8):
        raise ValueError(f"connectivity must be 4 or 8, not {connectivity!r}")
    return int(connectivity)


def as_rows(count: int, name: str) -> int:
    """Return how many rows an argument asks for, if memory can be expected to hold them."""
    if count > MAX_ROWS:
        raise ValueError(f"{name} takes {count} rows; at most {MAX_ROWS} are made at once")
    return count


def as_dtype(values: NDArray, dtype: np.dtype, name: str) -> NDArray:
    """Return `values` for an array of another dtype: floats may be rounded, integers must fit."""
    if dtype.kind in "iu" and values.dtype.kind in "iubO":
        info = np.iinfo(dtype)
        least, most = (int(values.min()), int(values.max())) if values.size else (0, 0)
        if least < info.min or most > info.max:
            raise OverflowError(f"{name} of dtype {dtype} cannot hold {least if least < info.min else most}")
    elif not np.can_cast(values.dtype, dtype, "same_kind"):
        raise TypeError(f"{name} of dtype {dtype} cannot hold values of dtype {values.dtype}")
    return values.astype(dtype, copy=False)


def as_numbers(values: Any, name: str) -> NDArray[np.float64]:
    """Return numbers, of pixels if they have a unit, as doubles of the same shape."""
    if type(values) is np.ndarray and values.dtype == np.float64:
        return values
    _check_pixels(values, name)
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO" or (array.dtype.kind == "O" and any(v is None for v in array.flat)):
            raise TypeError
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be real numbers, not {values!r}") from None


def _check_pixels(values: Any, name: str) -> None:
    """Raise an error for numbers of another unit than pixels, and for masked ones."""
    if hasattr(values, "unit") and str(values.unit) not in ("", "pix", "None"):
        raise TypeError(f"{name} must be in pixels, not of the unit {values.unit}")
    check_unmasked(values, name)


def as_coordinates(values: Any, name: str) -> Any:
    """Return numbers as an array of integers or doubles: in smaller floats they would be compared with rounded ends."""
    _check_pixels(values, name)
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be numbers, not {values!r}")
    return array.astype(np.float64, copy=False) if array.dtype.kind == "f" else array


def as_points(x: Any, y: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, ...]]:
    """Return the coordinates of points, broadcast and flat, and the shape that they had."""
    arrays = as_numbers(x, "x"), as_numbers(y, "y")
    try:
        columns, rows = np.broadcast_arrays(*arrays)
    except ValueError:
        raise ValueError(
            f"x and y must have shapes that broadcast, not {arrays[0].shape} and {arrays[1].shape}"
        ) from None
    return np.ascontiguousarray(columns).reshape(-1), np.ascontiguousarray(rows).reshape(-1), columns.shape


def is_masked(array: Any) -> bool:
    """Whether an array, of `numpy.ma` or of `astropy.utils.masked`, has masked entries."""
    return hasattr(array, "mask") and hasattr(array, "filled") and bool(np.any(array.mask))


def check_unmasked(array: Any, name: str) -> None:
    """Raise ValueError for a masked array with masked entries: what is under the mask would be taken for good."""
    if is_masked(array):
        raise ValueError(f"{name} must have no masked entries; fill them first")


def unmasked(array: Any) -> Any:
    """Return an array with NaN where it is masked: what is not known passes no threshold and makes no error."""
    return array.astype(np.result_type(array.dtype, np.float32)).filled(np.nan) if is_masked(array) else array


def joined(arrays: Sequence[NDArray], name: str) -> NDArray:
    """Return arrays one after the other; what is of integers remains so, where NumPy makes floats of int64 and uint64.

    Raises
    ------
    OverflowError
        If the integers fit neither int64 nor uint64.
    """
    kinds = {array.dtype.kind for array in arrays}
    if np.result_type(*arrays).kind == "f" and kinds <= {"b", "i", "u"}:
        ends = [int(end) for array in arrays if array.size for end in (array.min(), array.max())]
        dtype = np.dtype(np.uint64 if max(ends, default=0) > np.iinfo(np.int64).max else np.int64)
        arrays = [as_dtype(array, dtype, name) for array in arrays]
    return np.concatenate(arrays)


def as_array2d(array: ArrayLike, name: str) -> NDArray:
    """Return `array` as a 2-D array of native byte order; contiguity is left as it is."""
    check_unmasked(array, name)
    result = np.asarray(array)
    if result.ndim != 2:
        raise ValueError(f"{name} must be 2-D, not of shape {result.shape}")
    return native(result)


def native(array: NDArray) -> NDArray:
    """Return `array` in this machine's byte order (FITS data is big-endian); a copy only if it is not."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def as_int32_array(values: ArrayLike, name: str) -> NDArray[np.int32]:
    """Return integral `values` as a C-contiguous int32 array; what is not integral or too large is refused."""
    check_unmasked(values, name)
    array = np.asarray(values)
    if array.dtype == np.int32:
        return np.ascontiguousarray(array)
    if array.size == 0 and array.dtype.kind in "iufb":
        return np.ascontiguousarray(array, dtype=np.int32)
    if array.dtype.kind == "O":
        # Python integers beyond int64 come as objects.
        array = _from_objects(array, name)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be integers, not of dtype {array.dtype}")
    if array.dtype.kind == "f" and not np.array_equal(array, np.trunc(array)):
        raise ValueError(f"{name} must be integral, not {array[array != np.trunc(array)][0].item()}")
    if array.max() > INT32_MAX or array.min() < INT32_MIN:
        raise OverflowError(f"{name} must fit into int32, not {array.min().item()} to {array.max().item()}")
    return np.ascontiguousarray(array, dtype=np.int32)


def _from_objects(array: NDArray, name: str) -> NDArray:
    flat = [as_int32(value, name) for value in array.flat]
    return np.array(flat, dtype=np.int32).reshape(array.shape)


def as_offsets(values: ArrayLike, total: int, name: str) -> NDArray[np.int64]:
    """Return offsets that begin at 0, never fall and end at `total`."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, not dtype {array.dtype}")
    array = np.ascontiguousarray(array, dtype=np.int64)
    if array.ndim != 1 or not array.size or array[0] != 0 or array[-1] != total or (np.diff(array) < 0).any():
        raise ValueError(f"{name} must rise from 0 to {total}, not {array!r:.100}")
    return array


def as_runs(runs: ArrayLike, name: str) -> NDArray[np.int32]:
    """Return runs ``(y, x_start, x_stop)``, in any order, as canonical ones: int32 of shape (n, 3)."""
    check_unmasked(runs, name)
    array = np.asarray(runs)
    if array.size == 0 and array.ndim < 2:
        array = np.empty((0, 3), np.int32)
    if array.ndim != 2 or array.shape[1] != 3:
        raise ValueError(f"{name} must have the shape (n, 3), not {array.shape}")
    array = as_int32_array(array, name)
    if len(array) and (array[:, 2] < array[:, 1]).any():
        backwards = array[array[:, 2] < array[:, 1]][0].tolist()
        raise ValueError(f"{name} must not stop before they start: (y, x_start, x_stop) = {tuple(backwards)}")
    if len(array) and array[:, 0].max() == INT32_MAX:
        raise OverflowError(f"{name} must lie in rows below {INT32_MAX}")
    return _runs.canonical(array)

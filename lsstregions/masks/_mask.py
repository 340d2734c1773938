"""Mask: an image of bits, each a named plane."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike, NDArray

from .. import _planes, _runs
from .._validate import as_int32, as_pair, check_unmasked, native
from ..footprints import FootprintSet
from ..geom import Box2I
from ..raster import Unprojectable, runs_of, unordered_runs_of
from ..raster._dispatch import SkippingWCS, projecting
from ..spans import Shape, SpanSet
from ._schema import MASKED, MaskPlane, MaskSchema, bit_numbers, bit_of

if TYPE_CHECKING:
    from ..plotting import MaskOverlay

_ALL_BITS = (1 << 64) - 1
# Planes become runs by way of so many booleans at a time.
_BLOCK = 1 << 20


class Mask(NDArrayOperatorsMixin):
    """A 2-D image of bits with the names of the bits and a place in the pixel plane.

    Wherever an array is expected, NumPy and astropy included, a mask is the boolean array of its bad pixels:
    those with at least one of the planes that the schema declares bad. A pixel that is ``DETECTED`` is not.

    Parameters
    ----------
    pixels : (int, int), Box2I, Mask, or integer or bool array
        The shape (ny, nx) of a new mask without any bit set, or the box that it covers; or an array of shape
        (ny, nx) of 8 to 64 bits, which is wrapped without a copy where possible. Its bits count, the sign bit
        too; True is bit 0. For a schema beyond 64 bits: an array of shape (n_words, ny, nx) of uint64, where
        bit ``b`` is bit ``b % 64`` of word ``b // 64``. Of a Mask the planes are copied by their names.
    schema : MaskSchema
        What the bits mean.
    xy0 : (int, int), optional
        Coordinates of the first pixel, ``(0, 0)`` unless `pixels` is a box.
    copy : bool, optional
        Whether to copy the array: always (True), never (False), or only where it must be (None), because its
        byte order is foreign, it is not aligned, the pixels of a row are not next to each other, or it is a bool
        array and there are more planes than one.

    Raises
    ------
    TypeError
        If `schema` is no MaskSchema, `pixels` is none of these, or a box comes with an `xy0`.
    ValueError
        If the array has too few bits, pixels have bits that no plane has, or a copy is needed but forbidden.
    OverflowError
        If a coordinate does not fit into int32.

    Examples
    --------
    >>> mask = Mask((4, 5), MaskSchema.lsst(), xy0=(100, 200))
    >>> mask.set(["SAT", "DETECTED"], Box2I(x=(101, 103), y=(200, 202)))
    >>> mask.count()["SAT"]
    4
    >>> mask.interpret(mask.array[0, 1])
    ('SAT', 'DETECTED')
    """

    __slots__ = ("_schema", "_words", "_xy0")
    __array_priority__ = 100

    _schema: MaskSchema
    _words: NDArray
    _xy0: tuple[int, int]

    def __init__(
        self, pixels: Any, schema: MaskSchema, xy0: tuple[int, int] | None = None, *, copy: bool | None = None
    ):
        if not isinstance(schema, MaskSchema):
            raise TypeError(f"schema must be a MaskSchema, not {schema!r}")
        if isinstance(pixels, Box2I):
            if xy0 is not None:
                raise TypeError("a box has its own xy0; give one of the two")
            xy0 = (pixels.x.start, pixels.y.start)
            pixels = pixels.shape
        if isinstance(pixels, Mask):
            xy0 = pixels.xy0 if xy0 is None else xy0
            pixels = pixels.conform(schema, copy=copy is not False).array
        self._schema = schema
        self._xy0 = as_pair((0, 0) if xy0 is None else xy0, "xy0")
        if isinstance(pixels, tuple):
            self._words = _zeros(as_pair(pixels, "shape"), schema)
        else:
            self._words = _as_words(pixels, schema, copy)
            _check_bits(self._words, schema)
        for start, size in zip(self._xy0, self._words.shape[:0:-1], strict=True):
            as_int32(start + size, "the end of the mask")

    @classmethod
    def _wrap(cls, words: NDArray, schema: MaskSchema, xy0: tuple[int, int]) -> Self:
        """Return a mask of words that are known to be good."""
        mask = cls.__new__(cls)
        mask._words, mask._schema, mask._xy0 = words, schema, xy0
        return mask

    # What it is

    @property
    def schema(self) -> MaskSchema:
        """What the bits mean."""
        return self._schema

    @property
    def array(self) -> NDArray:
        """The bits, not a copy of them: unsigned integers (ny, nx), or (n_words, ny, nx) beyond 64 bits."""
        return self._words[0] if len(self._words) == 1 else self._words

    @property
    def xy0(self) -> tuple[int, int]:
        """Coordinates of the first pixel."""
        return self._xy0

    @property
    def bbox(self) -> Box2I:
        """The box that the mask covers."""
        return Box2I.from_shape(self.shape, xy0=self._xy0)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self._words.shape[1], self._words.shape[2]

    @property
    def ndim(self) -> int:
        """Number of dimensions, 2."""
        return 2

    @property
    def size(self) -> int:
        """Number of pixels."""
        return self._words.shape[1] * self._words.shape[2]

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the array that a mask stands for: bool. That of the bits is ``mask.array.dtype``."""
        return np.dtype(bool)

    # Setting bits

    def set(
        self, planes: str | Iterable[str], region: Any, wcs: Any = None, *, unprojectable: Unprojectable = "raise"
    ) -> None:
        """Set planes in a region.

        Parameters
        ----------
        planes : str or iterable of str
            One plane or several.
        region : region-like, bool array or ...
            Anything that `rasterize` knows: a SpanSet, footprints, boxes, ``regions``, lists of them. Its
            coordinates are those of the pixel plane, so `xy0` counts. Parts outside the mask are left out.
            A bool array, also one in a list, must have the shape of the mask. ``...`` is every pixel.
        wcs : APE-14 WCS, optional
            From the pixel plane (not from array indices, where `xy0` is not 0) to the sky, for sky regions.
        unprojectable : {"raise", "skip"}, optional
            What to do with regions on the sky that do not project, as of `rasterize`.

        Warns
        -----
        SkippedRegionWarning
            If such regions are skipped.

        Raises
        ------
        KeyError
            If there is no such plane.
        ValueError
            If the mask is read-only, or a bool array has another shape.
        """
        self._paint(planes, region, projecting(wcs, unprojectable), "set")

    def clear(
        self,
        planes: str | Iterable[str] | None = None,
        region: Any = ...,
        wcs: Any = None,
        *,
        unprojectable: Unprojectable = "raise",
    ) -> None:
        """Clear planes, all of them by default, in a region, everywhere by default; see `set`.

        Raises
        ------
        KeyError, ValueError
            As by `set`.
        """
        planes = self._schema.names if planes is None else planes
        self._paint(planes, ... if region is None else region, projecting(wcs, unprojectable), "clear")

    def toggle(
        self, planes: str | Iterable[str], region: Any, wcs: Any = None, *, unprojectable: Unprojectable = "raise"
    ) -> None:
        """Invert planes in a region; see `set`.

        Raises
        ------
        KeyError, ValueError
            As by `set`.
        """
        self._paint(planes, region, projecting(wcs, unprojectable), "toggle")

    def dilate(self, planes: str | Iterable[str], element: float | SpanSet, shape: Shape = "disk") -> None:
        """Grow planes, each on its own, by a shape of that radius or by a structuring element.

        See `SpanSet.dilate`; what grows beyond the mask is left out.
        """
        for plane in self._schema._select(planes):
            self.set(plane.name, self.spans(plane.name).dilate(element, shape))

    def update(self, other: Mask) -> None:
        """Set every bit that another mask has set, by the name of its plane; the same as ``self |= other``.

        What is bad is as this mask has it, whatever the other one says; ``self | other`` refuses to choose.

        Raises
        ------
        TypeError
            If `other` is no Mask.
        KeyError
            If the other has a plane that this mask has not.
        ValueError
            If they cover different pixels, or this mask is read-only.
        """
        self._check_writeable()
        _check_same_pixels(self, other)
        self._schema._select(other._schema.names)
        self._words |= _conformed(other, self._schema, self._words.dtype)

    def _paint(self, planes: str | Iterable[str], region: Any, wcs: Any, action: str) -> None:
        bits = self._schema.bitmask([plane.name for plane in self._schema._select(planes)])
        self._check_writeable()
        dtype = self._words.dtype
        where = _bool_pixels(region, self.shape)
        region = self._placed(region)
        runs = self._runs(region, wcs, action) if where is None else None
        for k, word in enumerate(self._words):
            part = bits >> _width(dtype) * k & _all_bits(dtype)
            if part == 0:
                continue
            if runs is not None:
                keep = _ALL_BITS if action == "toggle" else _repeated(_all_bits(dtype) & ~part, dtype)
                flip = 0 if action == "clear" else _repeated(part, dtype)
                _planes.paint(_bytes(word), runs, *self._xy0, dtype.itemsize, keep, flip)
            elif action == "set":
                word |= where * dtype.type(part)
            elif action == "clear":
                word &= ~(where * dtype.type(part))
            else:
                word ^= where * dtype.type(part)

    def _placed(self, region: Any) -> Any:
        """Return lists in which bool arrays have become pixels of this mask."""
        if not isinstance(region, list | tuple) or not {list, tuple, np.ndarray} & set(map(type, region)):
            return region
        wheres = [_bool_pixels(part, self.shape) for part in region]
        return [
            self._placed(part) if where is None else SpanSet.from_mask(where, self._xy0)
            for part, where in zip(region, wheres, strict=True)
        ]

    def _runs(self, region: Any, wcs: Any, action: str) -> NDArray[np.int32]:
        if isinstance(region, FootprintSet):
            # A pixel in two footprints is toggled once; for the rest they may come as they are.
            return region.union().array if action == "toggle" else region.spans
        # Lists are what leaves members out.
        region = [region] if isinstance(wcs, SkippingWCS) else region
        return (runs_of if action == "toggle" else unordered_runs_of)(region, wcs, self.bbox)

    def _check_writeable(self) -> None:
        if not self._words.flags.writeable:
            raise ValueError("the mask is read-only, because the array that it wraps is; copy() it to set bits")

    # Asking

    def to_bool(self, planes: str | Iterable[str] | None = None) -> NDArray[np.bool_]:
        """Return where any of the planes is set, by default of those declared bad: a new array (ny, nx)."""
        bits = self._schema.bitmask(self._schema.bad if planes is None else planes)
        result = np.empty(self.shape, bool)
        dtype = self._words.dtype
        for k, word in enumerate(self._words):
            part = bits >> _width(dtype) * k & _all_bits(dtype)
            if k == 0 or part:
                _planes.any_of(_bytes(word), dtype.itemsize, part, result.view(np.uint8), k > 0)
        return result

    def spans(self, planes: str | Iterable[str] | None = None) -> SpanSet:
        """Return the pixels where any of the planes is set, by default of those declared bad."""
        names = self._schema.bad if planes is None else [plane.name for plane in self._schema._select(planes)]
        ny, nx = self.shape
        rows = max(1, _BLOCK // max(nx, 1))
        x0, y0 = self._xy0
        blocks = (self[start : start + rows].to_bool(names) for start in range(0, ny, rows))
        parts = [_runs.from_mask(block.view(np.uint8), x0, y0 + i * rows) for i, block in enumerate(blocks)]
        return SpanSet._from_canonical(np.concatenate([np.empty((0, 3), np.int32), *parts]))

    def _are_set(self, words: Iterable[Any], planes: Iterable[str]) -> Any:
        """Return where any of the planes is set in words of some pixels."""
        bits, width = self._schema.bitmask(planes), _width(self._words.dtype)
        parts = [
            (word & word.dtype.type(bits >> width * k & _all_bits(word.dtype))) != 0 for k, word in enumerate(words)
        ]
        return functools.reduce(operator.or_, parts)

    def footprints(self, planes: str | Iterable[str] | None = None, *, connectivity: int = 8) -> FootprintSet:
        """Return the connected parts of `spans`, in raster order; their region is the mask's `bbox`."""
        return self.spans(planes).components(connectivity).with_region(self.bbox)

    def count(self) -> dict[str, int]:
        """Return the number of pixels of each plane, by name."""
        counts = np.concatenate([_planes.count_bits(_bytes(word), word.dtype.itemsize) for word in self._words])
        return {plane.name: int(counts[bit_of(plane)]) for plane in self._schema}

    def interpret(self, value: Any = None, *, x: int | None = None, y: int | None = None) -> tuple[str, ...]:
        """Return the names of the planes that are set in a value or in the pixel (x, y), lowest bit first.

        Parameters
        ----------
        value : int or uint64 array of shape (n_words,), optional
            As it stands in `array`; beyond 64 bits its words, lowest first, or one integer.
        x, y : int, optional
            Coordinates of a pixel, in place of a value.

        Raises
        ------
        TypeError
            If neither or both of a value and a pixel are given, or one is no integer.
        IndexError
            If the pixel is outside the mask.
        ValueError
            If the value has a bit that no plane has.
        OverflowError
            If `x` or `y` does not fit into int32.
        """
        if (value is None) == (x is None or y is None):
            raise TypeError("give either a value or both x and y")
        if value is None:
            column = as_int32(x, "x") - self._xy0[0]
            row = as_int32(y, "y") - self._xy0[1]
            if not (0 <= column < self.shape[1] and 0 <= row < self.shape[0]):
                raise IndexError(f"the pixel ({x}, {y}) is outside the mask, {self.bbox}")
            value = self._words[:, row, column]
        if np.ndim(value) == 1:
            value = sum(int(word) << _width(self._words.dtype) * k for k, word in enumerate(value))
        return self._schema.interpret(value)

    # Other planes

    def add_planes(self, *planes: MaskPlane | str, copy: bool = True) -> Self:
        """Return a mask that has further planes, with no pixel in them.

        Parameters
        ----------
        *planes : MaskPlane or str
            Without a bit a plane gets the next after the highest in use.
        copy : bool, optional
            With False the two masks share their pixels. Bits set by one are seen by the other, which has no
            name for them: drop the old mask.

        Raises
        ------
        ValueError
            If a name or bit is taken, or `copy` is False and the pixels are too narrow for the planes.
        """
        return self.conform(self._schema.add(*planes), copy=copy)

    def remove_planes(self, *names: str) -> Self:
        """Return a copy without some planes; their bits are cleared in it, the other planes keep theirs."""
        schema = self._schema.remove(*names)
        return self._wrap(_conformed(self, schema), schema, self._xy0)

    def rename_planes(self, names: Mapping[str, str], *, copy: bool = True) -> Self:
        """Return a mask with other names, a mapping of old to new; ``copy=False`` shares the pixels."""
        words = self._words.copy() if copy else self._words
        return self._wrap(words, self._schema.rename(names), self._xy0)

    def conform(self, schema: MaskSchema, *, copy: bool = True) -> Self:
        """Return a mask of another schema with the same pixels in the planes of the same names.

        Parameters
        ----------
        schema : MaskSchema
            The schema to have.
        copy : bool, optional
            With False the two masks share their pixels, which takes planes that keep their bits.

        Raises
        ------
        ValueError
            If pixels are set in a plane that `schema` lacks, or `copy` is False and bits would have to move.
        """
        missing = [plane.name for plane in self._schema if plane.name not in schema]
        if missing:
            counts = self.count()
            lost = {name: counts[name] for name in missing if counts[name]}
            if lost:
                raise ValueError(f"the schema lacks planes that have pixels here, {lost}: remove_planes() drops them")
        if copy:
            return self._wrap(_conformed(self, schema), schema, self._xy0)
        if not _same_layout(self, schema):
            raise ValueError(f"pixels of {_layout(self._words)} cannot be shared: planes would move or need more bits")
        return self._wrap(self._words, schema, self._xy0)

    # Indexing: a plane, a window, or what NumPy makes of the bool array

    def __getitem__(self, key: Any) -> Any:
        """Return a plane, a window or bad pixels.

        ``mask["SAT"]`` is the bool array of a plane; ``mask[["SAT", "CR"]]`` that of pixels with either.
        ``mask[box]`` and ``mask[y_start:y_stop, x_start:x_stop]`` are masks that share the pixels: boxes are
        in the coordinates of the pixel plane and must lie in the mask, slices are those of the array. Any
        other index (an integer, a step, an array) gives what the bool array of bad pixels would.
        """
        if _is_planes(key):
            return self.to_bool(key)
        window = window_of(key, self.shape, self._xy0)
        if window is None and isinstance(key, tuple) and any(isinstance(part, str) for part in key):
            raise TypeError(f"several planes are asked for by a list, mask[{list(key)}], not by {key!r}")
        if window is None:
            return self._are_set([word[key] for word in self._words], self._schema.bad)
        rows, columns = window
        xy0 = (self._xy0[0] + columns.start, self._xy0[1] + rows.start)
        return self._wrap(self._words[:, rows, columns], self._schema, xy0)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Replace a plane by a bool array (or a bool), or all planes of a window by those of a mask."""
        if _is_planes(key):
            check_unmasked(value, "value")
            value = np.asarray(value)
            if value.dtype != bool:
                raise TypeError(f"a plane is set from booleans, not from {value.dtype}")
            value = np.broadcast_to(value, self.shape)
            self.set(key, value)
            self.clear(key, ~value)
            return
        if window_of(key, self.shape, self._xy0) is None or not isinstance(value, Mask):
            raise TypeError(
                'a mask is set plane by plane: mask.set("PLANE", region), mask["PLANE"] = bool_array, '
                "or mask[box] = other_mask"
            )
        target = self[key]
        target._check_writeable()
        if target.shape != value.shape:
            raise ValueError(f"a mask of shape {value.shape} cannot fill a window of shape {target.shape}")
        target._words[...] = _conformed(value.conform(self._schema), self._schema, self._words.dtype)

    # A bool array to NumPy

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        if copy is False:
            raise ValueError(
                "a Mask becomes a bool array by a computation, never without a copy; its bits are mask.array"
            )
        bad = self.to_bool()
        return bad if dtype is None else bad.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        (target,) = kwargs.get("out", (None,)) if len(kwargs.get("out", ())) == 1 else (None,)
        if (
            ufunc in (np.bitwise_or, np.logical_or)
            and method == "__call__"
            and all(isinstance(x, Mask) for x in inputs)
        ):
            if target is None and not kwargs:
                return merge_masks(*inputs)
            if target is inputs[0] and ufunc is np.bitwise_or and len(kwargs) == 1:
                target.update(inputs[1])
                return target
        written = inputs[:1] if method == "at" else kwargs.get("out", ())
        if any(isinstance(out, Mask) for out in written):
            raise TypeError(
                f'a Mask cannot hold the result of {ufunc.__name__}; set a plane with mask.set("PLANE", bool_array)'
            )
        inputs = tuple(np.asarray(x) if isinstance(x, Mask) else x for x in inputs)
        if isinstance(kwargs.get("where"), Mask):
            kwargs["where"] = np.asarray(kwargs["where"])
        return getattr(ufunc, method)(*inputs, **kwargs)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        return iter(np.asarray(self))

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def any(self, *args: Any, **kwargs: Any) -> Any:
        """Return whether any pixel is bad, as `numpy.ndarray.any`."""
        return np.asarray(self).any(*args, **kwargs)

    def all(self, *args: Any, **kwargs: Any) -> Any:
        """Return whether all pixels are bad, as `numpy.ndarray.all`."""
        return np.asarray(self).all(*args, **kwargs)

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """Return the number of bad pixels, as `numpy.ndarray.sum`."""
        return np.asarray(self).sum(*args, **kwargs)

    def astype(self, dtype: DTypeLike, *args: Any, **kwargs: Any) -> NDArray:
        """Return the bool array of bad pixels, of shape (ny, nx), as another dtype."""
        return np.asarray(self).astype(dtype, *args, **kwargs)

    # A value with state

    def copy(self) -> Self:
        """Return a mask with its own pixels."""
        return self._wrap(self._words.copy(), self._schema, self._xy0)

    def __copy__(self) -> Self:
        return self._wrap(self._words, self._schema, self._xy0)

    def __deepcopy__(self, memo: dict) -> Self:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.array, self._schema, self._xy0)

    def equals(self, other: Mask) -> bool:
        """Return whether schema, `xy0` and every bit are the same (``==`` compares bad pixels one by one).

        Raises
        ------
        TypeError
            If `other` is no Mask.
        """
        if not isinstance(other, Mask):
            raise TypeError(f"other must be a Mask, not {other!r}")
        return (
            self._schema == other._schema
            and self._xy0 == other._xy0
            and self.shape == other.shape
            and np.array_equal(self.array, other.array)
        )

    def __repr__(self) -> str:
        planes = ", ".join(self._schema.names) or "no planes"
        ny, nx = self.shape
        return f"<{type(self).__name__} {nx} x {ny} at {self._xy0} of {_layout(self._words)}: {planes}>"

    def __str__(self) -> str:
        ny, nx = self.shape
        title = f"{type(self).__name__} of {nx} x {ny} pixels from (x, y) = {self._xy0}, {_layout(self._words)}"
        return f"{title}\n{self._schema.table(self.count())}"

    # Pictures

    def _repr_html_(self) -> str:
        from .._reprs import mask_html

        return mask_html(self)

    def _repr_png_(self) -> bytes:
        from .._reprs import mask_png

        return mask_png(self)

    def plot(self, ax: Any = None, **style: Any) -> MaskOverlay:
        """Draw the planes, as transparent colours, as one artist; see `lsstregions.plotting.plot_mask`."""
        from ..plotting import plot_mask

        return plot_mask(self, ax, **style)

    # Files

    @classmethod
    def read(cls, path: Any, format: str | None = None, **options: Any) -> Self:
        """Read a mask from a file.

        For the options of FITS files see `lsstregions.io.fits_mask.read_mask`.
        """
        from ..io import read

        return read(cls, path, format=format, **options)

    def write(
        self,
        path: Any,
        format: str | None = None,
        overwrite: bool = False,
        **options: Any,
    ) -> None:
        """Write the mask to a file.

        For the options of FITS files see `lsstregions.io.fits_mask.write_mask`.
        """
        from ..io import write

        write(self, path, format=format, overwrite=overwrite, **options)


def merge_masks(first: Any, second: Any) -> Any:
    """Return two masks as one, with planes merged by name: what ``handle_mask=`` of NDData arithmetic takes.

    A bool array becomes the bad plane ``MASKED`` of the result; of two arrays the result is an array as well.

    Parameters
    ----------
    first, second : Mask or bool array of shape (ny, nx)

    Raises
    ------
    TypeError
        If one is neither.
    ValueError
        If the two cover different pixels, or a plane is bad in one and not in the other.
    """
    if not isinstance(first, Mask) and not isinstance(second, Mask):
        return np.logical_or(first, second)
    if not isinstance(first, Mask):
        first = _masked(first, second)
    if not isinstance(second, Mask):
        second = _masked(second, first)
    _check_same_pixels(first, second)
    if first.schema == second.schema:
        return Mask._wrap(first._words | second._words, first.schema, first.xy0)
    schema = first.schema | second.schema
    words = _conformed(first, schema)
    words |= _conformed(second, schema, words.dtype)
    return Mask._wrap(words, schema, first.xy0)


def _masked(bad: Any, like: Mask) -> Mask:
    """Return a bool array, or a bool, as a mask over the pixels of another."""
    bad = np.broadcast_to(np.asarray(bad, dtype=bool), like.shape)
    return Mask(bad, MASKED, xy0=like.xy0)


def window_of(key: Any, shape: tuple[int, int], xy0: tuple[int, int]) -> tuple[slice, slice] | None:
    """Return an index of an image, a box or slices without a step, as two slices; None if it is anything else.

    Parameters
    ----------
    key : Box2I or slices
        Slices count from the first pixel of the image, a box is absolute.
    shape : pair of int
        Rows and columns of the image, in pixels.
    xy0 : pair of int
        Its first pixel, ``(x, y)``.

    Raises
    ------
    IndexError
        If the box or a slice leaves the image.
    """
    if isinstance(key, Box2I):
        bbox = Box2I.from_shape(shape, xy0=xy0)
        if key.is_empty:
            return slice(0, 0), slice(0, 0)
        if not bbox.contains(key):
            raise IndexError(f"{key} is not inside the image, {bbox}")
        return key.slices(xy0)
    keys = list(key) if isinstance(key, tuple) else [key]
    if sum(part is ... for part in keys) == 1:
        at = next(i for i, part in enumerate(keys) if part is ...)
        keys[at : at + 1] = [slice(None)] * (3 - len(keys))
    if len(keys) > 2 or not all(isinstance(part, slice) for part in keys):
        return None
    keys += [slice(None)] * (2 - len(keys))
    rows, columns = (range(size)[part] for size, part in zip(shape, keys, strict=True))
    if rows.step != 1 or columns.step != 1:
        return None
    return slice(rows.start, rows.stop), slice(columns.start, columns.stop)


def _check_same_pixels(first: Mask, second: Mask) -> None:
    if not isinstance(second, Mask):
        raise TypeError(f"expected a Mask, not {second!r}")
    if first.shape != second.shape or first.xy0 != second.xy0:
        raise ValueError(
            f"the masks cover different pixels: shape {first.shape} at {first.xy0} "
            f"and shape {second.shape} at {second.xy0}"
        )


def _is_planes(key: Any) -> bool:
    return isinstance(key, str) or (isinstance(key, list) and bool(key) and all(isinstance(name, str) for name in key))


def _bool_pixels(region: Any, shape: tuple[int, int]) -> Any:
    """Return a region that is ... or a bool array as what is true in its pixels, None if it is neither."""
    if isinstance(region, EllipsisType):
        return np.True_
    if not isinstance(region, np.ndarray) or region.dtype != bool:
        return None
    if region.shape != shape:
        raise ValueError(f"a bool array must have the shape of the mask, {shape}, not {region.shape}")
    check_unmasked(region, "region")
    return np.asarray(region)


def _zeros(shape: tuple[int, int], schema: MaskSchema) -> NDArray:
    if min(shape) < 0:
        raise ValueError(f"shape must not be negative, not {shape}")
    return np.zeros((schema.n_words, *shape), schema.dtype)


def _as_words(pixels: Any, schema: MaskSchema, copy: bool | None) -> NDArray:
    """Return an array as unsigned words (n_words, ny, nx) of native byte order with contiguous rows."""
    check_unmasked(pixels, "pixels")
    array = np.asarray(pixels)
    if array.dtype.kind not in "uib":
        raise TypeError(f"pixels must be integers or bool, not {array.dtype}")
    if array.ndim != (2 if schema.n_words == 1 else 3):
        wanted = "(ny, nx)" if schema.n_words == 1 else f"({schema.n_words}, ny, nx)"
        raise ValueError(f"pixels must be of shape {wanted} for this schema, not {array.shape}")
    words = array if array.ndim == 3 else array[np.newaxis]
    if schema.n_words > 1 and (len(words) != schema.n_words or array.dtype.itemsize != 8):
        raise ValueError(
            f"this schema takes {schema.n_words} words of 64 bits a pixel, not {len(words)} of {_width(array.dtype)}"
        )
    if _width(array.dtype) * len(words) < schema.n_bits:
        raise ValueError(
            f"pixels of {array.dtype} have {_width(array.dtype)} bits, "
            f"the schema needs {schema.n_bits}: use {schema.dtype}"
        )
    usable = (
        (array.dtype.kind != "b" or schema.n_bits <= 1)
        and array.dtype.isnative
        and array.flags.aligned
        and (words.shape[2] < 2 or words.strides[2] == array.dtype.itemsize)
    )
    if copy is False and not usable:
        raise ValueError("pixels cannot be wrapped without a copy: their byte order, alignment or layout is foreign")
    if copy or not usable:
        words = np.array(native(words), order="C")
    return words.view(np.dtype(f"uint{_width(array.dtype)}"))


def _check_bits(words: NDArray, schema: MaskSchema) -> None:
    """Raise if pixels have bits that no plane has: they would be lost without a word as soon as bits move."""
    known = schema.bitmask()
    for k, word in enumerate(words):
        part = known >> _width(word.dtype) * k & _all_bits(word.dtype)
        if part == _all_bits(word.dtype) or word.size == 0:
            continue
        unknown = int(np.bitwise_or.reduce(word, axis=None)) & ~part
        if unknown:
            raise ValueError(f"pixels have bits that no plane has: {bit_numbers(unknown << _width(word.dtype) * k)}")


def _same_layout(mask: Mask, schema: MaskSchema) -> bool:
    """Whether the words of a mask can be read by another schema as they are."""
    words = mask._words
    return (
        len(words) == schema.n_words
        # A bool array must not be given other bits than the first.
        and not (isinstance(words.base, np.ndarray) and words.base.dtype.kind == "b")
        and _width(words.dtype) * len(words) >= schema.n_bits
        and all(schema[plane.name].bit == plane.bit for plane in mask.schema if plane.name in schema)
    )


def _conformed(mask: Mask, schema: MaskSchema, dtype: np.dtype | None = None) -> NDArray:
    """Return new words for a schema: bits moved by name, those of planes that it lacks left out."""
    source = mask._words
    if schema == mask.schema and dtype in (None, source.dtype):
        return source.copy()
    target = np.empty((schema.n_words, *mask.shape), schema.dtype if dtype is None else dtype)
    # Planes that move by the same distance between the same words move together.
    moves: dict[tuple[int, int, int], int] = {}
    for plane in mask.schema:
        if plane.name in schema:
            k, bit = divmod(bit_of(plane), _width(source.dtype))
            new_k, new_bit = divmod(bit_of(schema[plane.name]), _width(target.dtype))
            move = (k, new_k, new_bit - bit)
            moves[move] = moves.get(move, 0) | 1 << bit
    empty = set(range(schema.n_words))
    for (k, new_k, distance), bits in moves.items():
        moved = source[k] & source.dtype.type(bits)
        if distance < 0:
            moved >>= moved.dtype.type(-distance)
        moved = moved.astype(target.dtype, copy=False)
        if distance > 0:
            moved <<= moved.dtype.type(distance)
        if new_k in empty:
            target[new_k] = moved
        else:
            target[new_k] |= moved
        empty.discard(new_k)
    target[list(empty)] = 0
    return target


def _bytes(word: NDArray) -> NDArray[np.uint8]:
    return word.view(np.uint8)


def _width(dtype: np.dtype) -> int:
    return 8 * dtype.itemsize


def _all_bits(dtype: np.dtype) -> int:
    return (1 << _width(dtype)) - 1


def _repeated(value: int, dtype: np.dtype) -> int:
    """Return a word repeated through 64 bits."""
    return value * (_ALL_BITS // _all_bits(dtype))


def _layout(words: NDArray) -> str:
    return str(words.dtype) if len(words) == 1 else f"{len(words)} x {words.dtype}"

"""SpanSet: any set of pixels, run-length encoded, as an immutable value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _algebra, _dilation, _label, _measure, _outline, _pixels, _runs
from ._frames import bits_of, byte_rows, is_mask, values_under, write_under
from ._rings import polygons
from ._validate import (
    INT32_MAX,
    INT32_MIN,
    as_array2d,
    as_connectivity,
    as_float,
    as_int,
    as_int32_array,
    as_pair,
    as_points,
    as_rows,
    as_runs,
    check_unmasked,
    require,
)
from ._values import Value
from .ellipses import Ellipse, Quadrupole
from .geom import AffineTransform, Box2I, LinearTransform, Point2D, Point2I
from .mappings import Mapping, WcsMapping, as_mappings, transformed
from .raster import Unprojectable, rasterize

if TYPE_CHECKING:
    import shapely

    from .footprints import FootprintSet
    from .plotting import FootprintCollection

__all__ = ["SpanSet"]

Element: TypeAlias = "float | SpanSet"
Shape: TypeAlias = Literal["disk", "square", "diamond"]


class SpanSet(Value):
    """A set of pixels, kept as spans: runs of pixels in a row.

    Parameters
    ----------
    spans : array_like of int, shape (n, 3)
        Spans ``(y, x_start, x_stop)``, half-open, in any order; they may overlap, touch or be empty.

    Raises
    ------
    TypeError, ValueError
        If `spans` is not an array of integers of shape (n, 3), or a span stops before it starts.
    OverflowError
        If a coordinate, or the row or column after one, does not fit into int32.

    Notes
    -----
    The spans are canonical: sorted by (y, x), disjoint, apart from each other in a row, never empty. Each set of pixels
    has one such form, so that equal sets have equal arrays and hashes. `len` counts spans and `area` pixels.

    The operators ``|``, ``&``, ``-``, ``^``, ``<=`` and ``>=`` are those of `frozenset`. Costs grow with the
    number of spans, whatever box they lie in.

    Examples
    --------
    >>> from lsstregions import SpanSet
    >>> ring = SpanSet.disk(3) - SpanSet.disk(1)
    >>> ring.area, ring.euler_number
    (24, 0)
    >>> ring.contains([0, 3], [0, 0])
    array([False,  True])
    """

    __slots__ = ("array",)

    #: The spans ``(y, x_start, x_stop)``: int32 of shape (n, 3), read-only.
    array: NDArray[np.int32]

    def __init__(self, spans: ArrayLike = ()):
        runs = as_runs(spans, "spans")
        self._set_array(runs.copy() if np.may_share_memory(runs, np.asarray(spans)) else runs)

    def _set_array(self, runs: NDArray[np.int32]) -> None:
        runs.flags.writeable = False
        self._set(array=runs)

    @classmethod
    def _from_canonical(cls, runs: NDArray[np.int32]) -> Self:
        """Wrap canonical runs that nobody else will write to."""
        spans = cls.__new__(cls)
        spans._set_array(runs)
        return spans

    # Constructors

    @classmethod
    def from_mask(cls, mask: ArrayLike, xy0: tuple[int, int] | Point2I | None = None) -> Self:
        """Return the pixels where a mask is true.

        Parameters
        ----------
        mask : array_like of bool, shape (ny, nx)
        xy0 : pair of int, optional
            The pixel ``(x, y)`` of ``mask[0, 0]``; by default (0, 0), or that of a `Mask`.

        Raises
        ------
        TypeError
            If `mask` is not boolean; `from_bits` takes integers.
        ValueError
            If `mask` is not 2-D.
        OverflowError
            If a coordinate does not fit into int32.
        """
        array = as_array2d(mask, "mask")
        if array.dtype != bool:
            raise TypeError(f"mask must be boolean, not of dtype {array.dtype}; see SpanSet.from_bits")
        return cls._from_bytes(array, getattr(mask, "xy0", (0, 0)) if xy0 is None else xy0)

    @classmethod
    def from_bits(cls, array: ArrayLike, bits: int | None = None, xy0: tuple[int, int] | Point2I | None = None) -> Self:
        """Return the pixels where any of some bits is set.

        Parameters
        ----------
        array : array_like of int, shape (ny, nx)
            Bit fields, as in a data quality array; of a `Mask` its bits.
        bits : int, optional
            The bits to look for, 1 for the first, 2 for the second, 3 for both; any bit by default.
        xy0 : pair of int, optional
            The pixel ``(x, y)`` of ``array[0, 0]``; by default (0, 0), or that of a `Mask`.

        Raises
        ------
        TypeError
            If `array` or `bits` is not of integers.
        ValueError
            If `array` is not 2-D, or `bits` has others than it has.
        OverflowError
            If a coordinate does not fit into int32.
        """
        xy0 = getattr(array, "xy0", (0, 0)) if xy0 is None else xy0
        field = as_array2d(bits_of(array, "array") if is_mask(array) else array, "array")
        if field.dtype.kind not in "iub":
            raise TypeError(f"array must be integers, not of dtype {field.dtype}")
        if bits is None:
            return cls._from_bytes(field != 0, xy0)
        wanted = as_int(bits, "bits")
        if field.dtype == bool:
            field = field.view(np.uint8)
        if not 0 <= wanted < 1 << 8 * field.dtype.itemsize:
            raise ValueError(f"bits must be bits of {field.dtype}, not {wanted}")
        return cls._from_bytes((field.view(f"u{field.dtype.itemsize}") & wanted) != 0, xy0)

    @classmethod
    def _from_bytes(cls, mask: NDArray[np.bool_], xy0: tuple[int, int] | Point2I) -> Self:
        box = Box2I.from_shape(mask.shape, xy0)
        if box.is_empty:
            return cls()
        if mask.strides[1] != 1:
            mask = np.ascontiguousarray(mask)
        return cls._from_canonical(_runs.from_mask(mask.view(np.uint8), *box.xy0))

    @classmethod
    def from_indices(cls, y: ArrayLike, x: ArrayLike) -> Self:
        """Return the pixels ``(x[i], y[i])``, given in the order of `numpy.nonzero`; some may be given twice.

        Parameters
        ----------
        y, x : array_like of int, of one shape

        Raises
        ------
        TypeError
            If they are no numbers.
        ValueError
            If they are not integral, or of two shapes.
        OverflowError
            If one does not fit into int32.
        """
        rows, columns = as_int32_array(y, "y"), as_int32_array(x, "x")
        if rows.shape != columns.shape:
            raise ValueError(f"y and x must have one shape, not {rows.shape} and {columns.shape}")
        if columns.size and columns.max() == INT32_MAX:
            raise OverflowError(f"x must be less than {INT32_MAX}")
        return cls(np.column_stack((rows.ravel(), columns.ravel(), columns.ravel() + 1)))

    @classmethod
    def from_box(cls, box: Box2I) -> Self:
        """Return the pixels of a box.

        Raises
        ------
        TypeError
            If `box` is no Box2I.
        ValueError
            If the box has more than 2**28 rows.
        """
        return cls._from_canonical(cls().complement(box).array)

    @classmethod
    def from_region(
        cls, region: Any, *, wcs: Any = None, within: Box2I | None = None, unprojectable: Unprojectable = "raise"
    ) -> SpanSet:
        """Return the pixels of anything region-like, shapely polygons included: see `lsstregions.rasterize`."""
        return rasterize(region, wcs=wcs, within=within, unprojectable=unprojectable)

    @classmethod
    def from_ellipse(cls, ellipse: Ellipse) -> Self:
        """Return the pixels whose centres are inside an ellipse or on its edge, as LSST has it.

        Raises
        ------
        TypeError
            If `ellipse` is no Ellipse.
        ValueError
            If the ellipse covers more than 2**28 rows.
        OverflowError
            If the ellipse leaves int32.
        """
        require(ellipse, Ellipse, "ellipse")
        core, center = ellipse.core.to_quadrupole(), ellipse.center
        width, height = math.sqrt(core.xx), math.sqrt(core.yy)
        if max(abs(center.x) + width, abs(center.y) + height) >= INT32_MAX:
            raise OverflowError(f"ellipse must lie within int32, not {ellipse!r}")
        bottom, top = math.ceil(center.y - height), math.floor(center.y + height)
        as_rows(top - bottom + 1, "ellipse")
        rows = np.arange(bottom, top + 1)
        left, right = ellipse._chords(rows.astype(float))
        return cls(_row_runs(rows, np.ceil(left).astype(np.int64), np.floor(right).astype(np.int64)))

    @classmethod
    def disk(cls, radius: float) -> Self:
        """Return every offset ``(dx, dy)`` with ``dx**2 + dy**2 <= radius**2`` (pixels), a structuring element.

        Raises
        ------
        TypeError
            If `radius` is no number.
        ValueError
            If `radius` is negative, not finite, or takes more than 2**28 rows.
        OverflowError
            If `radius` does not fit into int32.
        """
        r = _as_radius(radius)
        dy = np.arange(-math.floor(r), math.floor(r) + 1, dtype=np.int64)
        half = np.sqrt(np.maximum(r * r - dy * dy, 0)).astype(np.int64)
        # The root may be off by its last bit.
        half += (half + 1) ** 2 + dy * dy <= r * r
        half -= half**2 + dy * dy > r * r
        return cls._from_canonical(_row_runs(dy, -half, half))

    @classmethod
    def square(cls, radius: float) -> Self:
        """Return every offset ``(dx, dy)`` with ``max(|dx|, |dy|) <= radius`` (pixels), a structuring element.

        Raises
        ------
        TypeError
            If `radius` is no number.
        ValueError
            If `radius` is negative, not finite, or takes more than 2**28 rows.
        OverflowError
            If `radius` does not fit into int32.
        """
        r = math.floor(_as_radius(radius))
        return cls.from_box(Box2I((-r, r + 1), (-r, r + 1)))

    @classmethod
    def diamond(cls, radius: float) -> Self:
        """Return every offset ``(dx, dy)`` with ``|dx| + |dy| <= radius`` (pixels), a structuring element.

        Raises
        ------
        TypeError
            If `radius` is no number.
        ValueError
            If `radius` is negative, not finite, or takes more than 2**28 rows.
        OverflowError
            If `radius` does not fit into int32.
        """
        r = math.floor(_as_radius(radius))
        dy = np.arange(-r, r + 1, dtype=np.int64)
        return cls._from_canonical(_row_runs(dy, abs(dy) - r, r - abs(dy)))

    # Access

    @property
    def y(self) -> NDArray[np.int32]:
        """Row of each span."""
        return self.array[:, 0]

    @property
    def x_start(self) -> NDArray[np.int32]:
        """First column of each span."""
        return self.array[:, 1]

    @property
    def x_stop(self) -> NDArray[np.int32]:
        """Column after the last one of each span."""
        return self.array[:, 2]

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return map(tuple, self.array.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SpanSet):
            return NotImplemented
        return np.array_equal(self.array, other.array)

    def __hash__(self) -> int:
        return hash((SpanSet, self.array.tobytes()))

    def __repr__(self) -> str:
        if len(self) <= 4:
            return f"SpanSet({self.array.tolist()})"
        x_start, x_stop, y_start, y_stop = self._bounds()
        return f"<SpanSet: {len(self)} spans, {self.area} pixels in x=({x_start}, {x_stop}), y=({y_start}, {y_stop})>"

    def _repr_html_(self) -> str:
        from ._reprs import spans_html

        return spans_html(self)

    def _repr_png_(self) -> bytes:
        from ._reprs import spans_png

        return spans_png(self)

    def plot(self, ax: Any = None, **style: Any) -> FootprintCollection:
        """Draw the outlines, holes included, as one artist; see `lsstregions.plotting.plot_footprints`."""
        from .plotting import plot_footprints

        return plot_footprints(self, ax, **style)

    def __runs__(self) -> NDArray[np.int32]:
        """Offer the canonical runs to the rasterizer."""
        return self.array

    def _offsets(self) -> NDArray[np.int64]:
        return np.array([0, len(self)])

    def _bounds(self) -> tuple[int, int, int, int]:
        x_start, x_stop, y_start, y_stop = _measure.extents(self.array, self._offsets())[0].ravel().tolist()
        return x_start, x_stop, y_start, y_stop

    # Measures

    @property
    def area(self) -> int:
        """Number of pixels."""
        return _runs.area(self.array)

    @property
    def bbox(self) -> Box2I:
        """The smallest box that holds the pixels; empty for an empty set."""
        x_start, x_stop, y_start, y_stop = self._bounds()
        return Box2I((x_start, x_stop), (y_start, y_stop))

    @property
    def centroid(self) -> Point2D:
        """Mean position of the pixel centres; NaN for an empty set."""
        x0, y0 = self._origin()
        sums = self.moments(1, center=(x0, y0))
        if not len(self):
            return Point2D(math.nan, math.nan)
        return Point2D(x0 + sums[0, 1] / sums[0, 0], y0 + sums[1, 0] / sums[0, 0])

    def _origin(self) -> tuple[int, int]:
        """Return a pixel of the set, to sum from: sums of small numbers are exact."""
        return (int(self.array[0, 1]), int(self.array[0, 0])) if len(self) else (0, 0)

    @property
    def quadrupole(self) -> Quadrupole:
        """Second central moments of the pixel centres over the area, in pixel**2.

        A pixel counts as a point: the 1/12 that its own extent would add is left out.

        Raises
        ------
        ValueError
            If the set is empty.
        """
        if not len(self):
            raise ValueError("an empty SpanSet has no quadrupole")
        sums = self.moments(2, center=self.centroid) / self.area
        xx, yy = float(sums[0, 2]), float(sums[2, 0])
        # Pixels in a line fill this bound up to rounding.
        bound = math.sqrt(xx * yy)
        return Quadrupole(xx, yy, min(max(float(sums[1, 1]), -bound), bound))

    def moments(self, order: int = 3, *, center: tuple[float, float] | Point2D = (0.0, 0.0)) -> NDArray[np.float64]:
        """Return the moments of the pixel centres, in closed form for each span.

        Parameters
        ----------
        order : int, optional
            Highest power of each coordinate, at most 3.
        center : pair of float, optional
            The point ``(x, y)`` that moments are taken about: `centroid` gives the central moments.

        Returns
        -------
        ndarray, shape (order + 1, order + 1)
            ``M[p, q]``, the sum of ``(y - center_y)**p * (x - center_x)**q`` over the pixels, in the order of
            `skimage.measure.moments`.

        Raises
        ------
        TypeError
            If `order` is no integer, or `center` not of numbers.
        ValueError
            If `order` is not 0 to 3.
        """
        order = as_int(order, "order")
        if not 0 <= order <= 3:
            raise ValueError(f"order must be 0 to 3, not {order}")
        x, y = (np.array([as_float(value, "center")]) for value in center)
        return _measure.moments(self.array, self._offsets(), x, y, order)[0]

    @property
    def perimeter(self) -> int:
        """Length of the outline along the pixel edges, holes included."""
        below = int(_measure.adjacency(self.array, self._offsets())[0, 0])
        return 2 * len(self) + 2 * self.area - 2 * below

    @property
    def euler_number(self) -> int:
        """Number of 8-connected components less the number of holes in them."""
        return len(self) - int(_measure.adjacency(self.array, self._offsets())[0, 2])

    # Set algebra

    def union(*sets: SpanSet) -> SpanSet:
        """Return the pixels in any of the sets: ``a.union(b)`` or ``SpanSet.union(*sets)``.

        Raises
        ------
        TypeError
            If one is no SpanSet.
        """
        arrays = [require(spans, SpanSet, "sets").array for spans in sets]
        if len(arrays) == 2:
            return SpanSet._from_canonical(_algebra.unite(*arrays))
        return SpanSet(np.concatenate(arrays)) if arrays else SpanSet()

    def intersection(*sets: SpanSet) -> SpanSet:
        """Return the pixels in all of the sets.

        Raises
        ------
        TypeError
            If there is no set, or one is no SpanSet.
        """
        if not sets:
            raise TypeError("the intersection of no sets would be the whole plane")
        arrays = sorted((require(spans, SpanSet, "sets").array for spans in sets), key=len)
        common = arrays[0]
        for runs in arrays[1:]:
            common = _algebra.intersect(common, runs)
        return SpanSet._from_canonical(common)

    def difference(self, *others: SpanSet) -> SpanSet:
        """Return the pixels of this set that are in none of the others.

        Raises
        ------
        TypeError
            If one is no SpanSet.
        """
        arrays = [require(other, SpanSet, "others").array for other in others]
        if not arrays:
            return self
        # At once: to go through this set for each of many others would cost their number times its own.
        gone = arrays[0] if len(arrays) == 1 else _runs.canonical(np.concatenate(arrays))
        return SpanSet._from_canonical(_algebra.subtract(self.array, gone))

    def symmetric_difference(self, other: SpanSet) -> SpanSet:
        """Return the pixels in one of the sets but not in both.

        Raises
        ------
        TypeError
            If `other` is no SpanSet.
        """
        return SpanSet._from_canonical(_algebra.exclude(self.array, require(other, SpanSet, "other").array))

    def __or__(self, other: SpanSet) -> SpanSet:
        return self.union(other) if isinstance(other, SpanSet) else NotImplemented

    def __and__(self, other: SpanSet) -> SpanSet:
        return self.intersection(other) if isinstance(other, SpanSet) else NotImplemented

    def __sub__(self, other: SpanSet) -> SpanSet:
        return self.difference(other) if isinstance(other, SpanSet) else NotImplemented

    def __xor__(self, other: SpanSet) -> SpanSet:
        return self.symmetric_difference(other) if isinstance(other, SpanSet) else NotImplemented

    def complement(self, box: Box2I) -> SpanSet:
        """Return the pixels of a box that are not in this set.

        Raises
        ------
        TypeError
            If `box` is no Box2I.
        ValueError
            If the box has more than 2**28 rows.
        """
        inside = self.clip(box)
        as_rows(box.height, "box")
        return SpanSet._from_canonical(_runs.complement(inside.array, *box._edges))

    # Predicates

    def issubset(self, other: SpanSet) -> bool:
        """Whether every pixel of this set is in the other.

        Raises
        ------
        TypeError
            If `other` is no SpanSet.
        """
        return _algebra.covers(require(other, SpanSet, "other").array, self.array)

    def issuperset(self, other: SpanSet) -> bool:
        """Whether every pixel of the other set is in this one.

        Raises
        ------
        TypeError
            If `other` is no SpanSet.
        """
        return _algebra.covers(self.array, require(other, SpanSet, "other").array)

    def isdisjoint(self, other: SpanSet) -> bool:
        """Whether the sets share no pixel."""
        return not self.overlaps(other)

    def overlaps(self, other: SpanSet) -> bool:
        """Whether the sets share a pixel; an empty set overlaps nothing.

        Raises
        ------
        TypeError
            If `other` is no SpanSet.
        """
        return _algebra.overlap(self.array, require(other, SpanSet, "other").array)

    def __le__(self, other: SpanSet) -> bool:
        return self.issubset(other) if isinstance(other, SpanSet) else NotImplemented

    def __ge__(self, other: SpanSet) -> bool:
        return self.issuperset(other) if isinstance(other, SpanSet) else NotImplemented

    def __lt__(self, other: SpanSet) -> bool:
        return self <= other and self != other if isinstance(other, SpanSet) else NotImplemented

    def __gt__(self, other: SpanSet) -> bool:
        return self >= other and self != other if isinstance(other, SpanSet) else NotImplemented

    def contains(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Whether points lie in pixels of this set.

        Parameters
        ----------
        x, y : float or array_like
            Coordinates in pixels, of shapes that broadcast against each other. A point belongs to the pixel that covers
            it; NaN is in none.

        Returns
        -------
        bool or ndarray of bool
            Of the shape of `x` and `y`.

        Raises
        ------
        TypeError
            If `x` or `y` are no real numbers.
        ValueError
            If their shapes do not broadcast.
        """
        columns, rows, shape = as_points(x, y)
        found = _runs.find(self.array, columns, rows) >= 0
        return found.reshape(shape) if shape else bool(found[0])

    def __contains__(self, point: Point2I | Point2D | tuple[float, float]) -> bool:
        x, y = point
        return self.contains(as_float(x, "x"), as_float(y, "y"))

    # Moving and cutting

    def shift(self, dx: int, dy: int) -> SpanSet:
        """Return the set moved by `dx` columns and `dy` rows of pixels.

        Raises
        ------
        TypeError
            If one is no integer.
        OverflowError
            If it would leave int32.
        """
        dx, dy = as_int(dx, "dx"), as_int(dy, "dy")
        if not len(self):
            return self
        self._check_room(dx, dx, dy, dy)
        moved = self.array + np.array([dy, dx, dx])
        return SpanSet._from_canonical(moved.astype(np.int32))

    def _check_room(self, left: int, right: int, down: int, up: int) -> tuple[int, int, int, int]:
        """Return the bounds of this set; raise where they, moved by these, leave int32."""
        bounds = x_start, x_stop, y_start, y_stop = self._bounds()
        x_start, x_stop, y_start, y_stop = x_start + left, x_stop + right, y_start + down, y_stop + up
        is_empty = x_start >= x_stop or y_start >= y_stop
        if not is_empty and (min(x_start, y_start) < INT32_MIN or max(x_stop, y_stop) > INT32_MAX):
            raise OverflowError(f"the result leaves int32: {self!r} moved by x {left}, {right} and y {down}, {up}")
        return bounds

    def clip(self, box: Box2I) -> SpanSet:
        """Return the pixels of this set that lie in a box.

        Raises
        ------
        TypeError
            If `box` is no Box2I.
        """
        require(box, Box2I, "box")
        return SpanSet._from_canonical(_runs.clip(self.array, *box._edges))

    def transform(
        self, mapping: LinearTransform | AffineTransform | WcsMapping | Mapping, inverse: Mapping | None = None
    ) -> SpanSet:
        """Return the pixels that a mapping of the plane takes this set to, as LSST has it.

        A pixel belongs to the result if the inverse mapping takes its centre into the set, and it lies in the box of
        what the mapping makes of the corner pixels' centres and of the ends of spans.

        Parameters
        ----------
        mapping : LinearTransform, AffineTransform, WcsMapping or callable
            A callable takes arrays ``x, y`` to arrays ``x, y`` of the same shape; it should be smooth, all but straight
            over 16 pixels.
        inverse : callable, optional
            The inverse of a callable that does not have its own, as `astropy.modeling` models may; it takes and gives
            arrays of one shape too.

        Raises
        ------
        TypeError
            If a mapping is not callable, or comes without its inverse.
        ValueError
            If the mapping has no inverse, or takes a pixel of the set nowhere (NaN).
        OverflowError
            If the result leaves int32.

        Notes
        -----
        The cost grows with the area of the result.
        """
        return SpanSet._from_canonical(transformed(self.array, self._offsets(), *as_mappings(mapping, inverse))[0])

    # Morphology

    def dilate(self, element: Element, shape: Shape = "disk") -> SpanSet:
        """Return the union of this set shifted by every pixel of a structuring element.

        Parameters
        ----------
        element : float or SpanSet
            A radius in pixels, or any set of offsets.
        shape : {"disk", "square", "diamond"}, optional
            What a radius is the radius of.

        Raises
        ------
        TypeError
            If `element` is neither a number nor a SpanSet.
        ValueError
            If `element` is empty or negative, or `shape` none of these.
        OverflowError
            If the result leaves int32.
        """
        element = _as_element(element, shape)
        if not len(self):
            return self
        bounds = self._check_dilation(element)
        return SpanSet._from_canonical(_dilation.dilate(self.array, bounds, element.array))

    def _check_dilation(self, element: SpanSet) -> tuple[int, int, int, int]:
        """Return the bounds of this set; raise where it, dilated, leaves int32."""
        x_start, x_stop, y_start, y_stop = element._bounds()
        return self._check_room(x_start, x_stop - 1, y_start, y_stop - 1)

    def _dilated_components(
        self, element: Element, shape: Shape, box: Box2I | None
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
        """Return the spans of the dilated set in a box, the 8-connected component of each, and how many there are."""
        element = _as_element(element, shape)
        if not len(self):
            return self.array, np.empty(0, np.int32), 0
        bounds = self._check_dilation(element)
        within = _dilation.EVERYWHERE if box is None else box._edges
        return _dilation.dilate_to_components(self.array, bounds, element.array, within)

    def erode(self, element: Element, shape: Shape = "disk") -> SpanSet:
        """Return the pixels from which every offset of a structuring element leads into this set.

        The parameters are those of `dilate`.

        Raises
        ------
        TypeError
            If `element` is neither a number nor a SpanSet.
        ValueError
            If `element` is empty or negative, or `shape` none of these.
        OverflowError
            If a pixel looked at would leave int32.
        """
        if len(self) and not isinstance(element, SpanSet) and self._is_narrower(_as_radius(element)):
            _check_shape(shape)
            return SpanSet()
        element = _as_element(element, shape)
        if not len(self):
            return self
        x_start, x_stop, y_start, y_stop = element._bounds()
        bounds = self._check_room(-x_start, 1 - x_stop, -y_start, 1 - y_stop)
        return SpanSet._from_canonical(_dilation.erode(self.array, bounds, element.array))

    def _is_narrower(self, radius: float) -> bool:
        """Whether no element of a radius fits in."""
        x_start, x_stop, y_start, y_stop = self._bounds()
        return 2 * math.floor(radius) + 1 > min(x_stop - x_start, y_stop - y_start)

    def open(self, element: Element, shape: Shape = "disk") -> SpanSet:
        """Return the set eroded and then dilated: the union of all shifted elements that fit into it."""
        return self.erode(element, shape).dilate(element, shape)

    def close(self, element: Element, shape: Shape = "disk") -> SpanSet:
        """Return the set dilated and then eroded: gaps that the element does not fit into are filled."""
        return self.dilate(element, shape).erode(element, shape)

    def fill_holes(self, connectivity: int = 8) -> SpanSet:
        """Return the set with its holes filled: the background that no path leads out of.

        Parameters
        ----------
        connectivity : {8, 4}, optional
            That of the set. Paths through the background are 4-connected around an 8-connected set, and 8-connected
            around a 4-connected one.

        Raises
        ------
        ValueError
            If `connectivity` is neither 4 nor 8.
        """
        background = _runs.surroundings(self.array)
        labels, count = _label.label(background, 12 - as_connectivity(connectivity))
        outside = np.zeros(count, bool)
        outside[labels[background[:, 1] == INT32_MIN]] = True
        outside[labels[background[:, 2] == INT32_MAX]] = True
        holes = background[~outside[labels]]
        return SpanSet._from_canonical(_algebra.unite(self.array, holes))

    def boundary(self, side: Literal["inner", "outer"] = "inner") -> SpanSet:
        """Return the pixels along the outline.

        Parameters
        ----------
        side : {"inner", "outer"}, optional
            The pixels of the set that share an edge with one that is not in it, or the other way round.

        Raises
        ------
        ValueError
            If `side` is neither.
        """
        if side not in ("inner", "outer"):
            raise ValueError(f"side must be 'inner' or 'outer', not {side!r}")
        return self - self.erode(1) if side == "inner" else self.dilate(1) - self

    def convex_hull(self) -> SpanSet:
        """Return the pixels whose centres lie in the convex hull of this set's pixel centres, edge included.

        Raises
        ------
        ValueError
            If the hull has more than 2**28 rows.
        """
        _, _, y_start, y_stop = self._bounds()
        as_rows(y_stop - y_start, "the hull")
        return SpanSet._from_canonical(_outline.hull(self.array))

    # Components

    def components(self, connectivity: int = 8) -> FootprintSet:
        """Return the connected parts, in the raster order of their first pixels, each as one footprint.

        Parameters
        ----------
        connectivity : {8, 4}, optional
            Whether pixels that share only a corner are connected.

        Raises
        ------
        ValueError
            If `connectivity` is neither 4 nor 8.
        """
        from .footprints import FootprintSet

        labels, count = _label.label(self.array, as_connectivity(connectivity))
        return FootprintSet._from_columns(*_label.group([self.array], labels, count))

    def is_contiguous(self, connectivity: int = 8) -> bool:
        """Whether the set is connected; an empty one is.

        Raises
        ------
        ValueError
            If `connectivity` is neither 4 nor 8.
        """
        return _label.label(self.array, as_connectivity(connectivity))[1] <= 1

    # Other forms

    def to_mask(self, box: Box2I | None = None) -> NDArray[np.bool_]:
        """Return a boolean array of shape (ny, nx) of a box, by default `bbox`, that is true where the set is.

        Raises
        ------
        TypeError
            If `box` is no Box2I.
        """
        box = self.bbox if box is None else require(box, Box2I, "box")
        mask = np.zeros(box.shape, bool)
        self.clip(box).paint(mask, True, box.xy0)
        return mask

    def indices(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the coordinates ``y, x`` of every pixel in raster order; they index an array as they are.

        Both are int64 of shape (area,).
        """
        return _runs.indices(self.array)

    def flatten(self, image: ArrayLike, xy0: tuple[int, int] | Point2I = (0, 0)) -> NDArray:
        """Return the values of an image under this set, in raster order.

        Parameters
        ----------
        image : array_like, shape (ny, nx, ...)
        xy0 : pair of int, optional
            The pixel ``(x, y)`` of ``image[0, 0]``.

        Returns
        -------
        ndarray, shape (area, ...)
            A masked array of one, a Quantity of one.

        Raises
        ------
        TypeError
            If `xy0` is no pair of integers.
        ValueError
            If the set leaves the image; `clip` it first.
        OverflowError
            If `xy0` does not fit into int32.
        """
        if isinstance(image, np.ma.MaskedArray):
            mask = np.ma.nomask if image.mask is np.ma.nomask else self.flatten(image.mask, xy0)
            return np.ma.MaskedArray(self.flatten(image.data, xy0), mask)
        check_unmasked(image, "image")
        array = np.asarray(image)
        x0, y0 = self._check_inside(array, xy0)
        return _with_unit(values_under(array, self.array, (x0, y0)), image)

    def unflatten(self, values: ArrayLike, box: Box2I | None = None, fill: Any = 0) -> NDArray:
        """Return an image of a box with values under this set: the inverse of `flatten`.

        Parameters
        ----------
        values : array_like, shape (area, ...)
        box : Box2I, optional
            What the image covers, by default `bbox`; it must hold the set.
        fill : optional
            The value of all other pixels.

        Returns
        -------
        ndarray, shape (height, width, ...)

        Raises
        ------
        TypeError
            If `box` is no Box2I.
        ValueError
            If `values` are not one a pixel, the box does not hold the set, or `fill` does not fit the values' dtype.
        """
        check_unmasked(values, "values")
        array = np.asarray(values)
        if array.ndim < 1 or len(array) != self.area:
            raise ValueError(f"values must have the shape ({self.area}, ...), not {array.shape}")
        box = self.bbox if box is None else require(box, Box2I, "box")
        fill = _as_pixel(fill, array.dtype, (), "fill")
        image = np.full((*box.shape, *array.shape[1:]), fill, array.dtype)
        write_under(image, self.array, self._check_inside(image, box.xy0), array)
        return _with_unit(image, values)

    def paint(self, image: NDArray, value: Any, xy0: tuple[int, int] | Point2I = (0, 0)) -> None:
        """Write a value to the pixels of an image under this set.

        Parameters
        ----------
        image : ndarray, shape (ny, nx, ...)
            Changed in place.
        value : scalar or array_like
            What one pixel of the image takes.
        xy0 : pair of int, optional
            The pixel ``(x, y)`` of ``image[0, 0]``.

        Raises
        ------
        TypeError
            If `image` is no array, or `xy0` no pair of integers.
        ValueError
            If the set leaves the image, `clip` it first; the image is read-only; or a pixel of it does not take the
            value, for floats may be rounded but nothing else may change.
        OverflowError
            If `xy0` does not fit into int32.
        """
        if not isinstance(image, np.ndarray):
            raise TypeError(f"image must be an ndarray, not {type(image).__name__}")
        if not image.flags.writeable:
            raise ValueError("image must be writeable")
        x0, y0 = self._check_inside(image, xy0)
        # Quantities and masked arrays know themselves what their pixels take.
        is_plain = type(image) in (np.ndarray, np.memmap)
        element = _as_pixel(value, image.dtype, image.shape[2:], "value") if is_plain else value
        rows = byte_rows(image) if is_plain else None
        if rows is None:
            y, x = self.indices()
            image[y - y0, x - x0] = element
        elif element.size:
            _pixels.paint(rows, self.array, x0, y0, element.reshape(-1).view(np.uint8))

    def _check_inside(self, image: NDArray, xy0: tuple[int, int] | Point2I) -> tuple[int, int]:
        """Return `xy0` after a check that the set lies in an image that begins there."""
        if image.ndim < 2:
            raise ValueError(f"image must have at least 2 dimensions, not the shape {image.shape}")
        x0, y0 = as_pair(xy0, "xy0")
        x_start, x_stop, y_start, y_stop = self._bounds()
        height, width = image.shape[:2]
        if len(self) and (x_start < x0 or y_start < y0 or x_stop > x0 + width or y_stop > y0 + height):
            raise ValueError(
                f"the set, in x=({x_start}, {x_stop}), y=({y_start}, {y_stop}), leaves the image,"
                f" in x=({x0}, {x0 + width}), y=({y0}, {y0 + height}); clip it first"
            )
        return x0, y0

    def to_polygon(self) -> shapely.Polygon | shapely.MultiPolygon:
        """Return the outline along the pixel edges, holes included, in pixel coordinates.

        There is one polygon for each 4-connected component; polygons that touch in a corner stay apart, and all
        are valid. The pixels whose centres they contain are those of the set.
        """
        return polygons(self.array, self._offsets())[0]

    # Files

    @classmethod
    def read(cls, path: Any, format: str | None = None, **options: Any) -> Self:
        """Read from a file of any format that `lsstregions.io` names; by default it is found by content or suffix.

        Region files take ``wcs=``, which regions on the sky need, and like GeoJSON and WKT ``within=``, a `Box2I` to
        clip to.

        A file that is truncated, corrupt, of another kind or of a later version raises
        `lsstregions.io.FileFormatError`, an OSError and ValueError that names it.
        """
        from .io import read

        return read(cls, path, format=format, **options)

    def write(self, path: Any, format: str | None = None, overwrite: bool = False, **options: Any) -> None:
        """Write to a file in any format that `lsstregions.io` names; a failed write leaves an old file as it was.

        With ``wcs=`` region files have outlines on the sky. Those in pixels count from the pixel (0, 0).

        A file that is there already raises OSError unless `overwrite` is true.
        """
        from .io import write

        write(self, path, format=format, overwrite=overwrite, **options)


def _as_pixel(value: Any, dtype: np.dtype, shape: tuple[int, ...], name: str) -> NDArray:
    """Return a value as one pixel of a dtype and shape: floats may be rounded, all else must stay what it is."""
    check_unmasked(value, name)
    if getattr(value, "unit", None) is not None:
        raise ValueError(f"{name} must have no unit: pass its value in that of the pixels")
    array, element = np.asarray(value), np.empty(shape, dtype)
    numbers = {"f": "biuf", "c": "biufc", "b": "biuf", "i": "biuf", "u": "biuf"}.get(dtype.kind, array.dtype.kind)
    fits = array.dtype.kind in numbers
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            element[...] = array if fits else 0
        # What is cut or wrapped is not the same any more.
        is_exact = dtype.kind in "biu" or (dtype.kind in "SU" and array.dtype.kind == dtype.kind)
        fits = fits and not (is_exact and np.any(element != array))
    except (ValueError, TypeError, OverflowError):
        fits = False
    if not fits:
        of = f" and shape {shape}" if shape else ""
        raise ValueError(f"{name} must be what a pixel of dtype {dtype}{of} takes, not {value!r}")
    return element


def _with_unit(values: NDArray, given: Any) -> NDArray:
    """Return values in the unit of what they were taken from."""
    if getattr(given, "unit", None) is None:
        return values
    from astropy.units import Quantity

    return Quantity(values, given.unit, copy=False, dtype=values.dtype)


def _as_radius(radius: Any) -> float:
    """Return a radius that a structuring element may have; integers stay exact."""
    value = radius if isinstance(radius, int) else as_float(radius, "radius")
    if not 0 <= value < math.inf:
        raise ValueError(f"radius must be finite and not negative, not {value}")
    if value >= INT32_MAX:
        raise OverflowError(f"radius must fit into int32, not {value}")
    as_rows(2 * math.floor(value) + 1, "radius")
    return value


def _as_element(element: Any, shape: str) -> SpanSet:
    if isinstance(element, SpanSet):
        if not len(element):
            raise ValueError("element must not be empty")
        return element
    _check_shape(shape)
    made: SpanSet = getattr(SpanSet, shape)(element)
    return made


def _check_shape(shape: str) -> None:
    if shape not in ("disk", "square", "diamond"):
        raise ValueError(f"shape must be 'disk', 'square' or 'diamond', not {shape!r}")


def _row_runs(rows: NDArray, first: NDArray, last: NDArray) -> NDArray[np.int32]:
    """Return runs from the first and last columns of rows; rows where last < first have none."""
    kept = first <= last
    return as_int32_array(np.column_stack((rows, first, last + 1))[kept], "spans")

"""Footprint and HeavyFootprint: one set of pixels with its peaks, and one with its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._peaks import PEAK, PIXEL_COLUMNS, Peaks, concatenated
from .._pixel_region import FootprintRegion
from .._validate import as_finite, as_int, check_unmasked, native, require
from .._values import Value, counted
from ..ellipses import Ellipse, Quadrupole
from ..geom import Box2I, Point2D
from ..spans import Shape, SpanSet
from ._set import FootprintSet, Origin

if TYPE_CHECKING:
    from astropy.table import Table

    from ..plotting import FootprintCollection


class Footprint(FootprintRegion, Value):
    """A set of pixels and the peaks in it, a value.

    Parameters
    ----------
    spans : SpanSet
    peaks : Table, optional
        Columns ``x_peak``, ``y_peak``, ``peak_value`` and any others; every peak must lie in `spans`.
    region : Box2I, optional
        The box of the image that it was found in.
    sign : {1, -1, 0}, optional
        Whether its pixels are above a threshold, below a negative one, or both.
    meta, visual : dict, optional
        As in `regions`: any data, and how to plot it.

    Raises
    ------
    TypeError
        If `spans` is no SpanSet, or `region` no Box2I.
    ValueError
        If a peak lies outside the spans, or `sign` is none of these.
    """

    __slots__ = ("_columns", "meta", "visual")

    _columns: FootprintSet
    meta: Any
    visual: Any

    def __init__(
        self,
        spans: SpanSet,
        peaks: Table | None = None,
        region: Box2I | None = None,
        *,
        sign: int = 1,
        meta: Any = None,
        visual: Any = None,
    ):
        require(spans, SpanSet, "spans")
        if as_int(sign, "sign") not in (1, -1, 0):
            raise ValueError(f"sign must be 1, -1 or 0, not {sign!r}")
        columns = FootprintSet._from_columns(
            spans.array,
            np.array([0, len(spans)]),
            None if region is None else require(region, Box2I, "region"),
            sign=np.array([sign], np.int8),
        )
        columns = columns if peaks is None else columns.with_peaks(peaks)
        self._set(_columns=columns, meta=dict(meta or {}), visual=dict(visual or {}))

    @classmethod
    def _of(cls, columns: FootprintSet, meta: Any = None, visual: Any = None) -> Self:
        """Wrap a set of one footprint."""
        made = cls.__new__(cls)
        made._set(_columns=columns, meta=dict(meta or {}), visual=dict(visual or {}))
        return made

    def _with(self, columns: FootprintSet) -> Any:
        """Wrap a set that is made of this footprint; without pixel values it is no heavy one."""
        kind = type(self) if columns._values or not isinstance(self, HeavyFootprint) else Footprint
        return kind._of(columns, self.meta, self.visual)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._of, (self._columns, self.meta, self.visual)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Footprint):
            return NotImplemented
        return self._columns == other._columns

    def __hash__(self) -> int:
        return hash(self._columns)

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        pixels, peaks = counted(self.area, "pixel"), counted(len(self._columns._peaks), "peak")
        return f"<{type(self).__name__}: {pixels} in {self.bbox!r}, {peaks}>"

    def _repr_html_(self) -> str:
        from .._reprs import footprint_html

        return footprint_html(self)

    def _repr_png_(self) -> bytes:
        from .._reprs import spans_png

        return spans_png(self.spans)

    def plot(self, origin: tuple[int, int] = (0, 0), ax: Any = None, **style: Any) -> FootprintCollection:
        """Draw the outline, holes included, as regions draw themselves; see `lsstregions.plotting.plot_footprints`.

        As that of sets it may be called with axes alone: ``footprint.plot(ax)``.

        Parameters
        ----------
        origin : pair of int, optional
            The pixel ``(x, y)`` that the axes have at (0, 0).
        ax : matplotlib Axes or WCSAxes, optional
            By default the current axes.
        **style : dict
            Options of `plot_footprints`; they come before the footprint's own ``visual``.
        """
        from ..plotting import plot_footprints

        if hasattr(origin, "add_collection"):
            origin, ax = (0, 0), origin
        return plot_footprints(self, ax, origin=origin, **self._visual_style() | style)

    def __runs__(self) -> NDArray[np.int32]:
        """Offer the canonical runs to the rasterizer."""
        return self._columns.spans

    @property
    def spans(self) -> SpanSet:  # type: ignore[override]  # A property, not an attribute.
        """The pixels."""
        return SpanSet._from_canonical(self._columns.spans)

    @property
    def peaks(self) -> Table:
        """A new table of the peaks, the most significant first."""
        return self._columns.peaks

    @property
    def region(self) -> Box2I | None:
        """The box of the image that it was found in."""
        return self._columns.region

    @property
    def sign(self) -> int:
        """1 for what is above a threshold, -1 for what is below a negative one, 0 for both."""
        return int(self._columns.sign[0])

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.spans.area

    @property
    def bbox(self) -> Box2I:
        """The smallest box that holds the pixels."""
        return self.spans.bbox

    @property
    def centroid(self) -> Point2D:
        """Mean position of the pixel centres."""
        return self.spans.centroid

    @property
    def quadrupole(self) -> Quadrupole:
        """Second central moments of the pixel centres."""
        return self.spans.quadrupole

    @property
    def ellipse(self) -> Ellipse:
        """The ellipse with the centroid and second moments of the pixels."""
        return Ellipse(self.quadrupole.to_axes(), self.centroid)

    def is_contiguous(self, connectivity: int = 8) -> bool:
        """Whether the pixels are connected."""
        return self.spans.is_contiguous(connectivity)

    def add_peak(self, x: float, y: float, value: float, **columns: Any) -> Self:
        """Return this footprint with one more peak, in the pixel that covers ``(x, y)``; the others keep their ids.

        Raises
        ------
        TypeError
            If a coordinate or the value is no number, or a column is one of those that the others make.
        ValueError
            If one is not finite, or that pixel is not in the footprint.
        OverflowError
            If an integer fits into its column neither as int64 nor as uint64.
        """
        if fixed := [name for name in ("id", "x", "y", *PIXEL_COLUMNS) if name in columns]:
            raise TypeError(f"{', '.join(fixed)} cannot be given: add_peak makes them of x, y and value")
        pixel = Point2D(as_finite(x, "x"), as_finite(y, "y")).to_pixel()
        old = self._columns._peaks
        new = np.array([(pixel.x, pixel.y, as_finite(value, "value"))], PEAK)
        number = max(old["id"].tolist(), default=0) + 1
        added = {"id": np.array([number]), "x": np.array([float(x)]), "y": np.array([float(y)])}
        for name, column in columns.items():
            added[name] = np.array([column])
        kept = {name: old[name] for name in ("id", "x", "y")} | old.columns
        one = np.array([0, 1], np.int64)
        peaks = concatenated([Peaks(old.pixels, old.offsets, kept), Peaks(new, one, added)])
        table = peaks.table()
        return self._with(self._columns.with_peaks(table))

    def sort_peaks(self, key: str = "peak_value", reverse: bool | None = None) -> Self:
        """Return this footprint with its peaks sorted by a column; see `FootprintSet.sort_peaks`."""
        return self._with(self._columns.sort_peaks(key, reverse))

    def clip(self, box: Box2I) -> Self:
        """Return the part in a box, with the peaks there; it may be empty."""
        return self._with(self._columns.clip(box, keep_empty=True))

    def shift(self, dx: int, dy: int) -> Self:
        """Return the footprint and its peaks moved by whole pixels."""
        return self._with(self._columns.shift(dx, dy))

    def dilate(self, element: float | SpanSet, shape: Shape = "disk") -> Self:
        """Return the footprint dilated, as `SpanSet.dilate`; region and peaks stay, those that are still inside.

        Nothing is clipped. A heavy footprint leaves its pixel values behind: the new pixels have none.
        """
        return self._kept(self.spans.dilate(element, shape))

    def erode(self, element: float | SpanSet, shape: Shape = "disk") -> Self:
        """Return the footprint eroded, as `SpanSet.erode`, without the peaks that are outside then."""
        return self._kept(self.spans.erode(element, shape))

    def _with_spans(self, spans: SpanSet) -> FootprintSet:
        """Return the columns with other spans, and with the pixel values if there is one for each pixel."""
        old, runs = self._columns, spans.array
        kept = bool(old._values) and spans.issubset(self.spans)
        values = old._values_under(runs, np.zeros(len(runs), np.int32)) if kept else {}
        return old._replaced(spans=runs, offsets=np.array([0, len(runs)]), values=values)

    def transform(self, mapping: Any, inverse: Any = None, region: Box2I | None = None) -> Self:
        """Return what a mapping of the plane makes of the footprint, as `FootprintSet.transform`; it may be empty."""
        made = self._columns.transform(mapping, inverse)
        if region is not None:
            made = made.clip(region, keep_empty=True)._replaced(region=region)
        return self._with(made)

    def split(self, connectivity: int = 8) -> FootprintSet:
        """Return the connected parts, each with its own peaks."""
        return self._columns.split(connectivity)

    def merge(self, other: Footprint) -> Footprint:
        """Return the union, with the peaks of both, whether they meet or not; heavy ones add their values.

        Warns
        -----
        LossWarning
            If values are left out: of planes that only one of them has.

        Raises
        ------
        TypeError
            If `other` is no Footprint.
        """
        if not isinstance(other, Footprint):
            raise TypeError(f"other must be a Footprint, not {type(other).__name__}")
        both = FootprintSet.concatenate([self._columns, other._columns])
        return self._with(both._united(np.zeros(2, np.int32), 1))

    def make_heavy(
        self, image: Any, variance: Any = None, mask: Any = None, *, xy0: Origin | None = None
    ) -> HeavyFootprint:
        """Return this footprint with a copy of the pixels under it, as `FootprintSet.make_heavy`."""
        return HeavyFootprint._of(self._columns.make_heavy(image, variance, mask, xy0=xy0), self.meta, self.visual)


class HeavyFootprint(Footprint):
    """A footprint that owns the pixel values under it; `Footprint.make_heavy` makes one.

    Parameters
    ----------
    spans : SpanSet
    image : array_like, shape (area,)
        The values, in the order of `SpanSet.indices`.
    variance, mask : array_like, shape (area,), optional
        Variances, and integers or booleans, in the same order.
    **options : dict
        Those of `Footprint`: `peaks`, `region`, `sign`, `meta`, `visual`.

    Raises
    ------
    TypeError
        If an array holds no real numbers, the mask no integers.
    ValueError
        If an array has not one value a pixel, or has masked entries.
    """

    __slots__ = ()

    def __init__(
        self,
        spans: SpanSet,
        image: ArrayLike,
        variance: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        **options: Any,
    ):
        super().__init__(spans, **options)
        given = {"image": image, "variance": variance, "mask": mask}
        values = {name: native(np.array(column)) for name, column in given.items() if column is not None}
        for name, column in values.items():
            check_unmasked(given[name], name)
            if column.dtype.kind not in ("biu" if name == "mask" else "biuf"):
                kind = "integers or bools" if name == "mask" else "real numbers"
                raise TypeError(f"{name} must hold {kind}, not dtype {column.dtype}")
            if column.shape != (spans.area,):
                raise ValueError(
                    f"{name} must have a value for each of {spans.area} pixels, not the shape {column.shape}"
                )
        self._set(_columns=self._columns._replaced(values=values))

    @property
    def image(self) -> NDArray:
        """Pixel values, one for each pixel, read-only."""
        return self._columns._values["image"]

    @property
    def variance(self) -> NDArray | None:
        """Variances, one for each pixel, read-only; None if there are none."""
        return self._columns._values.get("variance")

    @property
    def mask(self) -> NDArray | None:
        """Mask values, one for each pixel, read-only; None if there are none."""
        return self._columns._values.get("mask")

    def insert(self, image: Any, xy0: Origin | None = None, *, plane: str = "image") -> None:
        """Write the values into an image of shape (ny, nx); see `FootprintSet.insert`, also for the errors."""
        self._columns.insert(image, xy0, plane=plane)

    def add_to(self, image: Any, xy0: Origin | None = None, *, plane: str = "image") -> None:
        """Add the values to an image of shape (ny, nx); see `FootprintSet.insert`, also for the errors."""
        self._columns.add_to(image, xy0, plane=plane)

    def subtract_from(self, image: Any, xy0: Origin | None = None, *, plane: str = "image") -> None:
        """Subtract the values from an image of shape (ny, nx); see `FootprintSet.insert`, also for the errors."""
        self._columns.subtract_from(image, xy0, plane=plane)

    def extract(self, box: Box2I | None = None, fill: Any = None, *, plane: str = "image") -> NDArray:
        """Return an image of a box, by default `bbox`, with the values where the footprint is and `fill` elsewhere.

        That is by default NaN, or 0 where the values are integers.

        Returns
        -------
        ndarray, shape (ny, nx)

        Raises
        ------
        KeyError
            If there are no values of that name: those are ``image``, ``variance`` and ``mask``.
        ValueError
            If the box does not hold the footprint, or `fill` does not fit the values' dtype.
        """
        self._columns._check_plane(plane)
        values = self._columns._values[plane]
        if fill is None:
            fill = np.nan if values.dtype.kind == "f" else 0
        return self.spans.unflatten(values, box, fill)

    def dot(self, other: HeavyFootprint) -> float:
        """Return the sum of the products of both images over the pixels that both have.

        Raises
        ------
        TypeError
            If `other` is no HeavyFootprint.
        """
        if not isinstance(other, HeavyFootprint):
            raise TypeError(f"other must be a HeavyFootprint, not {type(other).__name__}")
        common = (self.spans & other.spans).array
        owner = np.zeros(len(common), np.int32)
        mine, theirs = (one._columns._values_under(common, owner)["image"].astype(float) for one in (self, other))
        # Not np.dot, whose threads cost more than the sum, and change it.
        return float(np.einsum("i,i", mine, theirs))


def _only(columns: FootprintSet) -> Footprint:
    """Return the footprint of a set of one."""
    return (HeavyFootprint if columns.is_heavy else Footprint)._of(columns)


FootprintSet._only = staticmethod(_only)

"""FootprintSet: many footprints in columns."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _columns, _label, _label_image, _measure, _pixels, _runs
from .._catalog import axes, measure
from .._frames import Frame, as_bytes, is_nddata, values_under, write_under
from .._peaks import PIXEL_COLUMNS, Peaks, check_column, check_ids, concatenated, same
from .._pixel_region import FootprintRegion, LossWarning, to_regions
from .._ragged import offsets_of, owners_of, ranges
from .._validate import (
    as_array2d,
    as_connectivity,
    as_dtype,
    as_int,
    as_int32,
    as_int32_array,
    as_numbers,
    as_pair,
    as_points,
    as_rows,
    joined,
    require,
)
from .._values import Value, counted
from .._warn import warn
from ..geom import AffineTransform, Box2I, LinearTransform, Point2I
from ..mappings import Mapping, WcsMapping, as_mappings, mapped, transformed
from ..raster import Unprojectable, checked, circles, ellipses, polygons, runs_of_regions
from ..raster._dispatch import projecting
from ..spans import Shape, SpanSet

if TYPE_CHECKING:
    from astropy.table import QTable, Table
    from regions import Regions

    from ..plotting import FootprintCollection
    from ._footprint import Footprint

Origin = tuple[int, int] | Point2I

# So many points are looked up among the spans of their rows; for more all spans are sorted.
_FEW = 16


class FootprintSet(Value):
    """Many footprints in columns: one array of spans, and where those of each footprint begin.

    A footprint is a view into the columns, a selection is one take, and what is done to all of them is one call.

    Parameters
    ----------
    footprints : iterable of Footprint or SpanSet, optional
        The footprints, in this order.
    region : Box2I, optional
        The box of the image that they were found in: what grows is clipped to it.

    Raises
    ------
    TypeError
        If a footprint is neither a Footprint nor a SpanSet, or `region` no Box2I.

    Notes
    -----
    ``fs[i]`` is a `Footprint`; a slice, an array of indices or a boolean array gives a FootprintSet, of which
    ``fs[i : i + 1].measure(image)`` measures one. Footprints may overlap one another; those that `detect_footprints`
    finds do not.
    """

    __slots__ = ("_peaks", "_pixels", "_values", "offsets", "region", "sign", "spans")

    #: Spans ``(y, x_start, x_stop)`` of all footprints: int32 of shape (n, 3), read-only, canonical in each footprint.
    spans: NDArray[np.int32]
    #: Footprint i has the spans ``offsets[i]`` to ``offsets[i + 1]``: int64, read-only.
    offsets: NDArray[np.int64]
    #: The box of the image that the footprints are of, or None.
    region: Box2I | None
    #: 1 for what is above a threshold, -1 for what is below a negative one, 0 for both: int8, read-only.
    sign: NDArray[np.int8]
    _peaks: Peaks
    _values: dict[str, NDArray]
    #: What `_pixel_offsets` returns, once it has been asked for.
    _pixels: NDArray[np.int64] | None
    #: From a set of one to its footprint, which is made of it: whoever defines that class says so here.
    _only: ClassVar[Callable[[FootprintSet], Footprint]]

    def __init__(self, footprints: Iterable[Footprint | SpanSet] = (), region: Box2I | None = None):
        if isinstance(footprints, FootprintSet):
            whole = footprints
        elif isinstance(footprints, SpanSet) or not isinstance(footprints, Iterable):
            hint = "; SpanSet.components makes them" if isinstance(footprints, SpanSet) else ""
            raise TypeError(f"footprints must be a list of footprints, not {footprints!r:.100}{hint}")
        else:
            sets = [as_set(one, "a footprint", "; from_regions takes regions") for one in footprints]
            whole = FootprintSet.concatenate(sets) if sets else FootprintSet._from_columns(*_no_columns())
        self._set(**{name: getattr(whole, name) for name in self.__slots__})
        self._set(region=require(region, Box2I, "region") if region is not None else whole.region)

    @classmethod
    def _from_columns(
        cls,
        spans: NDArray[np.int32],
        offsets: NDArray[np.int64],
        region: Box2I | None = None,
        *,
        peaks: Peaks | None = None,
        sign: NDArray[np.int8] | None = None,
        values: dict[str, NDArray] | None = None,
    ) -> Self:
        """Wrap columns that are as they should be and that nobody else will write to."""
        made = cls.__new__(cls)
        count = len(offsets) - 1
        sign = np.ones(count, np.int8) if sign is None else sign
        values = values or {}
        arrays: tuple[NDArray, ...] = (spans, offsets, sign, *values.values())
        for array in arrays:
            array.flags.writeable = False
        peaks = Peaks.none(count) if peaks is None else peaks
        made._set(spans=spans, offsets=offsets, region=region, sign=sign, _peaks=peaks, _values=values, _pixels=None)
        return made

    def _replaced(self, **columns: Any) -> Self:
        """Return a set with some columns replaced."""
        parts: dict[str, Any] = {
            "peaks": self._peaks,
            "sign": self.sign,
            "values": self._values,
            "region": self.region,
        } | columns
        return self._from_columns(parts.pop("spans", self.spans), parts.pop("offsets", self.offsets), **parts)

    def __reduce__(self) -> tuple[Any, ...]:
        peaks = self._peaks.pixels, self._peaks.offsets, self._peaks.columns
        return _restored, (type(self), self.spans, self.offsets, self.region, peaks, self.sign, self._values)

    def with_region(self, region: Box2I | None) -> Self:
        """Return these footprints as those of another box, to which `grow` clips; nothing is clipped here.

        Raises
        ------
        TypeError
            If `region` is neither a Box2I nor None.
        """
        return self._replaced(region=None if region is None else require(region, Box2I, "region"))

    # A sequence of footprints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[Footprint]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Footprint: ...
    @overload
    def __getitem__(self, index: slice | NDArray | Sequence[int] | Sequence[bool]) -> Self: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, bool | np.bool_) or np.ndim(index) > 1:
            raise TypeError(f"footprints are indexed by integers, slices and 1-D arrays, not {index!r}")
        if isinstance(index, int | np.integer | np.ndarray) and np.ndim(index) == 0:
            i = operator.index(index)
            if not -len(self) <= i < len(self):
                raise IndexError(f"there is no footprint {i} in a set of {len(self)}")
            return FootprintSet._only(self._slice(i % len(self), i % len(self) + 1))
        if isinstance(index, slice) and index.step in (None, 1):
            start, stop, _ = index.indices(len(self))
            return self._slice(start, max(start, stop))
        return self._take(np.arange(len(self))[index if isinstance(index, slice) else np.asarray(index, _kind(index))])

    def _slice(self, start: int, stop: int) -> Self:
        """Return neighbouring footprints: views of the columns."""
        spans, offsets = _cut(self.spans, self.offsets, start, stop)
        peaks = self._peaks
        first, last = peaks.offsets[start], peaks.offsets[stop]
        columns = {name: column[first:last] for name, column in peaks.columns.items()}
        if first > 0 and "id" not in columns:
            columns["id"] = np.arange(first + 1, last + 1)
        values = {}
        if self._values:
            pixels = self._pixel_offsets()
            values = {name: column[pixels[start] : pixels[stop]] for name, column in self._values.items()}
        part = Peaks(peaks.pixels[first:last], peaks.offsets[start : stop + 1] - first, columns)
        return self._from_columns(spans, offsets, self.region, peaks=part, sign=self.sign[start:stop], values=values)

    def _take(self, index: NDArray[np.int64]) -> Self:
        order, offsets = _flat(self.offsets, index)
        values = {}
        if self._values:
            pixels, _ = _flat(self._pixel_offsets(), index)
            values = {name: column[pixels] for name, column in self._values.items()}
        return self._from_columns(
            self.spans[order],
            offsets,
            self.region,
            peaks=self._peaks.with_offsets(*_flat(self._peaks.offsets, index)),
            sign=self.sign[index],
            values=values,
        )

    @staticmethod
    def concatenate(sets: Iterable[FootprintSet]) -> FootprintSet:
        """Return the footprints of several sets, one set after the other; the region is kept if they share it.

        Pixel values are kept of the planes that all sets have, and columns of peaks that are the user's of all: where a
        set lacks one, its peaks have NaN there, or empty strings.

        Warns
        -----
        LossWarning
            If pixel values are left behind.

        Raises
        ------
        TypeError
            If one of `sets` is no FootprintSet, or a column of peaks is of another kind in another set.
        ValueError
            If a set lacks a column of integers or booleans, or has another number of values a peak in it.
        OverflowError
            If integers to be joined, of peaks or pixels, fit neither int64 nor uint64.
        """
        parts = list(sets)
        for part in parts:
            require(part, FootprintSet, "sets")
        if not parts:
            return FootprintSet()
        starts = offsets_of([len(part.spans) for part in parts])
        offsets = [part.offsets[1:] + start for part, start in zip(parts, starts, strict=False)]
        regions = {part.region for part in parts}
        some = [part for part in parts if len(part)] or parts
        names = dict.fromkeys(name for part in some for name in part._values)
        planes = {name: all(name in part._values for part in some) for name in names}
        if lost := [name for name, is_common in planes.items() if not is_common]:
            message = f"not all footprints have pixel values of the plane {', '.join(lost)}, which is left out"
            warn(message, LossWarning)
        return FootprintSet._from_columns(
            np.concatenate([part.spans for part in parts]),
            np.concatenate([np.zeros(1, np.int64), *offsets]),
            regions.pop() if len(regions) == 1 else None,
            peaks=concatenated([part._peaks for part in parts]),
            sign=np.concatenate([part.sign for part in parts]),
            values={
                name: joined([part._values[name] for part in some], name)
                for name, is_common in planes.items()
                if is_common
            },
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FootprintSet):
            return NotImplemented
        return (
            np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.spans, other.spans)
            and np.array_equal(self.sign, other.sign)
            and self._peaks.equals(other._peaks)
            and self._values.keys() == other._values.keys()
            and all(column.dtype == other._values[name].dtype for name, column in self._values.items())
            and all(same(column, other._values[name]) for name, column in self._values.items())
        )

    def __hash__(self) -> int:
        return hash((self.spans.tobytes(), self.offsets.tobytes()))

    def __repr__(self) -> str:
        kind = "heavy footprint" if self._values else "footprint"
        numbers = counted(len(self), kind), counted(len(self.spans), "span"), counted(len(self._peaks), "peak")
        where = "" if self.region is None else f" in {self.region!r}"
        return f"<FootprintSet: {', '.join(numbers)}{where}>"

    def _repr_html_(self) -> str:
        from .._reprs import footprints_html

        return footprints_html(self)

    def _repr_png_(self) -> bytes:
        from .._reprs import footprints_png

        return footprints_png(self)

    def plot(self, ax: Any = None, **style: Any) -> FootprintCollection:
        """Draw the outlines, holes included, as one artist; see `lsstregions.plotting.plot_footprints`."""
        from ..plotting import plot_footprints

        return plot_footprints(self, ax, **style)

    def to_moc(self, wcs: Any, *, order: int | None = None) -> Any:
        """Return the part of the sky that is covered as a `mocpy.MOC`; see `lsstregions.viewers.to_moc`."""
        from ..viewers import to_moc

        return to_moc(self, wcs, order=order)

    def __runs__(self) -> NDArray[np.int32]:
        """Offer the canonical runs of all footprints to the rasterizer."""
        return self.union().array

    # Columns

    def _owners(self) -> NDArray[np.int32]:
        """Return the footprint that each span is of."""
        return owners_of(self.offsets)

    def _pixel_offsets(self) -> NDArray[np.int64]:
        """Return where the pixels of each footprint begin among all."""
        # Kept, for a loop over heavy footprints asks for each.
        pixels = self._pixels
        if pixels is None:
            pixels = offsets_of(self.area)
            pixels.flags.writeable = False
            self._set(_pixels=pixels)
        return pixels

    @property
    def area(self) -> NDArray[np.int64]:
        """Number of pixels of each footprint."""
        return _measure.extents(self.spans, self.offsets)[1]

    @property
    def bbox(self) -> NDArray[np.int64]:
        """Box of each footprint, (n, 4): ``x_start, x_stop, y_start, y_stop``."""
        return _measure.extents(self.spans, self.offsets)[0].T

    @property
    def centroid(self) -> NDArray[np.float64]:
        """Mean position ``(x, y)`` of the pixel centres of each footprint, (n, 2)."""
        return self._moments()[:2].T

    @property
    def quadrupole(self) -> NDArray[np.float64]:
        """Second central moments ``xx, yy, xy`` of the pixel centres of each footprint, (n, 3), in pixel**2."""
        return self._moments()[2:].T

    @property
    def ellipse(self) -> NDArray[np.float64]:
        """Semi-axes and angle ``a, b, theta`` of the ellipse of each `quadrupole`, (n, 3), in pixels and radians."""
        return axes(*self._moments()[2:]).T

    def _moments(self) -> NDArray[np.float64]:
        """Return ``x, y, xx, yy, xy``, (5, n), summed from the first pixel, so that sums are of small numbers."""
        x0, y0 = np.ascontiguousarray(self._first().T, float)
        sums = _measure.moments(self.spans, self.offsets, x0, y0, 2)
        with np.errstate(invalid="ignore"):
            sums = sums / sums[:, :1, :1]
        x, y = sums[:, 0, 1], sums[:, 1, 0]
        xx, yy = np.maximum(sums[:, 0, 2] - x * x, 0), np.maximum(sums[:, 2, 0] - y * y, 0)
        return np.stack((x0 + x, y0 + y, xx, yy, sums[:, 1, 1] - x * y))

    def _first(self) -> NDArray[np.int32]:
        """Return the first pixel ``(x, y)`` of each footprint; zeros for an empty one."""
        starts = self.offsets[:-1]
        if (starts < self.offsets[1:]).all():
            return self.spans.take(starts, axis=0)[:, 1::-1]
        first = np.zeros((len(self), 2), np.int32)
        full = starts < self.offsets[1:]
        first[full] = self.spans[starts[full], 1::-1]
        return first

    def measure(
        self,
        image: Any = None,
        variance: Any = None,
        wcs: Any = None,
        columns: Sequence[str] | None = None,
        *,
        xy0: Origin | None = None,
    ) -> QTable:
        """Measure all footprints, and the pixels under them, in one pass.

        Parameters
        ----------
        image : array_like or NDData, shape (ny, nx), optional
            What the footprints were found in, or any other image that holds them.
        variance : array_like, shape (ny, nx), optional
            Variance of each pixel; by default from the NDData's uncertainty.
        wcs : optional
            A WCS (astropy's, gwcs, any of APE 14) of the pixel plane, as in `rasterize`; by default that of the NDData,
            which counts from the NDData's first pixel.
        columns : sequence of str, optional
            Only these are computed, in this order; by default all that the input allows. See Notes.
        xy0 : pair of int, optional
            The pixel of ``image[0, 0]``; by default that of the NDData or of `region`.

        Returns
        -------
        QTable
            One row a footprint.

        Raises
        ------
        KeyError
            If a column is not known.
        TypeError
            If `wcs` is no WCS, or an array holds no real numbers.
        ValueError
            If a column needs an image, variance or WCS that is not given, or the image does not hold the footprints.

        Notes
        -----
        Columns that photutils' SourceCatalog has are called as there; positions are absolute.

        From the spans: ``label``, ``area``, ``bbox_xmin``, ``bbox_xmax``, ``bbox_ymin``, ``bbox_ymax`` (inclusive),
        ``shape_x``, ``shape_y`` (the centroid of the pixel centres), ``shape_xx``, ``shape_yy``, ``shape_xy``,
        ``shape_semimajor``, ``shape_semiminor``, ``shape_orientation`` (their second moments), ``perimeter``,
        ``euler_number``, ``sign``, ``n_peaks``, and with an image or a region ``touches_edge``.

        From the image: ``segment_flux``, ``min_value``, ``max_value``, ``mean_value``, ``max_value_xindex``,
        ``max_value_yindex``, and weighted by the pixel values ``x_centroid``, ``y_centroid``, ``covariance_xx``,
        ``covariance_yy``, ``covariance_xy``, ``semimajor_axis``, ``semiminor_axis``, ``orientation``. From the variance
        ``segment_flux_err``, from the WCS ``sky_centroid`` (of these weighted centroids, if there is an image). NaN
        pixels, and those that the mask of an NDData or masked array excludes, are left out of all sums, that of the
        variance too; where the variance of a pixel that counts is NaN, so is the error. A footprint of no such pixels
        has a flux of 0, the place of its greatest value is masked, and the rest is NaN.

        Unlike in photutils negative pixels count as they are in weighted moments, which where the flux is near zero
        may be anything, and the perimeter is that along the sides of pixels.
        """
        return measure(self, image, variance, wcs, columns, xy0)

    # Peaks

    @property
    def peaks(self) -> Table:
        """A new table of all peaks, footprint by footprint.

        Columns ``id``, ``x_peak``, ``y_peak`` (pixels), ``x``, ``y`` (positions), ``peak_value``, and the user's. The
        footprint of each is ``np.repeat(np.arange(len(self)), np.diff(self.peak_offsets))``.
        """
        return self._peaks.table()

    @property
    def peak_offsets(self) -> NDArray[np.int64]:
        """Footprint i has the peaks ``peak_offsets[i]`` to ``peak_offsets[i + 1]``; of shape (n + 1,)."""
        return self._peaks.offsets

    def with_peaks(self, table: Table) -> Self:
        """Return these footprints with other peaks; each goes to the first footprint that holds its pixel.

        Parameters
        ----------
        table : Table
            Columns ``x_peak``, ``y_peak``, ``peak_value`` and any others, which are kept. The most significant will
            come first.

        Raises
        ------
        KeyError
            If one of the columns is missing.
        TypeError
            If `table` is no Table, ``x_peak``, ``y_peak`` or ``peak_value`` hold no real numbers, ``id`` no integers,
            or a column is of a kind that peaks cannot have, such as Quantity, Time or SkyCoord.
        ValueError
            If a peak lies in no footprint, its pixel is not integral, its value NaN, its position not finite, an entry
            masked, or an id not unique.
        OverflowError
            If a pixel does not fit into int32.
        """
        return self._with_peaks(Peaks.from_table(table))

    def _with_peaks(self, peaks: Peaks) -> Self:
        labels = self._label_at(peaks)
        if (labels < 0).any():
            lost = peaks.pixels[labels < 0][0]
            raise ValueError(f"peaks must lie in footprints: there is none at ({lost['x_peak']}, {lost['y_peak']})")
        return self._replaced(peaks=peaks.grouped(labels, self.sign))

    def with_peak_columns(self, **columns: ArrayLike) -> Self:
        """Return these footprints with columns added to their peaks, or replaced, by arrays of shape (n_peaks, ...).

        Raises
        ------
        TypeError
            If a column has a unit, ``id`` is no integers, or ``x`` or ``y`` no real numbers.
        ValueError
            If a column is of another length, has masked entries, or is one of ``x_peak``, ``y_peak``, ``peak_value``
            (see `with_peaks`); if an id is not unique, or a position not finite.
        """
        for name, column in columns.items():
            if name in PIXEL_COLUMNS:
                raise ValueError(f"{name} cannot be replaced alone; see FootprintSet.with_peaks")
            if (unit := getattr(column, "unit", None)) is not None:
                raise TypeError(f"{name} must have no unit, which peaks do not keep, not {unit}")
            check_column(name, column, len(self._peaks))
            if name == "id":
                check_ids(column)
        return self._replaced(peaks=self._peaks.with_columns(**columns))

    def sort_peaks(self, key: str = "peak_value", reverse: bool | None = None) -> Self:
        """Return these footprints with the peaks of each sorted by a column.

        Parameters
        ----------
        key : str, optional
            The column.
        reverse : bool, optional
            Whether the highest comes first; by default it does, but of the values in negative footprints the lowest,
            and in those of both signs the farthest from 0: the most significant.

        Raises
        ------
        KeyError
            If there is no column `key`.
        ValueError
            If it has more than one value a peak.
        """
        owner = self._peaks.owners
        column = self._peaks[key]
        if column.ndim > 1:
            raise ValueError(f"key must name a column of one value a peak; {key!r} has the shape {column.shape}")
        if reverse is None and key == "peak_value":
            sign = self.sign[owner]
            column = np.where(sign < 0, -column, np.where(sign == 0, np.abs(column), column))
        rank = np.argsort(column, kind="stable")
        if reverse is None or reverse:
            rank = np.argsort(column[::-1], kind="stable")[::-1]
            rank = len(column) - 1 - rank
        order = rank[np.argsort(owner[rank], kind="stable")]
        return self._replaced(peaks=self._peaks.with_offsets(order, self._peaks.offsets))

    def _label_at(self, peaks: Peaks) -> NDArray[np.int32]:
        return self.at(peaks["x_peak"], peaks["y_peak"]).astype(np.int32)

    # Other forms

    def union(self) -> SpanSet:
        """Return the pixels in any footprint."""
        return SpanSet._from_canonical(_runs.canonical(self.spans))

    def to_labels(self, box: Box2I | None = None) -> NDArray[np.int32]:
        """Return an image of the footprints' numbers from 1 on, 0 elsewhere; where some overlap, the first one's.

        Parameters
        ----------
        box : Box2I, optional
            The box of the image, by default `region`, or the smallest that holds all footprints.

        Returns
        -------
        ndarray of int32, shape (ny, nx)

        Raises
        ------
        TypeError
            If `box` is no Box2I.
        """
        is_given = box is not None
        box = require(box, Box2I, "box") if is_given else self._box()
        labels = np.zeros(box.shape, np.int32)
        inside = self.clip(box, keep_empty=True)
        if not is_given and not np.array_equal(inside.spans, self.spans):
            warn("footprints leave their region: labels are of what is inside", LossWarning)
        if box:
            _label_image.paint(labels, inside.spans, inside.offsets, *box.xy0)
        return labels

    def _box(self) -> Box2I:
        return self.union().bbox if self.region is None else self.region

    @classmethod
    def from_labels(cls, labels: Any, xy0: Origin = (0, 0)) -> Self:
        """Return the pixels of each label of an image, in rising order of the labels, 0 left out.

        The labels themselves are not kept: footprint i has had number i of the labels in rising order, ``segm.labels``
        of photutils.

        Parameters
        ----------
        labels : array_like of int or photutils SegmentationImage, shape (ny, nx)
        xy0 : pair of int, optional
            The pixel of ``labels[0, 0]``.

        Raises
        ------
        TypeError
            If `labels` are not integers, or `xy0` is no pair of them.
        ValueError
            If `labels` are not 2-D.
        OverflowError
            If a coordinate does not fit into int32.
        """
        array = as_array2d(getattr(labels, "data", labels) if hasattr(labels, "segments") else labels, "labels")
        if array.dtype.kind not in "iub":
            raise TypeError(f"labels must be integers, not of dtype {array.dtype}")
        region = Box2I.from_shape(array.shape, xy0)
        runs, values = _label_image.runs_of(as_bytes(array), array.itemsize, *as_pair(xy0, "xy0"))
        number, count = _ranks(values.view(np.uint8 if array.dtype == bool else array.dtype))
        return cls._from_columns(*_label.group([runs], number, count), region)

    @classmethod
    def from_regions(
        cls,
        regions: Iterable[Any],
        *,
        wcs: Any = None,
        within: Box2I | None = None,
        unprojectable: Unprojectable = "raise",
    ) -> Self:
        """Return the pixels of each region of a list, in its order; a region without pixels has an empty footprint.

        Parameters
        ----------
        regions : iterable
            Anything that `rasterize` knows. A region whose ``meta["include"]`` is false takes its pixels away from
            those before it in the list, as DS9 means it, and has none itself.
        wcs : optional
            The WCS of the pixels, for sky regions.
        within : Box2I, optional
            The box of the image, to which the regions are clipped and which becomes the `region`.
        unprojectable : {"raise", "skip"}, optional
            What to do with regions on the sky that do not project onto the image; the footprint of one that is skipped
            is empty.

        Warns
        -----
        SkippedRegionWarning
            If such regions are skipped.

        Raises
        ------
        TypeError
            If a region is of no known kind, or `within` no Box2I.
        ValueError
            If a sky region has no WCS or no place in the pixel plane, and for what else `rasterize` raises it.
        OverflowError
            If a region leaves int32 where there is no `within`.
        """
        runs, offsets = runs_of_regions(regions, projecting(wcs, unprojectable), checked(within))
        return cls._from_columns(runs, offsets, within)

    @classmethod
    def from_circles(cls, x: ArrayLike, y: ArrayLike, r: ArrayLike, *, within: Box2I | None = None) -> Self:
        """Return the pixels of many circles: those whose centres lie strictly inside.

        Parameters
        ----------
        x, y, r : array_like of float, shape (n,) or scalar
            Centres and radii in pixels, broadcast against each other.
        within : Box2I, optional
            The box of the image, to which the circles are clipped and which becomes the `region`.

        Raises
        ------
        TypeError
            For what is no number, or a `within` that is no Box2I.
        ValueError
            For a value that is not finite, or a negative radius.
        OverflowError
            For a circle that leaves int32 where there is no `within`.
        """
        return cls._from_columns(*circles(x, y, r, within=checked(within)), within)

    @classmethod
    def from_ellipses(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        a: ArrayLike,
        b: ArrayLike,
        theta: ArrayLike = 0.0,
        *,
        within: Box2I | None = None,
    ) -> Self:
        """Return the pixels of many ellipses: those whose centres lie strictly inside.

        Parameters
        ----------
        x, y : array_like of float, shape (n,) or scalar
            Centres in pixels, broadcast against the rest.
        a, b : array_like of float, shape (n,) or scalar
            Semi-axes in pixels.
        theta : array_like of float or Quantity, shape (n,) or scalar, optional
            Angle from +x to the axis `a`, counter-clockwise, in radians or with a unit.
        within : Box2I, optional
            As in `from_circles`.

        Raises
        ------
        TypeError
            For what is no number, or a `within` that is no Box2I.
        ValueError
            For a value that is not finite, or a negative semi-axis.
        OverflowError
            For an ellipse that leaves int32 where there is no `within`.
        """
        return cls._from_columns(*ellipses(x, y, a, b, theta, within=checked(within)), within)

    @classmethod
    def from_polygons(cls, vertices: ArrayLike, offsets: ArrayLike, *, within: Box2I | None = None) -> Self:
        """Return the pixels of many polygons by the even-odd rule: those whose centres lie strictly inside.

        Parameters
        ----------
        vertices : array_like of float, shape (n, 2)
            The vertices ``(x, y)`` of all polygons in pixels, one polygon after the other.
        offsets : array_like of int, shape (n_polygons + 1,)
            Where each polygon begins among the vertices, and at last where the last one ends.
        within : Box2I, optional
            As in `from_circles`.

        Raises
        ------
        TypeError
            If `within` is no Box2I.
        ValueError
            For vertices of another shape or not finite, or offsets that do not rise from 0 to their number.
        OverflowError
            For a polygon that leaves int32 where there is no `within`.
        """
        corners = as_numbers(vertices, "vertices")
        if corners.ndim != 2 or corners.shape[1] != 2:
            raise ValueError(f"vertices must have the shape (n, 2), not {corners.shape}")
        x, y = corners.T
        return cls._from_columns(*polygons(x, y, offsets, within=checked(within)), within)

    def to_regions(self, *, wcs: Any = None) -> Regions:
        """Return the outlines as `regions.Regions`: a polygon a footprint, which every format of `regions` can hold.

        With a `wcs` they are on the sky. `from_regions` makes the same footprints of them; empty ones are left out. See
        `lsstregions.to_regions`.
        """
        return to_regions(self, wcs=wcs)

    def to_table(self) -> Table:
        """Return the columns as a table, one row a footprint, that shares memory with them: see `lsstregions.io`."""
        from ..io import to_table

        return to_table(self)

    # Files

    @classmethod
    def read(cls, path: Any, format: str | None = None, **options: Any) -> Self:
        """Read from a file of any format that `lsstregions.io` names; by default it is found by content or suffix.

        Region files take ``wcs=``, which regions on the sky need, and like GeoJSON and WKT ``within=``, a `Box2I` to
        clip to.

        A file that is truncated, corrupt, of another kind or of a later version raises
        `lsstregions.io.FileFormatError`, an OSError and ValueError that names it.
        """
        from ..io import read

        return read(cls, path, format=format, **options)

    def write(self, path: Any, format: str | None = None, overwrite: bool = False, **options: Any) -> None:
        """Write to a file in any format that `lsstregions.io` names; a failed write leaves an old file as it was.

        With ``wcs=`` region files have outlines on the sky. Those in pixels count from the pixel (0, 0).

        A file that is there already raises OSError unless `overwrite` is true.
        """
        from ..io import write

        write(self, path, format=format, overwrite=overwrite, **options)

    # Looking up

    def at(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.int64]:
        """Return the index of the footprint that holds each point, the first one of several, or -1 for none.

        To select by them, leave out the -1, which would stand for the last footprint.

        Parameters
        ----------
        x, y : array_like of float
            Points in pixels, of shapes that broadcast against each other.

        Returns
        -------
        ndarray of int64
            Of the shape of `x` and `y`.

        Raises
        ------
        TypeError
            If `x` or `y` are no real numbers.
        ValueError
            If their shapes do not broadcast.
        """
        columns, rows, shape = as_points(x, y)
        return _columns.at(*self._near_rows(rows), columns, rows).reshape(shape)

    def crossmatch(
        self, other: FootprintSet | SpanSet
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Find all pairs of a footprint of this set and one of another that overlap.

        Returns
        -------
        i, j, area : ndarray of int64, shape (n_pairs,)
            The indices into both sets, sorted, and how many pixels each pair shares.

        Raises
        ------
        TypeError
            If `other` is neither a FootprintSet nor a SpanSet.
        """
        mine, others = self._in_raster_order(), as_set(other, "other")._in_raster_order()
        pairs = _columns.overlaps(*mine, *others)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        pairs = pairs[order]
        first = np.flatnonzero(np.r_[True, (pairs[1:, :2] != pairs[:-1, :2]).any(axis=1)][: len(pairs)])
        area = np.add.reduceat(pairs[:, 2], first) if len(first) else pairs[:, 2]
        return pairs[first, 0], pairs[first, 1], area

    def _near_rows(self, y: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the spans in raster order, and their owners; of few points only those in rows around them."""
        if not 0 < len(y) <= _FEW or not np.isfinite(y).all():
            return self._in_raster_order()
        row = self.spans[:, 0]
        near = np.flatnonzero((row >= y.min() - 1) & (row <= y.max() + 1))
        owner = np.searchsorted(self.offsets, near, side="right") - 1
        return _runs.in_raster_order(self.spans[near], owner.astype(np.int32))

    def _in_raster_order(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        return _runs.in_raster_order(self.spans, self._owners())

    def overlaps(self, other: FootprintSet | SpanSet) -> NDArray[np.bool_]:
        """Whether each footprint shares a pixel with any of another set: bools (n,); see `crossmatch` for which.

        Raises
        ------
        TypeError
            If `other` is neither a FootprintSet nor a SpanSet.
        """
        # Of spans that do not overlap one another each of ours meets few.
        theirs = as_set(other, "other").union().array
        pairs = _columns.overlaps(*self._in_raster_order(), theirs, np.zeros(len(theirs), np.int32))
        result = np.zeros(len(self), bool)
        result[pairs[:, 0]] = True
        return result

    # New footprints from these

    def split(self, connectivity: int = 8) -> Self:
        """Return the connected parts of each footprint as footprints, each with its own peaks.

        Raises
        ------
        ValueError
            If `connectivity` is neither 4 nor 8.
        """
        labels, count = _columns.split(self.spans, self.offsets, as_connectivity(connectivity))
        sign = np.empty(count, np.int8)
        sign[labels] = self.sign[self._owners()]
        run = self._runs_of_peaks()
        peaks = self._peaks.grouped(np.where(run < 0, -1, labels[run] if len(labels) else run), sign)
        owner = np.empty(count, np.int32)
        owner[labels] = self._owners()
        spans, offsets = _label.group([self.spans], labels, count)
        values = self._values_under(spans, np.repeat(owner, np.diff(offsets)))
        return self._from_columns(spans, offsets, self.region, peaks=peaks, sign=sign, values=values)

    def _values_under(self, runs: NDArray[np.int32], owner: NDArray[np.int32]) -> dict[str, NDArray]:
        """Return the pixel values under runs, each of which lies in a run of the footprint that owns it."""
        if not self._values:
            return {}
        places = self._places_of(runs, owner)
        return {name: column[places] for name, column in self._values.items()}

    def _places_of(self, runs: NDArray[np.int32], owner: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return which of all pixels those of runs are, each of which lies in a run of the footprint that owns it."""
        which = _columns.locate(runs[:, 1].astype(float), runs[:, 0].astype(float), owner, self.spans, self.offsets)
        return _places_in(self.spans, which, runs)

    def _runs_of_peaks(self) -> NDArray[np.int64]:
        """Return the index of the span that each peak lies in, in its own footprint, or -1."""
        x, y = self._peaks["x_peak"].astype(float), self._peaks["y_peak"].astype(float)
        return _columns.locate(x, y, self._peaks.owners, self.spans, self.offsets)

    def remove_orphan_peaks(self) -> Self:
        """Return these footprints without the peaks that lie outside their own footprint."""
        kept = np.flatnonzero(self._runs_of_peaks() >= 0)
        if len(kept) == len(self._peaks):
            return self
        return self._replaced(peaks=self._peaks.with_offsets(kept, np.searchsorted(kept, self._peaks.offsets)))

    def clip(self, box: Box2I, *, keep_empty: bool = False) -> Self:
        """Return the parts of the footprints in a box, with the peaks there; what is left without pixels is dropped.

        Parameters
        ----------
        box : Box2I
        keep_empty : bool, optional
            Keep footprints outside the box as empty ones, so that indices stay the same.

        Raises
        ------
        TypeError
            If `box` is no Box2I.
        """
        box = require(box, Box2I, "box")
        spans, offsets = _columns.clip(self.spans, self.offsets, *box._edges)
        values = self._values_under(spans, owners_of(offsets))
        clipped = self._replaced(spans=spans, offsets=offsets, values=values).remove_orphan_peaks()
        return clipped if keep_empty else clipped[np.diff(offsets) > 0]

    def shift(self, dx: int, dy: int) -> Self:
        """Return the footprints, peaks and region moved by whole pixels.

        An array that is measured then is taken to begin where the region now does, unless `xy0` says otherwise.

        Raises
        ------
        TypeError
            If `dx` or `dy` is no integer.
        OverflowError
            If a footprint, a peak or the region leaves int32.
        """
        dx, dy = as_int(dx, "dx"), as_int(dy, "dy")
        pixels, columns = self._peaks.pixels.copy(), self._peaks.columns
        pixels["x_peak"] = as_int32_array(self._peaks["x_peak"] + np.int64(dx), "shifted peaks")
        pixels["y_peak"] = as_int32_array(self._peaks["y_peak"] + np.int64(dy), "shifted peaks")
        moved = {name: columns[name] + step for name, step in (("x", dx), ("y", dy)) if name in columns}
        spans = as_int32_array(self.spans + np.array([dy, dx, dx], np.int64), "shifted spans")
        as_int32(int(spans[:, 0].max(initial=-1)) + 1, "the end of the shifted rows")
        return self._replaced(
            spans=spans,
            peaks=Peaks(pixels, self._peaks.offsets, columns | moved),
            region=None if self.region is None else self.region.shifted_by(dx, dy),
        )

    def transform(
        self,
        mapping: LinearTransform | AffineTransform | WcsMapping | Mapping,
        inverse: Mapping | None = None,
        region: Box2I | None = None,
    ) -> Self:
        """Return what a mapping of the plane makes of each footprint and of its peaks; footprints may become empty.

        A peak that would lie outside its footprint, by rounding, goes to the nearest pixel of it. Pixel values are left
        behind.

        Parameters
        ----------
        mapping, inverse : LinearTransform, AffineTransform, WcsMapping or callable
            As in `SpanSet.transform`, whose rule holds for each footprint.
        region : Box2I, optional
            The box of the new image, to which the footprints are clipped; those outside are dropped.

        Raises
        ------
        TypeError
            If a mapping is not callable, or comes without its inverse, or `region` is no Box2I.
        ValueError
            If the mapping has no inverse, or takes a pixel or a peak nowhere (NaN).
        OverflowError
            If the result leaves int32.
        """
        forward, back = as_mappings(mapping, inverse)
        spans, offsets = transformed(self.spans, self.offsets, forward, back)
        x, y = mapped(forward, self._peaks["x"], self._peaks["y"])
        pixels = self._peaks.pixels.copy()
        x_peak, y_peak = mapped(forward, pixels["x_peak"].astype(float), pixels["y_peak"].astype(float))
        pixels["x_peak"], pixels["y_peak"] = np.floor(x_peak + 0.5), np.floor(y_peak + 0.5)
        peaks = Peaks(pixels, self._peaks.offsets, self._peaks.columns | {"x": x, "y": y})
        made = self._replaced(spans=spans, offsets=offsets, peaks=peaks, values={}, region=None)
        made = made._with_peaks_inside(x_peak, y_peak).remove_orphan_peaks()
        return made if region is None else made.clip(region)._replaced(region=region)

    def _with_peaks_inside(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Self:
        """Put peaks at ``(x, y)`` that lie outside their footprint into its nearest pixel."""
        lost = np.flatnonzero(self._runs_of_peaks() < 0)
        run = _columns.nearest_runs(x[lost], y[lost], self._peaks.owners[lost], self.spans, self.offsets)
        lost, run = lost[run >= 0], run[run >= 0]
        row, start, stop = self.spans[run].T
        pixels = self._peaks.pixels.copy()
        pixels["x_peak"][lost] = np.clip(np.rint(x[lost]), start, stop - 1)
        pixels["y_peak"][lost] = row
        return self._replaced(peaks=Peaks(pixels, self._peaks.offsets, self._peaks.columns))

    def grow(
        self,
        radius: float | None = None,
        shape: Shape = "disk",
        *,
        left: int | None = None,
        right: int | None = None,
        up: int | None = None,
        down: int | None = None,
        return_parents: bool = False,
    ) -> Any:
        """Grow all footprints; those that meet, if only at a corner, become one, with the peaks of all.

        What is in parts that do not meet comes apart. Pixel values are left behind, for the new pixels have none.

        Parameters
        ----------
        radius : float, optional
            How far to grow, in pixels.
        shape : {"disk", "diamond", "square"}, optional
            The structuring element, as in `SpanSet.dilate`.
        left, right, up, down : int, optional
            In place of a radius: grow by so many pixels along rows and along columns (up is towards larger y).
        return_parents : bool, optional
            Return the identities too.

        Returns
        -------
        grown : FootprintSet
            In the raster order of the first pixels, clipped to `region`. Its sign is 0 where both signs met.
        parents : ndarray of int64, if asked for
            For each footprint of this set the index of the grown one that holds its first pixel, or -1 if that is
            clipped away.

        Raises
        ------
        TypeError
            If both a radius and sides are given or neither, a shape with sides, or a side is no integer.
        ValueError
            If a side or the radius is negative or takes more than 2**28 rows, or `shape` is none of these.
        OverflowError
            If the grown pixels leave int32, those outside `region` too.
        """
        given = {"left": left, "right": right, "up": up, "down": down}
        if (radius is None) == all(side is None for side in given.values()):
            raise TypeError("grow takes either a radius or some of left, right, up and down")
        if radius is None and shape != "disk":
            raise TypeError("shape goes with a radius, not with left, right, up and down")
        sides = [0 if side is None else as_int32(side, name) for name, side in given.items()]
        if min(sides) < 0:
            raise ValueError(f"left, right, up and down must not be negative, not {sides}")
        element = _cross(*sides) if radius is None else radius
        union, region = self.union(), self.region
        runs, labels, count = union._dilated_components(element, shape, region)
        parts = self
        if region is not None and not (self.sign == self.sign[:1]).all() and union.clip(region) != union:
            # Signs are not those of what is inside alone, but also of what has grown in.
            unions = (self[self.sign == sign].union() for sign in (1, -1, 0))
            inside = [spans.dilate(element, shape).clip(region) for spans in unions]
            parts = FootprintSet(inside)._replaced(sign=np.array([1, -1, 0], np.int8))
        grown, parents = self._regrouped(runs, labels, count, parts._signs_in(runs, labels, count))
        return (grown, parents) if return_parents else grown

    def _regrouped(
        self, runs: NDArray[np.int32], labels: NDArray[np.int32], count: int, sign: NDArray[np.int8]
    ) -> tuple[FootprintSet, NDArray[np.int64]]:
        """Return numbered components of runs as footprints with these peaks, and where these footprints went."""
        # The first pixels and the peaks, and -1 for those that are in none.
        first = self._first()
        x = np.concatenate((first[:, 0], self._peaks["x_peak"]), dtype=float)
        y = np.concatenate((first[:, 1], self._peaks["y_peak"]), dtype=float)
        held_by = np.append(labels, np.int32(-1))[_runs.find(runs, x, y)]
        parents = held_by[: len(self)].astype(np.int64)
        parents[np.diff(self.offsets) == 0] = -1
        peaks = self._peaks.grouped(held_by[len(self) :], sign)
        spans, offsets = _label.group([runs], labels, count)
        made = FootprintSet._from_columns(spans, offsets, self.region, peaks=peaks, sign=sign)
        return made, parents

    def _signs_in(self, runs: NDArray[np.int32], labels: NDArray[np.int32], count: int) -> NDArray[np.int8]:
        """Return for each component of runs, which hold all footprints, the sign of those in it, or 0."""
        if len(self) and (self.sign == self.sign[0]).all():
            return np.full(count, self.sign[0])
        y, x = np.ascontiguousarray(self.spans[:, :2].T, float)
        return _common_sign(self.sign[self._owners()], labels[_runs.find(runs, x, y)].astype(np.int64), count)

    def merge(self, other: FootprintSet, *, return_parents: bool = False) -> Any:
        """Return the footprints of both sets; those that meet, if only at a corner, become one, with the peaks of all.

        What is in parts that do not meet comes apart. Where heavy footprints share pixels their values are added.

        Parameters
        ----------
        other : FootprintSet
            A set of the same region.
        return_parents : bool, optional
            Return the identities too.

        Returns
        -------
        merged : FootprintSet
            In the raster order of the first pixels. Its sign is 0 where both signs met.
        parents, other_parents : ndarray of int64, if asked for
            For each footprint of both sets the index of the merged one that holds its first pixel; -1 for empty ones.

        Warns
        -----
        LossWarning
            If values are left out: of planes that only some of the footprints have.

        Raises
        ------
        TypeError
            If `other` is no FootprintSet.
        ValueError
            If the regions differ.
        OverflowError
            If sums of integers do not fit into their dtype, or columns of peaks into int64 and uint64.
        """
        if self.region != require(other, FootprintSet, "other").region:
            raise ValueError(
                f"sets of different regions cannot be merged: {self.region!r} and {other.region!r}; see with_region"
            )
        both = FootprintSet.concatenate([self, other])
        runs = both.union().array
        labels, count = _label.label(runs, 8)
        merged, parents = both._regrouped(runs, labels, count, both._signs_in(runs, labels, count))
        if both._values:
            x, y = both.spans[:, 1].astype(float), both.spans[:, 0].astype(float)
            places = _places_in(runs, _runs.find(runs, x, y), both.spans)
            area = runs[:, 2].astype(np.int64) - runs[:, 1]
            order = np.argsort(labels, kind="stable")
            grouped = ranges(offsets_of(area)[:-1][order], area[order])
            added = _added(both._values, places, int(area.sum()))
            merged = merged._replaced(values={name: column[grouped] for name, column in added.items()})
        return (merged, parents[: len(self)], parents[len(self) :]) if return_parents else merged

    def _united(self, labels: NDArray[np.int32], count: int) -> FootprintSet:
        """Return one footprint for each label with the pixels and peaks of all that have it; pixel values are added."""
        spans, offsets = _columns.fuse(self.spans, labels[self._owners()], count)
        sign = _common_sign(self.sign, labels.astype(np.int64), count)
        peaks = self._peaks.grouped(np.repeat(labels, np.diff(self._peaks.offsets)), sign)
        made = FootprintSet._from_columns(spans, offsets, self.region, peaks=peaks, sign=sign)
        if not self._values:
            return made
        places = made._places_of(self.spans, labels[self._owners()])
        return made._replaced(values=_added(self._values, places, int(made.area.sum())))

    def __or__(self, other: FootprintSet) -> FootprintSet:
        if not isinstance(other, FootprintSet):
            return NotImplemented
        merged: FootprintSet = self.merge(other)
        return merged

    # Pixel values

    def make_heavy(self, image: Any, variance: Any = None, mask: Any = None, *, xy0: Origin | None = None) -> Self:
        """Return these footprints as heavy ones, with a copy of the pixels under them, of which no unit is kept.

        Parameters
        ----------
        image : array_like or NDData, shape (ny, nx)
        variance, mask : array_like, shape (ny, nx), optional
            By default those of the NDData or masked array, if it is one; of a `Mask` the bits.
        xy0 : pair of int, optional
            The pixel of ``image[0, 0]``; by default that of the NDData or of `region`.

        Raises
        ------
        TypeError
            If an array holds no real numbers, or `xy0` is no pair of integers.
        ValueError
            If a footprint leaves the image, or the shapes differ.
        OverflowError
            If a coordinate of the image does not fit into int32.
        """
        frame = Frame.of(image, variance, mask, xy0, self.region, bits=True, bbox=self.bbox)
        planes = {"image": frame.data, "variance": frame.variance, "mask": frame.mask}
        values = {name: frame.flatten(plane, self.spans) for name, plane in planes.items() if plane is not None}
        return self._replaced(values=values)

    @property
    def is_heavy(self) -> bool:
        """Whether the footprints have pixel values."""
        return bool(self._values)

    @property
    def values(self) -> dict[str, NDArray]:
        """Pixel values of heavy footprints, in the order of the spans: ``image``, perhaps ``variance`` and ``mask``.

        Each is of shape (n_pixels,), read-only.
        """
        return dict(self._values)

    def insert(self, image: Any, xy0: Origin | None = None, *, plane: str = "image") -> None:
        """Write the values of all heavy footprints into an image, in which they must lie.

        Parameters
        ----------
        image : ndarray or NDData, shape (ny, nx)
            Of an NDData, such as a `MaskedImage`, the data are written to.
        xy0 : pair of int, optional
            The pixel of ``image[0, 0]``; by default that of a `MaskedImage`, or (0, 0).
        plane : {"image", "variance", "mask"}, optional
            Which values.

        Raises
        ------
        KeyError
            If there are no values of that name: those are ``image``, ``variance`` and ``mask``.
        TypeError
            If `image` is no writeable 2-D array or holds integers and the values are none, or `xy0` is no pair of
            integers.
        ValueError
            If a footprint leaves the image.
        OverflowError
            If `xy0` does not fit into int32, or a value not into the image's integers.
        """
        image, xy0 = self._target(image, xy0, plane)
        write_under(image, self.spans, xy0, as_dtype(self._values[plane], image.dtype, "image"))

    def add_to(self, image: Any, xy0: Origin | None = None, *, plane: str = "image") -> None:
        """Add the values of all heavy footprints to an image, in which they must lie.

        The parameters are those of `insert`.

        Raises
        ------
        KeyError, TypeError, ValueError, OverflowError
            As by `insert`.
        """
        self._change(image, xy0, plane, 1)

    def subtract_from(self, image: Any, xy0: Origin | None = None, *, plane: str = "image") -> None:
        """Subtract the values of all heavy footprints from an image, in which they must lie.

        The parameters are those of `insert`.

        Raises
        ------
        KeyError, TypeError, ValueError, OverflowError
            As by `insert`.
        """
        self._change(image, xy0, plane, -1)

    def _check_plane(self, plane: str) -> None:
        if not self._values:
            raise KeyError("the footprints have no pixel values; see make_heavy")
        if plane not in self._values:
            raise KeyError(f"plane must be one of {sorted(self._values)}, not {plane!r}")

    def _target(self, image: Any, xy0: Origin | None, plane: str) -> tuple[NDArray, tuple[int, int]]:
        """Return the array to write to, in which all footprints lie, and its first pixel."""
        self._check_plane(plane)
        if xy0 is None:
            xy0 = getattr(image, "xy0", (0, 0))
        if is_nddata(image):
            if plane != "image":
                raise TypeError(f"image must be an array for the plane {plane!r}, not {type(image).__name__}")
            image = image.data
        if not isinstance(image, np.ndarray) or image.ndim != 2 or not image.flags.writeable:
            raise TypeError("image must be a writeable 2-D array")
        if hasattr(image, "unit"):
            raise TypeError(
                f"image must have no unit, which pixel values do not keep, not {image.unit}: pass its value"
            )
        frame = Frame(image, None, None, as_pair(xy0, "xy0"))
        frame.check_holds(self.bbox)
        return image, frame.xy0

    def _change(self, image: Any, xy0: Origin | None, plane: str, sign: int) -> None:
        """Add the values times a sign, one footprint after another, for they may overlap."""
        image, xy0 = self._target(image, xy0, plane)
        image, new = np.asarray(image), self._values[plane]
        if image.dtype in (np.float32, np.float64) and image.flags.aligned:
            _pixels.add(image, self.spans, *xy0, as_dtype(new, image.dtype, "image"), sign)
            return
        runs = self.union().array
        x, y = self.spans[:, 1].astype(float), self.spans[:, 0].astype(float)
        places = _places_in(runs, _runs.find(runs, x, y), self.spans)
        change = np.add if sign > 0 else np.subtract
        # Of integers in wider ones, so that what does not fit is seen before anything is written.
        is_exact = image.dtype.kind not in "fc"
        dtype = _wide(image.dtype, new.dtype) if is_exact else image.dtype.newbyteorder("=")
        total = values_under(image, runs, xy0).astype(dtype)
        change.at(total, places, as_dtype(new, dtype, "image"))
        write_under(image, runs, xy0, as_dtype(total, image.dtype, "image"))


def _cross(left: int, right: int, up: int, down: int) -> SpanSet:
    """Return the element that grows along rows and columns."""
    rows = np.arange(-down, as_rows(up + down + 1, "up and down") - down)
    start, stop = np.where(rows == 0, -left, 0), np.where(rows == 0, right + 1, 1)
    return SpanSet(np.column_stack((rows, start, stop)))


def _common_sign(sign: NDArray[np.int8], parents: NDArray[np.int64], count: int) -> NDArray[np.int8]:
    """Return for each parent the sign that its children share, or 0."""
    total = np.bincount(parents[parents >= 0], minlength=count)
    signed = np.bincount(parents[parents >= 0], sign[parents >= 0], minlength=count)
    return np.where(np.abs(signed) == total, np.sign(signed), 0).astype(np.int8)


def _added(values: dict[str, NDArray], where: NDArray[np.int64], count: int) -> dict[str, NDArray]:
    """Return pixel values added up in so many places, or for masks or-ed together."""
    result = {}
    for name, column in values.items():
        if name == "mask" or column.dtype == bool:
            result[name] = np.zeros(count, column.dtype)
            np.bitwise_or.at(result[name], where, column)
        else:
            total = np.zeros(count, _wide(column.dtype, column.dtype))
            np.add.at(total, where, column)
            result[name] = as_dtype(total, column.dtype, name)
    return result


def _places_in(spans: NDArray[np.int32], which: NDArray[np.int64], runs: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return which of all pixels of spans those of runs are; run i lies in span ``which[i]``."""
    start = offsets_of(spans[:, 2].astype(np.int64) - spans[:, 1])[:-1]
    return ranges(start[which] + runs[:, 1] - spans[which, 1], runs[:, 2].astype(np.int64) - runs[:, 1])


def _ranks(values: NDArray[np.integer]) -> tuple[NDArray[np.int32], int]:
    """Return the number of each value among the different ones in rising order, and how many of these there are."""
    least, most = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if most - least > 8 * len(values) + 1024:
        different, number = np.unique(values, return_inverse=True)
        return number.astype(np.int32), len(different)
    # The difference may wrap, but not as an unsigned number.
    place = (values - values.dtype.type(least)).view(f"u{values.itemsize}").astype(np.int64)
    there = np.zeros(most - least + 1, np.int32)
    there[place] = 1
    rank = np.cumsum(there, dtype=np.int32)
    return rank[place] - np.int32(1), int(rank[-1])


def _wide(*dtypes: np.dtype) -> np.dtype:
    """Return a dtype in which sums of these do not wrap: exact where they are integers."""
    wide = np.result_type(*dtypes)
    if wide.kind == "f" and any(dtype.kind == "f" for dtype in dtypes):
        return wide
    # Those of eight bytes, of whatever byte order, may sum to more than any integer of NumPy's.
    return np.dtype(object if any(dtype.kind in "iu" and dtype.itemsize == 8 for dtype in dtypes) else np.int64)


def _no_columns() -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    return np.empty((0, 3), np.int32), np.zeros(1, np.int64)


def as_set(footprint: Any, name: str, hint: str = "") -> FootprintSet:
    """Return a set, a footprint or a span set as a set."""
    if isinstance(footprint, FootprintSet):
        return footprint
    if isinstance(footprint, FootprintRegion):
        return footprint._columns
    if isinstance(footprint, SpanSet):
        return FootprintSet._from_columns(footprint.array, np.array([0, len(footprint)]))
    raise TypeError(f"{name} must be a FootprintSet, a Footprint or a SpanSet, not {type(footprint).__name__}{hint}")


def _kind(index: Any) -> type | None:
    # An empty list would be an array of floats.
    return np.int64 if np.size(index) == 0 and not isinstance(index, np.ndarray) else None


def _cut(columns: NDArray, offsets: NDArray[np.int64], start: int, stop: int) -> tuple[NDArray, NDArray[np.int64]]:
    first = offsets[start]
    return columns[first : offsets[stop]], offsets[start : stop + 1] - first


def _flat(offsets: NDArray[np.int64], index: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of the rows of some footprints, one footprint after the other, and their new offsets."""
    counts = offsets[index + 1] - offsets[index]
    return ranges(offsets[index], counts), offsets_of(counts)


def _restored(
    cls: type[FootprintSet], spans: Any, offsets: Any, region: Any, peaks: Any, sign: Any, values: Any
) -> FootprintSet:
    return cls._from_columns(spans, offsets, region, peaks=Peaks(*peaks), sign=sign, values=values)

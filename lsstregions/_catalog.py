"""The table of measurements of a FootprintSet: which columns there are, and what each is made of."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _measure, _photometry, _raster
from ._frames import Frame, as_bytes
from ._wcs import as_celestial, is_celestial
from .spans import SpanSet

if TYPE_CHECKING:
    from astropy.table import QTable

    from .footprints import FootprintSet


# How much rounding may make of a difference of moments, relative to them.
_ROUND = 1e-13


class _Measured:
    """What columns are made of, each computed when it is first asked for."""

    def __init__(self, footprints: "FootprintSet"):
        self.footprints = footprints
        # Not None where a column needs them.
        self.frame: Any = None
        self.wcs: Any = None
        self.wcs_xy0 = (0, 0)

    @cached_property
    def extents(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return _measure.extents(self.footprints.spans, self.footprints.offsets)

    @property
    def box(self) -> NDArray[np.int64]:
        """First and last edges in x, then in y, of each box: (4, n)."""
        return self.extents[0]

    @cached_property
    def adjacency(self) -> NDArray[np.int64]:
        return _measure.adjacency(self.footprints.spans, self.footprints.offsets)

    @property
    def area(self) -> NDArray[np.int64]:
        return self.extents[1]

    @cached_property
    def shape(self) -> NDArray[np.float64]:
        return self.footprints._moments()

    @cached_property
    def shape_axes(self) -> NDArray[np.float64]:
        return axes(*self.shape[2:])

    @cached_property
    def used(self) -> "FootprintSet":
        """The footprints without what is masked."""
        mask, xy0 = self.frame.mask, self.frame.xy0
        if mask is None:
            return self.footprints
        masked = SpanSet.from_mask(mask, xy0) if isinstance(mask, np.ndarray) else mask.spans()
        spans, offsets = _raster.subtract_each(self.footprints.spans, self.footprints.offsets, masked.array)
        return type(self.footprints)._from_columns(spans, offsets)

    @cached_property
    def pixels(self) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        return self._sums(self.frame.data)

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        return self.pixels[0]

    @cached_property
    def variance(self) -> NDArray[np.float64]:
        """The sum of the variances of the pixels that have a value."""
        data, variance = self.frame.data, self.frame.variance
        if (self.sums[0] < self.used.area).any() and data.dtype.kind == "f":
            variance = np.where(np.isnan(data), np.nan, variance)
        sums, _ = self._sums(variance)
        return np.where((sums[0] < self.sums[0]) | (self.sums[0] == 0), np.nan, sums[1])

    @property
    def perimeter(self) -> NDArray[np.int64]:
        return 2 * np.diff(self.footprints.offsets) + 2 * self.area - 2 * self.adjacency[:, 0]

    @property
    def euler_number(self) -> NDArray[np.int64]:
        return np.diff(self.footprints.offsets) - self.adjacency[:, 2]

    def _sums(self, plane: NDArray) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        used = self.used
        if plane.dtype.kind == "f" and plane.itemsize not in (4, 8):
            plane = plane.astype(np.float64)
        return _photometry.measure(as_bytes(plane), plane.dtype, used.spans, used.offsets, *self.frame.xy0)

    @property
    def moments(self) -> NDArray[np.float64]:
        """Centroid and central second moments, weighted by the pixel values, (5, n)."""
        return self.sums[2:7]

    @cached_property
    def moment_axes(self) -> NDArray[np.float64]:
        return axes(*self.moments[2:])

    @property
    def flux_err(self) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            return np.sqrt(self.variance)

    @property
    def mean(self) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            return self.sums[1] / self.sums[0]

    @property
    def place(self) -> tuple[NDArray, NDArray]:
        """Column and row of the greatest value; masked where there is none."""
        x, y = self.pixels[1]
        if (self.sums[0] == 0).any():
            x, y = (np.ma.array(v, mask=self.sums[0] == 0) for v in (x, y))
        return x, y

    @property
    def sky(self) -> Any:
        position = self.moments if self.frame is not None else self.shape
        x0, y0 = self.wcs_xy0
        return self.wcs.pixel_to_world(position[0] - x0, position[1] - y0)

    @property
    def touches_edge(self) -> NDArray[np.bool_]:
        box: Any = self.footprints.region if self.frame is None else self.frame.image_box
        x_start, x_stop, y_start, y_stop = self.box
        touches: NDArray[np.bool_] = (x_start <= box.x.start) | (x_stop >= box.x.stop)
        return (touches | (y_start <= box.y.start) | (y_stop >= box.y.stop)) & (self.area > 0)


_Column = tuple[Callable[[_Measured], Any], str, str]

# Name: how to get it, its unit ("image" is that of the image), its description. Names are those of photutils'
# SourceCatalog where it has them.
_SHAPE: dict[str, _Column] = {
    "label": (lambda m: np.arange(1, len(m.area) + 1), "", "number of the footprint, from 1"),
    "area": (lambda m: m.area, "pix2", "number of pixels"),
    "bbox_xmin": (lambda m: m.box[0], "", "first column"),
    "bbox_xmax": (lambda m: m.box[1] - 1, "", "last column"),
    "bbox_ymin": (lambda m: m.box[2], "", "first row"),
    "bbox_ymax": (lambda m: m.box[3] - 1, "", "last row"),
    "shape_x": (lambda m: m.shape[0], "pix", "mean x of the pixel centres"),
    "shape_y": (lambda m: m.shape[1], "pix", "mean y of the pixel centres"),
    "shape_xx": (lambda m: m.shape[2], "pix2", "variance of x over the pixel centres"),
    "shape_yy": (lambda m: m.shape[3], "pix2", "variance of y over the pixel centres"),
    "shape_xy": (lambda m: m.shape[4], "pix2", "covariance of x and y over the pixel centres"),
    "shape_semimajor": (lambda m: m.shape_axes[0], "pix", "semi-major axis of the ellipse of these moments"),
    "shape_semiminor": (lambda m: m.shape_axes[1], "pix", "semi-minor axis of the ellipse of these moments"),
    "shape_orientation": (lambda m: np.degrees(m.shape_axes[2]), "deg", "angle of the major axis from the x axis"),
    "perimeter": (lambda m: m.perimeter, "pix", "length of the outline along the pixel edges, holes included"),
    "euler_number": (lambda m: m.euler_number, "", "8-connected parts less holes"),
    "sign": (lambda m: m.footprints.sign.copy(), "", "1 above a threshold, -1 below a negative one, 0 both"),
    "n_peaks": (lambda m: np.diff(m.footprints.peak_offsets), "", "number of peaks"),
}
_EDGE: dict[str, _Column] = {
    "touches_edge": (lambda m: m.touches_edge, "", "whether a pixel lies on the edge of the image"),
}
_IMAGE: dict[str, _Column] = {
    "segment_flux": (lambda m: m.sums[1], "image", "sum of the pixel values"),
    "min_value": (lambda m: m.sums[7], "image", "least pixel value"),
    "max_value": (lambda m: m.sums[8], "image", "greatest pixel value"),
    "mean_value": (lambda m: m.mean, "image", "mean of the pixel values"),
    "max_value_xindex": (lambda m: m.place[0], "", "column of the first pixel of the greatest value"),
    "max_value_yindex": (lambda m: m.place[1], "", "row of the first pixel of the greatest value"),
    "x_centroid": (lambda m: m.moments[0], "pix", "mean x, weighted by the pixel values"),
    "y_centroid": (lambda m: m.moments[1], "pix", "mean y, weighted by the pixel values"),
    "covariance_xx": (lambda m: m.moments[2], "pix2", "variance of x, weighted by the pixel values"),
    "covariance_yy": (lambda m: m.moments[3], "pix2", "variance of y, weighted by the pixel values"),
    "covariance_xy": (lambda m: m.moments[4], "pix2", "covariance of x and y, weighted by the pixel values"),
    "semimajor_axis": (lambda m: m.moment_axes[0], "pix", "semi-major axis of the ellipse of these moments"),
    "semiminor_axis": (lambda m: m.moment_axes[1], "pix", "semi-minor axis of the ellipse of these moments"),
    "orientation": (lambda m: np.degrees(m.moment_axes[2]), "deg", "angle of the major axis from the x axis"),
}
_VARIANCE: dict[str, _Column] = {
    "segment_flux_err": (lambda m: m.flux_err, "image", "root of the sum of the variances"),
}
_WCS: dict[str, _Column] = {
    "sky_centroid": (lambda m: m.sky, "", "sky position of the centroid"),
}
_COLUMNS = _SHAPE | _EDGE | _IMAGE | _VARIANCE | _WCS


def axes(xx: NDArray, yy: NDArray, xy: NDArray) -> NDArray[np.float64]:
    """Return the semi-axes and the angle, in radians from -pi/2 to pi/2, of the ellipses of second moments, (3, n)."""
    result = np.empty((3, *xx.shape))
    mean, across, angle = result
    # In place: fresh memory for each step would cost more than the steps.
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        np.subtract(xx, yy, out=across)
        np.multiply(xy, 2, out=angle)
        # Half the hypotenuse; np.hypot takes ten times as long.
        half = across * across
        half += angle * angle
        np.sqrt(half, out=half)
        half *= 0.5
        np.arctan2(angle, across, out=angle)
        angle *= 0.5
        np.add(xx, yy, out=mean)
        mean *= 0.5
        # What is round but for rounding has no angle.
        round_ones = half <= _ROUND * np.abs(mean)
        np.copyto(angle, 0 * half, where=round_ones)
        np.subtract(mean, half, out=across)
        np.sqrt(np.maximum(across, 0, out=across), out=across)
        mean += half
        np.sqrt(mean, out=mean)
    return result


@cache
def _unit(name: str) -> Any:
    from astropy.units import Unit

    return Unit(name)


def measure(
    footprints: "FootprintSet", image: Any, variance: Any, wcs: Any, columns: Sequence[str] | None, xy0: Any
) -> "QTable":
    """Return the table of `FootprintSet.measure`."""
    from astropy.table import QTable
    from astropy.units import Quantity

    measured, frame = _Measured(footprints), None
    if image is not None:
        measured.frame = frame = Frame.of(image, variance, None, xy0, footprints.region, bbox=measured.box.T)
        if wcs is None and is_celestial(frame.wcs):
            # The WCS of an NDData counts from its first pixel.
            wcs, measured.wcs_xy0 = frame.wcs, frame.image_box.xy0
    elif variance is not None:
        raise ValueError("variance must come with an image")
    if wcs is not None:
        measured.wcs = wcs = as_celestial(wcs, "wcs")
    if columns is None:
        names = [*_SHAPE]
        names += _EDGE if frame is not None or footprints.region is not None else ()
        names += _IMAGE if frame is not None else ()
        names += _VARIANCE if frame is not None and frame.variance is not None else ()
        names += _WCS if wcs is not None else ()
    else:
        if not isinstance(columns, Iterable):
            raise TypeError(f"columns must be names of columns, not {columns!r}")
        names = [columns] if isinstance(columns, str) else list(columns)
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown:
        raise KeyError(f"columns must be of {sorted(_COLUMNS)}, not {unknown}")
    for needed, those, is_given in (
        ("image", _IMAGE | _VARIANCE, frame is not None),
        ("variance", _VARIANCE, frame is not None and frame.variance is not None),
        ("image, or a region of the footprints,", _EDGE, frame is not None or footprints.region is not None),
        ("wcs", _WCS, wcs is not None),
    ):
        lacking = [name for name in names if name in those]
        if lacking and not is_given:
            hint = "; insert() writes pixel values to one" if needed == "image" and footprints.is_heavy else ""
            raise ValueError(f"{needed} must be given for {', '.join(lacking)}{hint}")
    table = QTable()
    for name in dict.fromkeys(names):
        get, unit, description = _COLUMNS[name]
        column = get(measured)
        of_image = None if frame is None else frame.unit
        if unit == "image" and of_image is not None:
            column = Quantity(column, of_image, copy=False)
        elif unit and unit != "image":
            column = Quantity(column, _unit(unit), copy=False)
        table.add_column(column, name=name, copy=False)
        table[name].info.description = description
    return table

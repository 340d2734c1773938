"""What makes a Footprint a region of `regions`, and footprints outlines that any of its formats can hold."""

import operator
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray
from regions import (
    CompoundPixelRegion,
    PixCoord,
    PixelRegion,
    PolygonPixelRegion,
    RegionBoundingBox,
    RegionMask,
    RegionMeta,
    Regions,
    RegionVisual,
)
from regions.core.registry import RegionsRegistry

from . import _footprint_format, _outline
from .geom import AffineTransform, LinearTransform, Point2D
from .spans import SpanSet

if TYPE_CHECKING:
    from matplotlib.patches import PathPatch

    from .footprints import Footprint, FootprintSet

Points = NDArray[np.float64]


class OutlineWarning(AstropyUserWarning):
    """Something of a footprint cannot be said in outlines."""


class FootprintRegion(PixelRegion):
    """The methods of a `regions.PixelRegion`, for a class that has ``spans``, ``meta`` and ``visual``.

    A footprint is whole pixels: its mask is the same in all modes, and a point is inside if its pixel is.
    """

    __slots__ = ()

    _params = ("spans",)
    spans: SpanSet

    @property
    def bounding_box(self) -> RegionBoundingBox:
        """The smallest `regions.RegionBoundingBox` that holds the pixels."""
        box = self.spans.bbox
        return RegionBoundingBox(box.x.start, box.x.stop, box.y.start, box.y.stop)

    @property
    def center(self) -> PixCoord:
        """The centroid as a `regions.PixCoord`."""
        x, y = self.spans.centroid
        return PixCoord(x, y)

    def contains(self, pixcoord: PixCoord) -> Any:
        """Return whether points are in pixels of the footprint: a bool or an array of the same shape."""
        pixcoord = PixCoord._validate(pixcoord, "pixcoord")
        return self.spans.contains(pixcoord.x, pixcoord.y)

    def covers(self, pixcoord: PixCoord) -> Any:
        """Return whether points are in the footprint or on its edge."""
        pixcoord = PixCoord._validate(pixcoord, "pixcoord")
        x, y = np.asarray(pixcoord.x, dtype=float), np.asarray(pixcoord.y, dtype=float)
        # A pixel holds its lower sides: what is on an upper one is in the next pixel.
        left, below = np.nextafter(x, -np.inf), np.nextafter(y, -np.inf)
        inside = [self.spans.contains(column, row) for column in (x, left) for row in (y, below)]
        covered = np.logical_or.reduce(inside)
        return covered if np.ndim(covered) else bool(covered)

    def to_mask(self, mode: str = "center", subpixels: int = 5) -> RegionMask:
        """Return the pixels as a `regions.RegionMask` of booleans, which is the same in all modes."""
        self._validate_mode(mode, subpixels)
        return RegionMask(self.spans.to_mask(), self.bounding_box)

    def copy(self, **changes: Any) -> Self:
        """Return a copy, with other `spans`, `meta` or `visual` if they are given."""
        unknown = changes.keys() - {"spans", "meta", "visual"}
        if unknown:
            raise TypeError(f"copy takes spans, meta and visual, not {', '.join(sorted(unknown))}")
        columns = self._columns if "spans" not in changes else self._with_spans(changes["spans"]).remove_orphan_peaks()
        return self._of(columns, changes.get("meta", self.meta), changes.get("visual", self.visual))

    # Set algebra: footprints and span sets give a footprint at once, any other region a compound.

    def intersection(self, other: Any) -> Any:
        """Return the pixels in both, with the peaks there, or a compound if `other` is a region of another kind."""
        return self._combined(other, operator.and_)

    def union(self, other: Any) -> Any:
        """Return the pixels in either, with the peaks of both, or a compound if `other` is a region of another kind."""
        return self._combined(other, operator.or_)

    def symmetric_difference(self, other: Any) -> Any:
        """Return the pixels in one only, with the peaks there, or a compound if `other` is a region of another kind."""
        return self._combined(other, operator.xor)

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, FootprintRegion | SpanSet):
            return self._kept(self.spans - _spans_of(other))
        return NotImplemented

    def _combined(self, other: Any, operation: Callable) -> Any:
        if isinstance(other, FootprintRegion | SpanSet):
            whole = self.merge(other) if isinstance(other, FootprintRegion) else self
            return whole._kept(operation(self.spans, _spans_of(other)))
        meta, visual = known(self, RegionMeta), known(self, RegionVisual)
        return CompoundPixelRegion(self, other, operation, meta=meta, visual=visual)

    def _kept(self, spans: SpanSet) -> Any:
        """Return this footprint with other spans and the peaks in them."""
        return self._with(self._with_spans(spans).remove_orphan_peaks())

    # Outlines.

    def to_polygon(self) -> Any:
        """Return the outline along the pixel edges: a `regions.PolygonPixelRegion`, or a compound of several under xor.

        Raises
        ------
        ValueError
            If there is no pixel to go around.
        """
        polygons = [PolygonPixelRegion(PixCoord(*points.T)) for points in self._rings()]
        return self._under_xor(polygons, CompoundPixelRegion)

    def to_sky(self, wcs: Any) -> Any:
        """Return the outline on the sky: the corners of the pixels are projected, the sides between them straight.

        A `regions.PolygonSkyRegion`, or a compound of several under xor.
        """
        from regions import CompoundSkyRegion, PolygonSkyRegion

        rings = self._rings()
        x, y = np.concatenate(rings).T
        sky = wcs.pixel_to_world(x, y)
        stops = np.cumsum([len(points) for points in rings])
        polygons = [PolygonSkyRegion(sky[stop - len(points) : stop]) for points, stop in zip(rings, stops, strict=True)]
        return self._under_xor(polygons, CompoundSkyRegion)

    def to_spherical_sky(self, wcs: Any, *, boundary_distortions: bool = False, n_vertices: int | None = None) -> Any:
        """Return the outline of `to_sky` on the sphere, with great circles between the corners."""
        sky = self.to_sky(wcs)
        return sky.to_spherical_sky(wcs=wcs, boundary_distortions=boundary_distortions, n_vertices=n_vertices)

    def _rings(self) -> list[Points]:
        """Return the corners of each ring, of which there is at least one."""
        rings, _, _ = outlines(self.spans.array, np.array([0, len(self.spans)], np.int64))
        if not rings:
            raise ValueError("an empty footprint has no outline")
        return rings

    def _under_xor(self, parts: Sequence[Any], compound: type) -> Any:
        """Return regions combined by xor in pairs: `regions` walks compounds by recursion, too deep for chains."""
        meta, visual = known(self, RegionMeta), known(self, RegionVisual)
        while len(parts) > 1:
            pairs = [compound(a, b, operator.xor, meta, visual) for a, b in zip(parts[::2], parts[1::2], strict=False)]
            parts = pairs + list(parts[2 * len(pairs) :])
        (region,) = parts
        return region.copy(meta=meta, visual=visual) if not isinstance(region, compound) else region

    def to_regions(self) -> Regions:
        """Return the outlines as polygons, holes after what they are in and with ``meta["include"] = 0``.

        `lsstregions.rasterize` makes the same pixels of them again.
        """
        return to_regions([self])

    def rotate(self, center: PixCoord, angle: Any) -> Self:
        """Return the footprint rotated counter-clockwise by an angle (radians or a Quantity), in whole pixels again."""
        linear = LinearTransform.rotation(angle)
        x, y = center.x, center.y
        moved = linear(Point2D(x, y))
        return self.transform(AffineTransform(linear, (x - moved.x, y - moved.y)))

    def as_artist(self, origin: tuple[float, float] = (0, 0), **kwargs: Any) -> "PathPatch":
        """Return the outline, holes included, as a `matplotlib.patches.PathPatch`.

        Parameters
        ----------
        origin : pair of float
            The pixel position of the origin of the displayed image.
        **kwargs
            Of the patch; they come before the footprint's own ``visual``.
        """
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        rings, _, _ = outlines(self.spans.array, np.array([0, len(self.spans)], np.int64))
        paths = [Path(np.concatenate([points, points[:1]]) - origin, closed=True) for points in rings]
        options = known(self, RegionVisual).define_mpl_kwargs("Patch") | kwargs
        return PathPatch(Path.make_compound_path(*paths) if paths else Path(np.empty((0, 2))), **options)

    def write(self, filename: Any, format: str | None = None, overwrite: bool = False, **kwargs: Any) -> None:  # noqa: A002
        """Write the outlines of `to_regions` in a format of `regions`."""
        write_regions([self], filename, format, overwrite=overwrite, **kwargs)

    def serialize(self, format: str | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Return the outlines of `to_regions` in a format of `regions`, as text or a table."""
        return serialize_regions([self], format, **kwargs)


def _spans_of(region: Any) -> SpanSet:
    return region if isinstance(region, SpanSet) else region.spans


def known(footprint: Any, kind: Any) -> Any:
    """Return what `regions` has keys for of a footprint's ``meta`` or ``visual``."""
    values = footprint.meta if kind is RegionMeta else footprint.visual
    valid = {*kind.valid_keys, *kind.key_mapping}
    return kind({key: value for key, value in values.items() if key in valid})


def outlines(
    spans: NDArray[np.int32], offsets: NDArray[np.int64]
) -> tuple[list[Points], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the rings around footprints: their corners as pixel coordinates, their owners, whether they are holes."""
    corners, ring_offsets, ring_runs = _outline.outline(spans, offsets)
    if not len(ring_runs):
        return [], np.empty(0, np.int64), np.empty(0, bool)
    owners = np.searchsorted(offsets, ring_runs, side="right") - 1
    first = corners[ring_offsets[:-1]].repeat(np.diff(ring_offsets), axis=0)
    x, y = (corners - first).T.astype(np.int64)
    following = np.arange(1, len(corners) + 1)
    following[ring_offsets[1:] - 1] = ring_offsets[:-1]
    areas = np.add.reduceat(x * y[following] - x[following] * y, ring_offsets[:-1])
    rings = np.split(corners - 0.5, ring_offsets[1:-1])
    return rings, owners, areas < 0


def to_regions(items: "Iterable[Footprint | FootprintSet | Any]") -> Regions:
    """Return footprints as polygons, which every format of `regions` can hold, and leave other regions as they are.

    Each footprint becomes the polygons around its parts, followed by those of its holes with ``meta["include"] = 0``.
    Footprints with holes come first, the larger the earlier, so that no hole takes away a footprint inside it. A
    footprint's number among the footprints is the ``label`` of its polygons unless its ``meta`` has one.

    Parameters
    ----------
    items : FootprintSet or iterable
        Footprints, sets of them, and any regions.

    Warns
    -----
    OutlineWarning
        Where ``meta`` or ``visual`` has keys that `regions` does not have, and where a footprint is empty.
    """
    footprints: list[Any] = []
    others: list[Any] = []
    for item in items:
        for part in _members(item):
            (footprints if isinstance(part, FootprintRegion) else others).append(part)
    offsets = np.concatenate([[0], np.cumsum([len(footprint.spans) for footprint in footprints], dtype=np.int64)])
    spans = np.concatenate([np.empty((0, 3), np.int32), *(footprint.spans.array for footprint in footprints)])
    rings, owners, holes = outlines(spans, offsets)
    extents = np.zeros(len(footprints))
    extents[owners[holes]] = [footprints[i].bbox.area for i in owners[holes]]
    metas = [known(footprint, RegionMeta) for footprint in footprints]
    visuals = [known(footprint, RegionVisual) for footprint in footprints]
    polygons = []
    for ring in np.lexsort((holes, owners, -extents[owners])):
        owner = owners[ring]
        meta = metas[owner].copy()
        meta.setdefault("label", str(owner))
        meta["include"] = int(not holes[ring])
        polygons.append(PolygonPixelRegion(PixCoord(*rings[ring].T), meta=meta, visual=visuals[owner].copy()))
    lost = {
        key
        for footprint, meta, visual in zip(footprints, metas, visuals, strict=True)
        for key in (footprint.meta.keys() - meta.keys()) | (footprint.visual.keys() - visual.keys())
    }
    if lost:
        warnings.warn(f"regions has no place for {', '.join(sorted(map(str, lost)))}", OutlineWarning, stacklevel=2)
    if empty := np.count_nonzero(np.diff(offsets) == 0):
        warnings.warn(f"{empty} empty footprints have no outline", OutlineWarning, stacklevel=2)
    return Regions([*polygons, *others])


def _members(item: Any) -> Iterable[Any]:
    """Return the footprints of a set, or a region alone."""
    return item if hasattr(item, "offsets") else [item]


def serialize_regions(items: Iterable[Any], format: str | None = None, **kwargs: Any) -> Any:  # noqa: A002
    """Return footprints and other regions, mixed, in any format of `regions`: text, or a table for FITS.

    Parameters
    ----------
    items : FootprintSet or iterable
        Footprints, sets of them, and any regions.
    format : str, optional
        "ds9", "crtf", "fits" or another format of `regions`.
    **kwargs
        What the format takes.
    """
    if format == _footprint_format.NAME:
        return _footprint_format.serialize([part for item in items for part in _members(item)])
    if format != "crtf":
        return _for_format(to_regions(items), format).serialize(format=format, **kwargs)
    text = to_regions(items).serialize(format=format, **({"coordsys": "image"} | kwargs))
    # regions 0.12 writes the unit deg for pixels as well, and does not read such polygons again.
    in_pixels = "coord=IMAGE" in text
    lines = text.split("\n")
    is_polygon = [line.lstrip("-").startswith("poly[") for line in lines]
    return "\n".join(
        line.replace("deg", "pix") if polygon and in_pixels else line
        for line, polygon in zip(lines, is_polygon, strict=True)
    )


def _for_format(regions: Regions, format: str | None) -> Regions:  # noqa: A002
    """Return regions as a format of `regions` can hold them."""
    if format != "fits":
        return regions
    # In a column all polygons are as long as the longest; regions fills them up with zeros and reads those as corners.
    longest = max((len(region.vertices.x) for region in regions if isinstance(region, PolygonPixelRegion)), default=0)
    return Regions(
        [_lengthened(region, longest) if isinstance(region, PolygonPixelRegion) else region for region in regions]
    )


def _lengthened(polygon: PolygonPixelRegion, length: int) -> PolygonPixelRegion:
    """Return a polygon with its last corner repeated."""
    x, y = (np.pad(v, (0, length - len(v)), mode="edge") for v in (polygon.vertices.x, polygon.vertices.y))
    return PolygonPixelRegion(PixCoord(x, y), meta=polygon.meta, visual=polygon.visual)


def write_regions(
    items: Iterable[Any],
    filename: Any,
    format: str | None = None,  # noqa: A002
    *,
    overwrite: bool = False,
    **kwargs: Any,
) -> None:
    """Write footprints and other regions, mixed, to a file in any format of `regions`, as `to_regions` has them.

    Parameters
    ----------
    items : FootprintSet or iterable
        Footprints, sets of them, and any regions.
    filename : str or path
    format : str, optional
        "ds9", "crtf", "fits" or another format of `regions`.
    overwrite : bool, optional
        Whether to replace a file.
    **kwargs
        What the format takes.

    Raises
    ------
    OSError
        If the file is there and `overwrite` is False.
    """
    filename = os.fspath(filename)
    kind = format or RegionsRegistry.identify_format(filename, Regions, "write")
    if kind == _footprint_format.NAME:
        _footprint_format.write([part for item in items for part in _members(item)], filename, overwrite)
        return
    if kind != "crtf":
        _for_format(to_regions(items), kind).write(filename, format=kind, overwrite=overwrite, **kwargs)
        return
    text = serialize_regions(items, kind, **kwargs)
    if os.path.lexists(filename) and not overwrite:
        raise OSError(f"{filename} already exists; pass overwrite=True to replace it")
    with open(filename, "w", encoding="utf-8") as file:
        file.write(text)

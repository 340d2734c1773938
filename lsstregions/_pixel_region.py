"""What makes a Footprint a region of `regions`, and footprints the outlines that any of its formats can hold."""

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from astropy.utils.exceptions import AstropyUserWarning
from regions import (
    CompoundPixelRegion,
    CompoundSkyRegion,
    PixCoord,
    PixelRegion,
    PolygonPixelRegion,
    PolygonSkyRegion,
    Region,
    RegionBoundingBox,
    RegionMask,
    RegionMeta,
    Regions,
    RegionVisual,
)

from . import _footprint_format  # noqa: F401 It registers our own format.
from ._ragged import offsets_of
from ._rings import Points, cut_rings, rings
from ._validate import require
from ._warn import warn
from ._wcs import as_celestial
from .geom import AffineTransform, LinearTransform, Point2D
from .spans import SpanSet

if TYPE_CHECKING:
    from matplotlib.patches import PathPatch

    from .footprints import Footprint, FootprintSet


class LossWarning(AstropyUserWarning):
    """What a result, or a format, has no place for was left out: pixel values, peaks, signs, what it says."""


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
        return self.spans.bbox.to_bounding_box()

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
        """Return a copy, with other `spans`, `meta` or `visual` if they are given.

        Pixel values stay if there is one for each pixel of the new spans.

        Raises
        ------
        TypeError
            If anything else is given.
        """
        unknown = changes.keys() - {"spans", "meta", "visual"}
        if unknown:
            raise TypeError(f"copy takes spans, meta and visual, not {', '.join(sorted(unknown))}")
        columns = self._columns
        if "spans" in changes:
            columns = self._with_spans(require(changes["spans"], SpanSet, "spans")).remove_orphan_peaks()
        return self._with(columns)._of(columns, changes.get("meta", self.meta), changes.get("visual", self.visual))

    # Set algebra: footprints and span sets give a footprint at once, any other region a compound.

    def intersection(self, other: Any) -> Any:
        """Return the pixels in both, with the peaks there, or a compound if `other` is a region of another kind.

        Pixel values are those of `merge`: of two heavy footprints their sums.
        """
        return self._combined(other, operator.and_)

    def union(self, other: Any) -> Any:
        """Return the pixels in either, with the peaks of both, or a compound if `other` is a region of another kind.

        Pixel values are those of `merge`: where both of two heavy footprints are, their sums.
        """
        return self._combined(other, operator.or_)

    def symmetric_difference(self, other: Any) -> Any:
        """Return the pixels in one only, with the peaks there, or a compound if `other` is a region of another kind."""
        return self._combined(other, operator.xor)

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, FootprintRegion | SpanSet):
            return self._kept(self.spans - _spans_of(other))
        return NotImplemented

    def __rand__(self, other: Any) -> Any:
        return self & other if isinstance(other, SpanSet) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return self | other if isinstance(other, SpanSet) else NotImplemented

    def __rxor__(self, other: Any) -> Any:
        return self ^ other if isinstance(other, SpanSet) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return other - self.spans if isinstance(other, SpanSet) else NotImplemented

    def _combined(self, other: Any, operation: Callable) -> Any:
        if isinstance(other, FootprintRegion | SpanSet):
            if operation is not operator.xor and other == self and not self._columns.is_heavy:
                return self
            whole = self.merge(other) if isinstance(other, FootprintRegion) else self
            return whole._kept(operation(self.spans, _spans_of(other)))
        meta, visual = known(self.meta, RegionMeta), known(self.visual, RegionVisual)
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

        Raises
        ------
        TypeError
            If `wcs` is no WCS.
        ValueError
            If the footprint is empty, or a corner of it is not on the sky.
        """
        parts = self._rings()
        sky = _on_sky(np.concatenate(parts), wcs)
        stops = np.cumsum([len(points) for points in parts])
        polygons = [PolygonSkyRegion(sky[stop - len(points) : stop]) for points, stop in zip(parts, stops, strict=True)]
        return self._under_xor(polygons, CompoundSkyRegion)

    def to_spherical_sky(self, wcs: Any, *, boundary_distortions: bool = False, n_vertices: int | None = None) -> Any:
        """Return the outline of `to_sky` on the sphere, with great circles between the corners."""
        sky = self.to_sky(wcs)
        return sky.to_spherical_sky(wcs=wcs, boundary_distortions=boundary_distortions, n_vertices=n_vertices)

    def _rings(self) -> list[Points]:
        """Return the corners of each ring, of which there is at least one."""
        if not self.spans:
            raise ValueError("an empty footprint has no outline")
        return rings(self.spans.array, np.array([0, len(self.spans)], np.int64))

    def _under_xor(self, parts: Sequence[Any], compound: type) -> Any:
        """Return regions combined by xor in pairs: `regions` walks compounds by recursion, too deep for chains."""
        meta, visual = known(self.meta, RegionMeta), known(self.visual, RegionVisual)
        while len(parts) > 1:
            pairs = [compound(a, b, operator.xor, meta, visual) for a, b in zip(parts[::2], parts[1::2], strict=False)]
            parts = pairs + list(parts[2 * len(pairs) :])
        (region,) = parts
        return region.copy(meta=meta, visual=visual) if not isinstance(region, compound) else region

    def to_regions(self, *, wcs: Any = None) -> Regions:
        """Return the outline as one polygon, parts and holes joined by cuts of no width: see `lsstregions.to_regions`.

        With a `wcs` it is on the sky. `lsstregions.rasterize` makes the same pixels of it again.
        """
        return to_regions([self], wcs=wcs)

    def rotate(self, center: PixCoord, angle: Any) -> Self:
        """Return the footprint rotated counter-clockwise by an angle (radians or a Quantity), in whole pixels again."""
        linear = LinearTransform.rotation(angle)
        center = PixCoord._validate(center, "center", "scalar")
        x, y = center.x, center.y
        moved = linear(Point2D(x, y))
        return self.transform(AffineTransform(linear, (x - moved.x, y - moved.y)))

    def as_artist(self, origin: tuple[float, float] = (0, 0), **kwargs: Any) -> "PathPatch":
        """Return the outline, holes included, as a `matplotlib.patches.PathPatch`.

        Parameters
        ----------
        origin : pair of float
            The pixel position of the origin of the displayed image.
        **kwargs : dict
            Of the patch; they come before the footprint's own ``visual``.
        """
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        parts = self._rings() if self.spans else []
        paths = [Path(np.concatenate([points, points[:1]]) - origin, closed=True) for points in parts]
        options = known(self.visual, RegionVisual).define_mpl_kwargs("Patch") | kwargs
        return PathPatch(Path.make_compound_path(*paths) if paths else Path(np.empty((0, 2))), **options)

    def _visual_style(self) -> dict[str, Any]:
        """Return what ``visual`` says, as options of `plot_footprints`."""
        options = known(self.visual, RegionVisual).define_mpl_kwargs("Patch") if self.visual else {}
        return {"color" if name == "edgecolor" else name: value for name, value in options.items()}

    def write(self, filename: Any, format: str | None = None, overwrite: bool = False, **kwargs: Any) -> None:
        """Write the outline of `to_regions` in a format of `regions`: see `lsstregions.write_regions`."""
        from .io.outlines import write_regions

        write_regions([self], filename, format, overwrite=overwrite, **kwargs)

    def serialize(self, format: str | None = None, **kwargs: Any) -> Any:
        """Return the outline of `to_regions` in a format of `regions`: see `lsstregions.serialize_regions`."""
        from .io.outlines import serialize_regions

        return serialize_regions([self], format, **kwargs)


def _on_sky(points: Points, wcs: Any) -> Any:
    """Return pixel positions, (n, 2), on the sky, where all of them must be."""
    sky = as_celestial(wcs, "wcs").pixel_to_world(*points.T)
    lost = ~np.isfinite(sky.spherical.lon.value + sky.spherical.lat.value)
    if lost.any():
        x, y = points[lost][0].tolist()
        raise ValueError(f"the outline leaves the sky: wcs has no position there for ({x}, {y})")
    return sky


def _spans_of(region: Any) -> SpanSet:
    return region if isinstance(region, SpanSet) else region.spans


def known(values: dict[str, Any], kind: Any) -> Any:
    """Return what `regions` has keys for of a footprint's ``meta`` or ``visual``, as its class of these."""
    valid = {*kind.valid_keys, *kind.key_mapping}
    return kind({key: value for key, value in values.items() if key in valid})


def to_regions(items: "Iterable[Footprint | FootprintSet | Any]", *, wcs: Any = None) -> Regions:
    """Return each footprint as one polygon, and other regions as they are.

    Every format of `regions` has polygons, but its own writers lose some of what lists hold: `write_regions` writes
    them to files. Parts of a footprint, and holes, are joined by cuts of no width along edges of pixels, which by the
    even-odd rule change nothing: rasterizing the polygon gives the pixels back exactly. The polygons have the ``meta``
    and ``visual`` of the footprints; a footprint's number among the footprints, from 0 on, is its ``label`` unless its
    ``meta`` has one, and the label its ``text``.

    Parameters
    ----------
    items : FootprintSet or iterable
        Footprints, sets of them, and any regions.
    wcs : APE-14 WCS, optional
        From the pixel plane to the sky: makes polygons on the sky of footprints, whose sides go from corner to corner.

    Warns
    -----
    LossWarning
        Where ``meta`` or ``visual`` has keys that `regions` does not have, and where footprints are empty: they are
        left out.

    Raises
    ------
    TypeError
        If an item is no region, or `wcs` no WCS.
    ValueError
        If a corner of a footprint is not on the sky.
    """
    items = members(items)
    footprints: list[Any] = [item for item in items if isinstance(item, FootprintRegion)]
    lengths = [len(footprint.spans) for footprint in footprints]
    spans = np.concatenate([np.empty((0, 3), np.int32), *(footprint.spans.array for footprint in footprints)])
    vertices, offsets = cut_rings(spans, offsets_of(lengths))
    corners = PixCoord(*vertices.T) if wcs is None else _on_sky(vertices, wcs)
    polygon = PolygonPixelRegion if wcs is None else PolygonSkyRegion
    polygons, lost = [], set()
    for number, footprint in enumerate(footprints):
        meta, visual = known(footprint.meta, RegionMeta), known(footprint.visual, RegionVisual)
        lost |= (footprint.meta.keys() - meta.keys()) | (footprint.visual.keys() - visual.keys())
        meta.setdefault("label", str(number))
        meta.setdefault("text", str(meta["label"]))
        part = corners[offsets[number] : offsets[number + 1]]
        polygons.append(polygon(part, meta=meta, visual=visual) if footprint.spans else None)
    if lost:
        warn(f"regions has no place for {', '.join(sorted(map(str, lost)))}", LossWarning)
    if empty := lengths.count(0):
        warn(f"{empty} empty footprints have no outline", LossWarning)
    outlines = iter(polygons)
    regions = [next(outlines) if isinstance(item, FootprintRegion) else item for item in items]
    return Regions([region for region in regions if region is not None])


def members(items: Iterable[Any]) -> list[Any]:
    """Return footprints, those of sets, and regions in one list; one region stands for itself."""
    items = items if isinstance(items, Iterable) else [items]
    parts = [part for item in items for part in (item if hasattr(item, "offsets") else [item])]
    for part in parts:
        if not isinstance(part, Region):
            raise TypeError(f"items must be footprints, sets of them or regions, not {type(part).__name__}")
    return parts

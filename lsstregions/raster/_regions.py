"""The regions of astropy's `regions`, in pixels, on the sky, on the sphere: their attributes, class by class."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np
import regions as ar
from numpy.typing import NDArray
from regions.shapes.whole_sky import WholeSphericalSkyRegion

from .._ragged import offsets_of
from ._compounds import chains_of, combine, holds_outside
from ._dispatch import (
    Lists,
    Mixed,
    batch,
    box_runs,
    joined,
    needed,
    pixels_of,
    runs_of,
    runs_of_each,
    unprojectable_error,
    values,
)
from ._shapes import CIRCLE, ELLIPSE, RECTANGLE, Batch, Doubles, Lines, Many, Polygons, Runs, Shapes, as_doubles
from ._sky import Projection, axes_on_image, gathered

# An edge of an outline that is so many times as long on the image as others, for what it is on the sky, goes from one
# end of a map of the whole sky to the other.
TORN = 30

Regions = Sequence[Any]


def _numbers(regions: Regions, name: str) -> Doubles:
    return np.fromiter(values(regions, name), np.float64, len(regions))


def _points(regions: Regions, name: str) -> tuple[Doubles, Doubles]:
    found = values(regions, name)
    x, y = (np.fromiter(map(attrgetter(axis), found), np.float64, len(found)) for axis in ("x", "y"))
    return x, y


def _angles(regions: Regions, name: str, unit: str) -> Doubles:
    return gathered(values(regions, name), unit)


@batch(ar.CirclePixelRegion)
def _circles(regions: Regions, wcs: Any) -> Batch:
    r = _numbers(regions, "radius")
    return Shapes(CIRCLE, *_points(regions, "center"), r, r, 0.0)


@batch(ar.CircleAnnulusPixelRegion)
def _circle_annuli(regions: Regions, wcs: Any) -> Batch:
    inner, outer = _numbers(regions, "inner_radius"), _numbers(regions, "outer_radius")
    return Shapes(CIRCLE, *_points(regions, "center"), outer, outer, 0.0, inner, inner)


@batch(ar.EllipsePixelRegion)
def _ellipses(regions: Regions, wcs: Any) -> Batch:
    a, b = _numbers(regions, "width") / 2, _numbers(regions, "height") / 2
    return Shapes(ELLIPSE, *_points(regions, "center"), a, b, _angles(regions, "angle", "rad"))


@batch(ar.RectanglePixelRegion)
def _rectangles(regions: Regions, wcs: Any) -> Batch:
    a, b = _numbers(regions, "width") / 2, _numbers(regions, "height") / 2
    return Shapes(RECTANGLE, *_points(regions, "center"), a, b, _angles(regions, "angle", "rad"))


@batch(ar.EllipseAnnulusPixelRegion)
def _ellipse_annuli(regions: Regions, wcs: Any) -> Batch:
    return _annuli(ELLIPSE, regions)


@batch(ar.RectangleAnnulusPixelRegion)
def _rectangle_annuli(regions: Regions, wcs: Any) -> Batch:
    return _annuli(RECTANGLE, regions)


def _annuli(kind: int, regions: Regions) -> Batch:
    a, b, inner_a, inner_b = (
        _numbers(regions, name) / 2 for name in ("outer_width", "outer_height", "inner_width", "inner_height")
    )
    return Shapes(kind, *_points(regions, "center"), a, b, _angles(regions, "angle", "rad"), inner_a, inner_b)


@batch(ar.PolygonPixelRegion)
def _polygons(regions: Regions, wcs: Any) -> Batch:
    found = values(regions, "vertices")
    x = np.concatenate([np.ravel(vertices.x) for vertices in found])
    y = np.concatenate([np.ravel(vertices.y) for vertices in found])
    return Polygons(x, y, offsets_of([np.size(vertices.x) for vertices in found]))


@batch(ar.PointPixelRegion)
def _single_points(regions: Regions, wcs: Any) -> Batch:
    x, y = _points(regions, "center")
    return Lines(x, y, x, y)


@batch(ar.LinePixelRegion)
def _lines(regions: Regions, wcs: Any) -> Batch:
    return Lines(*_points(regions, "start"), *_points(regions, "end"))


@batch(ar.TextPixelRegion, ar.TextSkyRegion)
def _texts(regions: Regions, wcs: Any) -> Batch:
    raise TypeError(f"a text has no pixels, so it cannot be rasterized: {regions[0]!r}")


@runs_of.register
def _(region: ar.RegionBoundingBox, wcs: Any = None, within: Any = None) -> Runs:
    return box_runs(region.ixmin, region.ixmax, region.iymin, region.iymax, within)


batch(ar.Regions)(Lists)


@batch(ar.CircleSkyRegion, ar.CircleSphericalSkyRegion)
def _sky_circles(regions: Regions, wcs: Any) -> Batch:
    projection = Projection(regions, "center", wcs)
    r = _angles(regions, "radius", "arcsec") * projection.scale()
    return Shapes(CIRCLE, projection.x, projection.y, r, r, 0.0)


@batch(ar.CircleAnnulusSkyRegion, ar.CircleAnnulusSphericalSkyRegion)
def _sky_circle_annuli(regions: Regions, wcs: Any) -> Batch:
    projection = Projection(regions, "center", wcs)
    scale = projection.scale()
    inner, outer = (_angles(regions, name, "arcsec") * scale for name in ("inner_radius", "outer_radius"))
    return Shapes(CIRCLE, projection.x, projection.y, outer, outer, 0.0, inner, inner)


@batch(ar.EllipseSkyRegion)
def _sky_ellipses(regions: Regions, wcs: Any) -> Batch:
    return _sky_shapes(ELLIPSE, regions, wcs)


@batch(ar.RectangleSkyRegion)
def _sky_rectangles(regions: Regions, wcs: Any) -> Batch:
    return _sky_shapes(RECTANGLE, regions, wcs)


@batch(ar.EllipseAnnulusSkyRegion)
def _sky_ellipse_annuli(regions: Regions, wcs: Any) -> Batch:
    return _sky_shapes(ELLIPSE, regions, wcs, "outer_", "inner_")


@batch(ar.RectangleAnnulusSkyRegion)
def _sky_rectangle_annuli(regions: Regions, wcs: Any) -> Batch:
    return _sky_shapes(RECTANGLE, regions, wcs, "outer_", "inner_")


def _sky_shapes(kind: int, regions: Regions, wcs: Any, *prefixes: str) -> Batch:
    """Project shapes with widths, heights and an angle; the prefixes are those of an annulus's attributes."""
    projection = Projection(regions, "center", wcs)
    # Angles are of the region's own frame.
    angle = as_doubles(_angles(regions, "angle", "rad"), "angle") + projection.north()
    jacobian = projection.jacobian()
    sizes: list[Doubles] = []
    turns: list[Doubles] = []
    for prefix in prefixes or ("",):
        width, height = (
            as_doubles(_angles(regions, prefix + name, "arcsec"), prefix + name) for name in ("width", "height")
        )
        width, height, turn = axes_on_image(jacobian, width, height, angle)
        sizes += [width / 2, height / 2]
        turns.append(turn)
    # Of an annulus, the angle of the outer shape.
    return Shapes(kind, projection.x, projection.y, sizes[0], sizes[1], turns[0], *sizes[2:])


@batch(ar.PolygonSkyRegion, ar.PolygonSphericalSkyRegion)
def _sky_polygons(regions: Regions, wcs: Any) -> Batch:
    projection = Projection(regions, "vertices", wcs)
    return Polygons(projection.x, projection.y, projection.offsets)


@batch(ar.PointSkyRegion)
def _sky_points(regions: Regions, wcs: Any) -> Batch:
    projection = Projection(regions, "center", wcs)
    return Lines(projection.x, projection.y, projection.x, projection.y)


@batch(ar.LineSkyRegion)
def _sky_lines(regions: Regions, wcs: Any) -> Batch:
    start, end = Projection(regions, "start", wcs), Projection(regions, "end", wcs)
    return Lines(start.x, start.y, end.x, end.y)


@batch(ar.RangeSphericalSkyRegion, ar.LuneSphericalSkyRegion)
def _sphere_outlines(regions: Regions, wcs: Any) -> Batch:
    outlines = [region.to_pixel(needed(wcs, region), boundary_distortions=True) for region in regions]
    lost = [i for i, outline in enumerate(outlines) if not _is_whole(outline, wcs)]
    if lost:
        raise unprojectable_error(regions, lost)
    return Mixed(outlines, wcs)


def _is_whole(outline: Any, wcs: Any) -> bool:
    """Whether a polygon, or both of a pair, are where there are pixels, and not torn by the edge of a map."""
    if isinstance(outline, _COMPOUND):
        return _is_whole(outline.region1, wcs) and _is_whole(outline.region2, wcs)
    x, y = outline.vertices.x, outline.vertices.y
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return False
    sky = wcs.pixel_to_world(x, y)
    on_sky = sky.separation(sky[np.arange(len(sky)) - 1]).deg
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.hypot(x - np.roll(x, 1), y - np.roll(y, 1)) / on_sky
    return not (scale > TORN * np.nanmedian(scale)).any()


@runs_of.register(WholeSphericalSkyRegion)
def _whole_sky(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    if within is None:
        raise ValueError("the whole sky covers every pixel; pass `within` to say which there are")
    return pixels_of(within)


_COMPOUND = ar.CompoundPixelRegion, ar.CompoundSkyRegion, ar.CompoundSphericalSkyRegion


@batch(*_COMPOUND)
class _Compounds:
    """Trees of regions: their leaves are done in one go, then each tree from below, to any depth."""

    __slots__ = ("chains", "leaves", "regions", "unbounded", "uses", "wcs")

    def __init__(self, regions: Regions, wcs: Any):
        self.regions = regions
        self.wcs = wcs
        self.chains = chains_of(regions, _COMPOUND)
        parts = [part for chain in self.chains for part in chain.operands]
        self.leaves = list({id(part): part for part in parts if not isinstance(part, _COMPOUND)}.values())
        # How often each part is asked for: after the last time it is forgotten.
        self.uses = Counter(map(id, [*parts, *regions]))
        self.unbounded = any(holds_outside(operation) for chain in self.chains for operation in set(chain.operations))

    def runs(self, within: Any) -> Many:
        """Return the pixels of each."""
        return self._made(runs_of_each(self._operands(within), self.wcs, within))

    def parts(self, within: Any) -> Any:
        """Return the shapes that the leaves are made of."""
        from ._exact import made_from

        return made_from(Mixed(self._operands(within), self.wcs), within, self._roots(), self._made)

    def _operands(self, within: Any) -> list[Any]:
        """Return the leaves, and last of all, if that is needed and known, all that there may be."""
        return [*self.leaves, within] if self.unbounded and within is not None else self.leaves

    def _roots(self) -> NDArray[np.intp] | None:
        """Return of which region each operand is; None where some are of several."""
        root = {id(region): i for i, region in enumerate(self.regions)}
        if self.unbounded and len(root) > 1:
            return None
        for compound, operands, _ in reversed(self.chains):
            for operand in operands:
                if root.setdefault(id(operand), root[id(compound)]) != root[id(compound)]:
                    return None
        return np.array([root[id(leaf)] for leaf in self.leaves] + [0] * self.unbounded, np.intp)

    def _made(self, operands: Many) -> Many:
        """Return what is made of the pixels of each operand."""
        runs, offsets = operands
        known = [runs[start:stop] for start, stop in pairwise(offsets.tolist())]
        everything = known.pop() if len(known) > len(self.leaves) else None
        results = {id(leaf): some for leaf, some in zip(self.leaves, known, strict=True)}
        uses = self.uses.copy()

        def used(part: Any) -> Runs:
            uses[id(part)] -= 1
            return results[id(part)] if uses[id(part)] else results.pop(id(part))

        for compound, parts, operations in self.chains:
            results[id(compound)] = combine([used(part) for part in parts], operations, everything)
        return joined([used(region) for region in self.regions])

"""The regions of astropy's `regions`, in pixels, on the sky and on the sphere: their attributes, gathered class by class."""

import operator
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import regions as ar
from numpy.typing import NDArray

from ._arrays import Many, Offsets, Runs, circles, ellipses, lines, points, polygons, rectangles
from ._dispatch import batch, box_runs, combine, joined, needed, runs_of, runs_of_each, runs_of_regions, union_of
from ._sky import Projection, gathered

Regions = Sequence[Any]
Doubles = NDArray[np.float64]
_T = TypeVar("_T")

_ASSOCIATIVE = (operator.or_, operator.and_, operator.xor)


def _named(*names: str) -> list[type]:
    """Return the classes of these names that this version of `regions` has: those on the sphere are of 0.12."""
    modules = ar.shapes, getattr(ar.shapes, "whole_sky", None)
    return [getattr(module, name) for name in names for module in modules if hasattr(module, name)]


def _numbers(regions: Regions, name: str) -> Doubles:
    return np.array([getattr(region, name) for region in regions], dtype=np.float64)


def _points(regions: Regions, name: str) -> tuple[Doubles, Doubles]:
    found = [getattr(region, name) for region in regions]
    return np.array([p.x for p in found], dtype=np.float64), np.array([p.y for p in found], dtype=np.float64)


def _angles(regions: Regions, name: str, unit: str) -> Doubles:
    return gathered([getattr(region, name) for region in regions], unit)


@batch(ar.CirclePixelRegion)
def _circles(regions: Regions, wcs: Any, within: Any) -> Many:
    return circles(*_points(regions, "center"), _numbers(regions, "radius"), within=within)


@batch(ar.CircleAnnulusPixelRegion)
def _circle_annuli(regions: Regions, wcs: Any, within: Any) -> Many:
    inner, outer = _numbers(regions, "inner_radius"), _numbers(regions, "outer_radius")
    return circles(*_points(regions, "center"), outer, inner_r=inner, within=within)


@batch(ar.EllipsePixelRegion)
def _ellipses(regions: Regions, wcs: Any, within: Any) -> Many:
    a, b = _numbers(regions, "width") / 2, _numbers(regions, "height") / 2
    return ellipses(*_points(regions, "center"), a, b, _angles(regions, "angle", "rad"), within=within)


@batch(ar.RectanglePixelRegion)
def _rectangles(regions: Regions, wcs: Any, within: Any) -> Many:
    width, height = _numbers(regions, "width"), _numbers(regions, "height")
    return rectangles(*_points(regions, "center"), width, height, _angles(regions, "angle", "rad"), within=within)


def _annulus_sizes(regions: Regions) -> list[Doubles]:
    return [_numbers(regions, name) for name in ("outer_width", "outer_height", "inner_width", "inner_height")]


@batch(ar.EllipseAnnulusPixelRegion)
def _ellipse_annuli(regions: Regions, wcs: Any, within: Any) -> Many:
    a, b, inner_a, inner_b = (size / 2 for size in _annulus_sizes(regions))
    theta = _angles(regions, "angle", "rad")
    return ellipses(*_points(regions, "center"), a, b, theta, inner_a=inner_a, inner_b=inner_b, within=within)


@batch(ar.RectangleAnnulusPixelRegion)
def _rectangle_annuli(regions: Regions, wcs: Any, within: Any) -> Many:
    width, height, inner_width, inner_height = _annulus_sizes(regions)
    return rectangles(
        *_points(regions, "center"),
        width,
        height,
        _angles(regions, "angle", "rad"),
        inner_width=inner_width,
        inner_height=inner_height,
        within=within,
    )


@batch(ar.PolygonPixelRegion)
def _polygons(regions: Regions, wcs: Any, within: Any) -> Many:
    found = [region.vertices for region in regions]
    x = np.concatenate([np.ravel(vertices.x) for vertices in found])
    y = np.concatenate([np.ravel(vertices.y) for vertices in found])
    return polygons(x, y, offsets_of([np.size(vertices.x) for vertices in found]), within=within)


@batch(ar.PointPixelRegion)
def _single_points(regions: Regions, wcs: Any, within: Any) -> Many:
    return points(*_points(regions, "center"), within=within)


@batch(ar.LinePixelRegion)
def _lines(regions: Regions, wcs: Any, within: Any) -> Many:
    return lines(*_points(regions, "start"), *_points(regions, "end"), within=within)


@batch(ar.TextPixelRegion, ar.TextSkyRegion)
def _texts(regions: Regions, wcs: Any, within: Any) -> Many:
    raise TypeError(f"a text has no pixels, so it cannot be rasterized: {regions[0]!r}")


@runs_of.register
def _(region: ar.RegionBoundingBox, wcs: Any = None, within: Any = None) -> Runs:
    return box_runs(region.ixmin, region.ixmax, region.iymin, region.iymax, within)


@runs_of.register
def _(region: ar.Regions, wcs: Any = None, within: Any = None) -> Runs:
    return union_of(runs_of_regions(region.regions, wcs, within))


def offsets_of(counts: Sequence[int]) -> Offsets:
    """Return the offsets of groups of these sizes."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


@batch(*_named("CircleSkyRegion", "CircleSphericalSkyRegion"))
def _sky_circles(regions: Regions, wcs: Any, within: Any) -> Many:
    projection = Projection(regions, "center", wcs)
    r = _angles(regions, "radius", "arcsec") * projection.scale()
    return circles(projection.x, projection.y, r, within=within)


@batch(*_named("CircleAnnulusSkyRegion", "CircleAnnulusSphericalSkyRegion"))
def _sky_circle_annuli(regions: Regions, wcs: Any, within: Any) -> Many:
    projection = Projection(regions, "center", wcs)
    inner, outer = (_angles(regions, name, "arcsec") * projection.scale() for name in ("inner_radius", "outer_radius"))
    return circles(projection.x, projection.y, outer, inner_r=inner, within=within)


@batch(ar.EllipseSkyRegion)
def _sky_ellipses(regions: Regions, wcs: Any, within: Any) -> Many:
    projection = Projection(regions, "center", wcs)
    width, height, angle = _sky_axes(projection, regions, "width", "height")
    return ellipses(projection.x, projection.y, width / 2, height / 2, angle, within=within)


@batch(ar.RectangleSkyRegion)
def _sky_rectangles(regions: Regions, wcs: Any, within: Any) -> Many:
    projection = Projection(regions, "center", wcs)
    return rectangles(projection.x, projection.y, *_sky_axes(projection, regions, "width", "height"), within=within)


@batch(ar.EllipseAnnulusSkyRegion)
def _sky_ellipse_annuli(regions: Regions, wcs: Any, within: Any) -> Many:
    projection = Projection(regions, "center", wcs)
    width, height, angle = _sky_axes(projection, regions, "outer_width", "outer_height")
    inner_width, inner_height, _ = _sky_axes(projection, regions, "inner_width", "inner_height")
    return ellipses(
        projection.x,
        projection.y,
        width / 2,
        height / 2,
        angle,
        inner_a=inner_width / 2,
        inner_b=inner_height / 2,
        within=within,
    )


@batch(ar.RectangleAnnulusSkyRegion)
def _sky_rectangle_annuli(regions: Regions, wcs: Any, within: Any) -> Many:
    projection = Projection(regions, "center", wcs)
    width, height, angle = _sky_axes(projection, regions, "outer_width", "outer_height")
    inner_width, inner_height, _ = _sky_axes(projection, regions, "inner_width", "inner_height")
    return rectangles(
        projection.x,
        projection.y,
        width,
        height,
        angle,
        inner_width=inner_width,
        inner_height=inner_height,
        within=within,
    )


def _sky_axes(projection: Projection, regions: Regions, width: str, height: str) -> tuple[Doubles, Doubles, Doubles]:
    """Return full widths, heights (pixels) and angles (radians) of sky shapes."""
    sizes = (_angles(regions, name, "arcsec") for name in (width, height))
    return projection.axes(*sizes, _angles(regions, "angle", "rad"))


@batch(*_named("PolygonSkyRegion", "PolygonSphericalSkyRegion"))
def _sky_polygons(regions: Regions, wcs: Any, within: Any) -> Many:
    projection = Projection(regions, "vertices", wcs)
    return polygons(projection.x, projection.y, projection.offsets, within=within)


@batch(ar.PointSkyRegion)
def _sky_points(regions: Regions, wcs: Any, within: Any) -> Many:
    projection = Projection(regions, "center", wcs)
    return points(projection.x, projection.y, within=within)


@batch(ar.LineSkyRegion)
def _sky_lines(regions: Regions, wcs: Any, within: Any) -> Many:
    start, end = Projection(regions, "start", wcs), Projection(regions, "end", wcs)
    return lines(start.x, start.y, end.x, end.y, within=within)


@batch(*_named("RangeSphericalSkyRegion", "LuneSphericalSkyRegion"))
def _sphere_outlines(regions: Regions, wcs: Any, within: Any) -> Many:
    outlines = [region.to_pixel(needed(wcs, region), boundary_distortions=True) for region in regions]
    try:
        return runs_of_each(outlines, wcs, within)
    except ValueError as error:
        raise ValueError(f"one of {regions!r} does not project onto the image: {error}") from error


@batch(*_named("WholeSphericalSkyRegion"))
def _whole_skies(regions: Regions, wcs: Any, within: Any) -> Many:
    if within is None:
        raise ValueError("the whole sky covers every pixel; pass `within` to say which there are")
    everything = box_runs(within.x.start, within.x.stop, within.y.start, within.y.stop, within)
    return joined([everything] * len(regions))


_COMPOUND = tuple(
    getattr(ar, f"Compound{kind}Region")
    for kind in ("Pixel", "Sky", "SphericalSky")
    if hasattr(ar, f"Compound{kind}Region")
)


@batch(*_COMPOUND)
def _compounds(regions: Regions, wcs: Any, within: Any) -> Many:
    """Rasterize the leaves of all trees in one go, then go up each; nothing recurs, so any depth will do."""
    chains = [chain for region in regions for chain in reversed(_chains(region))]
    leaves = list({id(part): part for chain in chains for part in chain[2] if not isinstance(part, _COMPOUND)}.values())
    runs, offsets = runs_of_each(leaves, wcs, within)
    known = {id(leaf): runs[offsets[i] : offsets[i + 1]] for i, leaf in enumerate(leaves)}
    for chain, operation, parts in chains:
        known[id(chain)] = combine(operation, [known[id(part)] for part in parts], within)
    return joined([known[id(region)] for region in regions])


def _chains(root: Any) -> list[tuple[Any, Any, list[Any]]]:
    """Return the compounds of a tree, each before those that it is made of: (compound, operator, operands).

    Members of the same associative operator are taken together, however they are nested.
    """
    chains = []
    ahead = [root]
    while ahead:
        compound = ahead.pop()
        operation = compound.operator
        parts, open_parts = [], [compound.region2, compound.region1]
        while open_parts:
            part = open_parts.pop()
            if isinstance(part, _COMPOUND) and part.operator is operation and operation in _ASSOCIATIVE:
                open_parts += [part.region2, part.region1]
                continue
            parts.append(part)
            if isinstance(part, _COMPOUND):
                ahead.append(part)
        chains.append((compound, operation, parts))
    return chains

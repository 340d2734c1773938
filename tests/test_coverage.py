"""Exact coverage: against regions and photutils where those are right, against shapely where they are not."""

import functools
import math
import operator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import astropy.units as u
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import photutils.aperture as pa
import pytest
import regions as ar
import shapely
from astropy.coordinates import SkyCoord
from astropy.nddata import CCDData, NDData, StdDevUncertainty
from hypothesis import assume, given, settings
from photutils.geometry import elliptical_overlap_grid
from test_rasterize import OPERATIONS, REGIONS, fits_wcs, places, quarters

import lsstregions as lr
from lsstregions import _coverage
from lsstregions.geom import Box2D, Box2I
from lsstregions.raster import SkippedRegionWarning, coverage, coverage_sum, rasterize
from lsstregions.raster._shapes import ELLIPSE, Shapes
from lsstregions.spans import SpanSet

BOX = (-12, 14, -11, 13)


def dense(region, box=BOX, **options):
    """Return the coverage of a box, after a look at spans and weights."""
    x_start, x_stop, y_start, y_stop = box
    spans, weights = coverage(region, within=Box2I(x=box[:2], y=box[2:]), **options)
    assert isinstance(spans, SpanSet)
    assert weights.shape == (spans.area,)
    assert (weights > 0).all()
    assert (weights <= 1).all()
    result = np.zeros((y_stop - y_start, x_stop - x_start))
    y, x = spans.indices()
    result[y - y_start, x - x_start] = weights
    return result


def of_ellipse(x, y, a, b, theta, box=BOX):
    """Return photutils' exact overlap; shifted so that its grid fits the box."""
    x_start, x_stop, y_start, y_stop = box
    edges = (x_start - 0.5 - x, x_stop - 0.5 - x, y_start - 0.5 - y, y_stop - 0.5 - y)
    return elliptical_overlap_grid(*edges, x_stop - x_start, y_stop - y_start, a, b, theta, 1, 1)


def of_geometry(geometry, box=BOX):
    """Return the area of shapely's intersection with each pixel."""
    x_start, x_stop, y_start, y_stop = box
    y, x = np.mgrid[y_start:y_stop, x_start:x_stop]
    pixels = shapely.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5)
    # Shapely's intersections cost as much as the geometry has corners: it is asked for those of the border alone.
    shapely.prepare(geometry)
    result = shapely.contains(geometry, pixels).astype(float)
    border = shapely.intersects(geometry, pixels) & (result == 0)
    result[border] = shapely.area(shapely.intersection(geometry, pixels[border]))
    return result


def ellipse(x, y, a, b, theta):
    return ar.EllipsePixelRegion(ar.PixCoord(x, y), 2 * a, 2 * b, theta * u.rad)


radii = st.floats(0.05, 30)


@settings(max_examples=30)
@given(places, places, radii)
def test_circle(x, y, r):
    result = dense(ar.CirclePixelRegion(ar.PixCoord(x, y), r), (-50, 51, -50, 51))
    assert result.sum() == pytest.approx(np.pi * r * r, rel=1e-12, abs=1e-12)
    polygon = shapely.Point(x, y).buffer(r, quad_segs=250)
    assert np.abs(result[39:63, 38:64] - of_geometry(polygon)).max() < 2e-5 * max(r, 1)


def is_apart(v):
    """Whether a coordinate is neither a pixel's edge nor its centre."""
    return abs(v * 2 - round(v * 2)) > 1e-3


# The overlap of photutils is wrong where the ellipse's border runs through pixel corners, or touches a pixel's edge.
any_place = st.floats(-15, 15).filter(is_apart)


@given(any_place, any_place, radii, radii, st.floats(0.01, 1.5))
def test_ellipse(x, y, a, b, theta):
    half = np.hypot(a * np.cos(theta), b * np.sin(theta)), np.hypot(a * np.sin(theta), b * np.cos(theta))
    assume(all(is_apart(v) for v in (x - half[0], x + half[0], y - half[1], y + half[1])))
    result = dense(ellipse(x, y, a, b, theta))
    assert np.abs(result - of_ellipse(x, y, a, b, theta)).max() < 1e-9
    whole = dense(ellipse(x, y, a, b, theta), (-50, 51, -50, 51))
    assert whole.sum() == pytest.approx(np.pi * a * b, rel=1e-11)
    np.testing.assert_allclose(whole[39:63, 38:64], result, rtol=0, atol=1e-12)


@settings(max_examples=30)
@given(places, places, st.integers(1, 40).map(lambda n: n / 2), st.integers(1, 40).map(lambda n: n / 2), quarters)
def test_ellipse_on_the_grid(x, y, a, b, theta):
    """Borders through pixel corners, and along their sides."""
    result = dense(ellipse(x, y, a, b, theta), (-50, 51, -50, 51))
    assert result.sum() == pytest.approx(np.pi * a * b, rel=1e-11)
    across, along = (a, b) if round(theta / np.pi * 2) % 2 == 0 else (b, a)
    unit = shapely.Point(0, 0).buffer(1, quad_segs=250)
    polygon = shapely.affinity.translate(shapely.affinity.scale(unit, across, along), x, y)
    assert np.abs(result[39:63, 38:64] - of_geometry(polygon)).max() < 5e-4


@given(places, places, radii, radii, st.floats(-4, 4) | quarters)
def test_rectangle(x, y, width, height, theta):
    rectangle = ar.RectanglePixelRegion(ar.PixCoord(x, y), width, height, theta * u.rad)
    polygon = shapely.affinity.rotate(
        shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2), theta, "center", use_radians=True
    )
    np.testing.assert_allclose(dense(rectangle), of_geometry(polygon), rtol=0, atol=1e-9)


# In steps that a shift by whole pixels leaves as they are: whether edges lie on each other must not depend on it.
steps = places.map(lambda v: round(v * 2**20) / 2**20)


@given(st.lists(st.tuples(steps, steps), min_size=3, max_size=9))
def test_polygon(corners):
    """By the even-odd rule, whether it crosses itself or not."""
    ring = shapely.LinearRing(corners)
    # To shapely edges that lie on each other are one.
    assume(shapely.node(ring).length > ring.length * (1 - 1e-9))
    expected = of_geometry(shapely.make_valid(shapely.Polygon(corners)))
    np.testing.assert_allclose(dense(shapely.Polygon(corners)), expected, rtol=0, atol=1e-9)


halves = st.integers(-4, 4).map(lambda n: n / 2)


@given(st.lists(st.tuples(halves, halves), min_size=3, max_size=9))
def test_polygon_with_edges_on_each_other(corners):
    """Against 900 points a pixel: what a ray from each crosses an odd number of times."""
    y, x = (np.mgrid[:180, :180] + 0.5001) / 30 - 3.5
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    expected = inside.reshape(6, 30, 6, 30).mean(axis=(1, 3))
    np.testing.assert_allclose(dense(shapely.Polygon(corners), (-3, 3, -3, 3)), expected, atol=0.1)


def star(n, r=9.7, x=0.3, y=0.2):
    """Return corners of a polygon around a point, in order."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radius = r * (1 + 0.3 * np.sin(7 * t) + 0.1 * np.cos(31 * t)) / 1.4
    return np.column_stack([x + radius * np.cos(t), y + radius * np.sin(t)])


@pytest.mark.parametrize("n", [3, 10, 500])
def test_polygon_in_both_directions(n):
    corners = star(n)
    there = dense(shapely.Polygon(corners))
    np.testing.assert_allclose(there, dense(shapely.Polygon(corners[::-1])), rtol=0, atol=1e-13)
    np.testing.assert_allclose(there, of_geometry(shapely.Polygon(corners)), rtol=0, atol=1e-9)
    assert there.sum() == pytest.approx(shapely.Polygon(corners).area, rel=1e-12)


@pytest.mark.parametrize("offset", [0, 1e5, 1e9, -1e9])
def test_far_from_the_origin(offset):
    """Nothing changes but the place."""
    near = [(0.25, 0.5), (20.75, 3.125), (8.5, 15.25)]
    spans, weights = coverage(shapely.Polygon(near))
    moved, moved_weights = coverage(shapely.Polygon(np.add(near, offset)))
    np.testing.assert_array_equal(spans.array + int(offset) * np.ones(3, np.int64), moved.array)
    np.testing.assert_array_equal(weights, moved_weights)
    spans, weights = coverage(ellipse(0.25, 0.5, 5, 3, 0.4))
    moved, moved_weights = coverage(ellipse(0.25 + offset, 0.5 + offset, 5, 3, 0.4))
    np.testing.assert_array_equal(spans.array + int(offset) * np.ones(3, np.int64), moved.array)
    np.testing.assert_allclose(weights, moved_weights, rtol=0, atol=1e-13)
    bow_tie = np.array([(0, 0), (4, 3), (4, 0), (0, 3)], float)
    assert coverage(shapely.Polygon(bow_tie + offset))[1].sum() == pytest.approx(6, abs=1e-9)


def test_self_intersecting_outlines_are_bounded():
    t = np.arange(5) * 4 * np.pi / 5
    pentagram = ar.PolygonPixelRegion(ar.PixCoord(10 * np.cos(t), 10 * np.sin(t)))
    inner = 10 * np.sin(np.pi / 10) / np.sin(7 * np.pi / 10)
    points = 5 * 10 * inner * np.sin(np.pi / 5) - 2.5 * inner**2 * np.sin(2 * np.pi / 5)
    result = dense(pentagram)
    assert result.max() <= 1
    assert result.sum() == pytest.approx(points, rel=1e-12)
    # Edges that lie on each other are one to shapely, so that this is not even-odd; but it is bounded.
    twice = [(0, 0), (5, 0), (5, 5), (0, 5)] * 2
    assert dense(ar.PolygonPixelRegion(ar.PixCoord(*np.transpose(twice)))).max() <= 1


def test_annuli():
    center = ar.PixCoord(0.3, -0.6)
    theta = 0.4 * u.rad
    for annulus in (
        ar.CircleAnnulusPixelRegion(center, 3, 9),
        ar.CircleAnnulusPixelRegion(center, 8.999, 9),
        ar.EllipseAnnulusPixelRegion(center, 6, 18, 3, 9, theta),
        ar.RectangleAnnulusPixelRegion(center, 6, 18, 3, 9, theta),
        ar.RectangleAnnulusPixelRegion(center, 17.99, 18, 8.99, 9, theta),
    ):
        apart = dense(annulus._outer_region) - dense(annulus._inner_region)
        np.testing.assert_allclose(dense(annulus), apart, rtol=0, atol=1e-12)
        np.testing.assert_allclose(dense(annulus._outer_region ^ annulus._inner_region), apart, rtol=0, atol=1e-12)


def test_holes_and_parts():
    outer, inner = star(40), star(15, 4)
    polygon = shapely.Polygon(outer, [inner])
    np.testing.assert_allclose(dense(polygon), of_geometry(polygon), rtol=0, atol=1e-9)
    island = shapely.Polygon(star(5, 2.0))
    parts = shapely.MultiPolygon([polygon, island])
    np.testing.assert_allclose(dense(parts), of_geometry(parts), rtol=0, atol=1e-9)
    everything = shapely.GeometryCollection(
        [polygon, island, shapely.LineString([(0, 0), (1, 1)]), shapely.Point(1, 1)]
    )
    np.testing.assert_allclose(dense(everything), of_geometry(parts), rtol=0, atol=1e-9)


def test_many_parts_are_no_tangle(monkeypatch):
    """Valid parts are taken as they are; those that cross are cut where they do."""
    parts = [
        shapely.Point(7 * i, 5 * j).buffer(2.2) - shapely.Point(7 * i, 5 * j).buffer(1)
        for i in (-1, 0, 1)
        for j in (-1, 1)
    ]
    crossing = shapely.MultiPolygon([shapely.box(-5, -5, 2.2, 1.3), shapely.box(-1.4, -2, 6, 6)])
    with monkeypatch.context() as patch:
        patch.setattr("shapely.node", lambda lines: pytest.fail("there was nothing to cut"))
        whole = shapely.MultiPolygon(parts)
        np.testing.assert_allclose(dense(whole), of_geometry(whole), rtol=0, atol=1e-9)
    odd = shapely.symmetric_difference(*crossing.geoms)
    np.testing.assert_allclose(dense(crossing), of_geometry(odd), rtol=0, atol=1e-9)


def circle(x, y, r):
    return ar.CirclePixelRegion(ar.PixCoord(x, y), r)


def test_compounds():
    """Disjoint and nested members are exact, also where they share pixels."""
    left, right = circle(-4.2, 0, 4.1), circle(4.2, 0.3, 4.1)
    np.testing.assert_allclose(dense(left | right), dense(left) + dense(right), rtol=0, atol=1e-12)
    np.testing.assert_allclose(dense([left, right]), dense(left | right), rtol=0, atol=1e-12)
    assert dense(left & right).sum() == 0
    big, small, tiny = circle(0, 0, 9), circle(0.1, 0.1, 8.8), circle(0.1, 0.2, 8.6)
    np.testing.assert_allclose(dense(big ^ small), dense(big) - dense(small), rtol=0, atol=1e-12)
    np.testing.assert_allclose(dense((big ^ small) | tiny), dense(big) - dense(small) + dense(tiny), rtol=0, atol=1e-12)
    np.testing.assert_allclose(dense(big & small), dense(small), rtol=0, atol=1e-12)
    minus = ar.CompoundPixelRegion(big, tiny, lambda a, b: a & ~b)
    np.testing.assert_allclose(dense(minus), dense(big) - dense(tiny), rtol=0, atol=1e-12)
    ring = ar.CompoundPixelRegion(tiny, big ^ small, lambda a, b: b & ~a)
    np.testing.assert_allclose(dense(ring), dense(big) - dense(small), rtol=0, atol=1e-12)
    disk = ar.CompoundPixelRegion(tiny, big & small, lambda a, b: b & ~a)
    np.testing.assert_allclose(dense(disk), dense(small) - dense(tiny), rtol=0, atol=1e-12)
    without = [big, ar.CirclePixelRegion(small.center, small.radius, meta={"include": 0}), tiny]
    np.testing.assert_allclose(dense(without), dense(big) - dense(small) + dense(tiny), rtol=0, atol=1e-12)
    # They cross, but in no pixel that is on both borders.
    half = Box2I(x=(-12, 1), y=(-11, 13))
    expected = dense(big)
    expected[:, 13:] = 0
    np.testing.assert_allclose(dense(shapely.box(-20, -20, 0.5, 20)) * dense(big), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(sum(coverage(big, within=half)[1]), expected.sum(), rtol=1e-12)
    with pytest.raises(ValueError, match=r"in the pixel \(0, -3\); .* disjoint and nested"):
        dense(circle(-2, 0, 4) | circle(2, 0.3, 4))
    outside = ar.CompoundPixelRegion(big, tiny, lambda a, b: ~(a | b))
    np.testing.assert_allclose(dense(outside), 1 - dense(big), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="no bounds"):
        coverage(outside)


@st.composite
def forests(draw):
    """Return circles that are apart or within each other, and for each the one that it is directly within, or -1.

    Some of them share pixels, for they are as close as can be.
    """
    circles, parents, room = [], [], [(-1, (-6.0, 0.3, 5.7)), (-1, (5.8, -0.2, 6.0))]
    for _ in range(draw(st.integers(1, 7))):
        parent, (x, y, r) = room.pop(draw(st.integers(0, len(room) - 1)))
        shrunk = r * draw(st.sampled_from([0.999, 0.97, 0.8]))
        circles.append(circle(x, y, shrunk))
        parents.append(parent)
        angle, part = draw(st.floats(0, 6)), draw(st.sampled_from([0.3, 0.5, 0.9]))
        step = np.array([np.cos(angle), np.sin(angle)])
        place = len(circles) - 1
        room += [
            (place, (*(np.array([x, y]) - (1 - part) * shrunk * step), part * shrunk)),
            (place, (*(np.array([x, y]) + part * shrunk * step), (1 - part) * shrunk)),
        ]
    return circles, parents


def cells_of(circles, parents):
    """Return the area in every pixel of what is in each circle but not in those within it, and in none; and which of
    these each circle is made of.
    """
    own = np.array([dense(one) for one in circles])
    cells = np.concatenate([own, np.ones_like(own[:1])])
    within = np.eye(len(circles), len(cells), dtype=bool)
    for i in reversed(range(len(circles))):
        cells[parents[i]] -= own[i]
        if parents[i] >= 0:
            within[parents[i]] |= within[i]
    return cells, within


@settings(max_examples=50)
@given(forests(), st.data())
def test_anything_made_of_nested_and_disjoint_ones(forest, data):
    circles, parents = forest
    cells, within = cells_of(circles, parents)
    made = list(zip(circles, within, strict=True))
    for _ in range(data.draw(st.integers(0, 8))):
        (left, in_left), (right, in_right) = (data.draw(st.sampled_from(made)) for _ in range(2))
        operation = data.draw(st.sampled_from(OPERATIONS))
        made.append((ar.CompoundPixelRegion(left, right, operation), operation(in_left, in_right)))
    for region, truth in made[-2:]:
        np.testing.assert_allclose(dense(region), np.tensordot(truth, cells, 1), rtol=0, atol=1e-12)
    # Many at once, and each for itself.
    image = np.random.default_rng(0).normal(size=cells.shape[1:])
    found = coverage_sum(image, [region for region, _ in made], xy0=(BOX[0], BOX[2]))
    expected = [(np.tensordot(truth, cells, 1) * image).sum() for _, truth in made]
    np.testing.assert_allclose(found.sum, expected, rtol=0, atol=1e-9)


@settings(max_examples=50)
@given(forests(), st.data())
def test_lists_of_nested_and_disjoint_ones(forest, data):
    circles, parents = forest
    cells, within = cells_of(circles, parents)
    members, truth = [], np.zeros(len(cells), bool)
    for i in data.draw(st.lists(st.integers(0, len(circles) - 1), max_size=9)):
        include = data.draw(st.booleans())
        members.append(circle(circles[i].center.x, circles[i].center.y, circles[i].radius))
        members[-1].meta["include"] = include
        truth = truth | within[i] if include else truth & ~within[i]
    expected = np.tensordot(truth, cells, 1)
    np.testing.assert_allclose(dense(members), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        coverage_sum(np.ones((24, 26)), [members, members[:0]], xy0=(-12, -11)).sum[0], expected.sum()
    )


def test_crossings_that_make_no_difference():
    """What covers them, takes them away, or leaves them out may come at any depth."""
    left, right, apart = circle(-2, 0, 4), circle(2, 0.3, 4), circle(-8.1, -7.2, 1.4)
    over, away = (ar.RectanglePixelRegion(ar.PixCoord(0, 0), 5, 21, meta={"include": i}) for i in (1, 0))
    both, box = dense(left) + dense(right), dense(over)
    for region in ([left, right, over], (left | right) | over, over | (right ^ left)):
        np.testing.assert_allclose(dense(region), np.where(box > 0, box, both), rtol=0, atol=1e-12)
    for region in ([left, right, away], ar.CompoundPixelRegion(over, left & right, lambda a, b: b & ~a)):
        expected = np.where(box > 0, 0, both) if isinstance(region, list) else 0
        np.testing.assert_allclose(dense(region) * np.ones_like(box), expected * np.ones_like(box), rtol=0, atol=1e-12)
    assert dense((left ^ right) & apart).sum() == 0
    only = ar.CompoundPixelRegion(left, right, lambda a, b: a)
    np.testing.assert_allclose(dense(only), dense(left), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="disjoint and nested"):
        dense([left, right, apart])
    with pytest.raises(ValueError, match="disjoint and nested"):
        dense([*(circle(0.01 * i, 0, 4) for i in range(7)), over])


def test_many_that_alternate():
    rings = [circle(0.2, 0.3, 11.9 - 0.055 * i) for i in range(200)]
    for i, ring in enumerate(rings):
        ring.meta["include"] = i % 2 == 0
    expected = sum((-1) ** i * ring.area for i, ring in enumerate(rings))
    assert coverage(rings)[1].sum() == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("most_pairs", [1, 1 << 20])
def test_unions_of_many(monkeypatch, most_pairs):
    """Many members in a pixel, apart and within each other; rectangles that share a side."""
    monkeypatch.setattr("lsstregions.raster._nesting._MOST_PAIRS", most_pairs)
    rng = np.random.default_rng(3)
    expected = np.zeros_like(dense(circle(0, 0, 1)))
    members = []
    for i, j in np.ndindex(14, 14):
        x, y, r = 0.8 * i - 5.3 + rng.uniform(0, 0.1), 0.8 * j - 5.3 + rng.uniform(0, 0.1), rng.uniform(0.05, 0.34)
        members += [circle(x, y, r), circle(x, y, 0.9 * r), circle(x + 0.05 * r, y, 0.8 * r)]
        expected += dense(members[-3])
    for order in (members, members[::-1], rng.permutation(np.array(members, object)).tolist()):
        np.testing.assert_allclose(dense(order), expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(dense(functools.reduce(operator.or_, order)), expected, rtol=0, atol=1e-12)
    halves = [ar.RectanglePixelRegion(ar.PixCoord(x, 0.25), 2, 3.3) for x in (-1, 1, 3)]
    whole = ar.RectanglePixelRegion(ar.PixCoord(1, 0.25), 6, 3.3)
    np.testing.assert_allclose(dense(halves), dense(whole), rtol=0, atol=1e-12)
    np.testing.assert_allclose(dense([circle(0, 0, 9), *members]), dense(circle(0, 0, 9)), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="disjoint and nested"):
        dense([*members, circle(0, 0, 5)])


def test_corners_that_are_only_touched():
    """A corner of a pixel on the border is no part of it, whichever way its row is done."""
    ellipse = ar.EllipsePixelRegion(ar.PixCoord(15, 21), 10, 20, np.pi / 4 * u.rad)
    spans, weights = coverage(ellipse)
    assert weights.min() > 1e-15
    y, x = spans.indices()
    image = np.full((40, 40), np.nan)
    image[y, x] = 1
    for mask in (None, np.zeros(image.shape, bool)):
        np.testing.assert_allclose(coverage_sum(image, [ellipse], mask=mask).sum, ellipse.area, rtol=1e-12)
    _, weights = coverage(circle(3.3, 4.4, 1e-9))
    np.testing.assert_allclose(weights, [np.pi * 1e-18], rtol=1e-6)


def test_the_same_region_twice():
    for region in (circle(0.2, 0.3, 5.3), ar.EllipsePixelRegion(ar.PixCoord(0, 0.2), 6, 9, 0.4 * u.rad)):
        expected = dense(region)
        for twice in ([region] * 3, [region, region.copy()], region | region, region & region.copy()):
            np.testing.assert_allclose(dense(twice), expected, rtol=0, atol=1e-12)
        assert dense(region ^ region).sum() == 0


@pytest.mark.parametrize("step", [0.1, 1 / 7, 1 / 3, 0.5])
def test_tiles_share_sides_but_for_rounding(step):
    place = step * (np.arange(12) - 5.5)
    tiles = [ar.RectanglePixelRegion(ar.PixCoord(x, y), step, step) for x in place for y in place]
    whole = ar.RectanglePixelRegion(ar.PixCoord(0, 0), 12 * step, 12 * step)
    np.testing.assert_allclose(dense(tiles), dense(whole), rtol=0, atol=1e-11)
    far = [ar.RectanglePixelRegion(ar.PixCoord(x + 1e6, y), step, step) for x in place for y in place]
    np.testing.assert_allclose(coverage(far)[1].sum(), whole.area, rtol=1e-8)


def test_whole_pixels():
    spans = rasterize(circle(0, 0, 5))
    result, weights = coverage(spans)
    assert result == spans
    assert (weights == 1).all()
    assert dense(Box2I(x=(0, 3), y=(1, 2))).sum() == 3
    assert dense(Box2D(x=(0, 3), y=(1, 2.5))).sum() == pytest.approx(4.5)
    assert dense(ar.PointPixelRegion(ar.PixCoord(1, 1))).sum() == 0
    assert dense(ar.LinePixelRegion(ar.PixCoord(1, 1), ar.PixCoord(5, 6))).sum() == 0
    mask = np.eye(5, dtype=bool)
    np.testing.assert_array_equal(dense(mask)[11:16, 12:17], mask)


def test_unknown_class_by_its_own_exact_mask():
    class Mine:
        def to_mask(self, mode="center"):
            return circle(0.2, 0.3, 4).to_mask(mode)

    np.testing.assert_allclose(dense(Mine()), dense(circle(0.2, 0.3, 4)), rtol=0, atol=1e-12)


def test_clipped_coverage_is_part_of_the_whole():
    whole = (-60, 61, -60, 61)
    for region in (
        circle(3.3, -4.4, 41.7),
        ellipse(1.1, 2.2, 50, 7, 0.7),
        ar.RectanglePixelRegion(ar.PixCoord(1, 2), 55.5, 20, 0.3 * u.rad),
        ar.PolygonPixelRegion(ar.PixCoord(*star(200, 50).T)),
    ):
        everything = dense(region, whole)
        for box in (BOX, (-60, -20, -60, 0), (30, 61, -10, 61), (0, 1, -60, 61)):
            part = everything[box[2] + 60 : box[3] + 60, box[0] + 60 : box[1] + 60]
            np.testing.assert_allclose(dense(region, box), part, rtol=0, atol=1e-12)


def test_huge():
    box = (0, 60, 0, 50)
    assert (dense(circle(0, 0, 1e9), box) == 1).all()
    result = dense(circle(1e8 + 20.25, 25, 1e8), box)
    np.testing.assert_allclose(result[25, 19:22], [0, 0.25, 1], atol=1e-6)
    assert (dense(shapely.box(-1e12, -1e12, 1e12, 1e12), box) == 1).all()
    with pytest.raises(ValueError, match="pixels"):
        coverage(circle(0, 0, 1e5))
    with pytest.raises(OverflowError, match="int32"):
        coverage(circle(0, 0, 1e10))


def test_tiny():
    for r in (1e-8, 1e-3):
        assert dense(circle(0.2, 0.3, r)).sum() == pytest.approx(np.pi * r * r, rel=1e-6)
        assert dense(circle(0.5, 0.5, r)).sum() == pytest.approx(np.pi * r * r, rel=1e-6)
    thin = ellipse(0, 0, 1000, 0.01, 0.01)
    assert sum(coverage(thin)[1]) == pytest.approx(np.pi * 10, rel=1e-9)


def test_sky():
    wcs = fits_wcs()
    region = ar.CircleSkyRegion(SkyCoord(10 * u.deg, 60 * u.deg), 3 * u.arcsec)
    ours, weights = coverage(region, wcs=wcs)
    same, same_weights = coverage(region.to_pixel(wcs))
    if REGIONS < (0, 13):
        assert ours == same
        np.testing.assert_array_equal(weights, same_weights)
    assert sum(weights) == pytest.approx(sum(same_weights), rel=1e-4)


def apertures(rng, count):
    x, y = rng.uniform(-5, 105, (2, count))
    for i in range(count):
        center = ar.PixCoord(x[i], y[i])
        r, theta = rng.uniform(0.4, 9), rng.uniform(0, 7)
        yield circle(x[i], y[i], r)
        yield ar.CircleAnnulusPixelRegion(center, r, 1.5 * r)
        yield ellipse(x[i], y[i], r, 0.5 * r, theta)
        yield ar.RectanglePixelRegion(center, r, 2 * r, theta * u.rad)
        yield ar.PolygonPixelRegion(ar.PixCoord(*star(7, r, x[i], y[i]).T))
        yield pa.CircularAperture([(x[i], y[i]), (x[i] + 30, y[i])], r)
        yield circle(x[i], y[i], r) ^ circle(x[i], y[i], 1.5 * r)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f4", np.int16])
@pytest.mark.parametrize("masked", [False, True])
def test_sums(dtype, masked):
    rng = np.random.default_rng(1)
    image = (rng.normal(100, 30, (90, 100))).astype(dtype)
    variance = rng.uniform(1, 2, image.shape).astype(np.float32)
    mask = rng.random(image.shape) < 0.1 if masked else None
    used = np.ones(image.shape) if mask is None else 1.0 - mask
    regions = list(apertures(rng, 12))
    result = coverage_sum(image, regions, variance=variance, mask=mask, xy0=(3, -4))
    for i, region in enumerate(regions):
        weights = dense(region, (3, 103, -4, 86)) * used
        assert result.sum[i] == pytest.approx((weights * image).sum(), rel=1e-9, abs=1e-9)
        assert result.area[i] == pytest.approx(weights.sum(), rel=1e-9, abs=1e-9)
        assert result.error[i] == pytest.approx(np.sqrt((weights * variance).sum()), rel=1e-6)
    assert coverage_sum(image, regions).error is None
    turned = coverage_sum(np.asfortranarray(image), regions, variance=variance[:, ::-1], xy0=(3, -4))
    np.testing.assert_allclose(turned.sum, coverage_sum(image, regions, xy0=(3, -4)).sum, rtol=1e-12)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", ["circles", "ellipses", "annuli", "thin annuli", "elliptical annuli"])
def test_sums_over_a_large_image(kind, masked):
    """Each is what it is by itself, wherever the others are; what is not touched may be NaN."""
    rng = np.random.default_rng(8)
    image, variance = rng.uniform(1, 2, (2, 700, 900))
    mask = rng.random(image.shape) < 0.2 if masked else None
    columns = np.column_stack([*rng.uniform(-9, 910, (2, 60)), rng.uniform(1, 150, 60), rng.uniform(0.02, 1, (60, 2))])
    regions = []
    for x, y, r, p, q in columns.tolist():
        center, angle = ar.PixCoord(x, y), np.floor(8 * p) * 0.7 * u.rad
        hole = (1 - 0.01 * q) if kind == "thin annuli" else q
        if "annuli" not in kind:
            regions.append(circle(x, y, r) if kind == "circles" else ellipse(x, y, r, r * p, angle.value))
        elif kind == "elliptical annuli":
            sizes = 2 * q * r, 2 * r, 2 * q * q * r * p, 2 * r * p
            regions.append(ar.EllipseAnnulusPixelRegion(center, *sizes, angle))
        else:
            regions.append(ar.CircleAnnulusPixelRegion(center, hole * r, r))
    result = coverage_sum(image, regions, variance=variance, mask=mask)
    for i, region in enumerate(regions):
        weights = dense(region, (0, 900, 0, 700)) * (1 if mask is None else ~mask)
        alone = coverage_sum(np.where(weights > 0, image, np.nan), [region], variance=variance, mask=mask)
        assert (result.sum[i], result.area[i], result.error[i]) == (alone.sum[0], alone.area[0], alone.error[0])
        np.testing.assert_allclose(result.sum[i], (weights * image).sum(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(result.area[i], weights.sum(), rtol=1e-12, atol=1e-12)


@given(
    places,
    places,
    st.floats(1.5, 12),
    st.floats(0.2, 1),
    st.floats(0, 1),
    st.floats(0, 7),
    st.sampled_from([1, 2, 10, 0]),
)
def test_sums_by_slices_are_those_of_the_coverage(x, y, a, shape, hole, theta, grid):
    """Also on grids, where borders go through corners and along the sides of pixels, and turn there."""
    sizes = np.array([x, y, a, a * shape, hole * a, hole * a * shape])
    x, y, a, b, inner_a, inner_b = np.round(sizes * grid) / grid if grid else sizes
    theta = round(theta) * np.pi / 2 if grid else theta
    image = np.random.default_rng(3).uniform(1, 2, (80, 80))
    shapes = Shapes(ELLIPSE, x + 40, y + 40, a, b, theta, inner_a, inner_b)
    spans, weights, offsets = shapes.pieces(Box2I.from_shape(image.shape))
    assert len(offsets) == 2
    planes = image, image**2, np.empty((0, 0), np.uint8)
    sums = _coverage.conic_sums(*planes, shapes.measurable(), 0, 0)
    np.testing.assert_allclose(sums, _coverage.sums(*planes, spans, weights, offsets, 0, 0), rtol=1e-12, atol=1e-11)


def test_sums_of_photutils():
    rng = np.random.default_rng(5)
    image = rng.normal(10, 3, (80, 80))
    positions = rng.uniform(0, 80, (50, 2))
    table = pa.aperture_photometry(image, pa.CircularAperture(positions, 4.3), error=np.full(image.shape, 2.0))
    result = coverage_sum(image, [circle(x, y, 4.3) for x, y in positions], variance=np.full(image.shape, 4.0))
    np.testing.assert_allclose(result.sum, table["aperture_sum"], rtol=1e-10)
    np.testing.assert_allclose(result.error, 2 * np.sqrt(result.area), rtol=1e-12)
    if tuple(map(int, version("photutils").split(".")[:2])) < (3, 1):
        # Later it takes the squares of the weights.
        np.testing.assert_allclose(result.error, table["aperture_sum_err"], rtol=1e-10)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_sums_with_pixels_that_are_no_numbers(value):
    """They count where they are touched, also where both borders share a column."""
    apertures = (
        pa.CircularAperture((6, 6), 2.9),
        pa.CircularAnnulus((6.2, 5.9), 2.9, 5.1),
        pa.CircularAnnulus((6, 6), 3, 3.001),
    )
    for aperture in apertures:
        weights = dense(aperture, (0, 13, 0, 13))
        for y, x in np.ndindex(13, 13):
            image = np.ones((13, 13))
            image[y, x] = value
            result = coverage_sum(image, aperture, variance=np.abs(image))
            touched = weights[y, x] > 0
            expected = [value, np.abs(value)] if touched else [result.area[0]] * 2
            np.testing.assert_allclose([result.sum[0], result.error[0] ** 2], expected)


def test_arrays_at_odd_addresses():
    data = np.random.default_rng(4).normal(size=(30, 40)).astype(np.float32)
    odd = np.frombuffer(bytearray(b"x" + data.tobytes()), np.uint8)[1:].view(np.float32).reshape(data.shape)
    assert not odd.flags.aligned
    one, other = (coverage_sum(image, circle(15, 15, 6), variance=image**2) for image in (data, odd))
    assert (one.sum, one.error) == (other.sum, other.error)
    assert lr.detect_footprints(odd, 1.0) == lr.detect_footprints(data, 1.0)
    assert (
        lr.detect_footprints(data, 1.0).measure(odd)["segment_flux"].tolist()
        == lr.detect_footprints(data, 1.0).measure(data)["segment_flux"].tolist()
    )


def test_sums_refuse():
    image = np.zeros((5, 5))
    with pytest.raises(ValueError, match="shape of the image"):
        coverage_sum(image, [], variance=np.zeros((4, 5)))
    with pytest.raises(TypeError, match="boolean"):
        coverage_sum(image, [], mask=np.zeros((5, 5), int))
    with pytest.raises(ValueError, match="2-D"):
        coverage_sum(np.zeros(5), [])
    assert coverage_sum(image, []).sum.shape == (0,)
    assert coverage_sum(np.zeros((0, 5)), [circle(0, 0, 3)]).area.tolist() == [0]


@given(hnp.arrays(bool, (5, 6)))
def test_outlines_of_footprints_cover_their_pixels(mask):
    """Cuts of no width go along one another."""
    spans = SpanSet.from_mask(mask)
    if spans:
        for outline in (lr.Footprint(spans).to_regions()[0], lr.Footprint(spans).to_polygon()):
            covered, weights = coverage(outline)
            assert covered == spans
            assert (weights == 1).all()


@given(
    hnp.arrays(float, st.tuples(st.integers(3, 9), st.just(2)), elements=st.integers(-4, 4)), st.sampled_from([0, 1e9])
)
def test_what_winds_once_is_valid(ring, far):
    x, y = np.ascontiguousarray(ring.T + far)
    (once,) = _coverage.winds_once(x, y, np.array([0, len(ring)]))
    spokes = (ring - ring.mean(axis=0)) @ [1, 1j]
    angles = np.angle(spokes)
    turns = np.diff(angles, append=angles[0])
    turns = (turns + np.pi) % (2 * np.pi) - np.pi
    assert not once or shapely.Polygon(ring).is_valid
    if np.abs(turns).min() > 1e-3 and np.abs(turns).max() < 3 and np.abs(spokes).min() > 0.01:
        one_way = (turns > 0).all() or (turns < 0).all()
        assert once == (one_way and round(abs(turns.sum()) / (2 * np.pi)) == 1)


def test_winds_once():
    t = np.append(np.linspace(0, 2 * np.pi, 49)[:-1], 0)  # the first vertex comes again
    x, y = 5 + (2 + np.cos(9 * t)) * np.cos(t), (2 + np.cos(9 * t)) * np.sin(t)
    twice = np.concatenate([x[::2], x[1::2]]), np.concatenate([y[::2], y[1::2]])
    others = [twice, (0 * x, y), (x * 1e200, y * 1e200), (x * np.nan, y)]
    for (px, py), expected in [((x, y), 1), ((x[::-1].copy(), y[::-1].copy()), 1), *((other, 0) for other in others)]:
        assert _coverage.winds_once(px, py, np.array([0, 0, len(px)])).tolist() == [0, expected]


def test_wound_twice():
    square = [(0.5, 0.5), (5.6, 0.5), (5.6, 5.6), (0.5, 5.6)]
    assert not len(coverage(shapely.Polygon(square * 2))[1])
    assert coverage(shapely.Polygon(square * 3))[1].sum() == pytest.approx(5.1**2)


def test_many_crossings():
    x, y = np.random.default_rng(0).uniform(0, 100, (2, 300))
    region = ar.PolygonPixelRegion(ar.PixCoord(x, y))
    assert coverage(region)[1].sum() == pytest.approx(rasterize(region).area, rel=0.02)


def test_outlines_with_many_cuts():
    """What goes to and fro costs nothing, and changes nothing."""
    x, y, r = np.random.default_rng(0).uniform((0, 0, 1), (900, 900, 6), (400, 3)).T
    spans = lr.FootprintSet.from_circles(x, y, r).union()
    (outline,) = lr.Footprint(spans).to_regions()
    assert len(outline.vertices.x) > 7000
    covered, weights = coverage(outline)
    assert covered == spans
    assert (weights == 1).all()
    box = Box2I(x=(100, 250), y=(300, 420))
    assert coverage(outline, within=box)[0] == spans.clip(box)
    sloping = [(0, 0), (9, 2), (9, 9), (0, 9), (0, 0), (2.5, 3), (4.5, 3), (4.5, 5), (2.5, 5), (2.5, 3)]
    hole = shapely.Polygon(sloping[:4], [sloping[5:9]])
    np.testing.assert_allclose(dense(shapely.Polygon(sloping)), of_geometry(hole), rtol=0, atol=1e-12)


@settings(max_examples=30)
@given(st.lists(st.tuples(steps, steps), min_size=4, max_size=12), st.integers(-9, 9), st.integers(-9, 9))
def test_clipped_polygons_that_cross_themselves(corners, x, y):
    ring = shapely.LinearRing(corners)
    assume(shapely.node(ring).length > ring.length * (1 - 1e-9))
    box = (x, x + 5, y, y + 4)
    expected = dense(shapely.Polygon(corners))[y + 11 : y + 15, x + 12 : x + 17]
    np.testing.assert_allclose(dense(shapely.Polygon(corners), box), expected, rtol=0, atol=1e-9)


def test_annulus_around_a_circle():
    center = ar.PixCoord(10.3, 10.2)
    ring, inner = ar.CircleAnnulusPixelRegion(center, 3.4, 6.7), ar.CirclePixelRegion(center, 3.39)
    area = math.pi * (6.7**2 - 3.4**2 + 3.39**2)
    assert coverage([ring, inner])[1].sum() == pytest.approx(area, rel=1e-12)


def test_edges_that_are_passed_twice():
    """A cut to a hole, or a spike, is cut by the box at one point whichever way it is passed."""
    rng = np.random.default_rng(8)
    box = Box2I.from_shape((20, 20))
    for _ in range(200):
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        shell = rng.uniform(-8, 28, 2) + 12 * corners * rng.uniform(0.5, 1.5, (4, 2))
        middle = shell.mean(axis=0)
        hole = middle + 3 * corners[::-1] * rng.uniform(0.5, 1, (4, 2))
        keyhole = np.concatenate([shell, shell[:1], hole, hole[:1]])
        region = ar.PolygonPixelRegion(ar.PixCoord(*keyhole.T))
        expected = shapely.Polygon(shell, [hole]).intersection(shapely.box(-0.5, -0.5, 19.5, 19.5)).area
        assert coverage(region, within=box)[1].sum() == pytest.approx(expected, abs=1e-9)
        assert coverage_sum(np.ones((20, 20)), [region]).sum[0] == pytest.approx(expected, abs=1e-9)


def test_crossings_far_beyond_the_image():
    box = Box2I(x=(0, 100), y=(0, 80))
    bow_tie = np.array([(-1, -1), (1, 1), (1, -1), (-1, 1)])
    near = coverage(shapely.Polygon(1e8 * bow_tie), within=box)
    far = coverage(shapely.Polygon(3e9 * bow_tie), within=box)
    assert near[0] == far[0]
    np.testing.assert_allclose(near[1], far[1], atol=1e-6)
    with pytest.raises(ValueError, match="slanted edges must end within"):
        coverage(shapely.Polygon([(1e14, 1e299), (1e299, 3), (-1e299, 1e14), (5, -1e299), (3, 8)]), within=box)
    # Bounds of which no difference to the polygon fits into int32.
    whole = Box2I(x=(-(2**31) + 1, 2**31 - 2 - 2**31), y=(0, 80))
    assert len(coverage(shapely.Polygon([(-100, 0), (-10, 2), (-10, 0), (-100, 2)]), within=whole)[1]) > 90
    # Ends of int32 from each other, and no box.
    wide = coverage(shapely.Polygon([(-2e9, 0), (2e9, 2), (2e9, 0), (-2e9, 2)]), within=box)
    assert len(wide[1]) == 100


@pytest.mark.parametrize("size", [1e160, 1e308, 1e31])
def test_sizes_beyond_numbers(size):
    box = Box2I(x=(0, 100), y=(0, 80))
    image = np.ones((80, 100))
    for region in (ellipse(50, 40, size, 4, 0), ellipse(50, 40, 4, size, 0.3), circle(-0.5, 0, size)):
        with pytest.raises(ValueError, match="[abr] must be (at most|finite)"):
            coverage(region, within=box)
        with pytest.raises(ValueError, match="[abr] must be (at most|finite)"):
            coverage_sum(image, [region])
    rectangle = ar.RectanglePixelRegion(ar.PixCoord(50, 40), size / 2, size / 2, 30 * u.deg)
    assert (coverage(rectangle, within=box)[1] == 1).all()


@pytest.mark.parametrize("size", [1e-31, 1e-160, 1e-300, 5e-324])
def test_sizes_of_nothing(size):
    image = np.ones((80, 100))
    for region in (ellipse(50, 40, size, 4, 0), ellipse(50, 40, 4, size, np.pi / 2), circle(50, 40, size)):
        assert coverage_sum(image, [region]).sum.tolist() == [0]
        assert not len(coverage(region)[1])


@pytest.mark.parametrize("width", [1e3, 1e6, 1e12, 1e18, 1e300])
def test_long_rectangles(width):
    box = Box2I(x=(0, 100), y=(0, 80))
    _, weights = coverage(ar.RectanglePixelRegion(ar.PixCoord(50, 40), width, 4.3, 30 * u.deg), within=box)
    assert weights.sum() == pytest.approx(4.3 * 100 / np.cos(np.pi / 6), abs=1e-9)


@pytest.mark.parametrize("inner", [None, 0.5])
def test_rectangles_far_from_the_origin(inner):
    def at(x, y):
        if inner is None:
            return ar.RectanglePixelRegion(ar.PixCoord(x, y), 20, 7, 30 * u.deg)
        return ar.RectangleAnnulusPixelRegion(ar.PixCoord(x, y), 10, 20, 3, 7, 30 * u.deg)

    np.testing.assert_allclose(coverage(at(1e9, -1e9))[1], coverage(at(0, 0))[1], rtol=0, atol=1e-12)


def test_refused_before_it_is_made():
    for region in (circle(0, 0, 3e6), circle(0, 0, 1e9), ellipse(0, 0, 1e8, 100, 0)):
        with pytest.raises(ValueError, match="(pixels|rows), more than"):
            coverage(region)


def test_long_thin_polygons():
    """The cost is that of the edges, not of the box."""
    diagonal = shapely.Polygon([(0, 0), (2e5, 2e5), (2e5, 2e5 + 3), (0, 3)])
    assert coverage(diagonal)[1].sum() == pytest.approx(6e5)


def test_images_that_bring_more():
    data = np.random.default_rng(0).normal(10, 1, (20, 30))
    mask = data > 11
    region = [circle(12, 9, 4.5), circle(3, 3, 2)]
    expected = coverage_sum(data, region, variance=np.full(data.shape, 4.0), mask=mask)
    image = NDData(data, mask=mask, uncertainty=StdDevUncertainty(np.full(data.shape, 2.0)))
    for given_ in (image, CCDData(image, unit="adu")):
        found = coverage_sum(given_, region)
        assert getattr(found.sum, "unit", None) == given_.unit == getattr(found.error, "unit", None)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(getattr(ours, "value", ours), theirs, rtol=1e-14)
    moved = lr.MaskedImage(data, mask, xy0=(100, 200))
    there = coverage_sum(moved, [circle(112, 209, 4.5)])
    np.testing.assert_allclose(there.sum, expected.sum[:1])
    masked = coverage_sum(np.ma.MaskedArray(data, mask), region)
    np.testing.assert_allclose(masked.area, expected.area)
    assert (coverage_sum(data * u.Jy, region).sum.unit, masked.error) == (u.Jy, None)
    single = coverage_sum(data.astype(np.float32), region, variance=np.full(data.shape, 1 / 3))
    assert single.error[0] ** 2 == pytest.approx(single.area[0] / 3, rel=1e-14)


def test_what_is_one_region_and_what_are_many():
    image = np.ones((40, 50))
    two = [circle(10, 10, 3), circle(11, 10, 3)]
    area = np.pi * 9
    for many in (two, tuple(two), iter(two), ar.Regions(two)):
        np.testing.assert_allclose(coverage_sum(image, many).sum, [area, area])
    sky = pa.SkyCircularAperture(SkyCoord([10, 10] * u.deg, [60, 60] * u.deg), 1 * u.arcsec)
    assert len(coverage_sum(image, sky, wcs=fits_wcs()).sum) == 2
    parts = shapely.GeometryCollection([shapely.box(0, 0, 2, 2), shapely.box(5, 5, 7, 7)])
    for one in (parts, SpanSet.disk(3).shift(9, 9), np.ones((3, 3), bool), circle(9, 9, 3)):
        assert coverage_sum(image, one).sum.shape == (1,)
    with pytest.raises(TypeError, match="str is not a region"):
        coverage_sum(image, "circle")


def test_sky_apertures_that_do_not_project():
    here, there = (10, 60), (190, -60)
    many = pa.SkyCircularAperture(SkyCoord([here, there, here] * u.deg), 3 * u.arcsec)
    annulus = pa.SkyCircularAnnulus(SkyCoord(*there, unit="deg"), 1 * u.arcsec, 2 * u.arcsec)
    image, wcs = np.ones((200, 200)), fits_wcs()
    expected = coverage_sum(image, pa.SkyCircularAperture(many.positions[:1], many.r), wcs=wcs).sum[0]
    assert expected > 1
    calls = [
        (lambda **options: coverage_sum(image, many, **options).sum, [expected, 0, expected]),
        (lambda **options: coverage_sum(image, annulus, **options).sum, [0]),
        (lambda **options: coverage_sum(image, [many[0], annulus], **options).sum, [expected, 0]),
        (lambda **options: coverage(annulus, **options)[1], []),
        (lambda **options: rasterize(annulus, **options).array, np.empty((0, 3))),
    ]
    for call, result in calls:
        with pytest.raises(ValueError, match="of . regions do not project onto the image: number"):
            call(wcs=wcs)
        with pytest.warns(SkippedRegionWarning, match="number"):
            np.testing.assert_allclose(call(wcs=wcs, unprojectable="skip"), result, rtol=1e-9)


def test_a_sky_region_known_by_its_place():
    class Mine(ar.SkyRegion):
        _params = ()

        def to_pixel(self, wcs):
            return circle(20, 20, 3)

        to_spherical_sky = contains = None

    assert coverage(Mine(), wcs=fits_wcs())[1].sum() == pytest.approx(9 * np.pi)


def test_many_threads():
    region = functools.reduce(operator.or_, (circle(20 * i, 3.3, 7.7) for i in range(30)))
    polygon = shapely.Polygon(star(1000, 100))
    image = np.random.default_rng(1).normal(0, 1, (200, 200))
    jobs = [
        lambda: coverage(region)[1],
        lambda: coverage(polygon)[1],
        lambda: coverage_sum(image, [circle(100.2, i, i / 3) for i in range(1, 200)]).sum,
    ] * 3
    alone = [job() for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        for one, many in zip(alone, pool.map(lambda job: job(), jobs), strict=True):
            np.testing.assert_array_equal(one, many)


def test_nearly_level_edges():
    """Their slopes are too large for a number."""
    region = ar.PolygonPixelRegion(ar.PixCoord([0.0, 0.0, 5.0, 5.0], [0.0, 2.5, 2.5, 2.2250738585e-313]))
    spans, weights = coverage(region)
    assert weights.sum() == pytest.approx(12.5, abs=1e-12)
    assert len(weights) == spans.area


@given(places, places, st.floats(-4, 1), st.floats(-4, 1), st.floats(0, 7))
def test_thin_shapes_touch_what_they_touch(x, y, a, b, theta):
    """What is out of a box has no part in what is in it, and rounding makes no pixels."""
    box = Box2I(x=(-1, 2), y=(-2, 2))
    for kind, part in ((ar.EllipsePixelRegion, np.pi / 4), (ar.RectanglePixelRegion, 1)):
        region = kind(ar.PixCoord(x, y), 10**a, 10**b, theta * u.rad)
        spans, weights = coverage(region)
        assert coverage(region, within=box)[0] == spans.clip(box)
        assert weights.min() > 1e-15
        assert weights.sum() == pytest.approx(part * 10 ** (a + b), rel=1e-9)


def test_slivers_without_bound():
    with pytest.raises(MemoryError, match="stretches of equal weight"):
        coverage(ar.PolygonPixelRegion(ar.PixCoord([0, 1e9, 1e9], [0, 1e-3, 1.0])))

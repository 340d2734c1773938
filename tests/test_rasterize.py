"""Shapes to runs: against dense definitions, against regions, and at the edges of what is possible."""

import abc
import copy
import functools
import itertools
import operator
import pickle
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import astropy.units as u
import gwcs
import hypothesis.strategies as st
import numpy as np
import photutils.aperture as pa
import pytest
import reference_raster as reference
import regions as ar
import shapely
from astropy.coordinates import FK5, CartesianRepresentation, SkyCoord
from astropy.modeling import models
from astropy.utils.masked import Masked
from astropy.wcs import WCS
from gwcs import coordinate_frames
from hypothesis import example, given
from hypothesis.extra import numpy as hnp

import lsstregions as lr
from lsstregions import _raster, raster
from lsstregions._runs import is_canonical
from lsstregions.ellipses import Axes, Ellipse
from lsstregions.footprints import FootprintSet
from lsstregions.geom import Box2D, Box2I
from lsstregions.raster import runs_of, runs_of_regions
from lsstregions.raster._dispatch import SkippingWCS

REGIONS = tuple(map(int, version("regions").split(".")[:2]))

BOX = (-12, 14, -11, 13)


def dense(runs, box=BOX):
    """Return runs as a mask of the box; they must be canonical and lie in it."""
    assert runs.dtype == np.int32
    assert is_canonical(runs)
    x_start, x_stop, y_start, y_stop = box
    mask = np.zeros((y_stop - y_start, x_stop - x_start), bool)
    for y, start, stop in runs:
        assert y_start <= y < y_stop
        assert x_start <= start < stop <= x_stop
        mask[y - y_start, start - x_start : stop - x_start] = True
    return mask


def within(box=BOX):
    return Box2I(x=box[:2], y=box[2:])


def coordinate(low, high):
    """Return numbers of every sort: integral, half-integral, tenths, any."""
    return st.one_of(
        st.integers(low, high).map(float),
        st.integers(2 * low, 2 * high).map(lambda n: n / 2),
        st.integers(10 * low, 10 * high).map(lambda n: n / 10),
        st.floats(low, high),
    )


places = coordinate(-15, 15)
sizes = st.one_of(coordinate(0, 20).filter(lambda v: v > 1e-8), st.floats(1e-8, 1e3))
# Whole quarters are exact; others never put a centre on an edge but by rounding.
quarters = st.integers(-4, 4).map(lambda n: n * np.pi / 2)
angles = st.floats(-7, 7)


@given(places, places, sizes)
def test_circle(x, y, r):
    runs, offsets = raster.circles(x, y, r, within=within())
    np.testing.assert_array_equal(dense(runs), reference.circle(BOX, x, y, r))
    assert offsets.tolist() == [0, len(runs)]


@given(places, places, sizes, sizes, quarters)
def test_ellipse(x, y, a, b, theta):
    runs, _ = raster.ellipses(x, y, a, b, theta, within=within())
    np.testing.assert_array_equal(dense(runs), reference.ellipse(BOX, x, y, a, b, theta))


@given(places, places, st.floats(0.1, 30), st.floats(0.1, 30), angles)
def test_turned_ellipse(x, y, a, b, theta):
    px, py = reference.turned(BOX, x, y, theta)
    sure = np.abs((px / a) ** 2 + (py / b) ** 2 - 1) > 1e-9
    runs, _ = raster.ellipses(x, y, a, b, theta, within=within())
    np.testing.assert_array_equal(dense(runs)[sure], reference.ellipse(BOX, x, y, a, b, theta)[sure])


@given(places, places, sizes, sizes, quarters)
def test_rectangle(x, y, width, height, theta):
    runs, _ = raster.rectangles(x, y, width, height, theta, within=within())
    np.testing.assert_array_equal(dense(runs), reference.rectangle(BOX, x, y, width, height, theta))


@given(places, places, st.floats(0.1, 30), st.floats(0.1, 30), angles)
def test_turned_rectangle(x, y, width, height, theta):
    px, py = reference.turned(BOX, x, y, theta)
    sure = (np.abs(np.abs(px) - width / 2) > 1e-9) & (np.abs(np.abs(py) - height / 2) > 1e-9)
    runs, _ = raster.rectangles(x, y, width, height, theta, within=within())
    np.testing.assert_array_equal(dense(runs)[sure], reference.rectangle(BOX, x, y, width, height, theta)[sure])


@given(places, places, sizes, sizes, st.floats(0.01, 0.99), quarters)
def test_annuli_keep_the_edge_of_their_hole(x, y, a, b, part, theta):
    """A hole is the strict interior of the inner shape."""
    circle = reference.circle(BOX, x, y, a) & ~reference.circle(BOX, x, y, a * part)
    np.testing.assert_array_equal(dense(raster.circles(x, y, a, inner_r=a * part, within=within())[0]), circle)
    inner = {"inner_a": a * part, "inner_b": b * part}
    ellipse = reference.ellipse(BOX, x, y, a, b, theta) & ~reference.ellipse(BOX, x, y, a * part, b * part, theta)
    np.testing.assert_array_equal(dense(raster.ellipses(x, y, a, b, theta, **inner, within=within())[0]), ellipse)
    inner = {"inner_width": a * part, "inner_height": b * part}
    outer = reference.rectangle(BOX, x, y, a, b, theta)
    rectangle = outer & ~reference.rectangle(BOX, x, y, a * part, b * part, theta)
    np.testing.assert_array_equal(dense(raster.rectangles(x, y, a, b, theta, **inner, within=within())[0]), rectangle)


tall = st.one_of(st.integers(60, 150).map(float), st.floats(60, 150))


@given(places, places, tall, st.floats(0.1, 0.9), st.sampled_from([0, 3e5, -2e8, 1e9]))
def test_shapes_of_many_rows(x, y, r, part, far):
    """Rows are done in blocks, in which a centre on the edge is found by itself; far from the origin as near to it."""
    box = (-20, 21, -160, 161)
    x, y = (round(v * 2**16) / 2**16 for v in (x, y))  # so that they are the same far off
    moved = within(tuple(int(v + far) for v in box))
    inner, ends = r * part, (x + far, y + far)
    circle = reference.circle(box, x, y, r) & ~reference.circle(box, x, y, inner)
    runs, _ = raster.circles(*ends, r, inner_r=inner, within=moved)
    np.testing.assert_array_equal(dense(runs - np.int32(far), box), circle)
    ellipse = reference.ellipse(box, x, y, r, 5, np.pi / 2) & ~reference.ellipse(box, x, y, inner, 2, np.pi / 2)
    runs, _ = raster.ellipses(*ends, r, 5, np.pi / 2, inner_a=inner, inner_b=2, within=moved)
    np.testing.assert_array_equal(dense(runs - np.int32(far), box), ellipse)


@pytest.mark.parametrize("far", [2.0**48, 2.0**49, 2.0**50, 2.0**52])
def test_large_shapes_far_off(far):
    """Where doubles can no longer be rounded by adding to them, one row at a time gives the same."""
    for shapes, sizes in ((raster.circles, (far,)), (raster.ellipses, (far, far, 0.5))):
        runs, _ = shapes(far, 0, *sizes, within=within())
        assert runs.tolist() == [[y, 1, BOX[1]] for y in range(*BOX[2:])]
        runs, _ = shapes(0, -far, *sizes, within=within())
        assert runs.tolist() == [[y, BOX[0], BOX[1]] for y in range(BOX[2], 0)]


corner_lists = st.one_of(
    st.lists(st.tuples(*[st.integers(-14, 15).map(float)] * 2), max_size=12),
    st.lists(st.tuples(places, places), max_size=40),
)


@given(corner_lists)
@example([(0.0, 0.0), (0.0, 2.2250738585e-313), (1.0, 0.0)])  # a slope that overflows
@example([(-3.0, -2e-310), (4.0, 2e-310), (4.0, 5.0)])
def test_polygon(corners):
    x, y = np.array(corners, dtype=float).reshape(-1, 2).T
    runs, _ = raster.polygons(x, y, [0, len(corners)], within=within())
    mask = reference.polygon(BOX, x, y)
    sure = np.ones(mask.shape, bool)
    if len(corners) and not np.array_equal(np.r_[x, y] * 2, np.round(np.r_[x, y] * 2)):
        # Of other numbers than halves the products are rounded.
        sure = reference.edge_distance(BOX, x, y) > 1e-9
    np.testing.assert_array_equal(dense(runs)[sure], mask[sure])


@given(st.lists(corner_lists, max_size=6), st.integers(0, 2**32 - 1))
def test_polygons_of_rings(rings, seed):
    """Rings of one polygon are counted together; a batch gives what its members give alone."""
    x, y = np.array([corner for ring in rings for corner in ring], dtype=float).reshape(-1, 2).T
    offsets = np.cumsum([0] + [len(ring) for ring in rings])
    parts = np.sort(np.random.default_rng(seed).integers(0, len(rings) + 1, 3))
    parts = np.concatenate([[0], parts, [len(rings)]])
    runs, starts = raster.polygons(x, y, parts, rings=offsets, within=within())
    for i, (first, last) in enumerate(itertools.pairwise(parts)):
        some = slice(offsets[first], offsets[last])
        alone, _ = raster.polygons(
            x[some], y[some], [0, last - first], rings=offsets[first : last + 1] - offsets[first], within=within()
        )
        np.testing.assert_array_equal(runs[starts[i] : starts[i + 1]], alone)


def test_circle_far_beyond_int32():
    """Its border is a straight line here."""
    runs, _ = raster.circles(1e12, 0, 1e12, within=within())
    assert runs.tolist() == [[y, 1, BOX[1]] for y in range(*BOX[2:])]


@pytest.mark.parametrize(("low", "expected"), [(0, []), (-2e-313, [[0, -3, 7]])])
def test_polygon_of_next_to_no_height(low, expected):
    """The slopes of its edges are beyond all doubles."""
    runs, _ = raster.polygons([-3.5, -3.5, 6.5], [low, 2e-313, 0], [0, 3])
    assert runs.tolist() == expected


def test_polygons_with_many_crossings_in_a_row():
    """More crossings than are sorted by insertion, close together or not, and more than one band of rows."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-20, 20, (2, 3000))
    box = (-20, 21, -20, 21)
    runs, _ = raster.polygons(x, y, [0, 3000], within=within(box))
    np.testing.assert_array_equal(dense(runs, box), reference.polygon(box, x, y))
    whole, _ = raster.polygons(x, y, [0, 3000])
    np.testing.assert_array_equal(runs, whole)
    box = (-3, 5, -2, 7)
    runs, _ = raster.polygons(x, y, [0, 3000], within=within(box))
    np.testing.assert_array_equal(dense(runs, box), reference.polygon(box, x, y))
    x, y = x[:200] * 100, y[:200]
    box = (-2000, 2001, -5, 6)
    runs, _ = raster.polygons(x, y, [0, 200], within=within(box))
    np.testing.assert_array_equal(dense(runs, box), reference.polygon(box, x, y))


@given(*[st.integers(-20, 20).map(lambda n: n / 2)] * 4)
def test_line(x0, y0, x1, y1):
    runs, _ = raster.lines([x0], [y0], [x1], [y1])
    pixels = {(y, x) for y, start, stop in runs.tolist() for x in range(start, stop)}
    assert pixels == reference.line(x0, y0, x1, y1)


@given(*[st.floats(-20, 20)] * 4)
def test_line_is_connected_and_both_ways_the_same(x0, y0, x1, y1):
    runs, _ = raster.lines([x0], [y0], [x1], [y1])
    back, _ = raster.lines([x1], [y1], [x0], [y0])
    np.testing.assert_array_equal(runs, back)
    assert np.all(np.diff(runs[:, 0]) == 1)
    assert np.all(runs[1:, 1] <= runs[:-1, 2])
    assert np.all(runs[:-1, 1] <= runs[1:, 2])


def random_regions(rng, count):
    """Yield pixel regions of all classes that regions can mask, with parameters of every sort."""
    for _ in range(count):
        step = rng.choice([0, 0, 0.5, 0.1, 1])
        snap = (lambda v, step=step: np.round(np.asarray(v) / step) * step) if step else np.asarray
        scale = rng.choice([0.3, 3, 30])
        x, y = snap(rng.uniform(-40, 40, 2)) + rng.choice([0, 0, 1e5, -1e7])
        w, h = snap(rng.uniform(0.05, 2, 2) * scale) + max(step, 0.05)
        angle = rng.choice([0, 90, 180, 270, -90, 45, rng.uniform(0, 360)]) * u.deg
        center = ar.PixCoord(x, y)
        outline = rng.normal(0, scale, (2, rng.integers(3, 9)))
        yield ar.CirclePixelRegion(center, w)
        yield ar.EllipsePixelRegion(center, w, h, angle)
        yield ar.RectanglePixelRegion(center, w, h, angle)
        yield ar.CircleAnnulusPixelRegion(center, w / 2, w)
        yield ar.EllipseAnnulusPixelRegion(center, w / 2, w, h / 3, h, angle)
        yield ar.RectangleAnnulusPixelRegion(center, w / 2, w, h / 3, h, angle)
        yield ar.PolygonPixelRegion(ar.PixCoord(*np.add(snap(outline), [[x], [y]])))
        yield ar.RegularPolygonPixelRegion(center, int(rng.integers(3, 8)), w, angle)
        yield ar.CirclePixelRegion(center, w) & ar.RectanglePixelRegion(center, w, h, angle)
        yield ar.CirclePixelRegion(center, h) ^ ar.EllipsePixelRegion(center, w, h, angle)


def distance_from_edge(region, x, y):
    """Return a lower bound, good where it is small, of the distance of points from a region's edge."""
    if hasattr(region, "operator"):
        return np.minimum(*(distance_from_edge(part, x, y) for part in (region.region1, region.region2)))
    if hasattr(region, "_inner_region"):
        return np.minimum(*(distance_from_edge(part, x, y) for part in (region._inner_region, region._outer_region)))
    if hasattr(region, "vertices"):
        box = (x.min(), x.max() + 1, y.min(), y.max() + 1)
        vertices = region.vertices
        return reference.edge_distance(box, vertices.x - 0.0, vertices.y - 0.0)
    dx, dy = x - region.center.x, y - region.center.y
    if hasattr(region, "radius"):
        return np.abs(np.hypot(dx, dy) - region.radius)
    theta = region.angle.to_value("rad")
    across = dx * np.cos(theta) + dy * np.sin(theta)
    along = dy * np.cos(theta) - dx * np.sin(theta)
    if isinstance(region, ar.RectanglePixelRegion):
        return np.minimum(np.abs(np.abs(across) - region.width / 2), np.abs(np.abs(along) - region.height / 2))
    rho = np.hypot(across / region.width * 2, along / region.height * 2)
    return np.abs(rho - 1) * min(region.width, region.height) / 2


def test_agrees_with_regions():
    """Bit for bit with to_mask("center") wherever no centre is within 1e-9 of the edge."""
    candidates = list(random_regions(np.random.default_rng(7), 300))
    runs, offsets = runs_of_regions(candidates)
    for i, region in enumerate(candidates):
        mask = region.to_mask(mode="center")
        box = (mask.bbox.ixmin, mask.bbox.ixmax, mask.bbox.iymin, mask.bbox.iymax)
        ours = dense(runs[offsets[i] : offsets[i + 1]], box)
        np.testing.assert_array_equal(runs_of(region), runs[offsets[i] : offsets[i + 1]])
        theirs = mask.data > 0
        if REGIONS >= (0, 13) and hasattr(region, "vertices"):
            # Its masks have what an outline winds around twice, its `contains` has not.
            theirs = region.contains(ar.PixCoord(*reference.grid(box)))
        different = ours != theirs
        if different.any():
            y, x = np.nonzero(different)
            y, x = y + box[2], x + box[0]
            px, py = reference.grid(box)
            distance = distance_from_edge(region, px, py)[different]
            assert distance.max() < 1e-9 * max(1, np.abs([x, y]).max() * 1e-6), region


# What lies beyond: size, distance, number.


def test_far_and_huge():
    box = (0, 40, 0, 30)
    inside = within(box)
    assert dense(runs_of(ar.CirclePixelRegion(ar.PixCoord(0, 0), 1e9), within=inside), box).all()
    assert dense(runs_of(ar.RectanglePixelRegion(ar.PixCoord(0, 0), 1e300, 1e300), within=inside), box).all()
    big = ar.CirclePixelRegion(ar.PixCoord(1e8, 15), 1e8)
    np.testing.assert_array_equal(dense(runs_of(big, within=inside), box), reference.circle(box, 1e8, 15, 1e8))
    far = ar.CirclePixelRegion(ar.PixCoord(1e17, 0), 3)
    assert len(runs_of(far, within=inside)) == 0
    with pytest.raises(OverflowError, match="int32"):
        runs_of(far)
    with pytest.raises(ValueError, match="rows"):
        runs_of(ar.CirclePixelRegion(ar.PixCoord(0, 0), 1e9))
    triangle = np.array([[-1e9, 1e9, 0], [-1e9, -1e9, 1e9]])
    runs, _ = raster.polygons(*triangle, [0, 3], within=inside)
    np.testing.assert_array_equal(dense(runs, box), reference.polygon(box, *triangle))
    edge = raster.circles(2**31 - 5, -(2**31) + 5, 3)[0]
    np.testing.assert_array_equal(edge - [-(2**31) + 5, 2**31 - 5, 2**31 - 5], raster.circles(0, 0, 3)[0])


@given(hnp.arrays(float, (8, 5), elements=st.one_of(st.floats(-1e9, 1e9), st.just(np.nan))))
def test_limits(columns):
    least, greatest = _raster.limits(columns)
    np.testing.assert_array_equal(least, columns.min(axis=1))
    np.testing.assert_array_equal(greatest, columns.max(axis=1))


@given(hnp.arrays(float, (8, 5), elements=st.floats(-99, 99)), st.floats(-50, 0), st.floats(0, 50))
def test_reach(columns, start, stop):
    x, y, a, b, cos, sin = columns[:6]
    width, height = abs(a * cos) + abs(b * sin), abs(a * sin) + abs(b * cos)
    rows = np.clip(np.minimum(y + height, stop) - np.maximum(y - height, start), 0, None).sum()
    expected = (x - width).min(), (x + width).max(), (y - height).min(), (y + height).max(), rows
    np.testing.assert_allclose(_raster.reach(columns, start, stop), expected, rtol=1e-12)


@given(hnp.arrays(float, (2, 9), elements=st.floats(-99, 99)), st.floats(-50, 0), st.floats(0, 50))
def test_reach_of_points(points, start, stop):
    x, y = points
    groups = [y[:4], y[4:]]
    rows = sum(max(min(group.max(), stop) - max(group.min(), start), 0) for group in groups)
    expected = x.min(), x.max(), y.min(), y.max(), rows
    result = _raster.reach_of_points(x, y, np.array([0, 4, 4, 9]), start, stop)
    np.testing.assert_allclose(result, expected, rtol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(value):
    with pytest.raises(ValueError, match="finite"):
        runs_of(ar.CirclePixelRegion(ar.PixCoord(value, 0), 3))
    with pytest.raises(ValueError, match="finite"):
        raster.polygons([0, 1, value], [0, 0, 1], [0, 3])
    with pytest.raises(ValueError, match="finite"):
        raster.lines([0], [value], [0], [0])


def test_bad_arrays():
    with pytest.raises(ValueError, match="negative"):
        raster.circles(0, 0, -1)
    with pytest.raises(ValueError, match="offsets"):
        raster.polygons([0, 1, 2], [0, 0, 1], [0, 4])
    with pytest.raises(ValueError, match="offsets"):
        raster.polygons([0, 1, 2], [0, 0, 1], [0, 2, 1, 3])
    with pytest.raises(ValueError, match="one length"):
        raster.polygons([0, 1, 2], [0, 0], [0, 3])
    with pytest.raises(TypeError, match="numbers"):
        raster.circles("here", 0, 1)


def test_nothing():
    assert raster.circles([], [], [])[1].tolist() == [0]
    assert raster.polygons([], [], [0])[1].tolist() == [0]
    assert raster.lines([], [], [], [])[1].tolist() == [0]
    assert len(runs_of([])) == 0
    nowhere = Box2I(x=(0, 0), y=(0, 0))
    for region in (*random_regions(np.random.default_rng(1), 1), shapely.box(0, 0, 9, 9), shapely.Point(0, 0)):
        assert len(runs_of(region, within=nowhere)) == 0


def test_long_chains():
    rng = np.random.default_rng(5)
    members = [ar.CirclePixelRegion(ar.PixCoord(x, y), 2.5) for x, y in rng.uniform(0, 300, (20_000, 2))]
    chain = functools.reduce(operator.or_, members)
    np.testing.assert_array_equal(runs_of(chain), runs_of(members))
    chain = functools.reduce(operator.xor, members)
    box = (-4, 305, -4, 305)
    runs, _ = runs_of_regions(members)
    odd = np.zeros((309, 309), int)
    for y, start, stop in runs:
        odd[y + 4, start + 4 : stop + 4] += 1
    np.testing.assert_array_equal(dense(runs_of(chain), box), odd % 2 == 1)
    assert len(runs_of(functools.reduce(operator.and_, members))) == 0


def test_members_far_apart():
    near, far = (ar.CirclePixelRegion(ar.PixCoord(x, x), 5) for x in (0, 1e6))
    assert runs_of(near | far)[:, 0].max() == 1_000_004


def test_any_operator():
    big, small = (ar.CirclePixelRegion(ar.PixCoord(0, 0), r) for r in (7, 3))
    in_big, in_small = dense(runs_of(big)), dense(runs_of(small))
    difference = ar.CompoundPixelRegion(big, small, lambda a, b: a & ~b)
    np.testing.assert_array_equal(dense(runs_of(difference)), in_big & ~in_small)
    np.testing.assert_array_equal(dense(runs_of(ar.CompoundPixelRegion(big, small, operator.sub))), in_big != in_small)
    outside = ar.CompoundPixelRegion(big, small, lambda a, b: ~(a | b))
    with pytest.raises(ValueError, match="within"):
        runs_of(outside)
    np.testing.assert_array_equal(dense(runs_of(outside, within=within())), ~in_big)
    nested = difference & ((big ^ small) | (small & big)) | small
    np.testing.assert_array_equal(dense(runs_of(nested)), in_big)


OPERATIONS = [
    operator.or_,
    operator.and_,
    operator.xor,
    lambda a, b: a & ~b,
    lambda a, b: b & ~a,
    lambda a, b: ~(a & b),
    lambda a, b: a | ~b,
    lambda a, b: b,
    lambda a, b: a & ~a,
]


@st.composite
def trees(draw):
    """Return some compounds, in which members may be shared, and the pixels that each is."""
    parts = []
    for x, y, r in draw(st.lists(st.tuples(coordinate(-9, 9), coordinate(-9, 9), coordinate(1, 8)), min_size=1)):
        circle = ar.CirclePixelRegion(ar.PixCoord(x, y), r)
        parts.append((circle, dense(runs_of(circle, within=within()))))
    unused = list(parts)
    for _ in range(draw(st.integers(0, 2 * len(parts)))):
        operation = draw(st.sampled_from(OPERATIONS))
        left, right = (
            unused.pop(draw(st.integers(0, len(unused) - 1))) if unused else draw(st.sampled_from(parts))
            for _ in range(2)
        )
        compound = ar.CompoundPixelRegion(left[0], right[0], operation), operation(left[1], right[1])
        unused.append(compound)
        parts.append(compound)
    return parts


@given(trees())
def test_trees_of_any_operators(parts):
    for region, expected in parts:
        np.testing.assert_array_equal(dense(runs_of(region, within=within())), expected)
    runs, offsets = runs_of_regions([region for region, _ in parts], within=within())
    for (_, expected), start, stop in zip(parts, offsets[:-1], offsets[1:], strict=True):
        np.testing.assert_array_equal(dense(runs[start:stop]), expected)


@pytest.mark.parametrize("leaning", ["left", "right"])
def test_long_chains_of_several_operators(leaning):
    rng = np.random.default_rng(6)
    box = (-4, 305, -4, 305)
    compound = ar.CirclePixelRegion(ar.PixCoord(150, 150), 140)
    expected = dense(runs_of(compound), box)
    for i, (x, y, r) in enumerate(rng.uniform((0, 0, 0), (300, 300, 4), (10_000, 3))):
        operation = OPERATIONS[i % 3 if i % 1000 else 2]
        # A small one may not cut all off.
        member = ar.CirclePixelRegion(ar.PixCoord(150, 150), 130 - r) if operation is operator.and_ else None
        member = member or ar.CirclePixelRegion(ar.PixCoord(x, y), r)
        pair = (compound, member) if leaning == "left" else (member, compound)
        compound = ar.CompoundPixelRegion(*pair, operation)
        expected = operation(expected, dense(runs_of(member), box))
    np.testing.assert_array_equal(dense(runs_of(compound), box), expected)


def test_lists_exclude_what_came_before():
    def circle(x, include=1):
        return ar.CirclePixelRegion(ar.PixCoord(x, 0), 5, meta={"include": include})

    first, second, third = (dense(runs_of(circle(x))) for x in (-3, 0, 3))
    regions = [circle(-3), circle(0, include=0), circle(3)]
    np.testing.assert_array_equal(dense(runs_of(regions)), (first & ~second) | third)
    np.testing.assert_array_equal(dense(runs_of(ar.Regions(regions))), (first & ~second) | third)
    runs, offsets = runs_of_regions(regions)
    np.testing.assert_array_equal(dense(runs[: offsets[1]]), first & ~second)
    assert offsets[1] == offsets[2]
    np.testing.assert_array_equal(dense(runs[offsets[2] :]), third)
    regions = [circle(-3), circle(0), circle(3, include=False), circle(0, include=0), circle(-3)]
    runs, offsets = runs_of_regions(regions)
    pieces = [dense(runs[start:stop]) for start, stop in itertools.pairwise(offsets)]
    nothing = np.zeros_like(first)
    expected = [first & ~third & ~second, second & ~third & ~second, nothing, nothing, first]
    np.testing.assert_array_equal(pieces, expected)


@given(st.lists(st.tuples(st.integers(-6, 6), st.integers(1, 6), st.booleans()), max_size=12))
def test_every_order_of_what_is_excluded(members):
    regions = [ar.CirclePixelRegion(ar.PixCoord(x, 0), r, meta={"include": include}) for x, r, include in members]
    made, expected = [dense(runs_of(region)) for region in regions], []
    for i, (_, _, include) in enumerate(members):
        later = [mask for mask, other in zip(made[i:], members[i:], strict=True) if not other[2]]
        expected.append(made[i] & include & ~np.any([np.zeros_like(made[i]), *later], axis=0))
    runs, offsets = runs_of_regions(regions)
    pieces = [dense(runs[start:stop]) for start, stop in itertools.pairwise(offsets)]
    np.testing.assert_array_equal(pieces, expected)
    mask = lr.Mask(within(), lr.MaskSchema.lsst())
    mask.set("BAD", regions)
    if regions:
        np.testing.assert_array_equal(dense(mask.spans("BAD").array), np.any(expected, axis=0))


# Other things that are regions.


def test_points_and_lines():
    assert runs_of(ar.PointPixelRegion(ar.PixCoord(1.5, -0.5))).tolist() == [[0, 2, 3]]
    line = ar.LinePixelRegion(ar.PixCoord(0, 0), ar.PixCoord(3.2, 1.5))
    assert runs_of(line).tolist() == [[0, 0, 2], [1, 1, 4]]
    with pytest.raises(TypeError, match="text"):
        runs_of(ar.TextPixelRegion(ar.PixCoord(1, 1), "here"))


def test_shapely():
    hole = shapely.box(0, 0, 8, 8) - shapely.box(2, 2, 6, 6)
    mask = dense(runs_of(hole))
    assert mask.sum() == 7 * 7 - 5 * 5
    two = shapely.MultiPolygon([shapely.box(0, 0, 2.5, 2.5), shapely.box(5, 0, 7.5, 2.5)])
    assert runs_of(two).tolist() == [[1, 1, 3], [1, 6, 8], [2, 1, 3], [2, 6, 8]]
    bent = shapely.LineString([(0, 0), (2.5, 0), (2.5, 2)])
    assert runs_of(bent).tolist() == [[0, 0, 4], [1, 3, 4], [2, 3, 4]]
    ring = shapely.LinearRing([(0, 0), (2, 0), (2, 2), (0, 2)])
    assert dense(runs_of(ring)).sum() == 8
    assert runs_of(shapely.MultiPoint([(0, 0), (1.2, 0), (5, 5)])).tolist() == [[0, 0, 2], [5, 5, 6]]
    lines = shapely.MultiLineString([[(0, 0), (3, 0)], [(0, 2), (3, 2)]])
    everything = shapely.GeometryCollection([hole, two, bent, lines, shapely.Point(-3, -3)])
    expected = functools.reduce(operator.or_, (dense(runs_of(part)) for part in everything.geoms))
    np.testing.assert_array_equal(dense(runs_of(everything)), expected)
    for empty in (shapely.Polygon(), shapely.LineString(), shapely.Point(), shapely.GeometryCollection()):
        assert len(runs_of(empty)) == 0
    _, offsets = runs_of_regions([hole, bent, two, lines, hole])
    assert np.diff(offsets).tolist() == [len(runs_of(part)) for part in (hole, bent, two, lines, hole)]


def test_photutils():
    positions = [(0.3, 0.2), (-6, 5)]
    shapes = [
        pa.CircularAperture(positions, 3.2),
        pa.CircularAnnulus(positions, 1.5, 4.1),
        pa.EllipticalAperture(positions, 4, 2, theta=0.4),
        pa.EllipticalAnnulus(positions, 2, 4, 2.2, b_in=1.1, theta=0.4),
        pa.RectangularAperture(positions, 4, 2, theta=0.4 * u.rad),
        pa.RectangularAnnulus(positions, 2, 4, 2.2, h_in=1.1, theta=0.4),
    ]
    for aperture in shapes:
        masks = [mask.to_image((30, 30)) > 0 for mask in (aperture_at(aperture, 12).to_mask(method="center"))]
        np.testing.assert_array_equal(dense(runs_of(aperture), (-12, 18, -12, 18)), masks[0] | masks[1])


def aperture_at(aperture, shift):
    moved = aperture.copy()
    moved.positions = np.array(aperture.positions) + shift
    return moved


def test_our_own():
    assert runs_of(Box2I(x=(0, 2), y=(3, 4))).tolist() == [[3, 0, 2]]
    assert runs_of(Box2D(x=(0, 2), y=(2.5, 4))).tolist() == [[3, 1, 2]]
    assert runs_of(Box2I(x=(-(2**30), 2**30 - 1), y=(0, 9)), within=within((0, 2, 0, 1))).tolist() == [[0, 0, 2]]
    ellipse = Ellipse(Axes(5, 2, 0.3), (1, 2))
    np.testing.assert_array_equal(runs_of(ellipse), raster.ellipses(1, 2, 5, 2, 0.3)[0])
    assert runs_of(np.eye(2, dtype=bool)).tolist() == [[0, 0, 1], [1, 1, 2]]
    with pytest.raises(TypeError, match="boolean"):
        runs_of(np.eye(2))
    assert runs_of(ar.RegionBoundingBox(0, 2, 3, 4)).tolist() == [[3, 0, 2]]


def test_classes_of_others():
    class Mine:
        def __runs__(self):
            return np.array([[0, 0, 9], [1, 0, 9]], np.int32)

    class Theirs:
        pass

    @runs_of.register
    def _(region: Theirs, wcs=None, within=None):
        return np.array([[5, 5, 6]], np.int32)

    class Wider(ar.CirclePixelRegion):
        """A subclass is what its base is."""

    class Strange:
        def to_mask(self):
            return ar.RegionMask(np.array([[0, 0.5], [1, 0]]), ar.RegionBoundingBox(3, 5, 6, 8))

    class OnSky:
        def to_pixel(self, wcs):
            return Strange()

    assert runs_of(Mine(), within=within((2, 4, 0, 1))).tolist() == [[0, 2, 4]]
    assert runs_of([Mine(), Theirs()]).tolist() == [[0, 0, 9], [1, 0, 9], [5, 5, 6]]
    assert runs_of(Wider(ar.PixCoord(0, 0), 1.5)).tolist() == [[-1, -1, 2], [0, -1, 2], [1, -1, 2]]
    assert runs_of(Strange()).tolist() == [[6, 4, 5], [7, 3, 4]]
    assert runs_of(OnSky(), wcs="any").tolist() == [[6, 4, 5], [7, 3, 4]]
    for thing in ("a circle", 3, None, object()):
        with pytest.raises(TypeError, match="not a region"):
            runs_of(thing)


# The sky.


def fits_wcs(distorted=False):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"] if distorted else ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [100, 90]
    wcs.wcs.crval = [10, 60]
    wcs.wcs.cd = np.array([[-0.9, 0.3], [0.25, 1.1]]) * 0.2 / 3600
    if distorted:
        from astropy.wcs import Sip

        a, b = np.zeros((2, 3, 3))
        a[2, 0], b[0, 2] = 2e-5, -3e-5
        wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.set()
    return wcs


def generalized_wcs():
    shift = models.Shift(-100) & models.Shift(-90)
    scale = models.Scale(-0.2 / 3600) & models.Scale(0.21 / 3600)
    to_sky = shift | scale | models.Pix2Sky_TAN() | models.RotateNative2Celestial(10, 60, 180)
    image = coordinate_frames.Frame2D(name="image", unit=(u.pix, u.pix))
    sky = coordinate_frames.CelestialFrame(
        reference_frame=SkyCoord(0 * u.deg, 0 * u.deg).icrs.frame, unit=(u.deg, u.deg)
    )
    return gwcs.WCS([(image, to_sky), (sky, None)])


def sky_regions():
    rng = np.random.default_rng(2)
    for i in range(6):
        ra, dec = 10 + rng.uniform(-10, 10) / 3600, 60 + rng.uniform(-5, 5) / 3600
        center = SkyCoord(ra * u.deg, dec * u.deg)
        center = [center, center.galactic, center.transform_to(FK5(equinox="J1975"))][i % 3]
        w, h = rng.uniform(1, 6, 2) * u.arcsec
        angle = rng.uniform(0, 360) * u.deg
        corners = center.directional_offset_by([0, 100, 220] * u.deg, [3, 4, 5] * u.arcsec)
        yield ar.CircleSkyRegion(center, w.to(u.arcmin) if i else w)
        yield ar.EllipseSkyRegion(center, w, h, angle)
        yield ar.EllipseSkyRegion(center, w, w, angle)
        yield ar.RectangleSkyRegion(center, w, h, angle)
        yield ar.RectangleSkyRegion(center, w, w, angle)
        yield ar.CircleAnnulusSkyRegion(center, w / 2, w)
        yield ar.EllipseAnnulusSkyRegion(center, w / 2, w, h / 3, h, angle)
        yield ar.RectangleAnnulusSkyRegion(center, w / 2, w, h / 3, h, angle)
        yield ar.PolygonSkyRegion(corners)
        yield ar.PointSkyRegion(center)
        yield ar.LineSkyRegion(corners[0], corners[1])
        yield ar.CircleSkyRegion(center, w) & ar.RectangleSkyRegion(center, w, h, angle)
        yield ar.CircleSphericalSkyRegion(center, w)
        yield ar.CircleAnnulusSphericalSkyRegion(center, w / 2, w)
        yield ar.PolygonSphericalSkyRegion(corners)
        yield ar.CircleSphericalSkyRegion(center, w) ^ ar.CircleSphericalSkyRegion(center, h)


@pytest.mark.parametrize("wcs", [fits_wcs(), fits_wcs(distorted=True), generalized_wcs()], ids=["tan", "sip", "gwcs"])
def test_sky(wcs):
    """Many at once are what regions makes of each."""
    regions = list(sky_regions())
    runs, offsets = runs_of_regions(regions, wcs)
    for i, region in enumerate(regions):
        ours, theirs = runs[offsets[i] : offsets[i + 1]], runs_of(in_icrs(region).to_pixel(wcs))
        if REGIONS < (0, 13):
            np.testing.assert_array_equal(ours, theirs, err_msg=str(region))
        else:
            # It takes steps of half a pixel to both sides to tell how large pixels are, and of skewed ones the area.
            ours, theirs = lr.SpanSet(ours), lr.SpanSet(theirs)
            assert (ours ^ theirs) <= theirs.dilate(1, "square") - theirs.erode(1, "square"), region


def in_icrs(region):
    """Return a region with its angle in the frame of the WCS: regions 0.12 takes any angle for one there."""
    if hasattr(region, "region1"):
        return region.copy(region1=in_icrs(region.region1), region2=in_icrs(region.region2))
    if not hasattr(region, "angle"):
        return region
    north = region.center.directional_offset_by(0 * u.deg, 1 * u.arcsec).icrs
    return region.copy(center=region.center.icrs, angle=region.angle + region.center.icrs.position_angle(north))


def test_angles_are_those_of_the_frame():
    """An ellipse is where its ends are on the sky, whatever its frame."""
    wcs = fits_wcs()
    place = wcs.pixel_to_world(100.0, 90.0)
    for center in (place, place.galactic, place.transform_to("barycentrictrueecliptic")):
        ellipse = ar.EllipseSkyRegion(center, 20 * u.arcsec, 2 * u.arcsec, 30 * u.deg)
        for turn in (-60 * u.deg, 120 * u.deg):  # From north through east; the width is 30 degrees north of west.
            end = center.directional_offset_by(turn, 9 * u.arcsec)
            assert lr.rasterize(ellipse, wcs=wcs).contains(*np.rint(wcs.world_to_pixel(end)))


def test_sky_calls_the_wcs_a_few_times():
    class Counting:
        def __init__(self, wcs):
            self.wcs, self.calls = wcs, 0

        def __getattr__(self, name):
            self.calls += name in ("world_to_pixel", "pixel_to_world")
            return getattr(self.wcs, name)

    wcs = Counting(fits_wcs())
    sky = wcs.wcs.pixel_to_world(*np.random.default_rng(1).uniform(0, 200, (2, 300)))
    runs_of_regions([ar.CircleSkyRegion(center, 1 * u.arcsec) for center in sky], wcs)
    assert wcs.calls <= 4


def test_spherical_outlines():
    wcs = fits_wcs()
    box = (0, 200, 0, 200)
    lune = ar.RangeSphericalSkyRegion(
        frame="icrs", longitude_range=[9.999, 10.001] * u.deg, latitude_range=[59.999, 60.001] * u.deg
    )
    expected = runs_of(lune.to_pixel(wcs, boundary_distortions=True))
    assert len(expected) > 10
    np.testing.assert_array_equal(runs_of(lune, wcs), expected)
    from regions.shapes.whole_sky import WholeSphericalSkyRegion

    assert dense(runs_of(WholeSphericalSkyRegion(), wcs, within(box)), box).all()
    with pytest.raises(ValueError, match="within"):
        runs_of(WholeSphericalSkyRegion(), wcs)


def test_sky_errors():
    circle = ar.CircleSkyRegion(SkyCoord(10 * u.deg, 60 * u.deg), 1 * u.arcsec)
    with pytest.raises(ValueError, match="wcs is needed"):
        runs_of(circle)
    cube = WCS(naxis=3)
    cube.wcs.ctype = ["RA---TAN", "DEC--TAN", "FREQ"]
    with pytest.raises(ValueError, match="celestial"):
        runs_of(circle, cube)
    behind = ar.CircleSkyRegion(SkyCoord(190 * u.deg, -60 * u.deg), 1 * u.arcsec)
    with pytest.raises(ValueError, match=r"(?s)1 of 2 regions do not project.*190"):
        runs_of_regions([circle, behind], fits_wcs())
    with pytest.warns(raster.SkippedRegionWarning, match="1 of 2 regions"):
        runs, offsets = runs_of_regions([behind, circle], SkippingWCS(fits_wcs()))
    assert offsets[1] == 0
    np.testing.assert_array_equal(runs, runs_of(circle, fits_wcs()))
    with pytest.warns(raster.SkippedRegionWarning):
        skipped = raster.rasterize(behind | circle, wcs=fits_wcs(), unprojectable="skip")
    np.testing.assert_array_equal(skipped.array, runs)
    with pytest.warns(raster.SkippedRegionWarning):
        footprints = FootprintSet.from_regions([behind, circle], wcs=fits_wcs(), unprojectable="skip")
    assert footprints.area.tolist() == [0, skipped.area]
    with pytest.warns(raster.SkippedRegionWarning):
        _, weights = raster.coverage([behind, circle], wcs=fits_wcs(), unprojectable="skip")
    np.testing.assert_array_equal(weights, raster.coverage(circle, wcs=fits_wcs())[1])
    with pytest.warns(raster.SkippedRegionWarning):
        sums = raster.coverage_sum(np.ones((200, 200)), [behind, circle], wcs=fits_wcs(), unprojectable="skip")
    np.testing.assert_allclose(sums.area, [0, weights.sum()], rtol=1e-12)
    for function in (raster.rasterize, raster.coverage, FootprintSet.from_regions):
        with pytest.raises(ValueError, match="unprojectable must be"):
            function([circle], wcs=fits_wcs(), unprojectable="ignore")
    cartesian = SkyCoord(CartesianRepresentation(*circle.center.cartesian.xyz), frame="icrs")
    np.testing.assert_array_equal(
        runs_of(ar.CircleSkyRegion(cartesian, 1 * u.arcsec), fits_wcs()), runs_of(circle, fits_wcs())
    )


@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
def test_region_files(shared):
    """Every sample file of regions rasterizes."""
    count = 0
    for path in sorted((shared / "data" / "regions").iterdir()):
        for region in ar.Regions.read(path, format={".reg": "ds9", ".crtf": "crtf", ".fits": "fits"}[path.suffix]):
            if isinstance(region, ar.TextPixelRegion | ar.TextSkyRegion):
                continue
            wcs = None if isinstance(region, ar.PixelRegion) else wcs_at(region)
            runs_of(region, wcs, Box2I(x=(-2000, 2000), y=(-2000, 2000)))
            count += 1
    assert count > 100


def wcs_at(region):
    """Return a WCS around a region of the sky."""
    coord = next(getattr(region, name) for name in ("center", "vertices", "start") if hasattr(region, name))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [np.ravel(coord.icrs.ra.deg)[0], np.ravel(coord.icrs.dec.deg)[0]]
    wcs.wcs.cdelt = [-0.01, 0.01]
    return wcs


def test_many_threads():
    rng = np.random.default_rng(11)
    x, y, r = rng.uniform(0, 500, (3, 400))
    box = Box2I(x=(0, 500), y=(0, 500))
    jobs = [
        lambda: raster.circles(x, y, r / 20, within=box),
        lambda: raster.ellipses(x, y, r / 20, r / 30, r, within=box),
        lambda: raster.rectangles(x, y, r / 20, r / 30, r, within=box),
        lambda: raster.polygons(x, y, np.arange(0, 401, 8), within=box),
        lambda: raster.lines(x, y, y, x, within=box),
    ]
    alone = [job() for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for one, many in zip(alone, pool.map(lambda job: job(), jobs), strict=True):
                np.testing.assert_array_equal(one[0], many[0])
                np.testing.assert_array_equal(one[1], many[1])


def test_the_sky_ends_a_pixel_further():
    """Steps are taken back where there is nothing ahead."""
    wcs = generalized_wcs()
    free = generalized_wcs()
    wcs.bounding_box = ((-0.5, 199.5), (-0.5, 149.5))
    sky = free.pixel_to_world([199.2, 100, 199.2], [20, 149.3, 149.3])
    regions = [ar.CircleSkyRegion(center, 1 * u.arcsec) for center in sky]
    regions += [ar.EllipseSkyRegion(center, 2 * u.arcsec, 1 * u.arcsec, 20 * u.deg) for center in sky]
    for region in regions:
        np.testing.assert_array_equal(runs_of(region, wcs), runs_of(region, free))
    # What begins beyond the bounding box may reach into it.
    beyond = ar.CircleSkyRegion(free.pixel_to_world(500, 20), 1 * u.arcsec)
    corners = free.pixel_to_world([-900, 900, 50], [-300, -300, 900])
    for region in (beyond, ar.PolygonSkyRegion(corners)):
        np.testing.assert_array_equal(runs_of(region, wcs), runs_of(region, free))
    assert wcs.bounding_box is not None
    with pytest.raises(TypeError, match="wcs must be a WCS of APE 14, not str"):
        runs_of(beyond, "wcs")


def test_errors_of_sky_regions_go_between_processes():
    lost = ar.CircleSkyRegion(SkyCoord(190, -60, unit="deg"), 3 * u.arcsec)
    with pytest.raises(ValueError, match="1 of 1 regions do not project") as caught:
        runs_of(lost, fits_wcs())
    for again in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert (type(again), str(again), again.indexes) == (type(caught.value), str(caught.value), [0])
    skipping = SkippingWCS(fits_wcs())
    for again in (copy.copy(skipping), copy.deepcopy(skipping), pickle.loads(pickle.dumps(skipping))):
        assert type(again) is SkippingWCS
        assert again.pixel_n_dim == 2


def test_masked_places_on_the_sky_are_nowhere():
    wcs = fits_wcs()
    sky = wcs.pixel_to_world([100.0, 110], [90.0, 95])
    places = SkyCoord(*(Masked(angle, mask=[False, True]) for angle in (sky.ra, sky.dec)))
    regions = [ar.CircleSkyRegion(place, 3 * u.arcsec) for place in places]
    with pytest.raises(ValueError, match="1 of 2 regions do not project onto the image: number 1"):
        runs_of_regions(regions, wcs)
    with pytest.raises(ValueError, match="masked entries"):
        lr.FootprintSet.from_circles(Masked([1.0, 50], mask=[False, True]), 1, 2)


def test_angles_that_are_none():
    place = fits_wcs().pixel_to_world(100.0, 90.0)
    for name, value in (("width", np.inf), ("height", np.inf), ("angle", np.nan)):
        good = ar.EllipseSkyRegion(place, 6 * u.arcsec, 4 * u.arcsec, 20 * u.deg)
        bad = good.copy()
        setattr(bad, name, value * getattr(bad, name).unit)
        with pytest.raises(ValueError, match=rf"{name} must be finite, not {value} \(number 3\)"):
            runs_of_regions([good, good, good, bad], fits_wcs())


def test_wcs_that_are_not_of_the_sky():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "LINEAR", "LINEAR"
    spans = lr.SpanSet.disk(3)
    for use in (lr.Footprint(spans).to_sky, lambda wcs: lr.FootprintSet([spans]).measure(wcs=wcs)):
        with pytest.raises(ValueError, match="wcs must be celestial"):
            use(wcs)
    image = lr.MaskedImage(np.ones((9, 9)), xy0=(-4, -4), wcs=wcs)
    assert "sky_centroid" not in lr.FootprintSet([spans]).measure(image).colnames


def test_classes_that_make_their_own_pixels():
    class Ring(ar.CirclePixelRegion):
        def to_mask(self, mode="center", subpixels=1):
            outer = super().to_mask(mode, subpixels)
            data = outer.data.copy()
            data[len(data) // 2] = 0
            return ar.RegionMask(data, outer.bbox)

    class Named(ar.CirclePixelRegion):
        pass

    ring, named = (kind(ar.PixCoord(10, 10), 3.7) for kind in (Ring, Named))
    assert lr.rasterize(ring).area == ring.to_mask().data.sum() < lr.rasterize(named).area
    assert [len(f.spans) for f in lr.FootprintSet.from_regions([ring, named])] == [6, 7]


def test_what_others_register_is_what_is_used():
    class Shape(abc.ABC):  # noqa: B024 Others are registered with it.
        pass

    class Base:
        pass

    class Mine:
        def to_mask(self):
            raise AssertionError

    class Derived(Base):
        to_mask = Mine.to_mask

    Shape.register(Mine)
    for kind in (Shape, Base):
        runs_of.register(kind, lambda region, wcs, within: np.array([[0, 1, 2]], np.int32))
    assert lr.rasterize(Mine()).array.tolist() == lr.rasterize(Derived()).array.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("size", [1e14, 1e15, 1e16, 1e17, 1e150, 1e300])
def test_vertices_far_away(size):
    """As they were nearer, or refused: never other pixels without a word."""
    box = Box2I.from_shape((10, 10))
    x, y = np.array([-1, 1, 1.0]), np.array([-1, -1, 1.0])
    triangle = ar.PolygonPixelRegion(ar.PixCoord(size * x, size * y))
    line = ar.LinePixelRegion(ar.PixCoord(-size, -size), ar.PixCoord(size, size))
    if size < 2**50:
        assert lr.rasterize(triangle, within=box).area == 45
        assert lr.coverage(triangle, within=box)[1].sum() == pytest.approx(50)
        return
    for use, region in ((lr.rasterize, triangle), (lr.coverage, triangle), (lr.rasterize, line)):
        with pytest.raises(ValueError, match="slanted edges must end within"):
            use(region, within=box)
    square = shapely.box(-size, -size, size, size)
    assert lr.rasterize(square, within=box).area == 100


def test_the_ends_of_int32():
    for corner in ((-(2**31), -(2**31)), (2**31 - 4, 2**31 - 4)):
        spans = lr.SpanSet.from_box(Box2I.from_shape((3, 3), corner))
        assert lr.rasterize(spans.to_polygon()) == spans
        assert lr.rasterize(lr.Footprint(spans).to_regions()[0]) == spans
    with pytest.raises(OverflowError):
        lr.rasterize(shapely.box(2**31 - 4, 0, 2**31, 3))


def test_where_the_map_of_the_sky_is_torn():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "GLON-CAR", "GLAT-CAR"
    wcs.wcs.cdelt = -1, 1
    pole = SkyCoord(0 * u.deg, 90 * u.deg, frame="galactic")
    for region in (ar.CircleSkyRegion(pole, 2 * u.deg), ar.EllipseSkyRegion(pole, 2 * u.deg, 1 * u.deg)):
        with pytest.raises((ValueError, OverflowError), match="do not project|rows, more than|beyond int32"):
            runs_of(region, wcs)


def test_small_things():
    below = np.nextafter(0.5, 0)
    assert runs_of(ar.PointPixelRegion(ar.PixCoord(below, -below))).tolist() == [[0, 0, 1]]
    for angle in (1e15, 1e16, 1e300):
        region = ar.EllipsePixelRegion(ar.PixCoord(9, 9), 8, 4, angle * u.rad)
        turned = ar.EllipsePixelRegion(ar.PixCoord(9, 9), 8, 4, np.arctan2(np.sin(angle), np.cos(angle)) * u.rad)
        np.testing.assert_array_equal(runs_of(region), runs_of(turned))
    with pytest.raises(TypeError, match="regions must be a list of regions, not CirclePixelRegion"):
        runs_of_regions(ar.CirclePixelRegion(ar.PixCoord(9, 9), 8))


FIRST_USE = """
import sys, threading
sys.setswitchinterval(1e-6)
import regions, shapely, lsstregions
from photutils.aperture import CircularAperture
things = [regions.PointPixelRegion(regions.PixCoord(3, 4)), shapely.Point(3, 4), CircularAperture((3, 4), 0.6)]
barrier, wrong = threading.Barrier(24), []
def use(i):
    barrier.wait()
    try:
        if lsstregions.rasterize(things[i % 3]).array.tolist() != [[4, 3, 4]]:
            wrong.append(i)
    except BaseException as error:
        wrong.append(error)
threads = [threading.Thread(target=use, args=(i,)) for i in range(24)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(wrong)
"""


def test_first_use_from_many_threads(tmp_path):
    result = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.strip() == "[]"


def test_compounds_that_share_members():
    circle = ar.CirclePixelRegion(ar.PixCoord(5, 5), 3)
    union, exclusive = circle, circle
    for _ in range(50):
        union, exclusive = union | union, exclusive ^ exclusive
    np.testing.assert_array_equal(runs_of(union), runs_of(circle))
    assert not len(runs_of(exclusive))
    both = circle & ar.CirclePixelRegion(ar.PixCoord(7, 5), 3)
    np.testing.assert_array_equal(runs_of((both ^ circle) ^ both), runs_of(circle))
    np.testing.assert_array_equal(runs_of([both | circle, both]), runs_of(circle))


def test_compounds_forget_what_is_used():
    compound = ar.CirclePixelRegion(ar.PixCoord(0, 0), 3)
    for i in range(1, 3000):
        other = ar.CirclePixelRegion(ar.PixCoord(9 * i, 0), 3)
        compound = compound | other if i % 2 else compound ^ other
    tracemalloc.start()
    assert len(runs_of(compound)) == 5 * 3000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


@pytest.mark.parametrize("sides", [(4.0, 14.9, 3.0, 5.5), (0.1, 0.3, -0.2, 0.2), (-1.0, 1.0, 2.0, 3.0)])
def test_a_box_of_floats_is_open(sides):
    x_min, x_max, y_min, y_max = sides
    y, x = np.mgrid[-3:20, -3:20]
    expected = (x > x_min) & (x < x_max) & (y > y_min) & (y < y_max)
    box = Box2D(x=(x_min, x_max), y=(y_min, y_max))
    np.testing.assert_array_equal(dense(runs_of(box), (-3, 20, -3, 20)), expected)


def test_what_is_no_number():
    cases = [
        ((5, 5, 2 * u.arcsec), TypeError, "r must be in pixels, not of the unit arcsec"),
        ((5, 5, -3), ValueError, "r must not be negative, not -3.0$"),
        (([5, 5], 5, [3, -3]), ValueError, r"r must not be negative, not -3.0 \(number 1\)"),
        (([5, np.nan], 5, 3), ValueError, r"x must be finite, not nan \(number 1\)"),
        ((None, 5, 3), TypeError, "x must be real numbers, not None"),
        (("5", 5, 2), TypeError, "x must be real numbers"),
        ((5, 5j, 2), TypeError, "y must be real numbers"),
        ((np.ma.array([5, 6], mask=[0, 1]), 5, 2), ValueError, "x must have no masked entries"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            raster.circles(*arguments)
    assert len(raster.circles(5 * u.pix, 5, 2)[0])
    with pytest.raises(TypeError, match="offsets must be integers"):
        raster.polygons([0, 1, 1], [0, 0, 1], [0, 3.7])


class TestOfOthers:
    """What classes of others offer is looked at before any kernel sees it."""

    box = Box2I.from_shape((10, 10))
    image = np.arange(100.0).reshape(10, 10)

    def registered(self, runs):
        class Mine:
            pass

        runs_of.register(Mine)(lambda region, wcs, within: runs)
        return Mine()

    def with_runs(self, runs):
        class Mine:
            def __runs__(self):
                return runs

        return Mine()

    @pytest.mark.parametrize("make", ["registered", "with_runs"])
    @pytest.mark.parametrize(
        "runs",
        [
            np.array([[0, 7, 12]], np.int32),
            np.array([[0, 7, 12]]),
            [[0, 7, 12.0]],
            lr.SpanSet([(0, 7, 12)]),
            np.array([[50, 0, 3], [-3, 0, 3], [100_000, 0, 5], [0, 9, 12], [0, 7, 10]], np.int32),
        ],
    )
    def test_any_order(self, make, runs):
        region = getattr(self, make)(runs)
        assert lr.rasterize(region, within=self.box) == lr.SpanSet([(0, 7, 10)])
        total = raster.coverage_sum(self.image, [region])
        assert (total.sum[0], total.area[0]) == (24, 3)
        assert lr.FootprintSet.from_regions([region], within=self.box).area.tolist() == [3]
        mask = lr.Mask(self.image.shape, lr.MaskSchema.lsst())
        mask.set("BAD", region)
        assert mask["BAD"].sum() == 3

    @pytest.mark.parametrize("make", ["registered", "with_runs"])
    @pytest.mark.parametrize(
        ("runs", "error", "match"),
        [
            (np.zeros((2, 2), int), ValueError, "runs of Mine must have the shape"),
            ([[0, 5, 2]], ValueError, "runs of Mine must not stop before they start"),
            ([[0, 0.5, 2]], ValueError, "runs of Mine must be integral"),
            ([[0, 0, 2**31]], OverflowError, "runs of Mine must fit into int32"),
            (None, (TypeError, ValueError), "runs of Mine"),
        ],
    )
    def test_refused(self, make, runs, error, match):
        with pytest.raises(error, match=match):
            lr.rasterize(getattr(self, make)(runs))

    def test_masks_of_their_own(self):
        class Mine:
            def to_mask(self, mode="center"):
                return [[1]]

        for call in (lr.rasterize, lr.coverage):
            with pytest.raises(TypeError, match="to_mask of Mine must return a 2-D mask with a bbox"):
                call(Mine())

    def test_masked_arrays(self):
        mask = np.ma.array(np.ones((3, 3), bool), mask=np.eye(3, dtype=bool))
        with pytest.raises(ValueError, match="masked entries"):
            lr.rasterize(mask)
        assert lr.rasterize(mask.filled(False)).area == 6

    def test_many_come_in_a_list(self):
        with pytest.raises(TypeError, match="in a list"):
            lr.rasterize(ar.CirclePixelRegion(ar.PixCoord(i, 3), 2) for i in range(3))


def test_maps_of_the_whole_sky():
    """What their edge tears apart is refused."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crpix, wcs.wcs.cdelt = ["RA---CAR", "DEC--CAR"], [180.5, 90.5], [-1, 1]
    box = Box2I.from_shape((180, 360))
    y, x = np.mgrid[:180, :360]
    whole = ar.RangeSphericalSkyRegion("icrs", [20, 50] * u.deg, [10, 20] * u.deg)
    assert lr.rasterize(whole, wcs=wcs, within=box).area == whole.contains(wcs.pixel_to_world(x, y)).sum()
    for torn in ([170, 190], None):
        region = ar.RangeSphericalSkyRegion("icrs", None if torn is None else torn * u.deg, [10, 20] * u.deg)
        with pytest.raises(ValueError, match="1 of 2 regions do not project onto the image: number 1"):
            lr.rasterize([whole, region], wcs=wcs, within=box)
        with pytest.warns(raster.SkippedRegionWarning):
            assert lr.rasterize([whole, region], wcs=wcs, within=box, unprojectable="skip").area == 300


def test_what_is_no_wcs_of_the_sky():
    region = ar.CircleSkyRegion(SkyCoord(10 * u.deg, 60 * u.deg), 3 * u.arcsec)
    with pytest.raises(ValueError, match="wcs must be celestial"):
        lr.rasterize(region, wcs=WCS(naxis=2))


def test_points_at_the_end_of_int32():
    last = 2**31 - 2
    assert lr.rasterize(ar.PointPixelRegion(ar.PixCoord(last, 3))).array.tolist() == [[3, last, last + 1]]
    with pytest.raises(OverflowError, match="int32"):
        lr.rasterize(ar.PointPixelRegion(ar.PixCoord(last + 1, 3)))


def test_operators_without_an_answer():
    circle = ar.CirclePixelRegion(ar.PixCoord(5, 5), 3)
    with pytest.raises(TypeError, match="operator of a compound must return a truth"):
        lr.rasterize(ar.CompoundPixelRegion(circle, circle, lambda a, b: None))


def test_points_in_arrays():
    runs, offsets = raster.points([0.5, -0.5, 7.2], [2.0, 2.0, -1.4])
    assert runs.tolist() == [[2, 1, 2], [2, 0, 1], [-1, 7, 8]]
    assert offsets.tolist() == [0, 1, 2, 3]
    assert lr.rasterize(lr.FootprintSet([lr.SpanSet.disk(3), lr.SpanSet.disk(4)])) == lr.SpanSet.disk(4)


@pytest.mark.filterwarnings("ignore:.*converge:UserWarning")
def test_where_a_distortion_cannot_be_inverted():
    header = fits_wcs().to_header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header.update({"A_ORDER": 3, "A_3_0": 2e-9, "A_1_2": 1e-9, "B_ORDER": 3, "B_0_3": 2e-9, "B_2_1": 1e-9})
    wcs = WCS(header)
    center = wcs.pixel_to_world(50, 60)
    near = ar.CircleSkyRegion(center, 5 * u.arcsec)
    far = ar.CircleSkyRegion(center.directional_offset_by(30 * u.deg, 25 * u.deg), 5 * u.arcsec)
    within = Box2I.from_shape((200, 200))
    alone = raster.rasterize(near, wcs=wcs, within=within)
    assert 0 < alone.area < 5000
    with pytest.raises(ValueError, match="1 of 2 regions do not project onto the image: number 1"):
        FootprintSet.from_regions([near, far], wcs=wcs, within=within)
    with pytest.warns(lr.SkippedRegionWarning, match="number 1"):
        made = FootprintSet.from_regions([near, far], wcs=wcs, within=within, unprojectable="skip")
    assert made.area.tolist() == [alone.area, 0]


def test_a_class_is_no_region():
    for kind in (ar.CirclePixelRegion, lr.SpanSet, Box2I):
        with pytest.raises(TypeError, match=f"not the class {kind.__name__}"):
            raster.rasterize(kind)

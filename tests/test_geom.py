"""Points, extents, intervals, boxes and transforms: laws, tables of result types, errors, interop."""

import copy
import math
import operator
import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
import regions
from astropy import units as u
from astropy.modeling import models
from hypothesis import assume, given

from lsstregions.ellipses import Ellipse
from lsstregions.geom import (
    AffineTransform,
    Box2D,
    Box2I,
    Extent2D,
    Extent2I,
    IntervalD,
    IntervalI,
    LinearTransform,
    Point2D,
    Point2I,
)

LOW, HIGH = -(2**31), 2**31 - 1
NAMES = {
    cls.__name__: cls
    for cls in (
        AffineTransform, Box2D, Box2I, Extent2D, Extent2I,
        IntervalD, IntervalI, LinearTransform, Point2D, Point2I,
    )
}  # fmt: skip

small = st.integers(-20, 20)
pixels = st.integers(-(2**30), 2**30)
floats = st.floats(-1e6, 1e6)
coordinates = st.one_of(floats, small.map(lambda n: n / 2))
intervals = st.builds(IntervalI, small, small)
intervals_d = st.one_of(
    st.builds(IntervalD, coordinates, coordinates),
    st.builds(IntervalD, st.just(-math.inf), coordinates),
    st.builds(IntervalD, coordinates, st.just(math.inf)),
    st.just(IntervalD(-math.inf, math.inf)),
    st.just(IntervalD.empty()),
)
boxes = st.builds(Box2I, intervals, intervals)
boxes_d = st.builds(Box2D, intervals_d, intervals_d)
matrices = st.lists(st.floats(-100, 100), min_size=4, max_size=4).map(lambda m: [m[:2], m[2:]])
linears = st.builds(LinearTransform, matrices)
affines = st.builds(AffineTransform, linears, st.tuples(floats, floats))
values = st.one_of(
    st.builds(Point2I, pixels, pixels), st.builds(Point2D, st.floats(allow_nan=False), floats),
    st.builds(Extent2I, pixels, pixels), st.builds(Extent2D, floats, st.floats(allow_nan=False)),
    intervals, intervals_d, boxes, boxes_d, linears, affines,
)  # fmt: skip
same_kind = st.one_of(st.tuples(*[kind] * 3) for kind in (intervals, intervals_d, boxes, boxes_d))


class TestValues:
    @given(values)
    def test_repr_pickle_copy_hash(self, value):
        for other in (
            eval(repr(value), dict(NAMES)),
            pickle.loads(pickle.dumps(value)),
            copy.deepcopy(value),
            copy.copy(value),
        ):
            assert other == value
            assert type(other) is type(value)
            assert hash(other) == hash(value)

    @given(values, values)
    def test_equality_is_of_one_class(self, a, b):
        assert (a == b) == (type(a) is type(b) and a._parts() == b._parts())
        assert value_is_foreign(a)

    @given(values)
    def test_immutable(self, value):
        name = type(value).__slots__[0]
        with pytest.raises(AttributeError):
            setattr(value, name, 1)
        with pytest.raises(AttributeError):
            delattr(value, name)
        with pytest.raises(AttributeError):
            value.other = 1

    def test_nan_survives(self):
        point = eval(repr(Point2D(math.nan, -math.inf)), dict(NAMES))
        assert math.isnan(point.x)
        assert point.y == -math.inf


def value_is_foreign(value):
    # The operators themselves are what is tested.
    return value != None and value != (1, 2) and not value == "x" and value.__eq__(3) is NotImplemented  # noqa: E711, SIM201


PI, PD, EI, ED = Point2I(3, -4), Point2D(1.5, 2.5), Extent2I(7, -2), Extent2D(0.5, -1.5)
SUMS = {
    ("+", PI, EI): Point2I, ("+", PI, ED): Point2D, ("+", PD, EI): Point2D, ("+", PD, ED): Point2D,
    ("+", EI, PI): Point2I, ("+", ED, PI): Point2D, ("+", EI, PD): Point2D, ("+", ED, PD): Point2D,
    ("+", EI, EI): Extent2I, ("+", EI, ED): Extent2D, ("+", ED, EI): Extent2D, ("+", ED, ED): Extent2D,
    ("-", PI, PI): Extent2I, ("-", PI, PD): Extent2D, ("-", PD, PI): Extent2D, ("-", PD, PD): Extent2D,
    ("-", PI, EI): Point2I, ("-", PI, ED): Point2D, ("-", PD, EI): Point2D, ("-", PD, ED): Point2D,
    ("-", EI, EI): Extent2I, ("-", EI, ED): Extent2D, ("-", ED, EI): Extent2D, ("-", ED, ED): Extent2D,
}  # fmt: skip
PRODUCTS = {
    ("*", EI, 3): Extent2I, ("*", EI, 1.5): Extent2D, ("*", ED, 3): Extent2D, ("*", ED, 1.5): Extent2D,
    ("*", EI, np.int16(3)): Extent2I, ("*", EI, np.float32(1.5)): Extent2D,
    ("*", 3, EI): Extent2I, ("*", 1.5, EI): Extent2D, ("*", 3, ED): Extent2D,
    ("*", np.int64(3), EI): Extent2I, ("*", np.float64(1.5), EI): Extent2D,
    ("/", EI, 2): Extent2D, ("/", EI, 0.5): Extent2D, ("/", ED, 2): Extent2D,
    ("//", EI, 2): Extent2I, ("//", EI, -2): Extent2I,
}  # fmt: skip
OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
}


class TestPointsAndExtents:
    @pytest.mark.parametrize(("expression", "kind"), [*SUMS.items(), *PRODUCTS.items()], ids=str)
    def test_results_and_their_types(self, expression, kind):
        sign, a, b = expression
        operation = OPERATORS[sign]
        result = operation(a, b)
        assert type(result) is kind
        axes = [[p if np.isscalar(p) else p[axis] for p in (a, b)] for axis in (0, 1)]
        assert tuple(result) == tuple(operation(*axis) for axis in axes)

    @pytest.mark.parametrize("sign", OPERATORS)
    @pytest.mark.parametrize("a", [PI, PD, EI, ED, 3, 1.5, "a", None, (1, 2), np.ones(2)], ids=repr)
    @pytest.mark.parametrize("b", [PI, PD, EI, ED, 3, 1.5, "a", None, (1, 2), np.ones(2)], ids=repr)
    def test_everything_else_is_a_type_error(self, sign, a, b):
        ours = (Point2I, Point2D, Extent2I, Extent2D)
        legal = any(sign == s and a is x and b is y for s, x, y in [*SUMS, *PRODUCTS])
        legal |= sign in ("*", "/", "//") and isinstance(a, (Extent2I, Extent2D)) and isinstance(b, (int, float))
        legal |= sign == "*" and isinstance(b, (Extent2I, Extent2D)) and isinstance(a, (int, float))
        legal &= not (sign == "//" and (isinstance(a, Extent2D) or isinstance(b, float)))
        if legal or not (isinstance(a, ours) or isinstance(b, ours)):
            return
        with pytest.raises(TypeError):
            OPERATORS[sign](a, b)

    def test_unary(self):
        assert Extent2I(-7, 2) == -EI
        assert +EI == EI
        assert Extent2D(-0.5, 1.5) == -ED
        assert EI.norm == math.hypot(7, 2)
        assert EI.squared_norm == 53
        assert Extent2I(HIGH, HIGH).squared_norm == 2 * HIGH**2

    def test_sequence(self):
        assert tuple(PI) == (3, -4)
        assert len(PI) == 2
        assert PI[-1] == -4
        assert np.asarray(PD).tolist() == [1.5, 2.5]
        assert PI.distance(Point2D(0, 0)) == 5

    @pytest.mark.parametrize("kind", [Point2I, Extent2I])
    def test_integers_only_and_in_range(self, kind):
        assert tuple(kind(np.int8(3), np.uint64(4))) == (3, 4)
        assert type(kind(np.int8(3), 4).x) is int
        for wrong in (1.0, "1", None, 1j):
            with pytest.raises(TypeError, match="y must be an integer"):
                kind(1, wrong)
        for far in (LOW - 1, HIGH + 1):
            with pytest.raises(OverflowError, match="x must fit into int32"):
                kind(far, 1)

    def test_overflow_of_results(self):
        for overflow in (
            lambda: Point2I(HIGH, 0) + Extent2I(1, 0),
            lambda: Point2I(LOW, 0) - Point2I(1, 0),
            lambda: -Extent2I(LOW, 0),
            lambda: Extent2I(2**30, 0) * 2,
        ):
            with pytest.raises(OverflowError):
                overflow()

    @given(st.integers(-(2**31), 2**31 - 1), st.floats(-0.5, 0.5, exclude_max=True))
    def test_to_pixel(self, pixel, fraction):
        value = pixel + fraction
        found = Point2D(value, 0).to_pixel().x if value < HIGH + 0.5 else pixel
        assert -0.5 <= value - found <= 0.5
        assert Point2D(-0.5, 0.5).to_pixel() == Point2I(0, 1)

    def test_to_pixel_has_no_rounding_error(self):
        below = math.nextafter(0.5, 0)
        assert math.floor(below + 0.5) == 1
        assert Point2D(below, -math.nextafter(0.5, 1)).to_pixel() == Point2I(0, -1)

    def test_to_pixel_refuses(self):
        for wrong in (math.nan, math.inf):
            with pytest.raises(ValueError, match="finite"):
                Point2D(0, wrong).to_pixel()
        with pytest.raises(OverflowError):
            Point2D(3e9, 0).to_pixel()

    def test_roundings(self):
        extent = Extent2D(1.2, -3.4)
        assert extent.floor() == Extent2I(1, -4)
        assert extent.ceil() == Extent2I(2, -3)
        assert extent.truncate() == Extent2I(1, -3)
        with pytest.raises(ValueError, match="finite"):
            Extent2D(math.nan, 0).floor()

    def test_points_and_extents_from_each_other(self):
        for point in (PI, PD):
            assert point.to_extent().to_point() == point

    def test_pixcoord(self):
        assert Point2D.from_pixcoord(PD.to_pixcoord()) == PD
        with pytest.raises(ValueError, match="scalar"):
            Point2D.from_pixcoord(regions.PixCoord([1, 2], [3, 4]))


class TestLaws:
    """Intervals and boxes of all categories, concrete, infinite and empty, obey the same laws."""

    @given(same_kind)
    def test_containment(self, three):
        a, b, c = three
        empty = type(a).empty()
        assert a.contains(a)
        assert a.contains(empty)
        assert empty.contains(a) == a.is_empty
        assert (a == b) == (a.contains(b) and b.contains(a))
        if a.contains(b) and b.contains(c):
            assert a.contains(c)
        assert (b in a) == a.contains(b)
        assert bool(a) is not a.is_empty

    @given(same_kind)
    def test_clip_and_overlap(self, three):
        a, b, c = three
        common = a.clipped_to(b)
        assert common == b.clipped_to(a)
        assert a.contains(common)
        assert b.contains(common)
        assert (common == b) == a.contains(b)
        assert a.overlaps(b) == bool(common)
        assert a.overlaps(b) == b.overlaps(a)
        assert a.is_disjoint(b) is not a.overlaps(b)
        assert not a.overlaps(type(a).empty())
        assert common.clipped_to(c) == a.clipped_to(b.clipped_to(c))

    @given(same_kind)
    def test_hull(self, three):
        a, b, c = three
        hull = a.expanded_to(b)
        assert hull == b.expanded_to(a)
        assert hull.contains(a)
        assert hull.contains(b)
        assert (hull == a) == a.contains(b)
        assert hull.expanded_to(c) == a.expanded_to(b.expanded_to(c))

    @given(st.one_of(intervals, boxes), st.integers(0, 9), small)
    def test_moves_of_pixels(self, a, buffer, offset):
        offsets = [offset] * (2 if isinstance(a, Box2I) else 1)
        assert a.dilated_by(buffer).eroded_by(buffer) == a
        assert a.contains(a.eroded_by(buffer))
        assert a.eroded_by(buffer) == a.dilated_by(-buffer)
        assert a.shifted_by(*offsets).shifted_by(*[-offset] * len(offsets)) == a
        about = {"x": offset / 2, "y": offset / 2} if isinstance(a, Box2I) else None
        mirrored = a.reflected_about(**about) if about else a.reflected_about(offset / 2)
        assert (mirrored.reflected_about(**about) if about else mirrored.reflected_about(offset / 2)) == a
        for moved in (a.dilated_by(buffer), a.shifted_by(*offsets), mirrored):
            assert moved.is_empty == a.is_empty

    @pytest.mark.parametrize("kind", [IntervalI, IntervalD, Box2I, Box2D])
    def test_empty_stays_empty(self, kind):
        empty = kind.empty()
        offsets = [5] * (2 if kind in (Box2I, Box2D) else 1)
        assert empty.dilated_by(5) == empty
        assert empty.eroded_by(5) == empty
        assert empty.shifted_by(*offsets) == empty
        assert not empty
        assert {empty: 1}[kind.empty()] == 1


class TestIntervalI:
    @given(small, small)
    def test_is_a_range(self, start, stop):
        interval, pixels = IntervalI(start, stop), range(start, stop)
        assert list(interval) == list(pixels) == list(interval.to_range()) == interval.to_array().tolist()
        assert interval.to_array().dtype == np.int32
        assert len(interval) == interval.size == len(pixels)
        assert interval.is_empty == (not pixels)
        if pixels:
            assert (interval.min, interval.max, interval.start, interval.stop) == (
                start,
                stop - 1,
                start,
                stop,
            )
            assert interval.center == sum(pixels) / len(pixels)
        else:
            assert interval == IntervalI.empty()

    @given(intervals, st.lists(coordinates))
    def test_contains(self, interval, points):
        expected = [Point2D(p, 0).to_pixel().x in interval.to_range() for p in points]
        assert interval.contains(np.array(points)).tolist() == expected
        assert [p in interval for p in points] == expected
        assert not interval.contains(math.nan)
        with pytest.raises(TypeError):
            interval.contains("1")

    @given(intervals, small)
    def test_expanded_to_a_pixel(self, interval, pixel):
        hull = interval.expanded_to(pixel)
        assert set(hull) >= {*interval, pixel}
        assert {hull.min, hull.max} <= {*interval, pixel}

    @given(st.lists(small))
    def test_from_points(self, points):
        interval = IntervalI.from_points(points)
        assert interval == IntervalI.from_points(np.array(points[::-1], dtype=np.int16))
        if points:
            assert (interval.min, interval.max) == (min(points), max(points))
        else:
            assert interval.is_empty

    @given(floats, st.integers(-3, 50))
    def test_from_center_size(self, center, size):
        interval = IntervalI.from_center_size(center, size)
        assert interval.size == max(size, 0)
        assert not interval or abs(interval.center - center) <= 0.5 + 1e-9

    def test_from_center_size_rounds(self):
        assert IntervalI.from_center_size(3.7, 3) == IntervalI(3, 6)
        with pytest.raises(ValueError, match="center must be finite"):
            IntervalI.from_center_size(math.nan, 3)

    @pytest.mark.parametrize(
        ("ends", "expand", "shrink"),
        [
            ((-0.5, 2.5), (0, 3), (0, 3)),
            ((0.3, 1.8), (0, 3), (1, 2)),
            ((0, 1), (0, 2), (0, 0)),
            ((0.5, 0.5), (1, 2), (0, 0)),
            ((0.2, 0.2), (0, 1), (0, 0)),
            ((0.5, 1.5), (1, 2), (1, 2)),
            ((-1.7, -0.4), (-2, 1), (-1, 0)),
            ((math.nextafter(0.5, 0), 1.5), (0, 2), (1, 2)),
            ((-0.5, math.nextafter(0.5, 1)), (0, 2), (0, 1)),
            ((-0.5, math.nextafter(0.5, 0)), (0, 1), (0, 0)),
            ((math.nextafter(-0.5, 0), 0.5), (0, 1), (0, 0)),
        ],
    )
    def test_edges(self, ends, expand, shrink):
        interval = IntervalD(*ends)
        assert IntervalI.from_interval_d(interval) == IntervalI(*expand)
        assert IntervalI.from_interval_d(interval, edges="shrink") == IntervalI(*shrink)

    def test_slice(self):
        assert np.arange(10, 20)[IntervalI(12, 15).slice(10)].tolist() == [12, 13, 14]
        assert IntervalI.empty().slice(50) == slice(0, 0)
        with pytest.raises(ValueError, match="before the array's origin"):
            IntervalI(-1, 5).slice()

    def test_overflow(self):
        widest = IntervalI(LOW, -1)
        assert widest.size == HIGH
        for overflow in (
            lambda: IntervalI(LOW, 0),
            lambda: IntervalI(0, HIGH + 1),
            lambda: IntervalI(-2, HIGH - 1),
            lambda: widest.shifted_by(-1),
            lambda: widest.dilated_by(1),
            lambda: IntervalI(0, HIGH).shifted_by(1),
            lambda: IntervalI(0, 5).shifted_by(2**70),
            lambda: IntervalI(0, 5).reflected_about(-2e9),
            lambda: IntervalI(LOW, LOW + 5).expanded_to(0),
            lambda: IntervalI.from_points([HIGH]),
            lambda: IntervalI.from_center_size(1e10, 3),
            lambda: IntervalI.from_interval_d(IntervalD(0, 1e10)),
        ):
            with pytest.raises(OverflowError):
                overflow()
        assert IntervalI(0, 5).eroded_by(2**40).is_empty

    def test_refuses(self):
        with pytest.raises(TypeError, match="stop must be an integer"):
            IntervalI(0, 1.5)
        with pytest.raises(TypeError, match="IntervalI"):
            IntervalI(0, 1).clipped_to(IntervalD(0, 1))
        with pytest.raises(ValueError, match=r"multiple of 0\.5"):
            IntervalI(0, 5).reflected_about(0.3)
        with pytest.raises(ValueError, match="edges"):
            IntervalI.from_interval_d(IntervalD(0, 1), "grow")
        with pytest.raises(ValueError, match="finite"):
            IntervalI.from_interval_d(IntervalD(0, math.inf))


class TestIntervalD:
    def test_one_number_is_not_empty(self):
        one = IntervalD(2, 2)
        assert one
        assert one.size == 0
        assert 2 in one
        assert one.overlaps(IntervalD(2, 3))
        assert IntervalD(1, 2).overlaps(IntervalD(2, 3))
        assert IntervalD.empty().expanded_to(2) == one

    def test_infinite(self):
        half = IntervalD(-math.inf, 3)
        assert half.size == math.inf
        assert not half.is_finite
        assert half.dilated_by(2) == IntervalD(-math.inf, 5)
        assert half.reflected_about(0) == IntervalD(-3, math.inf)
        assert IntervalD.empty().is_finite

    def test_refuses(self):
        for wrong in ((math.nan, 1), (1, math.nan)):
            with pytest.raises(ValueError, match="NaN"):
                IntervalD(*wrong)
        with pytest.raises(ValueError, match="both"):
            IntervalD(math.inf, math.inf)
        for wrong in (math.nan, math.inf):
            for method in (IntervalD.dilated_by, IntervalD.shifted_by, IntervalD.expanded_to):
                with pytest.raises(ValueError, match="finite"):
                    method(IntervalD(0, 1), wrong)

    @given(intervals_d, st.lists(coordinates))
    def test_contains(self, interval, points):
        expected = [interval.min <= p <= interval.max for p in points]
        assert interval.contains(np.array(points)).tolist() == expected
        assert not interval.contains(math.nan)

    @given(st.lists(floats, min_size=1))
    def test_from_points(self, points):
        assert IntervalD.from_points(points) == IntervalD(min(points), max(points))


class TestBox2I:
    @given(boxes, st.tuples(small, small))
    def test_indexes_arrays(self, box, xy0):
        assume(box.is_empty or (box.x.start >= xy0[0] and box.y.start >= xy0[1]))
        plane = np.zeros((60, 60))
        plane[box.slices(xy0)] = 1
        assert plane.sum() == box.area == box.width * box.height == np.prod(box.shape)
        x, y = box.grid()
        assert x.shape == y.shape == box.shape
        assert x.dtype == y.dtype == np.int32
        if box:
            assert plane[y - xy0[1], x - xy0[0]].all()
            assert Box2I.from_shape(box.shape, box.xy0) == box
            assert box.corners == (
                Point2I(x[0, 0], y[0, 0]), Point2I(x[0, -1], y[0, -1]),
                Point2I(x[-1, -1], y[-1, -1]), Point2I(x[-1, 0], y[-1, 0]),
            )  # fmt: skip
            assert box.center == Point2D(x.mean(), y.mean())
            assert Box2I.from_points(box.corners) == box
            assert box.dimensions == Extent2I(*box.shape[::-1])

    @given(boxes, st.lists(st.tuples(coordinates, coordinates)))
    def test_contains_points(self, box, points):
        members = {Point2I(x, y) for y in box.y for x in box.x}
        expected = [Point2D(*p).to_pixel() in members for p in points]
        x, y = np.array(points).reshape(-1, 2).T
        assert box.contains(x, y).tolist() == expected
        assert [Point2D(*p) in box for p in points] == expected
        assert [box.contains(*p) for p in points] == expected

    def test_contains_broadcasts(self):
        inside = Box2I(x=(0, 3), y=(0, 2)).contains(np.arange(5), np.arange(4)[:, None])
        assert inside.shape == (4, 5)
        assert inside.sum() == 6
        assert Box2I(x=(0, 3), y=(0, 2)).contains(1, np.array([[0, 9]], dtype=">i2")).tolist() == [[True, False]]

    @given(boxes)
    def test_edges_round_trip(self, box):
        real = Box2D.from_box2i(box)
        assert Box2I.from_box2d(real, edges="expand") == box
        assert Box2I.from_box2d(real, edges="shrink") == box
        assert real.area == box.area

    @given(st.builds(Box2D, st.tuples(coordinates, coordinates), st.tuples(coordinates, coordinates)))
    def test_edges_bracket(self, real):
        expanded, shrunk = Box2I.from_box2d(real, "expand"), Box2I.from_box2d(real, "shrink")
        assert Box2D.from_box2i(expanded).contains(real)
        assert real.contains(Box2D.from_box2i(shrunk))
        if real:
            assert not shrunk or Box2D.from_box2i(shrunk.dilated_by(1)).contains(real)
            assert not Box2D.from_box2i(expanded.eroded_by(1, 0)).contains(real)
            assert not Box2D.from_box2i(expanded.eroded_by(0, 1)).contains(real)

    @given(st.tuples(coordinates, coordinates), st.tuples(coordinates, coordinates))
    def test_edges_as_regions(self, x, y):
        x, y = sorted(x), sorted(y)
        assume(x[1] - x[0] > 1e-6 and y[1] - y[0] > 1e-6)
        # Where adding a half rounds, ours is exact and theirs is not.
        assume(all(abs(v % 1 - 0.5) > 1e-9 or v % 1 == 0.5 for v in (*x, *y)))
        theirs = regions.RegionBoundingBox.from_float(*x, *y)
        ours = Box2I.from_box2d(Box2D(x, y))
        assert ours.to_bounding_box() == theirs
        assert Box2I.from_bounding_box(theirs) == ours
        assert Box2D.from_bounding_box(theirs) == Box2D.from_box2i(ours)
        assert Box2D.from_box2i(ours).to_bounding_box() == theirs

    def test_empty_bounding_box(self):
        assert Box2I.from_bounding_box(regions.RegionBoundingBox(3, 3, 4, 9)) == Box2I.empty()
        assert Box2I.empty().to_bounding_box() == regions.RegionBoundingBox(0, 0, 0, 0)

    @given(floats, floats, st.integers(0, 30), st.integers(0, 30))
    def test_from_center_size(self, x, y, width, height):
        box = Box2I.from_center_size((x, y), (width, height))
        if width and height:
            assert box.shape == (height, width)
            assert box.center.distance(Point2D(x, y)) <= math.sqrt(0.5) + 1e-9
        else:
            assert box.is_empty

    def test_an_axis_of_its_own(self):
        box = Box2I(x=IntervalI(1, 5), y=(2, 4))
        assert box.dilated_by(1, 2) == Box2I(x=(0, 6), y=(0, 6))
        assert box.eroded_by(1, 0) == Box2I(x=(2, 4), y=(2, 4))
        assert box.eroded_by(0, 1) == Box2I.empty()
        assert box.shifted_by(10, -10) == Box2I(x=(11, 15), y=(-8, -6))
        assert box.reflected_about(x=0) == Box2I(x=(-4, 0), y=(2, 4))
        assert box.reflected_about(y=(10 - 1) / 2) == Box2I(x=(1, 5), y=(6, 8))
        assert box.expanded_to(Point2I(9, 9)) == Box2I(x=(1, 10), y=(2, 10))
        assert Box2I.empty().expanded_to(Point2I(9, 9)) == Box2I(x=(9, 10), y=(9, 10))
        assert Box2I(x=(1, 5), y=(4, 4)) == Box2I.empty()

    def test_refuses(self):
        for wrong in (1, (1, 2, 3), None):
            with pytest.raises(TypeError, match="y must be an IntervalI or a pair"):
                Box2I(x=(0, 1), y=wrong)
        with pytest.raises(ValueError, match="negative"):
            Box2I.from_shape((-1, 2))
        with pytest.raises(OverflowError):
            Box2I.from_shape((5, 5), (HIGH - 3, 0))
        with pytest.raises(TypeError, match="Box2I"):
            Box2I.empty().overlaps(Box2D.empty())
        with pytest.raises(TypeError, match="a point if y is not given"):
            Box2I.empty().contains(3)
        with pytest.raises(ValueError, match="no corners"):
            Box2I.empty().corners  # noqa: B018 It raises.
        with pytest.raises(ValueError, match="finite"):
            Box2I.from_box2d(Box2D((0, math.inf), (0, 1)))
        with pytest.raises(TypeError, match="box must be a Box2D"):
            Box2I.from_box2d(Box2I.empty())


class TestBox2D:
    def test_half_open(self):
        box = Box2D(x=(0, 1), y=(0, 2))
        assert box.contains([0, 1, 0.5, 0.5], [0, 0, 2, 1]).tolist() == [True, False, False, True]
        assert Point2I(0, 0) in box
        assert Point2D(1, 0) not in box
        assert not box.overlaps(Box2D(x=(1, 2), y=(0, 2)))
        assert Box2D(x=(0, 0), y=(0, 2)) == Box2D.empty()
        assert not box.contains(math.nan, 0)

    @given(boxes_d, st.tuples(coordinates, coordinates))
    def test_expanded_to_a_point(self, box, point):
        hull = box.expanded_to(Point2D(*point))
        assert Point2D(*point) in hull
        assert hull.contains(box)
        if Point2D(*point) in box:
            assert hull == box

    @given(st.lists(st.tuples(coordinates, coordinates), min_size=1))
    def test_from_points(self, points):
        box = Box2D.from_points(points)
        assert box.contains(*np.array(points).T).all()
        assert Box2D.from_points([]) == Box2D.empty()

    def test_region(self):
        import astropy.units as u

        box = Box2D(x=(-1, 3), y=(2, 10))
        assert Box2D.from_region(box.to_region()) == box
        turned = regions.RectanglePixelRegion(regions.PixCoord(1, 6), 8, 4, angle=-90 * u.deg)
        assert Box2D.from_region(turned) == box
        with pytest.raises(ValueError, match="multiple of 90"):
            Box2D.from_region(regions.RectanglePixelRegion(regions.PixCoord(1, 6), 8, 4, angle=3 * u.deg))
        for wrong in (Box2D.empty(), Box2D((0, math.inf), (0, 1))):
            with pytest.raises(ValueError, match="finite box"):
                wrong.to_region()

    def test_shape(self):
        box = Box2D(x=(0, 4), y=(0, 2))
        assert (box.width, box.height, box.area) == (4, 2, 8)
        assert box.center == Point2D(2, 1)
        assert box.dimensions == Extent2D(4, 2)
        assert box.corners[2] == Point2D(4, 2)
        assert math.isnan(Box2D.empty().center.x)
        with pytest.raises(ValueError, match="NaN"):
            Box2D((math.nan, 1), (0, 1))


class TestTransforms:
    @given(st.one_of(linears, affines), st.one_of(linears, affines), floats, floats)
    def test_composition(self, second, first, x, y):
        both = second @ first
        is_linear = isinstance(first, LinearTransform) and isinstance(second, LinearTransform)
        assert type(both) is (LinearTransform if is_linear else AffineTransform)
        point = Point2D(x, y)
        assert tuple(both(point)) == pytest.approx(tuple(second(first(point))), abs=1e-2, rel=1e-9)
        assert homogeneous(both) == pytest.approx(homogeneous(second) @ homogeneous(first), rel=1e-9, abs=1e-6)

    @given(st.one_of(linears, affines), floats, floats)
    def test_inverse(self, transform, x, y):
        assume(abs(transform.determinant) > 1e-3 and np.linalg.cond(transform.matrix[:2, :2]) < 1e4)
        back = transform.inverse()(transform(Point2D(x, y)))
        assert tuple(back) == pytest.approx((x, y), rel=1e-6, abs=1e-2)
        assert transform.inverse().determinant == pytest.approx(1 / transform.determinant, rel=1e-6)

    @given(st.one_of(linears, affines), st.one_of(linears, affines))
    def test_sum(self, one, other):
        kind = LinearTransform if isinstance(one, LinearTransform) and isinstance(other, LinearTransform) else None
        for operate in (operator.add, operator.sub):
            found = operate(one, other)
            assert type(found) is (kind or AffineTransform)
            assert (homogeneous(found)[:2] == operate(homogeneous(one)[:2], homogeneous(other)[:2])).all()
        assert (homogeneous(-one)[:2] == -homogeneous(one)[:2]).all()

    @given(st.one_of(linears, affines), st.one_of(linears, affines), st.sampled_from((Point2I, Extent2I)), small, small)
    def test_parameter_jacobian(self, transform, change, kind, x, y):
        """Maps are linear in their parameters, so a change of them times the derivative is the change of the image."""
        if isinstance(transform, LinearTransform) != isinstance(change, LinearTransform):
            change = change.linear if isinstance(change, AffineTransform) else AffineTransform(change)
        at = kind(x, y)
        found = transform.parameter_jacobian(at)
        assert found.dtype == float
        assert found.shape == (2, 4 if isinstance(transform, LinearTransform) else 6)
        assert found @ parameters(change) == pytest.approx(tuple(change(at)), rel=1e-9, abs=1e-6)
        for refused in (3, (1, 2)):
            with pytest.raises(TypeError, match="point must be"):
                transform.parameter_jacobian(refused)

    @given(affines)
    def test_kinds(self, transform):
        x, y = np.arange(4.0)[:, None], np.arange(3.0)
        u, v = transform(x, y)
        assert u.shape == v.shape == (4, 3)
        for i, j in np.ndindex(4, 3):
            point = transform(Point2I(i, j))
            assert type(point) is Point2D
            assert (u[i, j], v[i, j]) == tuple(point)
        extent = transform(Extent2I(2, 1))
        assert type(extent) is Extent2D
        assert extent == transform.linear(Extent2D(2, 1))
        assert tuple(transform(Point2D(2, 1)) - transform(Point2D(0, 0))) == pytest.approx(
            tuple(extent), rel=1e-6, abs=1e-6
        )

    def test_keeps_precision_and_takes_lists(self):
        u, v = AffineTransform.shift(1e7, 0)(np.array([0.25], dtype=">f4"), [0])
        assert u.dtype == v.dtype == np.float64
        assert u[0] == 1e7 + 0.25

    def test_constructors(self):
        import astropy.units as u

        turn = LinearTransform.rotation(90 * u.deg)
        assert turn == LinearTransform.rotation(math.pi / 2)
        assert tuple(turn(Point2D(1, 0))) == pytest.approx((0, 1))
        assert [tuple(LinearTransform.rotation(n * 90 * u.deg)(Point2I(3, 1))) for n in (-1, 1, 2, 3)] == [
            (1, -3), (-1, 3), (-3, -1), (1, -3),
        ]  # fmt: skip
        assert LinearTransform.scaling(2) == LinearTransform([[2, 0], [0, 2]])
        assert LinearTransform.scaling(2, 3).determinant == 6
        assert AffineTransform() == AffineTransform(LinearTransform(), Extent2D(0, 0))
        assert AffineTransform.scaling(2, 3)(Extent2I(1, 1)) == Extent2D(2, 3)
        assert AffineTransform.rotation(0.3).linear == LinearTransform.rotation(0.3)
        moved = AffineTransform([[1, 2], [3, 4]], (5, 6))
        assert AffineTransform.from_matrix(moved.matrix) == moved
        assert AffineTransform.from_matrix(moved.matrix[:2]) == moved
        assert not moved.matrix.flags.writeable

    @given(affines, st.lists(st.tuples(small, small), min_size=3, max_size=3))
    def test_from_point_pairs(self, transform, sources):
        (ax, ay), (bx, by), (cx, cy) = sources
        assume((bx - ax) * (cy - ay) != (cx - ax) * (by - ay))
        targets = [transform(Point2D(*source)) for source in sources]
        found = AffineTransform.from_point_pairs(sources, targets)
        assert homogeneous(found) == pytest.approx(homogeneous(transform), rel=1e-6, abs=1e-4)

    @given(affines)
    def test_astropy(self, transform):
        model = transform.to_model()
        assert AffineTransform.from_model(model) == transform
        x, y = model(3.0, 4.0)
        assert (x, y) == pytest.approx(tuple(transform(Point2D(3, 4))), rel=1e-12, abs=1e-9)
        assert models.AffineTransformation2D is type(model)

    def test_refuses(self):
        import astropy.units as u
        from astropy.modeling.models import AffineTransformation2D

        for matrix in ([[1, 2], [2, 4]], [[0, 0], [0, 0]]):
            with pytest.raises(ValueError, match="singular"):
                LinearTransform(matrix).inverse()
            with pytest.raises(ValueError, match="singular"):
                AffineTransform(matrix).inverse()
        assert LinearTransform.scaling(1e-200).inverse() == LinearTransform.scaling(1e200)
        with pytest.raises(ValueError, match="finite"):
            LinearTransform([[math.nan, 0], [0, 1]])
        with pytest.raises(ValueError, match="shape"):
            LinearTransform([1, 2, 3])
        with pytest.raises(ValueError, match="last row"):
            AffineTransform.from_matrix(np.ones((3, 3)))
        with pytest.raises(ValueError, match="one line"):
            AffineTransform.from_point_pairs([(0, 0), (1, 1), (2, 2)], [(0, 0), (1, 1), (2, 2)])
        with pytest.raises(ValueError, match="finite"):
            AffineTransform(translation=(math.inf, 0))
        with pytest.raises(TypeError, match="a point or an extent"):
            AffineTransform()(3)
        with pytest.raises(TypeError, match="matrix must be real numbers, not 'a'"):
            LinearTransform("a")
        with pytest.raises(TypeError, match="y must be real numbers"):
            AffineTransform()([1.0, 2.0], [1.0, None])
        with pytest.raises(TypeError, match="x must be in pixels, not of the unit arcsec"):
            AffineTransform()([1, 2] * u.arcsec, [1, 2])
        for transform in (LinearTransform(), AffineTransform()):
            for operate in (operator.matmul, operator.add, operator.sub):
                with pytest.raises(TypeError):
                    operate(transform, 3)
        with pytest.raises(ValueError, match="pixels"):
            AffineTransform.from_model(AffineTransformation2D([[1, 0], [0, 1]] * u.m, [1, 2] * u.m))


def homogeneous(transform):
    matrix = np.eye(3)
    matrix[: len(transform.matrix), : len(transform.matrix)] = transform.matrix
    return matrix


def parameters(transform):
    if isinstance(transform, LinearTransform):
        return transform.matrix.ravel()
    return [*parameters(transform.linear), *transform.translation]


def test_small_floats_are_compared_as_they_are():
    assert not IntervalI(16777217, 16777220).contains(np.float32([16777216]))[0]
    assert IntervalI(0, 2049).contains(np.float16([2048]))[0]
    assert Box2I((0, 16777217), (0, 9)).contains(np.float32([16777216]), np.float32([5]))[0]
    point = np.float32(0.7), np.float32(0.5)
    assert Box2D((0, 0.7), (0, 1)).contains(*point) == (Point2D(*point) in Box2D((0, 0.7), (0, 1)))


def test_places_are_in_pixels():
    box, whole = Box2D((0, 10), (0, 10)), Box2I((0, 10), (0, 10))
    assert box.contains(5 * u.pix, 5 * u.pix)
    for contains in (lambda v: box.contains(v, 1), lambda v: whole.contains(1, v), box.x.contains, whole.x.contains):
        with pytest.raises(TypeError, match="must be in pixels, not of the unit arcsec"):
            contains(5 * u.arcsec)
        with pytest.raises(ValueError, match="masked"):
            contains(np.ma.array([5, 50], mask=[0, 1]))


def test_boxes_of_a_class_of_their_own():
    class Mine(Box2I):
        pass

    box = Mine((0, 5), (0, 5))
    other = Box2I((1, 2), (1, 2))
    assert box.contains(other)
    assert box.overlaps(other)
    assert box.clipped_to(other) == Mine((1, 2), (1, 2))
    with pytest.raises(TypeError, match="other must be a Mine"):
        box.clipped_to(Box2D((0, 1), (0, 1)))


def test_differences_at_the_end_of_int32():
    assert Point2I(-1, 0) - Extent2I(LOW, 0) == Point2I(HIGH, 0)
    assert Extent2I(-1, 0) - Extent2I(LOW, 0) == Extent2I(HIGH, 0)
    with pytest.raises(OverflowError):
        Point2I(0, 0) - Extent2I(LOW, 0)


@pytest.mark.parametrize("kind", ["EllipsePixelRegion", "RectanglePixelRegion"])
def test_regions_of_other_kinds(kind):
    region = getattr(regions, kind)(regions.PixCoord(0, 0), 4, 6)
    make = Box2D.from_region if kind == "EllipsePixelRegion" else Ellipse.from_region
    for wrong in (region, 5, regions.CircleAnnulusPixelRegion(regions.PixCoord(0, 0), 1, 2)):
        with pytest.raises(TypeError, match="region must be"):
            make(wrong)


def test_lengths_of_extents():
    extent = Extent2D(3, 4)
    assert (extent.norm, extent.squared_norm, +extent) == (5, 25, extent)


def test_subclasses_are_made_of_the_same_parts():
    class Mine(Point2I):
        __slots__ = ()

    assert Mine(1, 2) != Mine(3, 4)
    assert pickle.loads(pickle.dumps(Point2I(3, 4))) == Point2I(3, 4)
    assert repr(Mine(1, 2)) == "Mine(1, 2)"


def test_what_is_no_pixel():
    with pytest.raises(TypeError, match="other must be an integer, not 7.5"):
        IntervalI(0, 3).expanded_to(7.5)

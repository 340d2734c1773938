"""SpanSet against its dense definitions in reference.py, and its rules about input, limits and errors."""

import copy
import math
import operator
import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
import reference
import shapely
from astropy import units as u
from astropy.utils.masked import Masked
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from strategies import element_set, elements, frames, origins, pairs

from lsstregions import (
    AffineTransform,
    Axes,
    Box2I,
    Ellipse,
    Extent2D,
    LinearTransform,
    Point2D,
    SpanSet,
    _dilation,
    _label,
    _runs,
)

MIN, MAX = -(2**31), 2**31 - 1


def box_of(mask, xy0=(0, 0)):
    return Box2I.from_shape(mask.shape, xy0)


def same(spans, mask, xy0=(0, 0)):
    """Whether a span set is a frame, and canonical."""
    return np.array_equal(spans.array, reference.runs(mask, xy0)) and spans.array.dtype == np.int32


@pytest.fixture(params=["runs", "bits"])
def way(request, monkeypatch):
    """Take dilation and erosion down each of their two ways."""
    monkeypatch.setattr(_dilation, "WORDS_PER_RUN", {"runs": 0, "bits": 10**9}[request.param])


class TestConstruction:
    @given(frames(), origins())
    def test_from_mask(self, mask, xy0):
        spans = SpanSet.from_mask(mask, xy0)
        assert same(spans, mask, xy0)
        assert np.array_equal(spans.to_mask(box_of(mask, xy0)), mask if mask.size else np.empty((0, 0)))
        assert SpanSet.from_mask(mask.T.copy().T, xy0) == spans
        assert SpanSet.from_mask(np.pad(mask, 3)[3 : 3 + mask.shape[0], 3 : 3 + mask.shape[1]], xy0) == spans

    @given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-5, 5), st.integers(0, 6))))
    def test_any_order(self, given_spans):
        spans = [(y, start, start + width) for y, start, width in given_spans]
        assert same(SpanSet(spans), reference.frame(spans, (7, 17), (-5, -3)), (-5, -3))

    @given(frames(), st.data())
    def test_from_bits(self, mask, data):
        dtype = data.draw(st.sampled_from(["u1", "i1", ">i2", "u4", "<i8", ">u8"]))
        bit = data.draw(st.integers(0, 8 * np.dtype(dtype).itemsize - 1))
        other = 0 if bit == 1 else 1
        # Python integers hold the sign bit too.
        field = (mask.astype(np.uint64) << np.uint64(bit)).astype(f"u{np.dtype(dtype).itemsize}")
        field = (field | np.array(1 << other).astype(field.dtype)).view(field.dtype.str.replace("u", dtype[-2]))
        field = field.astype(dtype)
        assert same(SpanSet.from_bits(field, 1 << bit), mask)
        assert same(SpanSet.from_bits(field, 1 << other), np.ones_like(mask))
        assert same(SpanSet.from_bits(field), np.ones_like(mask))

    @given(frames(), origins())
    def test_indices(self, mask, xy0):
        y, x = np.nonzero(mask)
        shuffled = np.random.default_rng(0).permutation(np.r_[np.arange(len(y)), np.arange(len(y) // 2)])
        spans = SpanSet.from_indices(y[shuffled] + xy0[1], x[shuffled] + xy0[0])
        assert same(spans, mask, xy0)
        assert np.array_equal(spans.indices(), (y + xy0[1], x + xy0[0]))

    @given(st.integers(0, 12))
    def test_elements(self, r):
        for shape in ("disk", "square", "diamond"):
            assert getattr(SpanSet, shape)(r) == element_set(getattr(reference, shape)(r)), shape

    @given(st.floats(0, 12))
    def test_disk_of_any_radius(self, r):
        assert SpanSet.disk(r) == element_set(reference.disk(r))

    def test_large_disk_is_exact(self):
        r = 3_037_000
        half = [math.isqrt(r * r - y * y) for y in range(-5, 6)]
        rows = SpanSet.disk(r).array[r - 5 : r + 6]
        assert rows[:, 2].tolist() == [h + 1 for h in half]
        assert rows[:, 1].tolist() == [-h for h in half]

    def test_from_box(self):
        assert SpanSet.from_box(Box2I((3, 5), (-1, 1))).array.tolist() == [[-1, 3, 5], [0, 3, 5]]
        assert SpanSet.from_box(Box2I.empty()) == SpanSet()

    @given(st.floats(0.05, 12), st.floats(0.05, 12), st.floats(-4, 4), st.floats(-20, 20), st.floats(-20, 20))
    def test_from_ellipse(self, a, b, theta, x0, y0):
        spans = SpanSet.from_ellipse(Ellipse(Axes(a, b, theta), (x0, y0)))
        y, x = np.indices((80, 80)) - 40
        c, s = math.cos(theta), math.sin(theta)
        u, v = (c * (x - x0) + s * (y - y0)) / a, (c * (y - y0) - s * (x - x0)) / b
        distance = u * u + v * v
        clear = abs(distance - 1) > 1e-9 / min(a, b)
        mask = spans.to_mask(Box2I((-40, 40), (-40, 40)))
        assert np.array_equal(mask[clear], (distance <= 1)[clear])

    @pytest.mark.parametrize(("radius", "area"), list(enumerate([1, 5, 13, 29, 49, 81, 113])))
    def test_circle_counts_its_edge(self, radius, area):
        assert SpanSet.from_ellipse(Ellipse(Axes(radius, radius, 0), (7, -3))).area == area

    @pytest.mark.parametrize(
        ("spans", "error", "words"),
        [
            ([[0, 1]], ValueError, r"shape \(n, 3\), not \(1, 2\)"),
            ([0, 1, 2], ValueError, r"shape \(n, 3\)"),
            ([[0, 5, 4]], ValueError, r"stop before they start.*\(0, 5, 4\)"),
            ([[0, 0.5, 4]], ValueError, "integral, not 0.5"),
            ([[0, math.nan, 4]], ValueError, "integral, not nan"),
            ([[0, 0, math.inf]], OverflowError, "int32"),
            ([["0", "1", "2"]], TypeError, "integers"),
            ([[0, 0, 2**31]], OverflowError, "int32"),
            ([[-(2**31) - 1, 0, 1]], OverflowError, "int32"),
            ([[2**100, 0, 1]], OverflowError, "int32"),
            ([[MAX, 0, 1]], OverflowError, "rows below"),
            ([[None, 0, 1]], TypeError, "integer"),
        ],
    )
    def test_refuses(self, spans, error, words):
        with pytest.raises(error, match=words):
            SpanSet(spans)

    def test_takes_integral_numbers_of_any_kind(self):
        expected = SpanSet([[1, 2, 3]])
        for dtype in ("i1", ">i4", "u8", "f4", ">f8"):
            assert SpanSet(np.array([[1, 2, 3]], dtype)) == expected
        assert SpanSet(np.array([[1, 9, 2, 9, 3]], np.int32)[:, ::2]) == expected

    def test_refuses_masks_that_are_not(self):
        with pytest.raises(TypeError, match="from_bits"):
            SpanSet.from_mask(np.zeros((2, 2), int))
        with pytest.raises(ValueError, match="2-D"):
            SpanSet.from_mask(np.zeros(4, bool))
        with pytest.raises(TypeError, match="integers"):
            SpanSet.from_bits(np.zeros((2, 2)))
        with pytest.raises(ValueError, match="uint8, not 256"):
            SpanSet.from_bits(np.zeros((2, 2), np.uint8), 256)
        with pytest.raises(OverflowError, match="int32"):
            SpanSet.from_mask(np.ones((2, 2), bool), xy0=(MAX - 1, 0))
        with pytest.raises(TypeError, match="pair"):
            SpanSet.from_mask(np.ones((2, 2), bool), xy0=3)

    @pytest.mark.parametrize("radius", [-1, -0.5, math.nan, math.inf])
    def test_refuses_radius(self, radius):
        for shape in (SpanSet.disk, SpanSet.square, SpanSet.diamond):
            with pytest.raises(ValueError, match="radius must be finite and not negative"):
                shape(radius)

    def test_refuses_to_fill_the_memory(self):
        with pytest.raises(ValueError, match="rows"):
            SpanSet.disk(1e9)
        with pytest.raises(OverflowError, match="int32"):
            SpanSet.square(1e12)
        with pytest.raises(ValueError, match="rows"):
            SpanSet.from_ellipse(Ellipse(Axes(1e9, 1e9, 0), (0, 0)))
        with pytest.raises(OverflowError, match="int32"):
            SpanSet.from_ellipse(Ellipse(Axes(1, 1, 0), (1e10, 0)))
        with pytest.raises(ValueError, match="rows"):
            SpanSet([[-(10**9), 0, 1], [10**9, 0, 1]]).convex_hull()
        with pytest.raises(ValueError, match="rows"):
            SpanSet().complement(Box2I((0, 1), (-(10**9), 10**9)))


class TestValue:
    def test_is_immutable(self):
        given_array = np.array([[0, 1, 2]], np.int32)
        spans = SpanSet(given_array)
        given_array[0, 1] = 0
        assert spans.array.tolist() == [[0, 1, 2]]
        for change in (
            lambda: spans.array.__setitem__((0, 0), 1),
            lambda: spans.x_start.__setitem__(0, 1),
        ):
            with pytest.raises(ValueError, match="read-only"):
                change()
        with pytest.raises(AttributeError, match="immutable"):
            spans.array = given_array

    @given(frames())
    def test_copies_are_equal(self, mask):
        spans = SpanSet.from_mask(mask)
        for other in (copy.copy(spans), copy.deepcopy(spans), pickle.loads(pickle.dumps(spans)), SpanSet(list(spans))):
            assert other == spans
            assert hash(other) == hash(spans)
            assert not other.array.flags.writeable

    def test_equality(self):
        assert SpanSet() == SpanSet([]) == SpanSet(np.empty((0, 3))) == SpanSet([[3, 4, 4]])
        assert SpanSet([[0, 0, 1]]) != SpanSet([[0, 0, 2]])
        assert SpanSet() != []
        assert SpanSet([[0, 0, 1]]) != "SpanSet"

    def test_repr(self):
        spans = SpanSet([[0, 1, 2], [1, 0, 3]])
        assert repr(spans) == "SpanSet([[0, 1, 2], [1, 0, 3]])"
        assert eval(repr(spans)) == spans
        assert repr(SpanSet.disk(3)) == "<SpanSet: 7 spans, 29 pixels in x=(-3, 4), y=(-3, 4)>"
        assert repr(SpanSet()) == "SpanSet([])"

    def test_sequence_of_spans(self):
        spans = SpanSet([[1, 5, 7], [0, 1, 2]])
        assert len(spans) == 2
        assert list(spans) == [(0, 1, 2), (1, 5, 7)]
        assert spans
        assert not SpanSet()
        assert (spans.y.tolist(), spans.x_start.tolist(), spans.x_stop.tolist()) == ([0, 1], [1, 5], [2, 7])


class TestAlgebra:
    @given(pairs(), origins())
    def test_two_sets(self, masks, xy0):
        a, b = masks
        s, t = SpanSet.from_mask(a, xy0), SpanSet.from_mask(b, xy0)
        assert same(s | t, a | b, xy0)
        assert same(s & t, a & b, xy0)
        assert same(s - t, a & ~b, xy0)
        assert same(s ^ t, a ^ b, xy0)
        assert (s | t, s & t, s ^ t) == (t | s, t & s, t ^ s)
        assert s.overlaps(t) == t.overlaps(s) == (not s.isdisjoint(t)) == (a & b).any()
        assert s.issubset(t) == (s <= t) == t.issuperset(s) == (not (a & ~b).any())
        assert (s & t) <= s <= (s | t)
        assert (s < t) == (s <= t and s != t) == (t > s)

    @given(st.lists(frames(ny=3, nx=3, wide=0), max_size=6))
    def test_many_sets(self, masks):
        sets = [SpanSet.from_mask(mask) for mask in masks]
        padded = [np.pad(m, ((0, 3 - m.shape[0]), (0, 3 - m.shape[1]))) for m in masks]
        assert same(SpanSet.union(*sets), np.any([np.zeros((3, 3), bool), *padded], axis=0))
        if sets:
            assert same(SpanSet.intersection(*sets), np.all(padded, axis=0))
            assert sets[0].union(*sets[1:]) == SpanSet.union(*sets)
            assert sets[0].difference(*sets[1:]) == sets[0] - SpanSet.union(*sets[1:])

    @given(frames(), origins(), st.integers(-4, 4), st.integers(-4, 4))
    def test_complement_and_clip(self, mask, xy0, dx, dy):
        spans, box = SpanSet.from_mask(mask, xy0), box_of(mask, xy0)
        assert same(spans.complement(box), ~mask, xy0)
        moved = box.shifted_by(dx, dy)
        assert spans.clip(moved) == spans & SpanSet.from_box(moved)
        assert spans.complement(moved) == SpanSet.from_box(moved) - spans

    def test_empty_sets_obey_one_rule(self):
        empty, some = SpanSet(), SpanSet.disk(2)
        assert empty <= empty
        assert empty <= some
        assert not empty >= some
        assert not empty.overlaps(empty)
        assert not empty.overlaps(some)
        assert empty | some == some - empty == some ^ empty == some
        assert not some & empty

    def test_foreign_operands(self):
        for operation in ("__or__", "__and__", "__sub__", "__xor__", "__le__", "__lt__"):
            assert getattr(SpanSet(), operation)({1}) is NotImplemented
        with pytest.raises(TypeError, match=r"sets must be a SpanSet, not \[\]"):
            SpanSet().union([])
        with pytest.raises(TypeError, match="whole plane"):
            SpanSet.intersection()
        with pytest.raises(TypeError, match="Box2I"):
            SpanSet().clip((0, 1))

    @given(frames(), origins())
    def test_contains(self, mask, xy0):
        spans = SpanSet.from_mask(mask, xy0)
        y, x = np.indices(np.add(mask.shape, 2)) - 1
        padded = np.pad(mask, 1)
        for offset in (-0.5, 0, 0.25):
            assert np.array_equal(spans.contains(x + xy0[0] + offset, y + xy0[1] + offset), padded)
        assert not spans.contains(x + xy0[0], math.nan).any()

    def test_contains_scalars_and_shapes(self):
        spans = SpanSet.disk(1)
        assert spans.contains(0, 1) is True
        assert spans.contains(0.4, 1.6) is False
        assert (0, 0) in spans
        assert Point2D(0, -1.5) in spans
        assert (math.inf, 0) not in spans
        assert spans.contains(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4)
        assert spans.contains([], []).shape == (0,)
        # The float below 0.5 is in pixel 0, though the sum with 0.5 rounds to 1.
        assert SpanSet([[0, 0, 1]]).contains(0.49999999999999994, 0)
        with pytest.raises(ValueError, match="broadcast"):
            spans.contains([1, 2], [1, 2, 3])


class TestMeasures:
    @given(frames(), origins())
    def test_measures(self, mask, xy0):
        spans = SpanSet.from_mask(mask, xy0)
        assert spans.area == mask.sum()
        assert spans.perimeter == reference.perimeter(mask)
        assert spans.euler_number == reference.euler_number(mask)
        if not mask.any():
            assert spans.bbox == Box2I.empty()
            assert math.isnan(spans.centroid.x)
            with pytest.raises(ValueError, match="empty"):
                _ = spans.quadrupole
            return
        y, x = np.nonzero(mask)
        assert spans.bbox == Box2I((x.min() + xy0[0], x.max() + 1 + xy0[0]), (y.min() + xy0[1], y.max() + 1 + xy0[1]))
        assert np.allclose(tuple(spans.centroid), (x.mean() + xy0[0], y.mean() + xy0[1]), rtol=1e-13)
        q, (dx, dy) = spans.quadrupole, (x - x.mean(), y - y.mean())
        assert np.allclose((q.xx, q.yy, q.xy), ((dx**2).mean(), (dy**2).mean(), (dx * dy).mean()), atol=1e-9)

    @given(frames(), st.integers(0, 3), origins())
    def test_moments(self, mask, order, center):
        expected = reference.moments(mask, order, center)
        sums = SpanSet.from_mask(mask).moments(order, center=center)
        assert np.allclose(sums, expected, rtol=1e-12, atol=1e-12 * abs(expected).max())

    def test_moments_far_away_keep_their_precision(self):
        here, far = SpanSet.disk(3), SpanSet.disk(3).shift(2 * 10**9, -(2 * 10**9))
        assert tuple(far.centroid) == (2e9, -2e9)
        assert far.quadrupole == here.quadrupole
        with pytest.raises(ValueError, match="order"):
            here.moments(4)

    @given(frames(ny=5, nx=6, wide=0))
    def test_convex_hull(self, mask):
        spans = SpanSet.from_mask(mask)
        assert same(spans.convex_hull(), reference.convex_hull(mask) if mask.any() else mask)

    def test_convex_hull_of_the_widest(self):
        ends = SpanSet([[0, MIN, MIN + 1], [2, MAX - 1, MAX], [3, 0, 1]])
        hull = ends.convex_hull()
        assert ends <= hull
        assert len(hull) == 4
        assert hull.array[1].tolist() == [1, MIN + 715827883, (MIN + MAX - 1) // 2 + 1]


class TestMoving:
    @given(frames(), origins(), origins())
    def test_shift(self, mask, xy0, offset):
        moved = SpanSet.from_mask(mask, xy0).shift(*offset)
        assert same(moved, mask, (xy0[0] + offset[0], xy0[1] + offset[1]))

    def test_leaving_int32(self):
        spans = SpanSet([[0, 0, 1]])
        assert spans.shift(MAX - 1, MAX - 1).shift(1 - MAX, 1 - MAX) == spans
        assert spans.shift(MIN + 1, MIN + 1).shift(-1, -1).array.tolist() == [[MIN, MIN, MIN + 1]]
        for dx, dy in ((MAX, 0), (0, MAX), (-(2**31) - 1, 0), (0, 2**40)):
            with pytest.raises(OverflowError, match="leaves int32"):
                spans.shift(dx, dy)
        with pytest.raises(OverflowError, match="leaves int32"):
            spans.shift(MAX - 1, 0).dilate(1)
        with pytest.raises(TypeError, match="dx must be an integer"):
            spans.shift(0.5, 0)

    @given(
        frames(ny=5, nx=6, wide=0),
        st.tuples(*[st.integers(-6, 6).map(lambda n: n / 4)] * 4),
        st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
    )
    def test_transform(self, mask, matrix, offset):
        matrix = np.reshape(matrix, (2, 2))
        if abs(np.linalg.det(matrix)) < 0.05 or not mask.any():
            return
        transform = AffineTransform(LinearTransform(matrix), Extent2D(*offset))
        spans = SpanSet.from_mask(mask)
        expected = reference.transformed(mask, transform, transform.inverse())
        moved = spans.transform(transform)
        assert list(zip(*moved.indices(), strict=True)) == expected
        assert spans.transform(lambda x, y: transform(x, y), lambda x, y: transform.inverse()(x, y)) == moved

    def test_transform_by_a_curved_mapping(self):
        def squeeze(x, y):
            return x + 1e-4 * y * y, y

        def back(x, y):
            return x - 1e-4 * y * y, y

        spans = SpanSet.disk(40).shift(100, 300)
        y, x = np.indices((400, 400))
        assert np.array_equal(
            spans.transform(squeeze, back).to_mask(Box2I((0, 400), (0, 400))), spans.contains(*back(x, y))
        )

    def test_transform_in_chunks(self, monkeypatch):
        spans = SpanSet.disk(30)
        whole = spans.transform(LinearTransform.rotation(0.3))
        monkeypatch.setattr("lsstregions.mappings._CHUNK", 100)
        assert spans.transform(LinearTransform.rotation(0.3)) == whole

    def test_transform_refuses(self):
        spans = SpanSet.disk(1)
        with pytest.raises(TypeError, match="inverse"):
            spans.transform(lambda x, y: (x, y))
        with pytest.raises(ValueError, match="singular"):
            spans.transform(LinearTransform([[1, 1], [1, 1]]))
        with pytest.raises(ValueError, match="nowhere"):
            spans.transform(lambda x, y: (x * np.nan, y), lambda x, y: (x, y))
        with pytest.raises(OverflowError, match="beyond int32"):
            spans.transform(LinearTransform.scaling(1e10))
        with pytest.raises(ValueError, match="rows"):
            spans.transform(LinearTransform.scaling(1, 5e8))


class TestMorphology:
    @given(
        frames(),
        elements(),
        origins(),
        st.tuples(st.integers(-9, 200), st.integers(-9, 9), st.integers(0, 210), st.integers(0, 20)),
    )
    @pytest.mark.usefixtures("way")
    def test_components_of_what_is_dilated(self, mask, offsets, xy0, box):
        """What grows, is clipped and labelled on rows of bits is what comes of one step after the other."""
        spans, element = SpanSet.from_mask(mask, xy0=xy0), element_set(offsets)
        (x, y), width, height = xy0, *box[2:]
        within = Box2I((x + box[0], x + box[0] + width), (y + box[1], y + box[1] + height))
        for clip in (within, None):
            expected = spans.dilate(element)
            expected = (expected if clip is None else expected.clip(clip)).array
            runs, labels, count = spans._dilated_components(element, "disk", clip)
            assert np.array_equal(runs, expected)
            expected_labels, expected_count = _label.label(expected, 8)
            assert np.array_equal(labels, expected_labels)
            assert count == expected_count

    @given(frames(), elements(), origins())
    @pytest.mark.usefixtures("way")
    def test_dilate_and_erode(self, mask, offsets, xy0):
        reach = 1 + np.abs(offsets).max()
        padded, spans, element = np.pad(mask, reach), SpanSet.from_mask(mask, xy0), element_set(offsets)
        padded_xy0 = (xy0[0] - reach, xy0[1] - reach)
        assert same(spans.dilate(element), reference.dilated(padded, offsets), padded_xy0)
        assert same(spans.erode(element), reference.eroded(padded, offsets), padded_xy0)

    @given(frames(), elements(), origins())
    def test_open_and_close(self, mask, offsets, xy0):
        spans, element = SpanSet.from_mask(mask, xy0), element_set(offsets)
        reach = 2 * (1 + np.abs(offsets).max())
        padded, padded_xy0 = np.pad(mask, reach), (xy0[0] - reach, xy0[1] - reach)
        opened = reference.dilated(reference.eroded(padded, offsets), offsets)
        closed = reference.eroded(reference.dilated(padded, offsets), offsets)
        assert same(spans.open(element), opened, padded_xy0)
        assert same(spans.close(element), closed, padded_xy0)
        assert spans.open(element) <= spans <= spans.close(element)
        assert spans.open(element).open(element) == spans.open(element)
        assert spans.close(element).close(element) == spans.close(element)

    @given(frames(wide=0), st.floats(0, 4), st.sampled_from(["disk", "square", "diamond"]))
    def test_radius_and_shape(self, mask, radius, shape):
        spans = SpanSet.from_mask(mask)
        element = element_set(getattr(reference, shape)(radius))
        for operation in (SpanSet.dilate, SpanSet.erode, SpanSet.open, SpanSet.close):
            assert operation(spans, radius, shape) == operation(spans, element)

    @given(frames(), st.sampled_from([4, 8]), origins())
    def test_fill_holes(self, mask, connectivity, xy0):
        filled = mask | reference.holes(mask, connectivity)
        assert same(SpanSet.from_mask(mask, xy0).fill_holes(connectivity), filled, xy0)

    @given(frames(), origins())
    def test_boundary(self, mask, xy0):
        spans, padded = SpanSet.from_mask(mask, xy0), np.pad(mask, 1)
        cross, padded_xy0 = reference.diamond(1), (xy0[0] - 1, xy0[1] - 1)
        assert same(spans.boundary(), padded & ~reference.eroded(padded, cross), padded_xy0)
        assert same(spans.boundary("outer"), reference.dilated(padded, cross) & ~padded, padded_xy0)

    @pytest.mark.usefixtures("way")
    def test_known_cases(self):
        eight = SpanSet.disk(3) | SpanSet.disk(3).shift(6, 0)
        assert eight.area == 57
        assert eight.erode(1).area == 26
        assert SpanSet.from_box(Box2I((0, 10), (0, 5))).erode(1) == SpanSet.from_box(Box2I((1, 9), (1, 4)))
        assert SpanSet.disk(3).erode(100) == SpanSet()
        assert SpanSet().dilate(3) == SpanSet().erode(3) == SpanSet()

    def test_far_apart_costs_nothing(self):
        corners = SpanSet([[y, x, x + 1] for y in (-(10**9), 10**9) for x in (-(10**9), 10**9)])
        grown = corners.dilate(5)
        assert grown.area == 4 * 81
        assert grown.erode(5) == corners
        assert corners.close(3) == corners
        assert corners.fill_holes() == corners
        assert corners.to_polygon().area == 4
        assert len(corners | grown) == 44

    def test_ends_of_int32(self):
        edge = SpanSet([[MIN, MIN, MAX], [MIN + 1, MIN, 5], [MIN + 1, 7, MAX], [MIN + 2, MIN, MAX]])
        assert edge.fill_holes().area == 3 * (MAX - MIN)
        assert edge.erode(1).area == MAX - MIN - 6
        assert edge.is_contiguous()
        assert SpanSet(edge.array[::-1]) == edge
        assert edge - edge == edge ^ edge == SpanSet()
        assert edge & edge == edge | edge == edge

    def test_refuses(self):
        spans = SpanSet.disk(2)
        with pytest.raises(ValueError, match="element must not be empty"):
            spans.dilate(SpanSet())
        with pytest.raises(ValueError, match="shape must be 'disk'"):
            spans.erode(1, "circle")
        with pytest.raises(TypeError, match="radius must be a number"):
            spans.dilate("wide")
        with pytest.raises(ValueError, match="side"):
            spans.boundary("both")
        with pytest.raises(ValueError, match="connectivity must be 4 or 8, not 6"):
            spans.fill_holes(6)


class TestComponents:
    @given(frames(), st.sampled_from([4, 8]), origins())
    def test_components(self, mask, connectivity, xy0):
        labels = reference.labels(mask, connectivity)
        parts = SpanSet.from_mask(mask, xy0).components(connectivity)
        assert len(parts) == labels.max(initial=-1) + 1
        for label in range(len(parts)):
            runs = parts.spans[parts.offsets[label] : parts.offsets[label + 1]]
            assert np.array_equal(runs, reference.runs(labels == label, xy0))

    @given(frames(), st.sampled_from([4, 8]))
    def test_is_contiguous(self, mask, connectivity):
        assert SpanSet.from_mask(mask).is_contiguous(connectivity) == (reference.count(mask, connectivity) <= 1)

    def test_default_is_eight(self):
        diagonal = SpanSet([[0, 0, 1], [1, 1, 2]])
        assert diagonal.is_contiguous()
        assert not diagonal.is_contiguous(4)


class TestImages:
    @given(frames(), origins(), st.data())
    def test_values(self, mask, xy0, data):
        dtype = data.draw(st.sampled_from(["?", "u1", "<i2", ">i2", "f4", ">f8", "c16", "U5", "O", "M8[s]", "V3"]))
        extra = data.draw(st.sampled_from([(), (3,), (2, 2)]))
        spans, values = SpanSet.from_mask(mask, xy0), np.arange(np.prod((*mask.shape, *extra)), dtype=np.uint8)
        if dtype == "V3":
            image = np.frombuffer(np.repeat(values, 3).tobytes(), dtype).reshape(*mask.shape, *extra).copy()
        else:
            image = values.astype(dtype).reshape(*mask.shape, *extra)
        wide = np.repeat(image, 2, axis=1)[:, ::2]
        for stored in (image, np.asfortranarray(image), wide):
            assert np.array_equal(spans.flatten(stored, xy0), image[mask])
            painted = stored.copy(order="K")
            value = image[mask][0] if mask.any() else np.zeros((), image.dtype)
            spans.paint(painted, value, xy0)
            expected = image.copy()
            expected[mask] = value
            assert np.array_equal(painted, expected)
        if not mask.size:
            return
        back = spans.unflatten(image[mask], box_of(mask, xy0), fill=image.flat[0])
        expected = np.full_like(image, image.flat[0])
        expected[mask] = image[mask]
        assert back.dtype == image.dtype
        assert np.array_equal(back, expected)

    def test_default_box(self):
        spans = SpanSet.disk(1).shift(10, 20)
        assert spans.to_mask().sum() == 5
        assert spans.unflatten([1, 2, 3, 4, 5]).tolist() == [[0, 1, 0], [2, 3, 4], [0, 5, 0]]
        assert SpanSet().to_mask().shape == (0, 0)

    def test_views_are_painted(self):
        image = np.zeros((6, 6))
        SpanSet([[0, 0, 2]]).paint(image[2:, 3:], 7)
        assert image[2, 3:5].tolist() == [7, 7]
        assert image.sum() == 14

    def test_refuses(self):
        spans = SpanSet.disk(1)
        with pytest.raises(ValueError, match=r"leaves the image, in x=\(0, 3\), y=\(0, 3\); clip it first"):
            spans.paint(np.zeros((3, 3)), 1)
        with pytest.raises(ValueError, match="leaves the image"):
            spans.flatten(np.zeros((2, 9)), (-1, -1))
        with pytest.raises(ValueError, match=r"values must have the shape \(5, ...\), not \(4,\)"):
            spans.unflatten(np.zeros(4))
        with pytest.raises(TypeError, match="ndarray, not list"):
            spans.paint([[0]], 1)
        locked = np.zeros((9, 9))
        locked.flags.writeable = False
        with pytest.raises(ValueError, match="writeable"):
            spans.paint(locked, 1, (-4, -4))
        with pytest.raises(ValueError, match="2 dimensions"):
            spans.flatten(np.zeros(9))
        with pytest.raises(ValueError, match="value must be what a pixel of dtype float64 takes, not 'x'"):
            spans.paint(np.zeros((9, 9)), "x", (-4, -4))


class TestPolygon:
    @given(frames(wide=70), origins())
    def test_outline(self, mask, xy0):
        spans = SpanSet.from_mask(mask, xy0)
        polygon = spans.to_polygon()
        assert polygon.is_valid
        assert polygon.area == mask.sum()
        assert polygon.length == spans.perimeter
        y, x = np.indices(np.add(mask.shape, 2)) - 1
        assert np.array_equal(shapely.contains_xy(polygon, x + xy0[0], y + xy0[1]), np.pad(mask, 1))
        assert SpanSet.from_region(polygon) == spans
        parts = shapely.get_num_geometries(polygon) if mask.any() else 0
        assert parts == reference.count(mask, 4)

    def test_hole(self):
        ring = SpanSet.square(1) - SpanSet.square(0)
        polygon = ring.to_polygon()
        assert polygon.bounds == (-1.5, -1.5, 1.5, 1.5)
        assert len(polygon.interiors) == 1
        assert SpanSet().to_polygon().is_empty


class SetMachine(RuleBasedStateMachine):
    """Any sequence of operations gives what the same operations give on a Python set of pixels."""

    def __init__(self):
        super().__init__()
        self.spans, self.pixels = SpanSet(), set()

    @rule(y=st.integers(-3, 3), x=st.integers(-70, 70), n=st.integers(0, 80), what=st.sampled_from("|&-^"))
    def combine(self, y, x, n, what):
        spans, pixels = SpanSet([[y, x, x + n], [y + 1, x - 3, x]]), {(y, i) for i in range(x, x + n)}
        pixels |= {(y + 1, i) for i in range(x - 3, x)}
        operation = {"|": operator.or_, "&": operator.and_, "-": operator.sub, "^": operator.xor}[what]
        self.spans, self.pixels = operation(self.spans, spans), operation(self.pixels, pixels)

    @rule(dx=st.integers(-5, 5), dy=st.integers(-2, 2))
    def shift(self, dx, dy):
        self.spans, self.pixels = self.spans.shift(dx, dy), {(y + dy, x + dx) for y, x in self.pixels}

    @rule(offsets=st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=3))
    def dilate(self, offsets):
        self.spans = self.spans.dilate(element_set(offsets)).clip(Box2I((-99, 99), (-5, 6)))
        grown = {(y + dy, x + dx) for y, x in self.pixels for dx, dy in offsets}
        self.pixels = {(y, x) for y, x in grown if -5 <= y < 6 and -99 <= x < 99}

    @invariant()
    def is_the_same(self):
        assert list(zip(*self.spans.indices(), strict=True)) == sorted(self.pixels)
        assert _runs.is_canonical(self.spans.array)


TestSetMachine = SetMachine.TestCase


class TestWhatPixelsTake:
    """A value is painted as it is or not at all, whatever the layout of the image."""

    two = SpanSet([(0, 0, 2)])

    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize(
        ("dtype", "value"),
        [
            (np.uint8, 300),
            (np.uint8, np.int64(300)),
            (np.uint8, -1),
            (int, 2.9),
            (int, np.nan),
            (bool, 2),
            (bool, "x"),
            (float, "3"),
            (float, None),
            (float, 1 + 2j),
            ("S3", b"abcdef"),
            ("U3", "abcdef"),
            (float, [1, 2]),
        ],
    )
    def test_refused(self, order, dtype, value):
        image = np.zeros((2, 3), dtype, order=order)
        before = image.copy()
        with pytest.raises(ValueError, match="value must be what a pixel of dtype"):
            self.two.paint(image, value)
        assert (image == before).all()

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_quantities(self, order):
        image = np.zeros((2, 3), order=order) * u.Jy
        self.two.paint(image, 3 * u.mJy)
        assert image[0, :2].to_value("mJy").tolist() == [3, 3]
        with pytest.raises(u.UnitConversionError):
            self.two.paint(image, 3 * u.m)

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_masked_arrays(self, order):
        image = np.ma.array(np.zeros((2, 3)), mask=[[1, 0, 0], [0, 0, 0]], order=order)
        self.two.paint(image, 7)
        assert image.mask.sum() == 0
        self.two.paint(image, np.ma.masked)
        assert image.mask.tolist() == [[True, True, False], [False, False, False]]

    def test_what_is_masked_is_not_taken_for_good(self):
        for call in (
            lambda: SpanSet(np.ma.array([[0, 0, 2]], mask=[[0, 1, 0]])),
            lambda: SpanSet.from_mask(np.ma.array([[True, True]], mask=[[True, False]])),
            lambda: SpanSet.from_bits(np.ma.array([[1, 1]], mask=[[True, False]])),
            lambda: SpanSet.from_indices(np.ma.array([1, 2], mask=[0, 1]), [1, 2]),
            lambda: self.two.contains(np.ma.array([1, 2], mask=[0, 1]), 0),
        ):
            with pytest.raises(ValueError, match="must have no masked entries"):
                call()


def test_erosion_of_what_is_too_small_costs_nothing():
    square = SpanSet.square(3)
    for shape in ("disk", "square", "diamond"):
        assert not square.erode(1e8, shape)
        assert square.erode(3, shape) == SpanSet([(0, 0, 1)])
        assert not square.erode(3.99 + 0.01, shape)
    with pytest.raises(ValueError, match="radius"):
        square.erode(-1)


def test_files(tmp_path):
    spans = SpanSet.disk(3).shift(-7, 5)
    spans.write(tmp_path / "a.fits")
    assert SpanSet.read(tmp_path / "a.fits") == spans


def test_masked_values_and_units():
    spans, corner = SpanSet.disk(1), (-2, -2)
    image = np.ma.masked_greater(np.arange(25.0).reshape(5, 5), 11)
    flat = spans.flatten(image, corner)
    assert flat.tolist() == [7, 11, None, None, None]
    with pytest.raises(ValueError, match="image must have no masked entries"):
        spans.flatten(Masked(image.data, mask=image.mask), corner)
    with pytest.raises(ValueError, match="values must have no masked entries"):
        spans.unflatten(flat)
    assert (spans.flatten(image.data * u.Jy, corner) == image.data[[1, 2, 2, 2, 3], [2, 1, 2, 3, 2]] * u.Jy).all()
    assert spans.unflatten(np.arange(5, dtype="f4") * u.Jy).dtype == np.float32
    assert spans.unflatten(np.arange(5) * u.Jy)[1, 1] == 2 * u.Jy
    plain = np.ones((5, 5))
    for value in (np.ma.masked, 5 * u.mJy):
        with pytest.raises(ValueError, match="value must have no"):
            spans.paint(plain, value, corner)
    assert (plain == 1).all()


def test_elements_wider_than_int32():
    runs = np.zeros((1000, 3), np.int32)
    runs[:, 1] = 2 * np.arange(1000)
    runs[:, 2] = runs[:, 1] + 1
    grown = SpanSet(runs).dilate(SpanSet([(0, -1_500_000_000, 1_500_000_000)]))
    assert grown.array.tolist() == [[0, -1_500_000_000, 1_500_001_998]]
    groups, _ = _dilation._groups(np.array([[0, -1_500_000_000, 1_500_000_000]], np.int32))
    assert groups[0, 0] == 3_000_000_000


def test_shapes_are_looked_at():
    for use in (SpanSet.erode, SpanSet.open, SpanSet.dilate):
        for radius in (1, 100):
            with pytest.raises(ValueError, match="shape must be"):
                use(SpanSet.disk(3), radius, "bogus")

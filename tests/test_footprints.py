"""Footprint, HeavyFootprint and FootprintSet against their dense definitions and LSST's answers."""

import copy
import itertools
import operator
import pickle
import threading
import tracemalloc

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import reference_detection as reference
import regions
import scipy.ndimage
from astropy import units as u
from astropy.nddata import InverseVariance, NDData, StdDevUncertainty, VarianceUncertainty
from astropy.table import QTable, Table
from astropy.wcs import WCS
from hypothesis import given
from strategies import frames

import lsstregions as lr
from lsstregions import _columns

SHAPE = (70, 90)
BOX = lr.Box2I.from_shape(SHAPE)


def noise(seed=0, smooth=1.0, shape=SHAPE):
    return scipy.ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), smooth)


def laid_out(image, layout):
    """An image of the same pixels that lie otherwise in memory."""
    if layout == "F":
        return np.asfortranarray(image)
    if layout == "back":
        return image[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "sliced":
        return np.repeat(np.repeat(image, 2, 0), 3, 1)[::2, ::3]
    if layout == "odd":
        # From an address that is no multiple of the size.
        return np.frombuffer(bytearray(b"x" + image.tobytes()), np.uint8)[1:].view(image.dtype).reshape(image.shape)
    return np.ma.array(image, mask=image == 0) if layout == "masked" else image


def detected(seed=0, **options):
    image = noise(seed)
    return lr.detect_footprints(image, 1.2 * image.std(), **options)


def xy_of(footprints):
    table, offsets = footprints.peaks, footprints.peak_offsets
    pairs = list(zip(table["x_peak"].tolist(), table["y_peak"].tolist(), strict=True))
    return [pairs[start:stop] for start, stop in itertools.pairwise(offsets)]


def consistent(footprints):
    """Whether columns fit together: canonical spans, offsets, peaks inside, nothing writable."""
    assert footprints.offsets[0] == 0
    assert footprints.offsets[-1] == len(footprints.spans)
    assert (np.diff(footprints.offsets) >= 0).all()
    assert len(footprints.sign) == len(footprints)
    for array in (footprints.spans, footprints.offsets, footprints.sign, footprints.peak_offsets):
        assert not array.flags.writeable
    for footprint, peaks in zip(footprints, xy_of(footprints), strict=True):
        assert np.array_equal(lr.SpanSet(footprint.spans.array).array, footprint.spans.array)
        assert all(footprint.spans.contains(x, y) for x, y in peaks)
        assert list(zip(footprint.peaks["x_peak"], footprint.peaks["y_peak"], strict=True)) == peaks
    return footprints


class TestSequence:
    fs = detected()

    def test_items(self):
        consistent(self.fs)
        assert len(list(self.fs)) == len(self.fs)
        assert self.fs[-1] == self.fs[len(self.fs) - 1]
        assert self.fs[3].peaks["id"][0] == self.fs.peaks["id"][self.fs.peak_offsets[3]]
        with pytest.raises(IndexError):
            self.fs[len(self.fs)]

    @pytest.mark.parametrize(
        "index",
        [
            slice(3, 9),
            slice(None),
            slice(9, 3),
            slice(None, None, -1),
            slice(1, None, 3),
            [4, 2, 4],
            [],
            np.arange(5)[::-1],
            np.array([-1, -2]),
        ],
    )
    def test_selection(self, index):
        chosen = consistent(self.fs[index])
        expected = [
            self.fs[i] for i in np.arange(len(self.fs))[index if len(np.shape(index)) == 0 else np.array(index, int)]
        ]
        assert list(chosen) == expected
        assert chosen.region == self.fs.region

    def test_boolean(self):
        large = self.fs.area > 5
        assert np.array_equal(self.fs[large].area, self.fs.area[large])
        assert self.fs[large.tolist()] == self.fs[large]
        with pytest.raises(IndexError):
            self.fs[large[:-1]]

    def test_concatenate(self):
        parts = [self.fs[:4], self.fs[4:4], self.fs[4:]]
        assert lr.FootprintSet.concatenate(parts) == self.fs
        assert lr.FootprintSet.concatenate([]) == lr.FootprintSet()
        assert lr.FootprintSet(list(self.fs)) == self.fs
        assert lr.FootprintSet(f.spans for f in self.fs).area.sum() == self.fs.area.sum()
        twice = lr.FootprintSet.concatenate([self.fs, self.fs])
        assert len(set(twice.peaks["id"])) == len(twice.peaks)
        with pytest.raises(TypeError, match="Footprint or a SpanSet"):
            lr.FootprintSet([3])

    def test_is_a_value(self):
        assert pickle.loads(pickle.dumps(self.fs)) == self.fs
        assert copy.deepcopy(self.fs) == self.fs
        assert hash(copy.deepcopy(self.fs)) == hash(self.fs)
        assert self.fs != self.fs[::-1]
        assert self.fs[0] == pickle.loads(pickle.dumps(self.fs[0]))
        assert hash(self.fs[0]) == hash(self.fs[[0]][0])
        assert "footprints" in repr(self.fs)
        assert "pixels" in repr(self.fs[0])
        with pytest.raises(AttributeError):
            self.fs.region = None
        with pytest.raises(AttributeError):
            self.fs[0].meta = None
        heavy = self.fs.make_heavy(noise())
        assert pickle.loads(pickle.dumps(heavy)) == heavy
        assert heavy != self.fs

    def test_components_of_a_span_set(self):
        parts = self.fs.union().components()
        assert np.array_equal(parts.spans, self.fs.spans)
        assert len(parts.peaks) == 0


class TestMeasures:
    image = noise()
    fs = detected()

    def test_shapes(self):
        for i, footprint in enumerate(self.fs):
            y, x = footprint.spans.indices()
            assert self.fs.area[i] == len(y) == footprint.area
            assert self.fs.bbox[i].tolist() == [x.min(), x.max() + 1, y.min(), y.max() + 1]
            assert np.allclose(self.fs.centroid[i], [x.mean(), y.mean()])
            assert np.allclose(self.fs.quadrupole[i], [x.var(), y.var(), ((x - x.mean()) * (y - y.mean())).mean()])
            axes = footprint.ellipse.core
            assert np.allclose(self.fs.ellipse[i], [axes.a, axes.b, axes.theta], atol=1e-6) or axes.a == axes.b

    def test_table(self):
        variance = np.random.default_rng(1).uniform(1, 2, SHAPE)
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [10, 20], [-1e-4, 1e-4]
        data = NDData(self.image * u.Jy, uncertainty=VarianceUncertainty(variance), wcs=wcs)
        table = self.fs.measure(data)
        assert table["segment_flux"].unit == u.Jy
        assert table["area"].unit == u.pix**2
        assert all(table[name].info.description for name in table.colnames)
        for row, footprint in zip(table, self.fs, strict=True):
            y, x = footprint.spans.indices()
            v = self.image[y, x]
            total = v.sum()
            xc, yc = (v * x).sum() / total, (v * y).sum() / total
            assert np.isclose(row["segment_flux"].value, total)
            assert np.isclose(row["segment_flux_err"].value, np.sqrt(variance[y, x].sum()))
            assert [row["min_value"].value, row["max_value"].value] == [v.min(), v.max()]
            assert np.isclose(row["mean_value"].value, v.mean())
            assert (row["max_value_xindex"], row["max_value_yindex"]) == (x[v.argmax()], y[v.argmax()])
            assert np.allclose([row["x_centroid"].value, row["y_centroid"].value], [xc, yc])
            moments = [(v * (x - xc) ** 2).sum(), (v * (y - yc) ** 2).sum(), (v * (x - xc) * (y - yc)).sum()]
            names = ["covariance_xx", "covariance_yy", "covariance_xy"]
            assert np.allclose([row[name].value for name in names], np.array(moments) / total)
            eigen = np.linalg.eigvalsh([[moments[0], moments[2]], [moments[2], moments[1]]]) / total
            assert np.isclose(row["semimajor_axis"].value, np.sqrt(eigen[1]))
            assert np.isclose(row["semiminor_axis"].value, np.sqrt(max(eigen[0], 0)), atol=1e-6)
            assert row["perimeter"].value == footprint.spans.perimeter
            assert row["euler_number"] == footprint.spans.euler_number
            assert row["touches_edge"] == bool(x.min() == 0 or y.min() == 0 or x.max() == 89 or y.max() == 69)
            assert row["n_peaks"] == len(footprint.peaks)
            sky = wcs.pixel_to_world(xc, yc)
            assert sky.separation(row["sky_centroid"]).arcsec < 1e-6

    def test_columns(self):
        assert self.fs.measure(columns=["n_peaks", "area"]).colnames == ["n_peaks", "area"]
        assert "segment_flux" not in self.fs.measure().colnames
        with pytest.raises(KeyError, match="area"):
            self.fs.measure(columns=["flux"])
        with pytest.raises(ValueError, match="image must be given"):
            self.fs.measure(columns=["segment_flux"])
        with pytest.raises(ValueError, match="variance must be given"):
            self.fs.measure(self.image, columns=["segment_flux_err"])
        with pytest.raises(ValueError, match="leave the image"):
            self.fs.measure(self.image[:20])
        with pytest.raises(ValueError, match="variance must come with an image"):
            self.fs.measure(variance=self.image)

    @pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i2", "u1", "b1", ">f4", ">i4", "i8"])
    def test_dtypes(self, dtype):
        image = (self.image * 50).astype(dtype)
        flux = self.fs.measure(image)["segment_flux"]
        strided = self.fs.measure(np.asfortranarray(image))["segment_flux"]
        expected = [image[f.spans.indices()].astype(float).sum() for f in self.fs]
        assert np.allclose(flux, expected)
        assert np.allclose(strided, expected)

    def test_nan(self):
        image = np.array([[1, np.nan, 3], [np.nan, np.nan, np.nan]])
        fs = lr.FootprintSet([lr.SpanSet([(0, 0, 3)]), lr.SpanSet([(1, 0, 2)]), lr.SpanSet()])
        table = fs.measure(image)
        assert table["segment_flux"].tolist() == [4, 0, 0]
        assert table["mean_value"][0] == 2
        assert table["x_centroid"][0].value == 1.5
        assert np.isnan(table["max_value"][1:]).all()
        assert np.isnan(table["shape_x"][2])

    def test_errors_are_of_the_pixels_that_count(self):
        fs = lr.FootprintSet([lr.SpanSet([(0, 0, 3)])], region=lr.Box2I.from_shape((1, 3)))
        columns = ["segment_flux", "segment_flux_err"]

        def measured(image, variance):
            return [fs.measure(np.array([image]), np.array([variance]), columns=columns)[0][name] for name in columns]

        assert np.allclose(measured([1.0, 2, np.nan], [1.0, 4, 100]), [3, np.sqrt(5)])
        assert np.allclose(measured([1.0, 2, 3], [1.0, 4, np.nan]), [6, np.nan], equal_nan=True)
        assert np.allclose(measured([1, 2, 3], [1.0, 4, 4]), [6, 3])
        masked = np.ma.array([[1.0, np.nan, 3]], mask=[[1, 0, 0]])
        assert fs.measure(masked, np.array([[9.0, 9, 4]]), columns="segment_flux_err")[0][0] == 2
        assert np.isnan(
            fs.measure(np.ones((1, 3)), np.ma.array([[1.0, 1, 1]], mask=[[1, 0, 0]]))["segment_flux_err"][0]
        )

    def test_no_pixel_counts(self):
        image = np.ma.array(np.ones((2, 3)), mask=[[1, 1, 1], [0, 1, 0]])
        fs = lr.FootprintSet([lr.SpanSet([(10, 10, 13)]), lr.SpanSet([(11, 10, 13)])])
        table = fs.measure(image, xy0=(10, 10))
        assert table["max_value_xindex"].tolist() == [None, 10]
        assert table["max_value_yindex"].mask.tolist() == [True, False]
        assert fs[1:].measure(image, xy0=(10, 10))["max_value_xindex"].dtype == np.int32

    def test_nothing_is_warned_of(self):
        fs = lr.FootprintSet([lr.SpanSet.square(1).shift(1, 1)])
        for scale in (1, 1e200, 1e-200):
            fs.measure(scale * np.array([[2.0, 0, 1], [-1, -1, 1], [2, -2, -2]]))

    def test_round_ones_have_no_angle(self):
        for r in (1, 3, 10.5):
            fs = lr.FootprintSet([lr.SpanSet.disk(r).shift(1000, 7)])
            assert fs.ellipse[0, 2] == fs[0].ellipse.core.theta == 0
            assert fs.measure(columns=["shape_orientation"])["shape_orientation"][0] == 0

    def test_what_is_missing_is_named(self):
        fs = lr.FootprintSet([lr.SpanSet.disk(2)])
        with pytest.raises(ValueError, match="wcs must be given for sky_centroid"):
            fs.measure(columns=["area", "sky_centroid"])
        with pytest.raises(ValueError, match="two pixel axes, not of 3"):
            fs.measure(wcs=WCS(naxis=3))

    def test_far_from_the_origin(self):
        far = self.fs.shift(2**31 - 200, -(2**31) + 5)
        near, table = self.fs.measure(self.image), far.measure(self.image)
        assert np.allclose(table["covariance_xx"], near["covariance_xx"], rtol=1e-6)
        assert np.allclose(table["shape_xx"], near["shape_xx"], rtol=1e-9)


class TestGrow:
    @pytest.mark.parametrize("shape", ["disk", "diamond", "square"])
    @pytest.mark.parametrize("radius", [0, 1, 2.5, 4])
    def test_shapes(self, shape, radius):
        fs = detected(1)
        grown, parents = fs.grow(radius, shape, return_parents=True)
        element = getattr(lr.SpanSet, shape)(radius)
        r = int(radius)
        labels = reference.grow(fs.to_labels(), element.to_mask(lr.Box2I((-r, r + 1), (-r, r + 1))))
        assert np.array_equal(consistent(grown).to_labels(), labels)
        assert grown.region == fs.region
        assert [labels[f.spans.y[0], f.spans.x_start[0]] - 1 for f in fs] == parents.tolist()
        assert len(grown.peaks) == len(fs.peaks)
        assert sorted(itertools.chain(*xy_of(grown))) == sorted(itertools.chain(*xy_of(fs)))
        assert set(grown.peaks["id"]) == set(fs.peaks["id"])

    @pytest.mark.parametrize("sides", [(1, 0, 0, 0), (0, 3, 0, 0), (0, 0, 2, 0), (0, 0, 0, 4), (1, 2, 3, 4)])
    def test_sides(self, sides):
        fs = detected(2)
        left, right, up, down = sides
        element = np.zeros((9, 9), bool)
        element[4, 4 - left : 5 + right] = True
        element[4 - down : 5 + up, 4] = True
        grown = fs.grow(left=left, right=right, up=up, down=down)
        assert np.array_equal(consistent(grown).to_labels(), reference.grow(fs.to_labels(), element))

    def test_without_region(self):
        fs = lr.FootprintSet([lr.SpanSet([(0, 0, 1)])])
        assert fs.grow(3)[0].area == 29
        assert fs.grow(3, "diamond")[0].area == 25
        assert fs.grow(left=3)[0].area == 4

    def test_signs(self):
        image = np.zeros((20, 30))
        image[5, 5], image[5, 8], image[15, 20] = 9, -9, -9
        both = lr.detect_footprints(image, 5, polarity="both")
        assert both.sign.tolist() == [1, -1, -1]
        assert both.grow(2).sign.tolist() == [0, -1]
        assert both.grow(1).sign.tolist() == [0, -1]

    @given(st.lists(st.tuples(frames(8, 9), st.sampled_from([1, -1])), max_size=4), st.sampled_from([0, 1, 1.5]))
    def test_signs_are_those_of_all_pixels(self, members, radius):
        box = lr.Box2I.from_shape((8, 9))
        members = [(lr.SpanSet.from_mask(mask).to_mask(box), sign) for mask, sign in members]
        grown = lr.FootprintSet(
            [lr.Footprint(lr.SpanSet.from_mask(mask), sign=sign) for mask, sign in members], box
        ).grow(radius)
        assert grown.sign.tolist() == reference.common_sign(grown.to_labels(), members)

    def test_parts_keep_their_sign(self):
        apart = lr.FootprintSet.from_labels(np.array([[1, 0, 0, 1]]))
        assert apart.grow(0).sign.tolist() == [1, 1]
        assert apart.merge(lr.FootprintSet(region=apart.region)).sign.tolist() == [1, 1]
        two = lr.Footprint(lr.SpanSet([(0, 0, 3), (9, 0, 3)]), sign=-1)
        one = lr.Footprint(lr.SpanSet([(20, 0, 3)]))
        assert lr.FootprintSet([two, one]).grow(1).sign.tolist() == [-1, -1, 1]

    @pytest.mark.parametrize(
        ("arguments", "options", "error"),
        [
            ((), {}, TypeError),
            ((3,), {"left": 2}, TypeError),
            ((), {"left": -2}, ValueError),
            ((-1,), {}, ValueError),
            ((1, "star"), {}, ValueError),
            ((), {"up": 1.5}, TypeError),
            ((np.nan,), {}, ValueError),
        ],
    )
    def test_errors(self, arguments, options, error):
        with pytest.raises(error):
            detected().grow(*arguments, **options)


def test_integers_stay_integers():
    """NumPy makes floats of uint64 and int64, which lose ids and bits."""
    one = lr.FootprintSet([lr.SpanSet.disk(2)]).with_peaks(Table({"x_peak": [0], "y_peak": [0], "peak_value": [1.0]}))
    marked = one.with_peak_columns(id=np.array([2**62 + 1], np.uint64), flags=np.array([2**63], np.uint64))
    peaks = marked.merge(one.with_peak_columns(flags=np.array([1])).shift(50, 0)).peaks
    assert (peaks["id"].tolist(), peaks["flags"].tolist()) == ([2**62 + 1, 1], [2**63, 1])
    with pytest.raises(OverflowError, match="flags"):
        marked.merge(one.with_peak_columns(flags=np.array([-1])).shift(50, 0))
    heavy = [
        lr.HeavyFootprint(lr.SpanSet.disk(0).shift(x, 0), np.ones(1), mask=np.array([bits], dtype))
        for x, bits, dtype in ((0, 2**60 + 1, "u8"), (9, 1, "i4"))
    ]
    assert lr.FootprintSet(heavy).values["mask"].tolist() == [2**60 + 1, 1]
    assert heavy[0].merge(heavy[1]).mask.tolist() == [2**60 + 1, 1]


def test_positions_of_peaks_are_floats():
    peaks = Table({"x_peak": [120], "y_peak": [0], "peak_value": [1.0]})
    peaks["x"], peaks["y"] = np.array([120], "i1"), np.array([0], "u1")
    moved = lr.Footprint(lr.SpanSet([(0, 0, 300)]), peaks).shift(10, -5)
    assert (moved.peaks["x"].tolist(), moved.peaks["y"].tolist()) == ([130.0], [-5.0])


def test_shifts_stay_in_int32():
    lowest = lr.FootprintSet([lr.SpanSet([(0, 0, 5)])])
    assert lowest.shift(0, 2**31 - 2).spans[0, 0] == 2**31 - 2
    with pytest.raises(OverflowError, match="rows"):
        lowest.shift(0, 2**31 - 1)
    assert lowest.shift(0, -(2**31)).spans[0, 0] == -(2**31)


class TestMerge:
    def test_definition(self):
        image = noise(3)
        a, b = lr.detect_footprints(image, 0.2), lr.detect_footprints(image, 0.35)
        merged, mine, theirs = a.merge(b, return_parents=True)
        assert np.array_equal(merged.spans, a.spans)
        assert np.array_equal(mine, np.arange(len(a)))
        assert np.array_equal(theirs, a.at(*b._first().T))
        assert len(merged.peaks) == len(a.peaks) + len(b.peaks)
        assert a | b == merged
        other = lr.detect_footprints(-image, 0.2)
        labels = reference.label((a.to_labels() > 0) | (other.to_labels() > 0))
        assert np.array_equal(consistent(a | other).to_labels(), labels)

    def test_regions_differ(self):
        with pytest.raises(ValueError, match="different regions"):
            detected().merge(detected(1)[:2].shift(1, 0))
        with pytest.raises(TypeError, match="other must be a FootprintSet"):
            detected().merge(3)

    def test_user_columns_stay(self):
        fs = detected()
        fs = fs.with_peak_columns(significance=np.arange(len(fs.peaks)) * 2.0)
        merged = (fs | detected(1)).grow(1)
        kept = {(p["x_peak"], p["y_peak"], p["significance"]) for p in merged.peaks}
        assert {(p["x_peak"], p["y_peak"], p["significance"]) for p in fs.peaks} <= kept

    def test_by_priority(self):
        image = noise(4)
        bands = {"r": lr.detect_footprints(image, 0.3), "i": lr.detect_footprints(noise(5), 0.3), "z": detected(6)}
        merged, seen = lr.merge_by_priority(bands, new_peak_distance=3, same_peak_distance=1.5)
        consistent(merged)
        assert merged.union() == lr.SpanSet.union(*(fs.union() for fs in bands.values()))
        for band, (name, fs) in enumerate(bands.items()):
            assert np.array_equal(merged.overlaps(fs), seen[:, band])
            assert merged.peaks[f"seen_{name}"].dtype == bool
        # The definition, one footprint at a time.
        clusters = []
        for name, fs in bands.items():
            for footprint in fs:
                old = [c for c in clusters if c["spans"].overlaps(footprint.spans)]
                clusters = [c for c in clusters if c not in old]
                peaks = [p for c in old for p in c["peaks"]]
                added = []
                for x, y in zip(footprint.peaks["x"], footprint.peaks["y"], strict=True):
                    distance = [np.hypot(x - p[0], y - p[1]) for p in peaks]
                    if old and min(distance, default=np.inf) < 1.5:
                        peaks[int(np.argmin(distance))][2].add(name)
                    elif not old or min(distance, default=np.inf) > 3:
                        added.append((x, y, {name}))
                spans = lr.SpanSet.union(footprint.spans, *(c["spans"] for c in old))
                clusters.append({"spans": spans, "peaks": peaks + added})
        clusters.sort(key=lambda c: tuple(c["spans"].array[0, :2]))
        assert [c["spans"] for c in clusters] == [f.spans for f in merged]
        for cluster, footprint in zip(clusters, merged, strict=True):
            ours = {(p["x"], p["y"], frozenset(n for n in bands if p[f"seen_{n}"])) for p in footprint.peaks}
            assert ours == {(x, y, frozenset(names)) for x, y, names in cluster["peaks"]}

    def test_by_priority_defaults(self):
        fs = detected()
        merged, seen = lr.merge_by_priority({"g": fs, "r": fs})
        assert len(merged.peaks) == len(fs.peaks)
        assert seen.all()
        alone, _ = lr.merge_by_priority({"g": fs})
        assert np.array_equal(alone.spans, fs.spans)
        with pytest.raises(ValueError, match="empty"):
            lr.merge_by_priority({})
        with pytest.raises(ValueError, match="'g' have a column seen_g already"):
            lr.merge_by_priority({"g": alone})
        with pytest.warns(lr.LossWarning, match="leaves pixel values behind"):
            lr.merge_by_priority({"g": fs.make_heavy(noise())})
        with pytest.raises(TypeError, match="mapping"):
            lr.merge_by_priority([fs])
        with pytest.raises(ValueError, match="same_peak_distance"):
            lr.merge_by_priority({"g": fs}, same_peak_distance=-1)
        touching = lr.FootprintSet.from_circles([10, 12, 30], [10, 10, 10], 3.5)
        for bands in ({"g": touching}, {"r": fs[:0], "g": touching}):
            assert len(lr.merge_by_priority(bands)[0]) == 2


class TestLookup:
    fs = detected(7)

    def test_at(self):
        labels = self.fs.to_labels()
        y, x = np.mgrid[-2:72, -2:92]
        padded = np.pad(labels, 2)
        assert np.array_equal(self.fs.at(x, y), padded - 1)
        assert np.array_equal(self.fs.at(x - 0.5, y + 0.4999), padded - 1)
        # Of a few points only the spans of their rows are looked at.
        for i in range(0, padded.size, 531):
            some = np.unravel_index(np.arange(i, min(i + 7, padded.size)), padded.shape)
            assert np.array_equal(self.fs.at(x[some], y[some]), padded[some] - 1)
        assert self.fs.at(np.nan, 3) == -1
        assert self.fs.at(np.inf, 1e300) == -1
        assert self.fs.at([], []).shape == (0,)
        assert lr.FootprintSet().at(0, 0) == -1

    def test_a_single_peak(self):
        peak = Table({"x_peak": [0], "y_peak": [0], "peak_value": [1.0]})
        fs = lr.FootprintSet([lr.Footprint(lr.SpanSet([(0, 0, 1)]), peak), lr.SpanSet([(0, 5, 6)])])
        assert np.diff(fs.grow(1).peak_offsets).tolist() == [1, 0]
        assert (fs | fs).area.tolist() == [1, 1]

    def test_grow_takes_sides(self):
        fs = lr.FootprintSet([lr.SpanSet([(0, 0, 1)])])
        assert fs.grow(left=0) == fs
        assert fs.grow(up=10**6).area.tolist() == [10**6 + 1]
        with pytest.raises(ValueError, match="up and down takes"):
            fs.grow(up=2**30)
        with pytest.raises(TypeError, match="either a radius or some of"):
            fs.grow()

    def test_index(self):
        assert self.fs[self.fs.at(*self.fs.centroid[3])] == self.fs[3]
        assert self.fs[np.array(-1)] == self.fs[len(self.fs) - 1]
        for index in (True, np.bool_(True), [[1, 2]], np.zeros((2, 2), int)):
            with pytest.raises(TypeError, match="indexed by integers"):
                self.fs[index]

    def test_dilate_keeps_the_peaks_inside(self):
        peak = Table({"x_peak": [0], "y_peak": [0], "peak_value": [1.0]})
        moved = lr.Footprint(lr.SpanSet([(0, 0, 1)]), peak).dilate(lr.SpanSet([(0, 5, 6)]))
        assert len(moved.peaks) == 0

    def test_at_rounds_as_contains(self):
        # 0.49999999999999994 + 0.5 is 1.
        x = np.nextafter(np.arange(-3, 4) + 0.5, -np.inf)
        assert lr.SpanSet([(0, -3, 4)]).contains(x, 0).all()
        assert (lr.FootprintSet([lr.SpanSet([(0, i, i + 1)]) for i in range(-3, 4)]).at(x, 0) == np.arange(7)).all()

    @given(st.lists(frames(), max_size=4), st.data())
    def test_overlapping_footprints(self, masks, data):
        fs = lr.FootprintSet(
            [lr.SpanSet.from_mask(m, (data.draw(st.integers(-3, 3)), data.draw(st.integers(-3, 3)))) for m in masks]
        )
        box = lr.Box2I((-4, 240), (-4, 30))
        dense = reference.frames_of(fs, box)
        expected = np.full(box.shape, -1)
        for i in range(len(fs))[::-1]:
            expected[dense[i]] = i
        y, x = np.mgrid[-4:30, -4:240]
        assert np.array_equal(fs.at(x, y), expected)
        assert np.array_equal(fs.to_labels(box), expected + 1)
        assert fs.union().clip(box) == lr.SpanSet.from_mask(expected >= 0, (-4, -4))
        other = lr.FootprintSet([f.spans.shift(1, 1) for f in fs])
        shifted = reference.frames_of(other, box)
        mine = reference.frames_of(fs, box)
        pairs = [(i, j, (a & b).sum()) for i, a in enumerate(mine) for j, b in enumerate(shifted) if (a & b).any()]
        assert list(zip(*(c.tolist() for c in fs.crossmatch(other)), strict=True)) == pairs
        assert fs.overlaps(other).tolist() == [any(p[0] == i for p in pairs) for i in range(len(fs))]

    def test_far_apart(self):
        fs = lr.FootprintSet(
            [lr.SpanSet([(y, x, x + 1)]) for y, x in [(1 - 2**31, -(2**31)), (2**31 - 2, 2**31 - 2), (0, 5)]]
        )
        assert fs.at([-(2**31), 2**31 - 2, 5, 6], [1 - 2**31, 2**31 - 2, 0, 0]).tolist() == [0, 1, 2, -1]
        assert fs.union().area == 3

    def test_labels(self):
        labels = self.fs.to_labels()
        again = lr.FootprintSet.from_labels(labels)
        assert np.array_equal(again.spans, self.fs.spans)
        box = lr.Box2I((-3, 50), (10, 100))
        assert np.array_equal(self.fs.to_labels(box)[:60, 3:], labels[10:70, :50])
        assert not self.fs.to_labels(box)[60:].any()
        sparse = np.array([[7, 7, 0, -2], [0, 7, 2**40, 2**40]])
        assert [f.spans.array.tolist() for f in lr.FootprintSet.from_labels(sparse, (10, 20))] == [
            [[20, 13, 14]],
            [[20, 10, 12], [21, 11, 12]],
            [[21, 12, 14]],
        ]
        for dtype in (bool, ">i4", "u1"):
            assert len(lr.FootprintSet.from_labels((labels > 0).astype(dtype))) == 1
        assert len(lr.FootprintSet.from_labels(np.zeros((0, 4), int))) == 0
        with pytest.raises(TypeError, match="integers"):
            lr.FootprintSet.from_labels(labels.astype(float))

    @pytest.mark.parametrize("dtype", ["i1", "u1", "i2", ">u2", "i4", "u4", ">i8", "u8"])
    @pytest.mark.parametrize("width", [1, 7, 64, 65, 130, 4100])
    def test_labels_of_any_dtype(self, dtype, width):
        info = np.iinfo(dtype)
        rng = np.random.default_rng(width)
        few = np.array([info.min, info.max, 0, 0, 1, 2, info.max - 1], dtype)
        for image in (few[rng.integers(0, 7, (5, width))], np.repeat(few[rng.integers(0, 7, (5, width))], 2, axis=0).T):
            fs = consistent(lr.FootprintSet.from_labels(image, (-3, 4)))
            labels = [label for label in np.unique(image).tolist() if label]
            assert len(fs) == len(labels)
            for label, footprint in zip(labels, fs, strict=True):
                assert footprint.spans == lr.SpanSet.from_mask(image == label, (-3, 4))


class TestRegions:
    def test_from_regions(self):
        box = lr.Box2I((0, 30), (0, 20))
        shapes = [regions.CirclePixelRegion(regions.PixCoord(x, 10), 3) for x in (5, 12, 100)]
        fs = consistent(lr.FootprintSet.from_regions([*shapes, lr.SpanSet.disk(2)], within=box))
        assert [f.spans for f in fs] == [lr.rasterize(s, within=box) for s in (*shapes, lr.SpanSet.disk(2))]
        assert fs.region == box
        assert fs[2].area == 0
        assert len(lr.FootprintSet.from_regions([])) == 0
        with pytest.raises(TypeError, match="within"):
            lr.FootprintSet.from_regions([], within=3)

    def test_to_regions(self):
        fs = lr.FootprintSet([lr.SpanSet.disk(5) - lr.SpanSet.disk(2), lr.SpanSet.disk(3).shift(20, 0)])
        polygons = fs.to_regions()
        assert len(polygons) == 2
        assert lr.FootprintSet.from_regions(polygons) == fs

    def test_to_table(self):
        fs = detected()
        assert (
            np.subtract(*fs.to_table()["span_stop", "span_start"].columns.values()).tolist()
            == np.diff(fs.offsets).tolist()
        )


class TestShaping:
    fs = detected(8)

    @pytest.mark.parametrize("connectivity", [4, 8])
    def test_split(self, connectivity):
        pairs = lr.FootprintSet.concatenate([self.fs[::2], self.fs[1::2]])
        blocks = pairs._united((np.arange(len(pairs)) // 3).astype(np.int32), -(-len(pairs) // 3))
        parts = consistent(blocks.split(connectivity))
        expected = [part.spans for block in blocks for part in block.spans.components(connectivity)]
        assert [part.spans for part in parts] == expected
        assert len(parts.peaks) == len(blocks.peaks)
        assert np.array_equal(parts.split(connectivity).spans, parts.spans)

    def test_clip(self):
        box = lr.Box2I((20, 60), (15, 50))
        clipped = consistent(self.fs.clip(box))
        assert [f.spans for f in clipped] == [f.spans.clip(box) for f in self.fs if f.spans.clip(box)]
        kept = self.fs.clip(box, keep_empty=True)
        assert len(kept) == len(self.fs)
        assert consistent(kept).area.sum() == clipped.area.sum()
        assert len(self.fs.clip(lr.Box2I((0, 0), (0, 0)))) == 0

    def test_shift(self):
        moved = consistent(self.fs.shift(5, -9))
        assert [f.spans for f in moved] == [f.spans.shift(5, -9) for f in self.fs]
        assert moved.shift(-5, 9) == self.fs
        with pytest.raises(OverflowError):
            self.fs.shift(2**31 - 10, 0)
        with pytest.raises(TypeError):
            self.fs.shift(1.5, 0)

    def test_transform(self):
        turned = lr.AffineTransform(lr.LinearTransform([[0, -1], [1, 0]]), (100, 0))
        moved = consistent(self.fs.transform(turned))
        assert [f.spans for f in moved] == [f.spans.transform(turned) for f in self.fs]
        assert moved.area.tolist() == self.fs.area.tolist()
        assert len(moved.peaks) == len(self.fs.peaks)
        clipped = consistent(self.fs.transform(turned, region=lr.Box2I((50, 80), (0, 40))))
        assert 0 < len(clipped) < len(moved)

    def test_peaks(self):
        table = self.fs.peaks
        table["flag"] = np.arange(len(table)) % 3 == 0
        again = self.fs.with_peaks(table[::-1])
        assert xy_of(again) == xy_of(self.fs)
        assert np.array_equal(again.peaks["flag"], table["flag"])
        table["x_peak"][0] += 40
        with pytest.raises(ValueError, match="there is none at"):
            self.fs.with_peaks(table)
        with pytest.raises(KeyError, match="y_peak"):
            self.fs.with_peaks(Table({"x_peak": [1], "peak_value": [2.0]}))
        lowest_first = self.fs.sort_peaks("peak_value", reverse=False)
        for one, other in zip(self.fs, lowest_first, strict=True):
            assert sorted(one.peaks["peak_value"]) == other.peaks["peak_value"].tolist()
        with pytest.raises(KeyError, match="peaks have no column"):
            self.fs.sort_peaks("size")
        with pytest.raises(ValueError, match="cannot be replaced alone"):
            self.fs.with_peak_columns(x_peak=np.zeros(len(table)))
        with pytest.raises(ValueError, match="value for each"):
            self.fs.with_peak_columns(size=[1])


class TestFootprint:
    spans = lr.SpanSet.disk(3)

    def test_construction(self):
        peaks = Table({"x_peak": [0, 1], "y_peak": [0, 2], "peak_value": [1.0, 5.0], "name": ["a", "b"]})
        footprint = lr.Footprint(self.spans, peaks, meta={"text": "one"})
        assert footprint.peaks["name"].tolist() == ["b", "a"]
        assert footprint.meta == {"text": "one"}
        assert footprint.bbox == self.spans.bbox
        assert footprint.centroid == self.spans.centroid
        assert footprint.region is None
        assert footprint.is_contiguous()
        with pytest.raises(ValueError, match="there is none"):
            lr.Footprint(self.spans, Table({"x_peak": [9], "y_peak": [0], "peak_value": [1.0]}))
        with pytest.raises(TypeError, match="spans must be a SpanSet"):
            lr.Footprint([(0, 0, 1)])
        with pytest.raises(ValueError, match="sign"):
            lr.Footprint(self.spans, sign=2)

    def test_add_peak(self):
        footprint = lr.Footprint(self.spans).add_peak(-0.6, 1.2, 3.0).add_peak(2, 0, 7.0, band="r")
        table = footprint.peaks
        assert table["x_peak"].tolist() == [2, -1]
        assert table["x"].tolist() == [2, -0.6]
        assert table["id"].tolist() == [2, 1]
        with pytest.raises(ValueError, match="there is none at"):
            footprint.add_peak(9, 9, 1.0)
        assert footprint.sort_peaks(reverse=False).peaks["id"].tolist() == [1, 2]
        assert len(footprint.clip(lr.Box2I((0, 5), (-3, 4))).peaks) == 1
        assert len(footprint.erode(1).peaks) == 2
        assert len(footprint.erode(2).peaks) == 0
        assert footprint.dilate(1).spans == self.spans.dilate(1)
        assert footprint.shift(3, 4).peaks["x"].tolist() == [5, 2.4]

    def test_split_and_merge(self):
        a, b = lr.Footprint(self.spans).add_peak(0, 0, 1.0), lr.Footprint(self.spans.shift(20, 0)).add_peak(20, 0, 2.0)
        both = a.merge(b)
        assert both.spans == a.spans | b.spans
        assert both.peaks["peak_value"].tolist() == [2, 1]
        assert [part.spans for part in both.split()] == [a.spans, b.spans]
        assert [len(part.peaks) for part in both.split()] == [1, 1]
        with pytest.raises(TypeError, match="other must be a Footprint"):
            a.merge(3)


class TestHeavy:
    image, other = noise(9), noise(10)
    mask = np.random.default_rng(11).integers(0, 8, SHAPE)
    fs = lr.detect_footprints(image, 0.3)

    def test_values(self):
        heavy = self.fs.make_heavy(NDData(self.image, mask=self.mask, uncertainty=VarianceUncertainty(self.other**2)))
        assert heavy.is_heavy
        assert not self.fs.is_heavy
        for footprint in heavy:
            y, x = footprint.spans.indices()
            assert isinstance(footprint, lr.HeavyFootprint)
            assert np.array_equal(footprint.image, self.image[y, x])
            assert np.array_equal(footprint.variance, self.other[y, x] ** 2)
            assert np.array_equal(footprint.mask, self.mask[y, x])
            with pytest.raises(ValueError, match="read-only"):
                footprint.image[0] = 1
        assert heavy[[3, 1]][0] == heavy[3]
        assert lr.FootprintSet.concatenate([heavy[:2], heavy[2:]]) == heavy
        assert self.fs[2].make_heavy(self.image).image.tolist() == heavy[2].image.tolist()
        with pytest.raises(ValueError, match="leave the image"):
            self.fs.make_heavy(self.image[:5])

    def test_insert_add_subtract(self):
        heavy = self.fs.make_heavy(self.image)
        inside = self.fs.to_labels() > 0
        target = np.zeros(SHAPE)
        heavy.insert(target)
        assert np.array_equal(target, np.where(inside, self.image, 0))
        heavy.add_to(target)
        assert np.array_equal(target, np.where(inside, 2 * self.image, 0))
        heavy.subtract_from(target)
        heavy[0].subtract_from(target)
        assert np.allclose(target, np.where(self.fs.to_labels() > 1, self.image, 0))
        with pytest.raises(ValueError, match="leave the image"):
            heavy.insert(np.zeros((5, 5)))
        with pytest.raises(KeyError, match="plane"):
            heavy.insert(target, plane="mask")
        with pytest.raises(TypeError, match="writeable"):
            heavy.insert(self.image.tolist())

    def test_extract_and_dot(self):
        heavy = self.fs.make_heavy(self.image)
        one = heavy[int(np.argmax(heavy.area))]
        box = one.bbox
        stamp = one.extract()
        member = one.spans.to_mask()
        assert np.array_equal(stamp[member], self.image[box.slices()][member])
        assert np.isnan(stamp[~member]).all()
        moved = lr.HeavyFootprint(one.spans.shift(1, 2), np.arange(one.area))
        dense = moved.extract(BOX, 0) * one.extract(BOX, 0)
        assert np.isclose(one.dot(moved), dense.sum())
        assert one.dot(lr.HeavyFootprint(lr.SpanSet(), [])) == 0

    def test_merge(self):
        a = lr.HeavyFootprint(lr.SpanSet([(0, 0, 3)]), [1.0, 2, 3], mask=[1, 1, 1])
        b = lr.HeavyFootprint(lr.SpanSet([(0, 1, 4), (2, 0, 1)]), [10.0, 20, 30, 40], mask=[2, 2, 2, 4])
        both = a.merge(b)
        assert both.image.tolist() == [1, 12, 23, 30, 40]
        assert both.mask.tolist() == [1, 3, 3, 2, 4]
        with pytest.raises(ValueError, match="value for each"):
            lr.HeavyFootprint(lr.SpanSet([(0, 0, 3)]), [1.0])


class TestPeakTables:
    spans = lr.SpanSet([(0, 0, 5)])

    def table(self, **columns):
        return Table({"x_peak": [1, 2], "y_peak": [0, 0], "peak_value": [1.0, 2.0]} | columns)

    def test_what_is_refused(self):
        masked = Table(self.table(), masked=True)
        masked["peak_value"].mask = [True, False]
        cases = [
            (self.table(z=[1, 2] * u.m), TypeError, "z must have no unit"),
            (QTable(self.table(z=[1, 2] * u.m)), TypeError, "z must be a plain column"),
            (masked, ValueError, "peak_value must have no masked entries"),
            (self.table(peak_value=[1.0, np.nan]), ValueError, "peak_value must not be NaN"),
            (self.table(peak_value=[1j, 2]), TypeError, "peak_value must be real"),
            (self.table(id=["a", "b"]), TypeError, "id must be integers"),
            (self.table(id=[3, 3]), ValueError, "id must be different"),
            ([(1, 0, 1.0)], TypeError, "peaks must be a Table, not list"),
        ]
        for table, error, message in cases:
            with pytest.raises(error, match=message):
                lr.Footprint(self.spans, table)
        footprint = lr.Footprint(self.spans, self.table(flag=[True, False], name=["a", "b"], pair=np.eye(2)))
        assert footprint.peaks["name"].tolist() == ["b", "a"]
        with pytest.raises(TypeError, match="x_peak cannot be given"):
            footprint.add_peak(1, 0, 1.0, x_peak=3)
        with pytest.raises(ValueError, match="key must name a column of one value"):
            footprint.sort_peaks("pair")
        with pytest.raises(TypeError, match="z must have no unit"):
            footprint._columns.with_peak_columns(z=[1, 2] * u.m)
        doubled = footprint._columns.with_peak_columns(z=2 * footprint.peaks["peak_value"])
        assert (doubled.peaks["z"] == 2 * doubled.peaks["peak_value"]).all()

    def test_nan_in_a_column_equals_itself(self):
        footprint = lr.Footprint(self.spans, self.table(z=[np.nan, 1]))
        assert pickle.loads(pickle.dumps(footprint)) == footprint

    def test_points(self):
        fs = lr.FootprintSet([self.spans])
        for ask in (fs.at, self.spans.contains):
            with pytest.raises(TypeError, match="x must be real numbers"):
                ask("a", 2)
            with pytest.raises(ValueError, match=r"x and y must have shapes that broadcast, not \(2,\) and \(3,\)"):
                ask([1, 2], [1, 2, 3])
        with pytest.raises(TypeError, match="wcs must be a WCS"):
            fs.measure(wcs=3)
        with pytest.raises(ValueError, match="connectivity must be 4 or 8"):
            fs.split(np.array([4, 8]))


def test_heavy_values_of_other_kinds():
    left, right = (lr.HeavyFootprint(lr.SpanSet([(0, x, x + 2)]), np.array([True, False])) for x in (0, 1))
    assert left.merge(right).image.tolist() == [True, True, False]
    image = np.full((3, 3), 1 + 2j)
    lr.FootprintSet([left]).add_to(image)
    assert image[0, :2].tolist() == [2 + 2j, 1 + 2j]
    for change in (lr.FootprintSet.insert, lr.FootprintSet.add_to):
        with pytest.raises(TypeError, match="must have no unit"):
            change(lr.FootprintSet([left]), np.zeros((3, 3)) * u.Jy)


def test_signs_of_what_grows_in():
    """They count like those of what was inside."""
    box, image = lr.Box2I((0, 24), (0, 18)), np.zeros((30, 40))
    image[10, 9], image[14, 25] = 9, -9
    found = lr.detect_footprints(image, 5.0, polarity="both", xy0=(-10, -4)).with_region(box)
    assert found.grow(1, "square").sign.tolist() == found.merge(found).sign.tolist() == [1, -1]
    image[10, 10] = -9
    found = lr.detect_footprints(image, 5.0, polarity="both", xy0=(-10, -4)).with_region(box)
    assert found.grow(1, "square").sign.tolist() == [0, -1]


@given(st.lists(st.tuples(hnp.arrays(bool, (6, 7)), st.sampled_from([1, -1, 0])), min_size=1, max_size=5))
def test_signs_of_what_grows(members):
    box = lr.Box2I((1, 5), (1, 5))
    grown = [lr.SpanSet.from_mask(mask).dilate(1).clip(box) for mask, _ in members]
    footprints = lr.FootprintSet([lr.Footprint(lr.SpanSet.from_mask(mask), sign=sign) for mask, sign in members], box)
    for one in footprints.grow(1):
        signs = {sign for spans, (_, sign) in zip(grown, members, strict=True) if spans.overlaps(one.spans)}
        assert one.sign == (signs.pop() if len(signs) == 1 else 0)


@given(
    st.lists(hnp.arrays(bool, (5, 6)), max_size=4), st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=5)
)
def test_nearest_runs(masks, points):
    footprints = lr.FootprintSet([lr.SpanSet.from_mask(mask, (-2, -3)) for mask in masks])
    for i, mask in enumerate(masks):
        x, y = np.array(points).reshape(-1, 2).T.copy()
        owner = np.full(len(points), i, np.int32)
        runs = _columns.nearest_runs(x, y, owner, footprints.spans, footprints.offsets)
        rows, columns = np.nonzero(mask)
        for j, run in enumerate(runs):
            assert (run >= 0) == mask.any()
            if run >= 0:
                assert footprints.offsets[i] <= run < footprints.offsets[i + 1]
                row, start, stop = footprints.spans[run]
                column = np.clip(np.rint(x[j]), start, stop - 1)
                distance = (columns - 2 - x[j]) ** 2 + (rows - 3 - y[j]) ** 2
                assert (column - x[j]) ** 2 + (row - y[j]) ** 2 <= distance.min() * (1 + 1e-12)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=9), st.lists(st.integers(0, 3), max_size=4))
def test_nearest_peaks(old, new):
    points, others = np.array(old, float).reshape(-1, 2), np.array([(x, x + 0.5) for x in new], float).reshape(-1, 2)
    index, least = _columns.nearest_peaks(points, np.array([0, len(old)]), others, np.array([0, len(new)]))
    for i, (x, y) in enumerate(others):
        distance = np.hypot(points[:, 0] - x, points[:, 1] - y)
        assert index[i] == (np.argmin(distance) if len(old) else -1)
        assert least[i] == (distance.min() if len(old) else np.inf)


@pytest.mark.parametrize("kind", ["big-endian", "columns", "half", "deviations", "inverse", "masked"])
def test_one_of_a_large_image_costs_one(kind):
    data = np.ones((1000, 1200), np.float32)
    image, variance = {
        "big-endian": (data.astype(">f4"), None),
        "columns": (np.asfortranarray(data), None),
        "half": (data.astype(np.float16), None),
        "deviations": (NDData(data, StdDevUncertainty(2 * data)), 4),
        "inverse": (NDData(data, InverseVariance(data / 4)), 4),
        "masked": (lr.MaskedImage(data, lr.Mask(data.shape, lr.MaskSchema.lsst()), StdDevUncertainty(2 * data)), 4),
    }[kind]
    one = lr.FootprintSet.from_circles(700.2, 300.4, 4.0)
    area = one.area[0]
    tracemalloc.start()
    try:
        table = one.measure(image)
        sums = (
            lr.coverage_sum(image, regions.CirclePixelRegion(regions.PixCoord(700, 300), 4)) if not variance else None
        )
        heavy = one.make_heavy(image)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < data.nbytes / 2
    assert table["segment_flux"][0] == area == heavy.values["image"].sum()
    assert sums is None or np.isclose(sums.sum[0], np.pi * 16)
    if variance:
        assert np.isclose(table["segment_flux_err"][0], np.sqrt(variance * area))
        assert (heavy.values["variance"] == variance).all()


class TestHeavySets:
    def test_parts_keep_their_values(self):
        image = noise()
        heavy = detected().make_heavy(image, variance=image**2, mask=image > 0)
        box = lr.Box2I((10, 61), (5, 50))
        for part in (heavy.clip(box), heavy.split(4), heavy.clip(box, keep_empty=True)):
            assert part == part.make_heavy(image, variance=image**2, mask=image > 0)
        one = heavy[int(np.argmax(heavy.area))]
        half = lr.Box2I(x=(one.bbox.x.start, int(one.centroid.x) + 1), y=(one.bbox.y.start, one.bbox.y.stop))
        for part in (one.clip(half), one.erode(1), one & lr.SpanSet.from_box(half), one - lr.SpanSet.from_box(half)):
            assert part.spans
            assert np.array_equal(part.image, part.spans.flatten(image))
        for light in (one.dilate(1), one.transform(lr.LinearTransform.scaling(2)), one.copy(spans=lr.SpanSet.disk(2))):
            assert type(light) is lr.Footprint
        assert np.array_equal(one.copy().image, one.image)

    @pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "f2", "c16", "i2", ">i4", "u8"])
    @given(
        masks=st.lists(hnp.arrays(bool, (8, 9)), max_size=3),
        layout=st.sampled_from(["C", "F", "back", "sliced", "odd", "masked"]),
    )
    def test_each_footprint_in_turn(self, masks, layout, dtype):
        sets = [lr.SpanSet.from_mask(mask, (3, -2)) for mask in masks]
        source = np.random.default_rng(1).integers(1, 50, (8, 9))
        heavy = lr.FootprintSet(sets).make_heavy(source.astype("u1"), xy0=(3, -2))
        image = laid_out(np.full((8, 9), 200, dtype), layout)
        for change, operation in (
            (heavy.add_to, operator.add),
            (heavy.subtract_from, operator.sub),
            (heavy.insert, lambda old, new: new),
        ):
            expected = np.asarray(image).copy()
            for mask in masks:
                expected[mask] = operation(expected[mask], source[mask].astype(dtype))
            change(image, (3, -2))
            np.testing.assert_array_equal(np.asarray(image), expected)

    @pytest.mark.parametrize("order", "<>")
    def test_large_integers_do_not_wrap(self, order):
        pixels = lr.SpanSet([(0, 0, 2)])
        ones = lr.FootprintSet([pixels]).make_heavy(np.array([[1, 1]], f"{order}u1"))
        for dtype, most in ((f"{order}i8", 2**63 - 1), (f"{order}u8", 2**64 - 1)):
            image = np.array([[most - 1, 5]], dtype)
            ones.add_to(image)
            assert image.tolist() == [[most, 6]]
            with pytest.raises(OverflowError, match="image of dtype"):
                ones.add_to(image)
            assert image.tolist() == [[most, 6]]
        large = lr.FootprintSet([pixels, pixels]).make_heavy(np.array([[2**62, 1]]))
        with pytest.raises(OverflowError):
            large.merge(large)

    def test_arrays_of_arrow_cannot_change_a_set(self):
        to_arrow = pytest.importorskip("lsstregions.io.arrow").to_arrow
        heavy = detected().make_heavy(noise())
        offsets = np.frombuffer(to_arrow(heavy)["image"].chunk(0).offsets.buffers()[1], np.int64)
        assert not offsets.flags.writeable

    @pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "u8"])
    def test_integers_do_not_wrap(self, dtype):
        info = np.iinfo(dtype)
        data = np.array([[0, 5, info.max]], dtype)
        heavy = lr.detect_footprints(data, 1).make_heavy(data)
        image = np.full((1, 3), 10.0)
        heavy.subtract_from(image)
        assert image.tolist() == [[10, 5, 10 - float(info.max)]]
        full = data.copy()
        heavy.subtract_from(full)
        assert not full.any()
        for change in (heavy.add_to, lambda image: heavy.insert(image.astype("i1")) if info.max > 127 else 1 / 0):
            full = data.copy()
            with pytest.raises((OverflowError, ZeroDivisionError)):
                change(full)
            assert np.array_equal(full, data)
        twice = lr.FootprintSet.concatenate([heavy, heavy])
        wide = np.zeros((1, 3), np.float32)
        twice.add_to(wide)
        assert np.allclose(wide, 2.0 * data)
        with pytest.raises(OverflowError, match="image of dtype"):
            heavy[0].merge(heavy[0])

    def test_floats_are_not_cut(self):
        heavy = lr.FootprintSet([lr.SpanSet([(0, 0, 2)])]).make_heavy(np.array([[10.5, 2]]))
        for method in (heavy.insert, heavy.add_to, heavy.subtract_from):
            image = np.zeros((1, 2), int)
            with pytest.raises(TypeError, match="image of dtype int64 cannot hold values of dtype float64"):
                method(image)
            assert not image.any()
        counts = lr.FootprintSet([lr.SpanSet([(0, 0, 1), (1, 1, 2)])]).make_heavy(np.arange(4).reshape(2, 2))[0]
        assert counts.extract().tolist() == [[0, 0], [0, 3]]
        with pytest.raises(ValueError, match="fill must be what a pixel of dtype int64 takes, not nan"):
            counts.extract(fill=np.nan)

    def test_dot_at_the_edge_of_int32(self):
        low = -(2**31)
        one = lr.HeavyFootprint(lr.SpanSet([(low, low, low + 2), (low, -3, 0)]), [1.0, 2, 3, 4, 5])
        assert one.dot(one) == 55
        with pytest.raises(TypeError, match="other must be a HeavyFootprint"):
            one.dot(lr.Footprint(lr.SpanSet.disk(1)))


class TestThreads:
    def test_many_callers(self):
        fs = detected()
        x, y = np.random.default_rng(0).uniform(0, 90, (2, 500))
        expected = fs.grow(2), fs.at(x, y), fs.union(), fs.split(4), fs.measure(noise())["segment_flux"]
        good = []

        def run():
            for _ in range(5):
                results = fs.grow(2), fs.at(x, y), fs.union(), fs.split(4), fs.measure(noise())["segment_flux"]
                good.append(all(np.all(a == b) for a, b in zip(results, expected, strict=True)))

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert good == [True] * 40


class TestGolden:
    """LSST's grow, merge and heavy footprints."""

    def sets(self, golden, case, polarity, side="", **options):
        record = golden("detection")
        image = next(c for c in record if c["kind"] == "image" and c["index"] == case[f"image{side}"])
        frame = (record(image, "image_i16") * image["scale"]).astype(np.float32)
        y, x = record(image, "nan_yx").T
        frame[y, x] = np.nan
        options = {"xy0": (image["x0"], image["y0"])} | options
        threshold = lr.Threshold(case[f"threshold{side}"], inclusive=True)
        return lr.detect_footprints(frame, threshold, polarity=polarity, **options)

    def check(self, record, case, made):
        spans = record(case, "out_spans")
        recorded = record(case, "out_peaks")
        theirs = {}
        for index in range(case["out_n"]):
            runs = spans[spans[:, 0] == index, 1:].astype(np.int32) + np.array([0, 0, 1], np.int32)
            theirs[runs.tobytes()] = index
        assert len(made) == case["out_n"]
        for footprint in made:
            index = theirs[footprint.spans.array.tobytes()]
            if case.get("peaks_inside", True):
                expected = {tuple(p) for p in recorded[recorded[:, 0] == index, 1:].tolist()}
                ours = set(zip(footprint.peaks["x_peak"].tolist(), footprint.peaks["y_peak"].tolist(), strict=True))
                # Peaks on the image's border are peaks for us, and not for LSST where there is another.
                on_border = {(x, y) for x, y in ours if lr.Point2I(x, y) not in made.region.eroded_by(1)}
                assert ours - on_border <= expected <= ours

    def test_grow(self, golden):
        record = golden("grow_merge")
        for case in record:
            if case["kind"] not in ("grow", "growdir"):
                continue
            fs = self.sets(golden, case, "positive" if case.get("polarity", True) else "negative")
            if case["kind"] == "grow":
                made = fs.grow(case["r"], "disk" if case["isotropic"] else "diamond")
            else:
                # LSST grows by r to each chosen side.
                sides = {side: case["r"] * bool(case[side]) for side in ("left", "right", "up", "down")}
                made = fs.grow(**sides) if any(sides.values()) else fs
            self.check(record, case, made)

    def test_merge(self, golden):
        record = golden("grow_merge")
        for case in record:
            if case["kind"] == "merge":
                shape = "disk" if case["isotropic"] else "diamond"
                mine = self.sets(golden, case, case["lhs"]).grow(case["tGrow"], shape)
                theirs = self.sets(golden, case, case["rhs"]).grow(case["rGrow"], shape)
                self.check(record, case, mine | theirs)

    def test_merge_of_two_images(self, golden):
        record = golden("grow_merge")
        cases = [case for case in record if case["kind"] == "merge2"]
        assert len(cases) == 3
        for case in cases:
            xy0 = case["x0"], case["y0"]
            mine, theirs = (self.sets(golden, case, "positive", side, xy0=xy0) for side in ("_lhs", "_rhs"))
            self.check(record, case, mine | theirs)

    def test_label_images(self, golden):
        record = golden("grow_merge")
        for case in record:
            if case["kind"] == "insertIntoImage":
                fs = self.sets(golden, case, "positive" if case["polarity"] else "negative")
                ours, theirs = fs.to_labels(), record(case, "ids")
                assert np.array_equal(ours > 0, theirs > 0)
                pairs = np.unique(np.stack((ours.ravel(), theirs.ravel())), axis=1)
                assert pairs.shape[1] == len(fs) + 1

    def test_operations(self, golden):
        record = golden("footprint")
        for case in record:
            if case["kind"] != "ops":
                continue
            value = record(case, "in_value")
            peaks = Table(
                {
                    "x_peak": record(case, "in_ix"),
                    "y_peak": record(case, "in_iy"),
                    "x": record(case, "in_fx"),
                    "y": record(case, "in_fy"),
                    "peak_value": value,
                }
            )
            footprint = lr.Footprint(lr.SpanSet(record.spans(case, "in_spans")), peaks)
            assert footprint.area == case["area"]
            assert np.allclose(list(footprint.centroid), case["centroid"])
            assert np.allclose(footprint._columns.quadrupole[0], case["shape"])
            x0, y0, x1, y1 = case["clip_box"]
            made = {
                "dilate_circle2": footprint.dilate(2),
                "erode_circle1": footprint.erode(1),
                "shift_3_m4": footprint.shift(3, -4),
                "clip": footprint.clip(lr.Box2I((x0, x1 + 1), (y0, y1 + 1))),
            }
            for name, ours in made.items():
                assert ours.spans == lr.SpanSet(record.spans(case, f"{name}_spans")), (case["case"], name)
                theirs = zip(record(case, f"{name}_ix").tolist(), record(case, f"{name}_iy").tolist(), strict=True)
                if name == "clip":
                    # Copies share their peaks in LSST: these had been shifted by then.
                    moved = made["shift_3_m4"].peaks
                    moved = moved[ours.spans.contains(moved["x_peak"], moved["y_peak"])]
                else:
                    moved = ours.peaks
                mine = zip(moved["x_peak"].tolist(), moved["y_peak"].tolist(), strict=True)
                assert sorted(theirs) == sorted(mine), (case["case"], name)
            assert len(footprint.erode(1).split(4)) == case["erode_split_n"]

    def test_heavy(self, golden):
        record = golden("footprint")
        for case in record:
            if case["kind"] != "heavy":
                continue
            a, b = lr.SpanSet(record.spans(case, "A")), lr.SpanSet(record.spans(case, "B"))
            images = [(record(case, f"im{k}_x16") / 16).astype(np.float32) for k in (1, 2)]
            one, two = lr.Footprint(a).make_heavy(images[0]), lr.Footprint(b).make_heavy(images[1])
            # LSST multiplies as float32.
            assert np.isclose(one.dot(two), case["dot"], rtol=1e-6)
            assert np.isclose(one.dot(one), case["dot_self"], rtol=1e-6)
            assert np.array_equal(one.image, record(case, "flat1"))
            merged = one.merge(two)
            assert merged.spans == lr.SpanSet(record.spans(case, "merged_spans"))
            assert np.allclose(merged.image, record(case, "merged_image"))


class TestShapes:
    """Footprints of arrays of shapes are those of the regions one by one."""

    rng = np.random.default_rng(8)
    x, y, r = rng.uniform(-3, 60, (3, 40)) / [[1], [1], [6]] + [[0], [0], [0.5]]
    box = lr.Box2I((0, 50), (5, 40))

    def check(self, footprints, shapes):
        assert footprints.region == self.box
        assert len(footprints) == len(shapes)
        for footprint, shape in zip(footprints, shapes, strict=True):
            assert footprint.spans == lr.SpanSet.from_region(shape, within=self.box)

    def test_circles(self):
        shapes = [
            regions.CirclePixelRegion(regions.PixCoord(*p[:2]), p[2]) for p in zip(self.x, self.y, self.r, strict=True)
        ]
        self.check(lr.FootprintSet.from_circles(self.x, self.y, self.r, within=self.box), shapes)

    def test_ellipses(self):
        footprints = lr.FootprintSet.from_ellipses(self.x, self.y, 2 * self.r, self.r, 0.3, within=self.box)
        self.check(
            footprints,
            [
                regions.EllipsePixelRegion(regions.PixCoord(x, y), 4 * r, 2 * r, angle=0.3 * u.rad)
                for x, y, r in zip(self.x, self.y, self.r, strict=True)
            ],
        )

    def test_polygons(self):
        vertices = self.rng.uniform(-5, 60, (60, 2))
        offsets = [0, 3, 7, 20, 60]
        footprints = lr.FootprintSet.from_polygons(vertices, offsets, within=self.box)
        self.check(
            footprints,
            [regions.PolygonPixelRegion(regions.PixCoord(*vertices[a:b].T)) for a, b in itertools.pairwise(offsets)],
        )
        with pytest.raises(ValueError, match=r"vertices must have the shape \(n, 2\)"):
            lr.FootprintSet.from_polygons([1, 2, 3], [0, 3])
        with pytest.raises(TypeError, match="vertices must be real numbers"):
            lr.FootprintSet.from_polygons([["a", "b"]], [0, 1])

    def test_a_wcs_is_of_the_pixel_plane(self):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1e-4, 1e-4]
        footprints = lr.FootprintSet.from_circles([30], [20], [3])
        image = np.ones((30, 30))
        table = footprints.measure(image, xy0=(15, 5), wcs=wcs, columns=["sky_centroid"])
        assert table["sky_centroid"][0].separation(wcs.pixel_to_world(30, 20)).arcsec < 1e-6
        local = footprints.measure(NDData(image, wcs=wcs), xy0=(15, 5), columns=["sky_centroid"])
        assert local["sky_centroid"][0].separation(wcs.pixel_to_world(15, 15)).arcsec < 1e-6


class TestJoining:
    """What sets that differ make of each other."""

    image = np.zeros((3, 9))
    image[1, 1], image[1, 6] = 7, 8
    two = lr.detect_footprints(image, 5)

    def heavy(self, values, **planes):
        return lr.HeavyFootprint(lr.SpanSet([(0, 0, len(values))]), values, **planes)

    def test_equal_heavy_ones_are_added_like_others(self):
        a, near = self.heavy([1.0, 2]), self.heavy([1.0, 2.25])
        for operation in (operator.or_, operator.and_):
            assert operation(a, self.heavy([1.0, 2])).image.tolist() == [2, 4]
            assert operation(a, near).image.tolist() == [2, 4.25]
        assert (self.two[0] | self.two[0]) == self.two[0]

    def test_planes_that_only_some_have(self):
        a, b = self.heavy([1.0]), self.heavy([2.0], variance=[3.0])
        with pytest.warns(lr.LossWarning, match="plane variance"):
            both = a.merge(b)
        assert both.image.tolist() == [3]
        assert both.variance is None
        with pytest.warns(lr.LossWarning, match="plane image"):
            assert not lr.FootprintSet([a, lr.Footprint(lr.SpanSet.disk(1))]).is_heavy
        assert (
            lr.FootprintSet.concatenate([lr.FootprintSet(), lr.FootprintSet([b])]).values.keys()
            == b._columns.values.keys()
        )
        heavy = self.two.make_heavy(self.image)
        assert heavy.merge(lr.FootprintSet(region=self.two.region)) == heavy
        with pytest.warns(lr.LossWarning, match="plane image"):
            assert not heavy.merge(self.two).is_heavy
        # What is left behind by its nature is not warned of.
        assert not heavy.grow(1).is_heavy

    def test_columns_that_only_some_have(self):
        with_snr = self.two[:1].with_peak_columns(snr=[7.5], name=["a"])
        peaks = (with_snr | self.two[1:]).peaks
        assert np.allclose(peaks["snr"], [7.5, np.nan], equal_nan=True)
        assert peaks["name"].tolist() == ["a", ""]
        with pytest.raises(ValueError, match="lack the column 'n'"):
            self.two[:1].with_peak_columns(n=[7]) | self.two[1:]
        with pytest.raises(TypeError, match="'q' of peaks must be of one kind"):
            self.two[:1].with_peak_columns(q=[1]) | self.two[1:].with_peak_columns(q=["a"])
        with pytest.raises(ValueError, match="'q' of peaks must have one shape"):
            self.two[:1].with_peak_columns(q=[[1, 2]]) | self.two[1:].with_peak_columns(q=[1])
        none = lr.FootprintSet([lr.SpanSet([(0, 3, 4)])], region=self.two.region)
        assert (self.two.with_peak_columns(n=[7, 8]) | none).peaks["n"].tolist() == [7, 8]
        with pytest.raises(TypeError, match="'n' of peaks"):
            self.two.with_peak_columns(n=[7, 8])[0].add_peak(1, 1, 3, n="many")

    def test_parts_come_apart(self):
        region = lr.Box2I.from_shape((9, 9))
        parted = lr.FootprintSet([lr.SpanSet([(0, 0, 2), (0, 5, 7)])], region=region)
        merged, parents, _ = parted.merge(lr.FootprintSet(region=region), return_parents=True)
        assert (len(merged), parents.tolist()) == (2, [0])

    @pytest.mark.parametrize(
        ("columns", "error", "match"),
        [
            ({"id": [5, 5]}, ValueError, "id must be different"),
            ({"id": [0.5, 0.7]}, TypeError, "id must be integers"),
            ({"x": ["a", "b"]}, TypeError, "x must be real numbers"),
            ({"y": [1, np.nan]}, ValueError, "y must be finite"),
            ({"x": np.zeros((2, 2))}, ValueError, "x must be one number a peak"),
            ({"q": np.ma.array([1, 2], mask=[1, 0])}, ValueError, "q must have no masked entries"),
        ],
    )
    def test_columns_that_peaks_cannot_have(self, columns, error, match):
        with pytest.raises(error, match=match):
            self.two.with_peak_columns(**columns)
        table = self.two.peaks
        for name, column in columns.items():
            table[name] = column
        with pytest.raises((TypeError, ValueError), match=match):
            self.two.with_peaks(table)

    def test_region(self):
        box = lr.Box2I.from_shape((4, 4))
        assert self.two.with_region(box).region == box == lr.FootprintSet(self.two, region=box).region
        assert self.two.with_region(None).region is None
        assert self.two.with_region(box).grow(3).union().bbox in box
        with pytest.raises(TypeError, match="region must be a Box2I"):
            self.two.with_region((0, 4))

    def test_the_most_significant_peak_first(self):
        negative = lr.detect_footprints(-np.array([[5.0, 2, 3, 2, 9]]), 1, polarity="negative")
        assert negative.sort_peaks().peaks["peak_value"].tolist() == [-9, -5, -3]
        assert negative.sort_peaks(reverse=True).peaks["peak_value"].tolist() == [-3, -5, -9]

    def test_messages(self):
        for call, error, match in (
            (lambda: self.two[5], IndexError, "no footprint 5 in a set of 2"),
            (lambda: self.two.clip((0, 1)), TypeError, "box must be a Box2I"),
            (lambda: self.two.overlaps(3), TypeError, "other must be"),
            (lambda: self.two.insert(self.image), KeyError, "no pixel values"),
            (lambda: self.two.grow(left=1, shape="square"), TypeError, "shape goes with a radius"),
            (lambda: self.heavy([1.0], mask=[0.5]), TypeError, "mask must hold integers"),
            (lambda: self.heavy(np.ma.array([1.0], mask=[1])), ValueError, "image must have no masked"),
            (lambda: self.heavy([1.0]).extract(fill="a"), ValueError, "fill must be"),
            (lambda: self.heavy([1.0]).extract(fill=1j), ValueError, "fill must be"),
            (lambda: self.heavy([1]).extract(fill=2**70), ValueError, "fill must be"),
            (lambda: self.two.transform(WCS(naxis=2)), TypeError, "WcsMapping"),
        ):
            with pytest.raises(error, match=match):
                call()

    def test_thresholds_are_values(self):
        array = np.ones((2, 2))
        threshold = lr.Threshold(array)
        array[0, 0] = 5
        assert threshold.value.tolist() == [[1, 1], [1, 1]]
        with pytest.raises(ValueError, match="read-only"):
            threshold.value[0, 0] = 3
        assert hash(threshold) == hash(lr.Threshold(np.ones((2, 2))))


def test_one_footprint():
    parts = lr.Footprint(lr.SpanSet([(0, 0, 1), (1, 1, 2)]))
    assert parts.is_contiguous()
    assert not parts.is_contiguous(4)
    assert not lr.Footprint(lr.SpanSet([(0, 0, 1), (5, 1, 2)])).is_contiguous()
    center = lr.Footprint(lr.SpanSet.disk(3).shift(4, 5)).center
    assert (center.x, center.y) == (4, 5)
    heavy, image = lr.HeavyFootprint(lr.SpanSet([(0, 0, 2)]), np.array([3.0, 4.0])), np.ones((1, 3))
    heavy.add_to(image)
    assert image.tolist() == [[4, 5, 1]]
    heavy.insert(image)
    assert image.tolist() == [[3, 4, 1]]


def test_warnings_name_the_line_that_brings_them_about(tmp_path):
    empty = lr.FootprintSet([lr.SpanSet(), lr.SpanSet.disk(2)])
    uses = [
        empty.to_regions,
        lambda: empty.write(tmp_path / "a.reg"),
        lambda: empty.write(tmp_path / "a.fits", format="labels"),
        lambda: lr.write_regions(empty, tmp_path / "b.reg"),
        lambda: lr.merge_by_priority({"g": lr.FootprintSet([lr.HeavyFootprint(lr.SpanSet.disk(0), [1.0])])}),
    ]
    for use in uses:
        with pytest.warns(lr.LossWarning) as caught:
            use()
        assert {warning.filename for warning in caught} == {__file__}


def test_peaks_of_both_signs_are_sorted_by_how_far_they_are_from_zero():
    peaks = Table({"x_peak": [0, 1, 2], "y_peak": [0, 0, 0], "peak_value": [5.0, -9.0, 1.0]})
    both = lr.Footprint(lr.SpanSet([(0, 0, 3)]), peaks, sign=0).sort_peaks()
    assert both.peaks["peak_value"].tolist() == [-9, 5, 1]


def test_no_pixel_no_error():
    image = lr.MaskedImage(np.ones((3, 4)), np.ones((3, 4), bool), uncertainty=VarianceUncertainty(np.ones((3, 4))))
    row = lr.FootprintSet([lr.SpanSet([(0, 0, 3)])]).measure(image)[0]
    assert row["segment_flux"] == 0
    assert np.isnan(row["segment_flux_err"])


@given(st.lists(frames(7, 8), max_size=3), st.lists(frames(7, 8), max_size=3))
def test_merging_heavy_sets(ours, theirs):
    """Every pixel has the sum of what all had there, and the bits of all."""
    box, rng = lr.Box2I.from_shape((7, 8)), np.random.default_rng(4)
    total, bits = np.zeros((7, 8), int), np.zeros((7, 8), int)
    sets = []
    for masks in (ours, theirs):
        footprints = []
        for mask in masks:
            spans = lr.SpanSet.from_mask(mask).clip(box)
            image, flags = rng.integers(0, 99, (2, spans.area))
            footprints.append(lr.HeavyFootprint(spans, image, mask=flags))
            total += spans.unflatten(image, box)
            bits |= spans.unflatten(flags, box)
        sets.append(lr.FootprintSet(footprints, box))
    merged = sets[0].merge(sets[1])
    image, mask = np.zeros((2, 7, 8), int)
    if merged.is_heavy:
        merged.insert(image)
        merged.insert(mask, plane="mask")
    assert np.array_equal(image, total)
    assert np.array_equal(mask, bits)


def test_what_is_no_list_of_footprints():
    with pytest.raises(TypeError, match="footprints must be a list of footprints, not None"):
        lr.FootprintSet(None)
    with pytest.raises(TypeError, match="SpanSet.components makes them"):
        lr.FootprintSet(lr.SpanSet.disk(2))

"""detect_footprints against its dense definition, LSST's answers, photutils and sep, and its rules about input."""

import itertools
import threading
import tracemalloc
import warnings

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import reference_detection as reference
import scipy.ndimage
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, NDData, StdDevUncertainty, VarianceUncertainty
from astropy.utils.masked import Masked
from hypothesis import given

import lsstregions as lr
from lsstregions import _threshold
from lsstregions._frames import Frame
from lsstregions.detection._rule import clipped_stdev

DTYPES = ["b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">f4", ">i2", ">f8", "g"]


def xy_of(footprints):
    """List for each footprint its peaks (x, y)."""
    table, offsets = footprints.peaks, footprints.peak_offsets
    pairs = list(zip(table["x_peak"].tolist(), table["y_peak"].tolist(), strict=True))
    return [pairs[start:stop] for start, stop in itertools.pairwise(offsets)]


def checked(image, threshold, *, sign=1, inclusive=False, connectivity=8, n_pixels=1, mask=None, **options):
    """Detect, and compare with the dense definition."""
    found = lr.detect_footprints(
        image,
        lr.Threshold(threshold, inclusive=inclusive),
        connectivity=connectivity,
        n_pixels=n_pixels,
        mask=mask,
        polarity="positive" if sign > 0 else "negative",
        **options,
    )
    labels = reference.label(reference.passing(image, threshold, sign, inclusive, mask), connectivity, n_pixels)
    assert np.array_equal(found.to_labels(), labels)
    assert xy_of(found) == reference.peaks(np.asarray(image), labels, sign)
    assert (found.sign == sign).all()
    for footprint in found:
        assert footprint.spans == lr.SpanSet(footprint.spans.array)
    return found


images = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9).flatmap(
    lambda shape: hnp.arrays(
        np.float32, shape, elements=st.sampled_from([-2, -1, 0, 1, 1.5, 2, np.nan, np.inf, -np.inf])
    )
)


class TestDefinition:
    @given(images, st.sampled_from([-1.0, 0.5, 1.0, 1.4999999, np.inf, -np.inf]), st.booleans(), st.data())
    def test_float(self, image, threshold, inclusive, data):
        mask = data.draw(st.none() | hnp.arrays(bool, image.shape))
        checked(
            image,
            threshold,
            sign=data.draw(st.sampled_from([1, -1])),
            inclusive=inclusive,
            connectivity=data.draw(st.sampled_from([4, 8])),
            n_pixels=data.draw(st.sampled_from([1, 2, 4])),
            mask=mask,
            n_threads=data.draw(st.integers(1, 3)),
        )

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("sign", [1, -1])
    @pytest.mark.parametrize("threshold", [-300, -1.5, -1, 0, 0.5, 1, 7.5, 126, 127, 200, 255, 65535, 1e300, -1e300])
    def test_dtypes(self, dtype, sign, threshold):
        rng = np.random.default_rng(3)
        for shape in [(7, 130), (5, 64), (4, 3)]:
            image = (rng.integers(-128, 128, shape) if dtype not in ("b1", "u1") else rng.integers(0, 256, shape)) // 8
            image = image.astype(dtype)
            for inclusive in (False, True):
                checked(image, threshold, sign=sign, inclusive=inclusive)

    @pytest.mark.parametrize("dtype", ["i8", "u8"])
    def test_large_integers(self, dtype):
        top = np.iinfo(dtype).max
        image = np.array([[top, top - 1, 0]], dtype)
        assert (
            len(lr.detect_footprints(image, lr.Threshold(2.0**63 if dtype == "i8" else 2.0**64, inclusive=True))) == 0
        )
        assert lr.detect_footprints(image, lr.Threshold(2.0**62))[0].area == 2

    @given(images, st.data())
    def test_map(self, image, data):
        limits = data.draw(
            hnp.arrays(np.float32, image.shape, elements=st.sampled_from([-1, 0, 1, 1.5, np.nan, np.inf, -np.inf]))
        )
        for sign in (1, -1):
            for inclusive in (False, True):
                checked(image, limits, sign=sign, inclusive=inclusive, connectivity=4)
                checked(image.astype(float), limits, sign=sign, inclusive=inclusive)

    @pytest.mark.parametrize("level", [0, 1, 2])
    @pytest.mark.parametrize("negative", [False, True])
    @pytest.mark.parametrize("beyond", [False, True])
    def test_instruction_sets_agree(self, level, negative, beyond):
        rng = np.random.default_rng(5)
        for nx in (1, 7, 8, 9, 16, 63, 64, 65, 127, 128, 129, 200, 300):
            image, limits = rng.integers(-3, 4, (2, 40, nx)).astype(np.float32)
            for some in (image, limits):
                some[rng.random(some.shape) < 0.1] = np.nan
            for limit in (limits, np.array([[-1 if negative else 1]], np.float32)):
                given_ = image.view(np.uint8), image.dtype, limit.view(np.uint8), None, beyond, negative, True, 8
                parts = [_threshold.scan(*given_, 0, 40, 5, -7, which) for which in (level, 0)]
                for ours, portable in zip(*parts, strict=True):
                    assert np.array_equal(ours, portable)

    def test_long_rows(self):
        rng = np.random.default_rng(6)
        image = scipy.ndimage.gaussian_filter(rng.standard_normal((60, 9000)), 3).astype(np.float32)
        checked(image, float(image.std()), n_threads=4)

    def test_both_polarities(self):
        image = np.zeros((5, 9))
        image[1, 2], image[0, 6], image[3, 3] = 5, -7, -6
        found = lr.detect_footprints(image, 4, polarity="both")
        assert found.sign.tolist() == [-1, 1, -1]
        assert found.peaks["id"].tolist() == [1, 2, 3]
        assert found.peaks["peak_value"].tolist() == [-7, 5, -6]

    def test_touching_polarities_stay_apart(self):
        found = lr.detect_footprints(np.array([[5.0, -5.0, 5.0]]), 1, polarity="both")
        assert found.sign.tolist() == [1, -1, 1]

    @pytest.mark.parametrize("connectivity", [4, 8])
    def test_hysteresis(self, connectivity):
        rng = np.random.default_rng(7)
        image = rng.standard_normal((50, 80))
        found = lr.detect_footprints(image, lr.Threshold(1.0, peak_multiplier=2.0), connectivity=connectivity)
        labels = reference.label(image > 1, connectivity)
        strong = np.unique(labels[image > 2])
        kept = np.isin(np.arange(labels.max() + 1), strong[strong > 0])
        assert np.array_equal(found.to_labels(), np.where(kept, np.cumsum(kept), 0)[labels])

    def test_subpixel(self):
        y, x = np.mgrid[:21, :23]
        image = 100 - (x - 10.3) ** 2 - (y - 9.8) ** 2
        found = lr.detect_footprints(image, 80, subpixel=True, xy0=(100, -50))
        assert found.peaks["x"][0] == pytest.approx(110.3)
        assert found.peaks["y"][0] == pytest.approx(-40.2)
        edge = lr.detect_footprints(image[:, 10:], 80, subpixel=True)
        assert edge.peaks["x"][0] == 0


class TestThresholds:
    image = np.random.default_rng(8).normal(10, 2, (60, 70))

    def test_stdev(self):
        spiked = self.image.copy()
        spiked[::13, ::11] = 1e4
        spiked[0, 0] = np.nan
        found = lr.detect_footprints(spiked - 10, lr.Threshold(3, "stdev"))
        limit = clipped_stdev(Frame.of(spiked - 10, None, None, None)) * 3
        assert limit == pytest.approx(6, rel=0.05)
        assert np.array_equal(found.to_labels() > 0, spiked - 10 > limit)

    @pytest.mark.parametrize("kind", ["variance", "pixel_stdev"])
    @pytest.mark.parametrize("dtype", ["f4", "f8", ">f4"])
    def test_variance(self, kind, dtype):
        variance = np.random.default_rng(9).uniform(1, 30, self.image.shape).astype(dtype)
        image = self.image.astype(dtype)
        limit = 3 * (variance if kind == "variance" else np.sqrt(variance))
        for n_threads in (1, 3):
            found = lr.detect_footprints(image, lr.Threshold(3, kind), variance=variance, n_threads=n_threads)
            assert np.array_equal(found.to_labels() > 0, image > limit)
        for uncertainty in (VarianceUncertainty(variance), StdDevUncertainty(np.sqrt(variance.astype(float)))):
            same = lr.detect_footprints(NDData(image, uncertainty=uncertainty), lr.Threshold(3, kind))
            assert len(same) == pytest.approx(len(found), abs=1)

    @pytest.mark.parametrize("dtype", ["b1", "u1", "i2", "u8", ">i4"])
    def test_bitmask(self, dtype):
        bits = np.random.default_rng(10).integers(0, 2 if dtype == "b1" else 8, (30, 90)).astype(dtype)
        found = lr.detect_footprints(bits, lr.Threshold(5, "bitmask"))
        assert np.array_equal(found.to_labels(), reference.label((bits.astype(int) & 5) != 0))
        assert len(found.peaks) == 0

    @pytest.mark.parametrize(
        ("arguments", "error", "match"),
        [
            (("a",), TypeError, "value must be a number"),
            ((np.nan,), ValueError, "value must not be NaN"),
            ((1, "sigma"), ValueError, "kind must be one of"),
            ((0, "bitmask"), ValueError, "must have a bit"),
            ((1.5, "bitmask"), TypeError, "value must be an integer"),
            ((np.ones((2, 2)), "stdev"), ValueError, "one number"),
            ((1, "value", False, 0.5), ValueError, "peak_multiplier must be at least 1"),
        ],
    )
    def test_errors(self, arguments, error, match):
        with pytest.raises(error, match=match):
            lr.Threshold(*arguments)

    def test_is_a_value(self):
        assert lr.Threshold(3) == lr.Threshold(3.0)
        assert lr.Threshold(np.ones(2)) != lr.Threshold(np.zeros(2))
        assert hash(lr.Threshold(3)) == hash(lr.Threshold(3.0))
        alike = [
            (lr.Threshold(5 * u.Jy), lr.Threshold(5000 * u.mJy)),
            (lr.Threshold(np.ones((2, 2), "f4")), lr.Threshold(np.ones((2, 2)))),
            (lr.Threshold(np.zeros(2)), lr.Threshold(-np.zeros(2))),
            (lr.Threshold(5 * u.one), lr.Threshold(5)),
        ]
        assert all(one == other and hash(one) == hash(other) for one, other in alike)
        flux = 5 * u.Jy
        kept = lr.Threshold(flux)
        flux *= 2
        assert kept.value == 5 * u.Jy
        with pytest.raises(ValueError, match="NaN"):
            lr.Threshold(np.nan * u.Jy)
        with pytest.raises(TypeError, match="real numbers"):
            lr.Threshold(1j * u.Jy)
        assert len(lr.detect_footprints(np.ones((2, 2)), lr.Threshold(10**400, peak_multiplier=2))) == 0
        for rule in (
            lr.Threshold(3),
            lr.Threshold(5, "stdev", peak_multiplier=2),
            lr.Threshold(float("inf"), inclusive=True),
        ):
            assert eval(repr(rule), {"Threshold": lr.Threshold}) == rule
        assert repr(lr.Threshold(5, "stdev")) == "Threshold(5.0, kind='stdev')"


class TestExactly:
    """What is compared is what was given."""

    def test_negative_threshold_with_a_second_one(self):
        image = np.array([[-1.0, -6, 3, -6, -4]])
        for blocks in (image, iter([image])):
            assert len(lr.detect_footprints(blocks, lr.Threshold(-5, peak_multiplier=2))) == 3
        limits = np.array([[-5.0, -5, 1, -5, 1]])
        assert len(lr.detect_footprints(image, lr.Threshold(limits, peak_multiplier=4))) == 1

    @pytest.mark.parametrize("kind", ["variance", "pixel_stdev"])
    def test_equal_thresholds_detect_the_same(self, kind):
        image, variance = np.random.default_rng(0).random((2, 100, 100), dtype=np.float32)
        # Pixels at the threshold, for every rounding to matter.
        image = np.float32(0.7) * (np.sqrt(variance) if kind == "pixel_stdev" else variance)
        one, other = lr.Threshold(0.7, kind), lr.Threshold(0.7 * u.one, kind)
        assert one == other
        assert lr.detect_footprints(image, one, variance=variance) == lr.detect_footprints(
            image, other, variance=variance
        )

    def test_second_threshold_of_small_floats(self):
        image = np.array([[0, 6.55e4, 7e4]])
        limits = np.full((1, 3), 6e4, np.float16)
        assert lr.detect_footprints(image, lr.Threshold(limits, peak_multiplier=1.1)).area.tolist() == [2]
        with pytest.raises(ValueError, match="peak_multiplier must be at least 1 and finite, not inf"):
            lr.Threshold(0, peak_multiplier=np.inf)
        with pytest.raises(ValueError, match="no meaning for kind='bitmask'"):
            lr.Threshold(1, "bitmask", peak_multiplier=2)

    @pytest.mark.parametrize("dtype", ["i8", "u8"])
    def test_large_integers_are_integers(self, dtype):
        b = 2**53
        image = np.array([[b, b + 1, b + 2]], dtype)
        assert lr.detect_footprints(image, b + 1)[0].spans.array.tolist() == [[0, 2, 3]]
        assert lr.detect_footprints(image, np.int64(b))[0].spans.array.tolist() == [[0, 1, 3]]
        top = np.iinfo(dtype).max
        assert lr.detect_footprints(np.array([[top, top - 1]], dtype), top - 1)[0].area == 1
        assert len(lr.detect_footprints(image, 10**400)) == 0
        assert len(lr.detect_footprints(image.astype(float), 10**400)) == 0
        assert lr.detect_footprints(image.astype(float), -(10**400))[0].area == 3
        assert hash(lr.Threshold(10**400)) == hash(lr.Threshold(10**400))
        with pytest.raises(TypeError, match="value must be a number, not '5'"):
            lr.Threshold("5")

    def test_variance_of_small_integers(self):
        image = np.array([[14.142, 14.1425]])
        variance = np.full(image.shape, 200, np.uint8)
        assert lr.detect_footprints(image, lr.Threshold(1, "pixel_stdev"), variance=variance).area.tolist() == [1]
        image *= 1e4
        assert lr.detect_footprints(image, lr.Threshold(1e4, "pixel_stdev"), variance=variance).area.tolist() == [1]

    def test_units(self):
        data = np.array([[1.0, 4, 9]]) * u.Jy
        for unit, value in ((u.Jy, 1.0), (u.mJy, 1000.0)):
            image = NDData(data, uncertainty=StdDevUncertainty(np.full((1, 3), value), unit=unit))
            assert lr.detect_footprints(image, lr.Threshold(3, "pixel_stdev")).area.tolist() == [2]
            table = lr.detect_footprints(image, lr.Threshold(5, "pixel_stdev")).measure(image)
            assert table["segment_flux_err"].to_value("Jy").tolist() == [1]
        with pytest.raises(
            u.UnitConversionError, match="variance must be in the square of the image's unit, Jy2, not m"
        ):
            lr.detect_footprints(data, 1 * u.Jy, variance=np.ones((1, 3)) * u.m)
        for kind in ("stdev", "pixel_stdev"):
            with pytest.raises(u.UnitConversionError, match="threshold must be a number without a unit, not of the"):
                lr.detect_footprints(data, lr.Threshold(5 * u.mJy, kind), variance=np.ones((1, 3)))
        one = 1 * u.dimensionless_unscaled
        assert lr.detect_footprints(data, lr.Threshold(3 * one, "pixel_stdev"), variance=np.ones((1, 3)))[0].area == 2

    def test_unknown_uncertainty(self):
        image = NDData(np.array([[1.0, 9]]), uncertainty=np.ones((1, 2)))
        assert lr.detect_footprints(image, 5)[0].area == 1
        with pytest.raises(ValueError, match="variance must be given"):
            lr.detect_footprints(image, lr.Threshold(5, "variance"))

    def test_masked_neighbours_do_not_move_a_peak(self):
        image = np.ma.array([[1.0, 5, 6, -9000, 0]], mask=[[0, 0, 0, 1, 0]])
        for blocks in (image, iter([image])):
            assert lr.detect_footprints(blocks, 2, subpixel=True).peaks["x"].tolist() == [2.0]

    def test_bits_of_a_mask(self):
        mask = lr.Mask((4, 6), lr.MaskSchema.lsst(), xy0=(10, 20))
        mask.set("DETECTED", lr.Box2I((11, 13), (21, 23)))
        bit = mask.schema.bitmask("DETECTED")
        found = lr.detect_footprints(mask, lr.Threshold(bit, "bitmask"))
        assert found.bbox.tolist() == [[11, 13, 21, 23]]
        image = lr.MaskedImage(np.ones((4, 6)), mask, xy0=(10, 20))
        for heavy in (found.make_heavy(image), found.make_heavy(image.data, mask=mask, xy0=(10, 20))):
            assert heavy.values["mask"].tolist() == [bit] * 4

    def test_masked_pixels_are_not_measured(self):
        fs = lr.FootprintSet([lr.SpanSet([(0, 0, 3)])])
        image = np.ma.array([[1, 2, 100]], mask=[[0, 0, 1]])
        table = fs.measure(image)
        assert table["segment_flux"].tolist() == [3]
        assert table["max_value"].tolist() == [2]
        assert table["area"].value.tolist() == [3]
        assert fs.measure(NDData(image.data, mask=image.mask))["segment_flux"].tolist() == [3]
        with pytest.raises(TypeError, match="mask must hold booleans, or be a Mask"):
            lr.detect_footprints(image.data, 1, mask=image.mask.astype(str))


class TestInput:
    image = np.random.default_rng(11).normal(size=(40, 50))

    def same(self, image, **options):
        expected = lr.detect_footprints(self.image, 1.5)
        found = lr.detect_footprints(image, options.pop("threshold", 1.5), **options)
        assert np.array_equal(found.spans, expected.spans)
        assert np.array_equal(found.offsets, expected.offsets)
        assert np.array_equal(found.peaks["peak_value"], expected.peaks["peak_value"])

    def test_strided(self):
        self.same(np.asfortranarray(self.image))
        self.same(np.repeat(self.image, 2, axis=1)[:, ::2])
        self.same(self.image[::-1][::-1])
        self.same(self.image.tolist())
        read_only = self.image.copy()
        read_only.flags.writeable = False
        self.same(read_only)

    def test_masked_thresholds_let_nothing_pass(self):
        bad = np.zeros(self.image.shape, bool)
        bad[:20] = True
        expected = lr.detect_footprints(self.image, 1.5, mask=bad)
        for levels in (
            np.ma.array(np.full(self.image.shape, 1.5), mask=bad),
            Masked(np.full(self.image.shape, 1.5), mask=bad),
        ):
            for threshold in (levels, lr.Threshold(levels)):
                assert np.array_equal(lr.detect_footprints(self.image, threshold).spans, expected.spans)
        with pytest.raises(ValueError, match="mask must have no masked entries"):
            lr.detect_footprints(self.image, 1.5, mask=np.ma.array(bad, mask=bad))

    def test_masks_take_no_bytes(self):
        """Beside the bits of a mask there are booleans only of what is looked at."""
        image = lr.MaskedImage(np.zeros((2000, 2000), np.float32), lr.MaskSchema.lsst())
        image.data[::50, ::50] = 9
        image.set_mask("SAT", lr.SpanSet.disk(300).shift(500, 500))
        found = lr.detect_footprints(image, 5)
        for use in (
            lambda: lr.detect_footprints(image, 5),
            lambda: found.measure(image, columns=["segment_flux", "max_value", "x_centroid"]),
            lambda: image.mask.footprints("SAT"),
            lambda: image.mask[np.arange(9), np.arange(9)],
        ):
            use()
            tracemalloc.start()
            use()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < image.data.nbytes / 6

    def test_masks_of_images_go_where_they_are(self, monkeypatch):
        bad = np.random.default_rng(3).random(self.image.shape) < 0.3
        image = lr.MaskedImage(self.image, bad, xy0=(100, 200))
        expected = lr.detect_footprints(self.image, 1.5, mask=bad, xy0=(7, 8))
        assert lr.detect_footprints(image, 1.5, xy0=(7, 8)) == expected
        monkeypatch.setattr("lsstregions.detection._stream._WORTH_A_LOOK", 1)
        blocks = (lr.MaskedImage(self.image[i : i + 9], bad[i : i + 9]) for i in range(0, 40, 9))
        assert lr.detect_footprints(blocks, 1.5, xy0=(7, 8)) == expected
        heavy = expected.make_heavy(image, xy0=(7, 8))
        assert np.array_equal(heavy.values["image"], expected.make_heavy(self.image, xy0=(7, 8)).values["image"])

    @pytest.mark.parametrize("shape", [(0, 40), (40, 0), (0, 0)])
    def test_images_without_pixels_have_masks(self, shape):
        image = lr.MaskedImage(np.zeros(shape), lr.MaskSchema.lsst(), xy0=(3, 4))
        found = lr.detect_footprints(image, 1.0)
        assert len(found) == 0
        assert len(found.measure(image)) == 0
        assert len(found.make_heavy(image)) == 0
        assert len(lr.detect_footprints(np.zeros(shape), 1.0, mask=lr.Mask(shape, lr.MaskSchema.lsst()))) == 0

    def test_masks_of_many_planes(self):
        schema = lr.MaskSchema([lr.MaskPlane("A", 0, bad=True), lr.MaskPlane("FAR", 70)])
        image = lr.MaskedImage(self.image, schema)
        image.set_mask("A", lr.Box2I((0, 9), (0, 9)))
        found = lr.detect_footprints(image, 1.5)
        with pytest.raises(ValueError, match="mask has planes beyond bit 63"):
            found.make_heavy(image)
        assert "mask" in found.make_heavy(image, mask=image.mask.to_bool()).values
        with pytest.raises(ValueError, match="image has planes beyond bit 63"):
            lr.detect_footprints(image.mask, lr.Threshold(1, "bitmask"))

    def test_blocks_of_other_integers_stay_exact(self):
        value = 2**62 + 1
        blocks = iter([np.full((2, 3), value, np.int64), np.full((2, 3), value, np.uint64)])
        assert lr.detect_footprints(blocks, 2**62).area.tolist() == [12]

    def test_variances_of_other_kinds(self):
        noise = np.random.default_rng(5).uniform(0.5, 2, self.image.shape)
        rule = lr.Threshold(1.5, "pixel_stdev")
        expected = lr.detect_footprints(self.image, rule, variance=noise**2)
        for variance in (StdDevUncertainty(noise), VarianceUncertainty(noise**2), Masked(noise**2)):
            assert lr.detect_footprints(self.image, rule, variance=variance) == expected
        jansky = lr.detect_footprints(self.image * u.Jy, rule, variance=StdDevUncertainty(1000 * noise * u.mJy))
        assert np.array_equal(jansky.spans, expected.spans)
        with pytest.raises(TypeError, match="variance must be an array or an uncertainty, not CCDData"):
            lr.detect_footprints(self.image, rule, variance=CCDData(noise, unit="adu2"))

    def test_quantity(self):
        self.same(self.image * u.Jy, threshold=1500 * u.mJy)
        with pytest.raises(u.UnitConversionError):
            lr.detect_footprints(self.image * u.Jy, 3 * u.m)
        with pytest.raises(u.UnitConversionError):
            lr.detect_footprints(self.image * u.Jy, 3)

    def test_masked(self):
        mask = self.image > 2
        expected = lr.detect_footprints(self.image, 1.5, mask=mask)
        for masked in (
            np.ma.MaskedArray(self.image, mask),
            NDData(self.image, mask=mask),
            CCDData(self.image, mask=mask, unit=""),
        ):
            assert lr.detect_footprints(masked, 1.5) == expected
        # Integers are bits, of which nobody here knows whether they are bad.
        uses = [
            lambda **mask: lr.detect_footprints(self.image, 1.5, **mask),
            lambda **mask: expected.measure(NDData(self.image, **mask)),
            lambda **mask: lr.coverage_sum(self.image, [], **mask),
        ]
        for use in uses:
            with pytest.raises(TypeError, match="mask must hold booleans, or be a Mask, which knows what is bad, not"):
                use(mask=mask.astype(int) * 4)
        self.same(np.ma.MaskedArray(self.image))

    def test_origin(self):
        found = lr.detect_footprints(self.image, 1.5, xy0=(-7, 2**31 - 50))
        assert found.region == lr.Box2I((-7, 43), (2**31 - 50, 2**31 - 10))
        assert found == lr.detect_footprints(self.image, 1.5, xy0=(-7, 0)).shift(0, 2**31 - 50)
        with pytest.raises(OverflowError):
            lr.detect_footprints(self.image, 1.5, xy0=(0, 2**31 - 30))

    @pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
    def test_empty(self, shape):
        found = lr.detect_footprints(np.zeros(shape), 1.5)
        assert len(found) == 0
        assert len(found.peaks) == 0
        assert found.measure(np.zeros(shape))["area"].shape == (0,)
        assert len(found.grow(3)) == 0

    @pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (1, 64), (2, 64)])
    def test_thin(self, shape):
        image = np.random.default_rng(12).normal(size=shape).astype(np.float32)
        checked(image, 0.0, connectivity=4)
        checked(image, 0.0)
        checked(image, -10.0)

    def test_nan_everywhere(self):
        assert len(lr.detect_footprints(np.full((5, 6), np.nan), -np.inf)) == 0
        with pytest.raises(ValueError, match="no finite pixel"):
            lr.detect_footprints(np.full((5, 6), np.nan), lr.Threshold(3, "stdev"))

    def test_more_than_int32_pixels(self):
        wide = np.broadcast_to(np.uint8(0), (2**16 + 1, 2**15))
        assert wide.size > 2**31
        assert len(lr.detect_footprints(wide, 1)) == 0
        with pytest.raises(OverflowError):
            lr.detect_footprints(np.broadcast_to(np.uint8(0), (2**31, 1)), 1)

    @pytest.mark.parametrize(
        ("options", "error", "match"),
        [
            ({"threshold": np.nan}, ValueError, "value must not be NaN"),
            ({"threshold": np.ones((3, 3))}, ValueError, "of the image's shape"),
            ({"threshold": np.full((40, 50), "a")}, TypeError, "real numbers"),
            ({"mask": np.zeros((3, 3), bool)}, ValueError, "mask must have the shape of the image"),
            ({"variance": np.zeros((3, 3))}, ValueError, "variance must have the shape of the image"),
            ({"threshold": lr.Threshold(3, "pixel_stdev")}, ValueError, "variance must be given"),
            ({"threshold": lr.Threshold(3, "bitmask")}, TypeError, "image must be integers"),
            ({"n_pixels": 0}, ValueError, "n_pixels"),
            ({"n_pixels": 1.5}, TypeError, "n_pixels"),
            ({"n_threads": 0}, ValueError, "n_threads"),
            ({"connectivity": 6}, ValueError, "connectivity"),
            ({"polarity": "up"}, ValueError, "polarity"),
            ({"xy0": 3}, TypeError, "xy0"),
            ({"image": np.zeros(5)}, ValueError, "image must be 2-D"),
            ({"image": np.zeros((5, 5), complex)}, TypeError, "real numbers"),
            ({"image": "image.fits"}, TypeError, "image must be an array of real numbers, not 'image.fits'"),
            ({"image": None}, TypeError, "image must be an array"),
            ({"image": np.zeros((5, 5), "m8[s]")}, TypeError, "real numbers"),
            ({"image": fits.ImageHDU(np.zeros((5, 5)))}, TypeError, "image must be an array"),
            ({"threshold": "5"}, TypeError, "threshold"),
            ({"threshold": np.nan}, ValueError, "threshold"),
            ({"n_pixels": 0}, ValueError, "n_pixels must be at least 1, not 0"),
        ],
    )
    def test_errors(self, options, error, match):
        arguments = {"image": self.image, "threshold": 1.5} | options
        with pytest.raises(error, match=match):
            lr.detect_footprints(**arguments)


@pytest.fixture(scope="class", params=[1, 1000, 1 << 17])
def gathered(request):
    """Blocks are looked at one by one, some at a time, and all at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lsstregions.detection._stream._WORTH_A_LOOK", request.param)
        yield


@pytest.mark.usefixtures("gathered")
class TestThreadsAndBlocks:
    rng = np.random.default_rng(13)
    image = scipy.ndimage.gaussian_filter(rng.standard_normal((211, 173)), 2).astype(np.float32)

    def test_memory_that_is_used_again(self):
        def rows():
            row = np.empty((1, self.image.shape[1]), np.float32)
            for values in self.image:
                row[:] = values
                yield row

        assert lr.detect_footprints(rows(), 0.05) == lr.detect_footprints(self.image, 0.05)

    @pytest.mark.parametrize("connectivity", [4, 8])
    @pytest.mark.parametrize("n_threads", [2, 3, 8, 300])
    def test_threads(self, connectivity, n_threads, monkeypatch):
        monkeypatch.setattr("lsstregions.detection._connect._WORTH_A_THREAD", 0)
        options = {"connectivity": connectivity, "polarity": "both"}
        expected = lr.detect_footprints(self.image, 0.05, **options)
        assert lr.detect_footprints(self.image, 0.05, n_threads=n_threads, **options) == expected

    @pytest.mark.parametrize("height", [1, 2, 3, 50, 211, 1000])
    @pytest.mark.parametrize("dtype", ["f4", ">f4", "f8"])
    def test_iterator(self, height, dtype):
        image = self.image.astype(dtype)
        threshold = lr.Threshold(0.05, peak_multiplier=1.5)
        expected = lr.detect_footprints(image, threshold, polarity="both", xy0=(3, -4), n_pixels=3)
        blocks = (image[y : y + height] for y in range(0, len(image), height))
        assert lr.detect_footprints(blocks, threshold, polarity="both", xy0=(3, -4), n_pixels=3) == expected
        assert expected.region == lr.detect_footprints(iter([image]), threshold, xy0=(3, -4)).region

    def test_what_yields_blocks(self):
        class Reader:
            def __iter__(self):
                return iter([self.image[:50], self.image[50:]])

        Reader.image = self.image
        assert lr.detect_footprints(Reader(), 0.05) == lr.detect_footprints(self.image, 0.05)
        assert len(lr.detect_footprints([[0, 1], [0, 0]], 0.5)) == 1

    def test_iterator_of_nothing(self):
        assert len(lr.detect_footprints(iter([]), 1.0, subpixel=True)) == 0
        assert len(lr.detect_footprints(iter([]), 1.0)) == 0
        assert len(lr.detect_footprints(iter([np.zeros((0, 4)), np.zeros((3, 4))]), 1.0)) == 0

    def test_iterator_errors(self):
        with pytest.raises(ValueError, match="pixels wide"):
            lr.detect_footprints(iter([np.zeros((2, 3)), np.zeros((2, 4))]), 1)
        with pytest.raises(TypeError, match="iterator"):
            lr.detect_footprints(iter([]), 1, mask=np.zeros((2, 2), bool))
        for threshold in (lr.Threshold(3, "stdev"), np.ones((2, 3))):
            with pytest.raises(TypeError, match="threshold must be .* for an iterator"):
                lr.detect_footprints(iter([]), threshold)
        with pytest.raises(ValueError, match="all blocks of rows must have the unit Jy, not None"):
            lr.detect_footprints(iter([np.ones((2, 3)) * u.Jy, np.ones((2, 3))]), 1 * u.Jy)
        image = lr.MaskedImage(np.ones((6, 3)), uncertainty=VarianceUncertainty(np.ones((6, 3))), xy0=(7, 9))
        with pytest.raises(ValueError, match="all blocks of rows must have a variance, or none"):
            lr.detect_footprints(iter([image[:2], np.ones((2, 3))]), 0.5)
        with pytest.raises(ValueError, match=r"must follow one another: one begins at \(7, 12\), not at \(7, 11\)"):
            lr.detect_footprints(iter([image[:2], image[3:]]), 0.5)

    def test_iterator_of_images(self):
        image = np.abs(self.image).astype(float)
        mask = np.random.default_rng(2).random(image.shape) < 0.1
        variance = 0.001 + np.random.default_rng(3).random(image.shape) / 100
        whole = lr.MaskedImage(image * u.Jy, mask=None, uncertainty=VarianceUncertainty(variance), xy0=(30, -9))
        whole.mask = mask
        for kind in ("variance", "pixel_stdev"):
            threshold = lr.Threshold(2.0, kind, peak_multiplier=1.2)
            expected = lr.detect_footprints(whole, threshold, subpixel=True, connectivity=4)
            blocks = (whole[y : y + 17] for y in range(0, len(image), 17))
            assert lr.detect_footprints(blocks, threshold, subpixel=True, connectivity=4) == expected
            assert len(expected) > 10
        masked = np.ma.MaskedArray(image, mask)
        found = lr.detect_footprints(iter([masked[:40], masked[40:]]), 0.05)
        assert found == lr.detect_footprints(masked, 0.05) != lr.detect_footprints(image, 0.05)
        found = lr.detect_footprints(iter([image * u.Jy]), 50 * u.mJy)
        assert found == lr.detect_footprints(image, 0.05)

    @given(images, st.data())
    def test_iterator_finds_the_same(self, image, data):
        mask = data.draw(hnp.arrays(bool, image.shape))
        options = {
            "threshold": lr.Threshold(0.5, peak_multiplier=data.draw(st.sampled_from([1, 3]))),
            "polarity": data.draw(st.sampled_from(["positive", "negative", "both"])),
            "connectivity": data.draw(st.sampled_from([4, 8])),
            "n_pixels": data.draw(st.sampled_from([1, 3])),
            "subpixel": data.draw(st.booleans()),
            "xy0": (-3, 5),
        }
        masked = np.ma.MaskedArray(image, mask)
        cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(image)), max_size=4))), len(image)]
        blocks = (masked[start:stop] for start, stop in itertools.pairwise(cuts))
        assert lr.detect_footprints(blocks, **options) == lr.detect_footprints(masked, **options)

    def test_memory_map(self, tmp_path):
        big = np.tile(self.image, (6, 6))
        fits.PrimaryHDU(big).writeto(tmp_path / "image.fits")
        expected = lr.detect_footprints(big, 0.2)
        with fits.open(tmp_path / "image.fits", memmap=True) as hdus:
            data = hdus[0].data
            assert not data.dtype.isnative
            tracemalloc.start()
            found = lr.detect_footprints(data, 0.2)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert found == expected
            del data
        assert peak < big.nbytes

    def test_many_callers(self):
        expected = lr.detect_footprints(self.image, 0.05)
        table = expected.measure(self.image)
        results = []

        def run():
            for _ in range(5):
                found = lr.detect_footprints(self.image, 0.05, n_threads=2)
                same = (found.measure(self.image)["segment_flux"] == table["segment_flux"]).all()
                results.append(found == expected and same and found.grow(2) == expected.grow(2))

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [True] * 40


@pytest.fixture(scope="session")
def record(golden):
    return golden("detection")


@pytest.fixture(scope="session")
def recorded_images(record):
    images = {}
    for case in record:
        if case["kind"] == "image":
            frame = (record(case, "image_i16") * case["scale"]).astype(np.float32)
            y, x = record(case, "nan_yx").T
            frame[y, x] = np.nan
            images[case["index"]] = frame, (case["x0"], case["y0"])
    return images


@pytest.fixture(scope="session")
def ccd_image(shared):
    with warnings.catch_warnings():
        # Its header has cards that are not standard.
        warnings.simplefilter("ignore")
        return fits.getdata(shared / "data" / "ccd_image.fits").astype(np.float32)


class TestGolden:
    """LSST's answers: detection is inclusive there, and our order is the raster order."""

    def check(self, record, case, found, border=None):
        """Compare footprints in any order; with a `border`, those whose peaks differ by its rule are told apart."""
        spans = record(case, "out_spans")
        theirs = {}
        for index in range(case["out_n"]):
            runs = spans[spans[:, 0] == index, 1:].astype(np.int32) + np.array([0, 0, 1], np.int32)
            theirs[runs.tobytes()] = index
        assert len(found) == case["out_n"]
        peaks = xy_of(found)
        recorded = record(case, "out_peaks")
        for i, footprint in enumerate(found):
            index = theirs[footprint.spans.array.tobytes()]
            expected = [tuple(p) for p in recorded[recorded[:, 0] == index, 1:].tolist()]
            if not len(recorded):
                continue
            if case.get("polarity", True) is False:
                # LSST sorts by rising depth.
                assert sorted(set(peaks[i]) - border) == sorted(set(expected) - border), case
            else:
                assert [p for p in peaks[i] if p not in border] == [p for p in expected if p not in border], case
            # On the border LSST has a peak only where there is no other.
            assert set(peaks[i]) >= set(expected) - border, case

    @staticmethod
    def border(shape, xy0):
        box = lr.Box2I.from_shape(shape, xy0)
        y, x = (lr.SpanSet.from_box(box) - lr.SpanSet.from_box(box.eroded_by(1))).indices()
        return set(zip(x.tolist(), y.tolist(), strict=True))

    def test_images(self, record, recorded_images):
        count = 0
        for case in record:
            # VARIANCE is the image's variance there and its value is that of STDEV; both use another clipping.
            if case["kind"] != "detect" or case["type"] in ("stdev", "variance"):
                continue
            image, xy0 = recorded_images[case["image"]]
            variance = None
            if case["type"] == "pixel_stdev":
                y, x = np.mgrid[: image.shape[0], : image.shape[1]]
                variance = np.float32(1 + 3 * ((x + y) % 50) / 49)
            found = lr.detect_footprints(
                image,
                lr.Threshold(case["threshold"], case["type"], True, case["includeMultiplier"]),
                n_pixels=case["npixMin"],
                polarity="positive" if case["polarity"] else "negative",
                variance=variance,
                xy0=xy0,
            )
            self.check(record, case, found, self.border(image.shape, xy0))
            count += 1
        assert count > 70

    def test_stdev(self, record, recorded_images):
        """The clipped deviation is another estimate, but the same to 2%, which few pixels notice."""
        cases = [case for case in record if case["kind"] == "detect" and case["type"] == "stdev"]
        assert cases
        for case in cases:
            image, _ = recorded_images[case["image"]]
            found = lr.detect_footprints(
                image,
                lr.Threshold(case["threshold"], "stdev", True),
                polarity="positive" if case["polarity"] else "negative",
                n_pixels=case["npixMin"],
            )
            assert len(found) == pytest.approx(case["out_n"], rel=0.25, abs=2)

    def test_bitmask(self, record):
        for case in record:
            if case["kind"] == "bitmask":
                threshold = lr.Threshold(case["threshold"], "bitmask")
                found = lr.detect_footprints(
                    record(case, "mask"), threshold, n_pixels=case["npixMin"], xy0=(case["x0"], case["y0"])
                )
                self.check(record, case, found, set())

    def test_hand(self, record):
        for case in record:
            if case["kind"] == "hand":
                image, xy0 = record(case, "image_f32"), (case["x0"], case["y0"])
                found = lr.detect_footprints(
                    image,
                    lr.Threshold(case["threshold"], inclusive=True),
                    n_pixels=case["npixMin"],
                    polarity="positive" if case["polarity"] else "negative",
                    xy0=xy0,
                )
                self.check(record, case, found, self.border(image.shape, xy0))


class TestPeers:
    @pytest.mark.parametrize("connectivity", [4, 8])
    @pytest.mark.parametrize("n_pixels", [1, 5])
    @pytest.mark.parametrize("masked", [False, True])
    def test_photutils(self, ccd_image, connectivity, n_pixels, masked):
        segmentation = pytest.importorskip("photutils.segmentation")
        noise = np.random.default_rng(14).normal(size=(100, 130)).astype(np.float32)
        for frame, threshold in [(noise, 1.0), (ccd_image, float(np.median(ccd_image) + ccd_image.std() / 4))]:
            mask = np.random.default_rng(15).random(frame.shape) < 0.2 if masked else None
            theirs = segmentation.detect_sources(frame, threshold, n_pixels, connectivity=connectivity, mask=mask)
            ours = lr.detect_footprints(frame, threshold, n_pixels=n_pixels, connectivity=connectivity, mask=mask)
            # photutils numbers in raster order too.
            assert np.array_equal(ours.to_labels(), theirs.data)
            again = lr.FootprintSet.from_labels(theirs)
            assert np.array_equal(again.spans, ours.spans)

    def test_sep(self, ccd_image):
        sep = pytest.importorskip("sep")
        background = sep.Background(ccd_image)
        frame = ccd_image - background.back()
        threshold = float(np.float32(1.5 * background.globalrms))
        objects = sep.extract(frame, threshold, minarea=5, filter_kernel=None, deblend_nthresh=1, clean=False)
        ours = lr.detect_footprints(frame, threshold, n_pixels=5).measure()
        columns = ["area", "bbox_xmin", "bbox_xmax", "bbox_ymin", "bbox_ymax"]
        mine = np.column_stack([np.asarray(ours[name].value if name == "area" else ours[name]) for name in columns])
        theirs = np.column_stack([objects[name] for name in ("npix", "xmin", "xmax", "ymin", "ymax")])
        assert len(mine) > 30
        assert np.array_equal(mine[np.lexsort(mine.T)], theirs[np.lexsort(theirs.T)])

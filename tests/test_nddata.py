"""MaskedImage."""

import copy
import pickle

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    NDData,
    NDDataRef,
    NoOverlapError,
    PartialOverlapError,
    StdDevUncertainty,
    VarianceUncertainty,
)
from astropy.wcs import WCS, DistortionLookupTable
from astropy.wcs.wcsapi import HighLevelWCSWrapper, SlicedLowLevelWCS
from regions import CircleSkyRegion

import lsstregions as lr
from lsstregions.detection import Threshold, detect_footprints
from lsstregions.geom import Box2I
from lsstregions.masks import Mask, MaskPlane, MaskSchema
from lsstregions.nddata import MaskedImage

LSST = MaskSchema.lsst()
SHAPE = (30, 40)


def tan_wcs(sip=False):
    cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 12.0, "CRPIX2": 17.0}
    header = fits.Header(cards | {"CD1_1": -5e-5, "CD1_2": 1e-6, "CD2_1": 1e-6, "CD2_2": 5e-5})
    if sip:
        header.update({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-4})
    return WCS(header)


@pytest.fixture
def image():
    rng = np.random.default_rng(3)
    image = MaskedImage(
        rng.normal(size=SHAPE),
        LSST,
        VarianceUncertainty(rng.uniform(1, 2, SHAPE)),
        xy0=(100, 200),
        wcs=tan_wcs(),
        unit="adu",
        meta={"OBJECT": "M 31"},
    )
    image.mask.array[...] = rng.integers(0, LSST.bitmask() + 1, SHAPE)
    return image


def other_wcs(image):
    """Return the image with a WCS of another class."""
    image = copy.deepcopy(image)
    wcs = HighLevelWCSWrapper(SlicedLowLevelWCS(image.wcs, (slice(0, 100), slice(0, 100))))
    image.wcs = None
    image.wcs = wcs
    return image


class TestMaking:
    def test_a_schema_makes_a_mask(self):
        image = MaskedImage(np.zeros(SHAPE), LSST, xy0=(3, 4))
        assert image.mask.bbox == image.bbox == Box2I(x=(3, 43), y=(4, 34))
        assert not image.mask.array.any()

    def test_a_mask_says_where_the_image_is(self):
        mask = Mask(SHAPE, LSST, xy0=(3, 4))
        image = MaskedImage(np.zeros(SHAPE), mask)
        assert image.mask is mask
        assert image.xy0 == (3, 4)

    @pytest.mark.parametrize("xy0", [(3, 5), (0, 0)])
    def test_the_mask_must_cover_the_image(self, xy0):
        with pytest.raises(ValueError, match="does not cover the image"):
            MaskedImage(np.zeros(SHAPE), Mask(SHAPE, LSST, xy0=(3, 4)), xy0=xy0)
        with pytest.raises(ValueError, match="does not cover the image"):
            MaskedImage(np.zeros(SHAPE), Mask((3, 4), LSST))

    def test_a_bool_array_is_wrapped(self):
        bad = np.eye(*SHAPE, dtype=bool)
        image = MaskedImage(np.zeros(SHAPE), bad, xy0=(3, 4))
        assert image.mask.schema.bad == ("MASKED",)
        assert np.shares_memory(image.mask.array, bad)
        np.testing.assert_array_equal(image.mask, bad)
        masked = MaskedImage(np.ma.masked_array(np.zeros(SHAPE), bad))
        np.testing.assert_array_equal(masked.mask, bad)
        assert not MaskedImage(np.ma.masked_array(np.zeros(SHAPE))).mask.any()

    def test_integers_are_no_mask(self):
        with pytest.raises(TypeError, match="a Mask, a MaskSchema or a bool array, not of int64"):
            MaskedImage(np.zeros(SHAPE), np.zeros(SHAPE, int))

    def test_no_mask_is_none(self):
        image = MaskedImage(np.zeros(SHAPE))
        assert image.mask is None
        assert (image.xy0, image.variance) == ((0, 0), None)
        with pytest.raises(ValueError, match="the image has no mask"):
            image.set_mask("SAT", ...)
        image.mask = LSST
        image.set_mask("SAT", ...)
        assert image.mask["SAT"].all()

    def test_texts(self, image):
        assert repr(image).startswith("<MaskedImage 40 x 30 at (100, 200) of float64 in adu; uncertainty var; WCS")
        assert "DETECTED" in repr(image)
        assert "no mask" in repr(MaskedImage(np.zeros(SHAPE)))
        assert repr(image[0]).startswith("MaskedImage([")

    @pytest.mark.parametrize(
        "clone", [copy.deepcopy, lambda im: pickle.loads(pickle.dumps(im)), lambda im: MaskedImage(im, copy=True)]
    )
    def test_copies(self, image, clone):
        cloned = clone(image)
        assert cloned.xy0 == image.xy0
        assert cloned.mask.equals(image.mask)
        assert not np.shares_memory(cloned.mask.array, image.mask.array)
        np.testing.assert_array_equal(cloned.variance, image.variance)


class TestCutting:
    @pytest.mark.parametrize("cut", [lambda im: im, other_wcs])
    @pytest.mark.parametrize(
        "key", [(slice(5, 20), slice(7, 30)), Box2I(x=(107, 130), y=(205, 220)), (slice(5, -10), slice(-33, -10))]
    )
    def test_everything_keeps_in_step(self, image, key, cut):
        image = cut(image)
        part = image[key]
        assert part.bbox == part.mask.bbox == Box2I(x=(107, 130), y=(205, 220))
        np.testing.assert_array_equal(part.data, image.data[5:20, 7:30])
        np.testing.assert_array_equal(part.mask.array, image.mask.array[5:20, 7:30])
        np.testing.assert_array_equal(part.variance, image.variance[5:20, 7:30])
        assert np.shares_memory(part.data, image.data)
        assert np.shares_memory(part.mask.array, image.mask.array)
        assert part.unit == image.unit
        assert part.wcs.pixel_to_world(3, 4).separation(image.wcs.pixel_to_world(10, 9)).arcsec < 1e-6
        assert part.absolute_wcs.pixel_to_world(110, 209).separation(image.wcs.pixel_to_world(10, 9)).arcsec < 1e-6

    def test_rows_and_pixels_lose_their_place(self, image):
        image.wcs = None
        row = image[5]
        assert row.shape == (40,)
        assert row.xy0 == (0, 0)
        np.testing.assert_array_equal(row.mask, np.asarray(image.mask)[5])
        assert image[3, 4].data == image.data[3, 4]
        assert image[image.mask].shape == (np.asarray(image.mask).sum(),)

    @pytest.mark.parametrize(
        "key", [(slice(None, None, 2), slice(None)), slice(None, None, -1), np.ix_([1, 3], [2, 4])]
    )
    def test_what_has_no_place_is_refused(self, image, key):
        image.wcs = None
        with pytest.raises(IndexError, match="by a box or by slices without a step"):
            image[key]

    def test_a_box_must_be_inside(self, image):
        with pytest.raises(IndexError, match="is not inside the image"):
            image[Box2I(x=(99, 110), y=(205, 220))]
        assert image[Box2I.from_shape((0, 0))].shape == (0, 0)

    def test_cutout(self, image):
        assert image.cutout((110, 210), (5, 7)).bbox == Box2I(x=(107, 114), y=(208, 213))
        assert image.cutout((100.4, 200), 5).bbox == Box2I(x=(100, 103), y=(200, 203))
        place = image.wcs.pixel_to_world(10, 10)
        assert image.cutout(place, (5, 7)).bbox == Box2I(x=(107, 114), y=(208, 213))
        with pytest.raises(PartialOverlapError):
            image.cutout((100, 200), 5, mode="strict")
        with pytest.raises(NoOverlapError):
            image.cutout((10, 10), 5)
        with pytest.raises(ValueError, match="mode must be"):
            image.cutout((110, 210), 5, mode="partial")
        image.wcs = None
        with pytest.raises(ValueError, match="needs an image with a WCS"):
            image.cutout(place, 5)

    def test_cutout_agrees_with_cutout2d(self, image):
        from astropy.nddata import Cutout2D

        for x, y, size in [(3.2, 5.7, (4, 9)), (35, 28, 11), (0.5, 0.5, 2), (39.4, 0, 1)]:
            ours = image.cutout((100 + x, 200 + y), size)
            theirs = Cutout2D(image.data, (x, y), size, wcs=image.wcs)
            np.testing.assert_array_equal(ours.data, theirs.data)
            assert ours.xy0 == (100 + theirs.origin_original[0], 200 + theirs.origin_original[1])
            assert ours.wcs.pixel_to_world(0, 0).separation(theirs.wcs.pixel_to_world(0, 0)).arcsec < 1e-6


class TestArithmetic:
    def test_planes_are_merged_by_name(self, image):
        other = MaskedImage(
            np.ones(SHAPE), MaskSchema([MaskPlane("MINE", 1, bad=True), MaskPlane("SAT", 0, bad=True)]), xy0=(100, 200)
        )
        other.mask.set("MINE", Box2I(x=(100, 110), y=(200, 201)))
        other.mask.set("SAT", Box2I(x=(100, 120), y=(200, 201)))
        total = image.multiply(other)
        assert total.xy0 == (100, 200)
        assert total.mask.schema.names == (*LSST.names, "MINE")
        assert total.mask.count()["MINE"] == 10
        expected = image.mask["SAT"].copy()
        expected[0, :20] = True
        np.testing.assert_array_equal(total.mask["SAT"], expected)
        np.testing.assert_array_equal(total.mask["DETECTED"], image.mask["DETECTED"])
        assert not np.shares_memory(total.mask.array, image.mask.array)

    def test_uncertainty_and_unit(self, image):
        total = image.add(image)
        np.testing.assert_allclose(total.variance, 2 * image.variance)
        assert total.unit == u.adu
        assert isinstance(total.uncertainty, VarianceUncertainty)

    @pytest.mark.parametrize("operand", [2, np.ones(SHAPE), 3 * u.one, NDData(np.ones(SHAPE)), np.float32(2)])
    def test_what_has_no_place_fits_everywhere(self, image, operand):
        for result in [image.multiply(operand), MaskedImage.multiply(operand, image)]:
            assert result.xy0 == (100, 200)
            assert result.mask.equals(image.mask)

    def test_a_bool_mask_is_merged_as_a_plane(self, image):
        bad = np.eye(*SHAPE, dtype=bool)
        total = image.add(CCDData(np.ones(SHAPE), unit="adu", mask=bad))
        np.testing.assert_array_equal(total.mask["MASKED"], bad)
        np.testing.assert_array_equal(total.mask["DETECTED"], image.mask["DETECTED"])

    def test_images_elsewhere_are_refused(self, image):
        with pytest.raises(ValueError, match=r"they begin at \(\d+, \d+\) and"):
            image.multiply(MaskedImage(np.ones(SHAPE), xy0=(100, 201)))
        with pytest.raises(ValueError, match="the masks cover different pixels"):
            image.multiply(MaskedImage(np.ones(SHAPE), LSST))

    def test_other_ways_to_handle_masks(self, image):
        assert image.multiply(image, handle_mask=None).mask is None
        assert image.multiply(image, handle_mask="first_found").mask.equals(image.mask)
        assert image.multiply(image, handle_mask=np.logical_or).mask.equals(image.mask)

    def test_ndarithmetic_of_astropy_merges_too(self, image):
        first = NDDataRef(image.data, mask=image.mask)
        total = first.add(NDDataRef(image.data, mask=image.mask.rename_planes({"SAT": "FULL"})))
        assert total.mask.schema.names == (*LSST.names, "FULL")

    def test_collapsing(self, image):
        image = MaskedImage(image.data, image.mask)
        plain = NDDataRef(image.data, mask=np.asarray(image.mask))
        for axis in (0, 1, None):
            ours, theirs = image.sum(axis=axis), plain.sum(axis=axis)
            np.testing.assert_array_equal(ours.data, theirs.data)
            np.testing.assert_array_equal(ours.mask, theirs.mask)
        assert image.mean(operation_ignores_mask=True).data == plain.mean(operation_ignores_mask=True).data


class TestDetecting:
    def test_footprints_go_from_image_to_mask_and_catalog(self):
        rng = np.random.default_rng(8)
        data = rng.normal(size=(60, 70))
        y, x = np.indices(data.shape)
        for x0, y0 in [(20, 15), (45.3, 40.2), (60, 20)]:
            data += 60 * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / 8)
        image = MaskedImage(data, LSST, VarianceUncertainty(np.ones(data.shape)), xy0=(1000, -500), wcs=tan_wcs())
        image.set_mask("SAT", Box2I(x=(1055, 1065), y=(-485, -475)))
        image.set_mask("DETECTED_NEGATIVE", ...)
        found = detect_footprints(image, Threshold(5, kind="pixel_stdev"), n_pixels=5)
        assert len(found) == 2
        image.set_mask("DETECTED", found)
        assert image.mask.footprints("DETECTED").union() == found.union()
        part = image[5:, 7:]
        again = detect_footprints(part, Threshold(5, kind="pixel_stdev"), n_pixels=5)
        np.testing.assert_array_equal(again.spans, found.spans)
        table = found.measure(image)
        there = image.absolute_wcs.pixel_to_world(table["x_centroid"].value, table["y_centroid"].value)
        assert np.all(table["sky_centroid"].separation(there).arcsec < 1e-6)
        assert np.all(found.measure(part)["sky_centroid"].separation(there).arcsec < 1e-6)


class TestSky:
    @pytest.mark.parametrize("sip", [False, True])
    @pytest.mark.parametrize("change", [lambda im: im, other_wcs])
    def test_sky_regions_find_their_pixels(self, image, sip, change):
        image.wcs = None
        image.wcs = tan_wcs(sip)
        image = change(image)
        center = image.wcs.pixel_to_world(13.2, 15.1)
        circle = CircleSkyRegion(center, 0.9 * u.arcsec)
        image.mask.clear()
        image.set_mask("SAT", circle)
        inside = circle.to_pixel(tan_wcs(sip)).to_mask().to_image(SHAPE).astype(bool)
        np.testing.assert_array_equal(image.mask["SAT"], inside)
        part = image[5:, 4:]
        part.mask.clear()
        part.set_mask("CR", circle)
        np.testing.assert_array_equal(part.mask["CR"], inside[5:, 4:])

    def test_absolute_wcs(self, image):
        x, y = np.array([0.0, 5, 33]), np.array([1.0, 20, 17])
        there = image.wcs.pixel_to_world(x, y)
        for case in (image, other_wcs(image)):
            assert np.all(case.absolute_wcs.pixel_to_world(x + 100, y + 200).separation(there).arcsec < 1e-9)
            back = case.absolute_wcs.world_to_pixel(there)
            np.testing.assert_allclose(back, [x + 100, y + 200], atol=1e-6)
        assert MaskedImage(np.zeros(SHAPE), wcs=image.wcs).absolute_wcs is image.wcs
        assert MaskedImage(np.zeros(SHAPE)).absolute_wcs is None
        assert isinstance(there, SkyCoord)

    @pytest.mark.parametrize("table", ["cpdis1", "cpdis2", "det2im1", "det2im2"])
    def test_absolute_wcs_of_tables(self, table):
        wcs = tan_wcs(False)
        values = np.tile(np.linspace(0, 20, 10, dtype="f4"), (10, 1))
        setattr(wcs, table, DistortionLookupTable(values, (1, 1), (1, 1), (11, 11)))
        image = MaskedImage(np.zeros(SHAPE), wcs=wcs, xy0=(100, 200))
        moved, there = image.absolute_wcs.pixel_to_world(120.0, 210.0), wcs.pixel_to_world(20.0, 10.0)
        assert moved.separation(there).arcsec < 1e-9

    def test_sums_go_through_the_wcs_of_the_image(self):
        pixels = np.random.default_rng(2).normal(size=(60, 50))
        image = MaskedImage(pixels, wcs=tan_wcs(False), xy0=(100, 200))
        circle = CircleSkyRegion(image.wcs.pixel_to_world(20.3, 31.7), 0.9 * u.arcsec)
        expected = lr.coverage_sum(pixels, [circle.to_pixel(image.wcs)]).sum
        for part in (image, image[20:, 10:]):
            np.testing.assert_allclose(lr.coverage_sum(part, [circle]).sum, expected, rtol=1e-9)
            np.testing.assert_allclose(lr.coverage_sum(part, [circle], wcs=part.absolute_wcs).sum, expected, rtol=1e-9)


def test_variance_of_what_is_unknown():
    image = MaskedImage(np.zeros((3, 4)), uncertainty=np.ones((3, 4)))
    assert image.variance is None
    assert MaskedImage(np.zeros((3, 4))).variance is None


def test_variance_is_in_the_unit_of_the_image():
    noise = StdDevUncertainty(np.full((3, 4), 1000.0), unit="mJy")
    for unit, variance in (("Jy", 1), ("mJy", 1e6), (None, 1e6)):
        np.testing.assert_allclose(MaskedImage(np.zeros((3, 4)), uncertainty=noise, unit=unit).variance, variance)


class TestConverting:
    def test_to_nddata(self, image):
        plain = image.to_nddata()
        assert type(plain) is NDData
        assert plain.mask is image.mask
        assert plain.data is image.data
        assert np.shares_memory(plain.uncertainty.array, image.uncertainty.array)
        assert (plain.unit, plain.meta, plain.wcs) == (image.unit, image.meta, image.wcs)

    def test_to_ccddata_and_back(self, image):
        ccd = image.to_nddata(CCDData)
        np.testing.assert_array_equal(ccd.mask, np.asarray(image.mask))
        assert ccd.data is image.data
        back = MaskedImage(ccd, xy0=image.xy0)
        assert back.data is image.data
        assert np.shares_memory(back.uncertainty.array, image.uncertainty.array)
        assert np.shares_memory(back.mask.array, ccd.mask)
        assert back.mask.schema.names == ("MASKED",)
        np.testing.assert_array_equal(back.mask, image.mask)

    def test_a_unit_may_be_given(self):
        image = MaskedImage(np.zeros(SHAPE))
        assert image.to_nddata(CCDData, unit="adu").unit == u.adu

    def test_from_nddata(self, image):
        again = MaskedImage(NDDataRef(image.data, mask=image.mask, uncertainty=image.uncertainty, wcs=image.wcs))
        assert again.mask is image.mask
        assert again.xy0 == (100, 200)
        assert again.wcs is image.wcs

    def test_variance_of_any_uncertainty(self):
        image = MaskedImage(np.ones(SHAPE), uncertainty=StdDevUncertainty(np.full(SHAPE, 3.0)))
        np.testing.assert_array_equal(image.variance, 9.0)


class TestMasksBesideImages:
    """A Mask says itself where it is."""

    image = np.zeros((20, 30))
    image[5, 7] = image[12, 20] = 9
    mask = lr.Mask((20, 30), lr.MaskSchema.lsst(), xy0=(100, 200))
    mask.set("SAT", lr.SpanSet([(205, 107, 108)]))

    def test_its_origin_is_that_of_the_image(self):
        found = lr.detect_footprints(self.image, 5, mask=self.mask)
        assert (found.region.xy0, found.spans.tolist()) == ((100, 200), [[212, 120, 121]])
        everything = [Box2I((100, 130), (200, 220))]
        assert lr.coverage_sum(self.image, everything, mask=self.mask).sum[0] == 9
        heavy = lr.FootprintSet([lr.SpanSet([(205, 106, 109)])]).make_heavy(self.image, mask=self.mask)
        assert heavy.values["image"].tolist() == [0, 9, 0]
        assert heavy.values["mask"].tolist() == [0, self.mask.schema.bitmask("SAT"), 0]

    def test_part_of_it_is_taken(self):
        part = self.image[4:, 6:]
        found = lr.detect_footprints(part, 5, mask=self.mask, xy0=(106, 204))
        assert found.spans.tolist() == [[212, 120, 121]]
        with pytest.raises(ValueError, match="mask must cover the image"):
            lr.detect_footprints(part, 5, mask=self.mask, xy0=(0, 0))
        with pytest.raises(ValueError, match="mask must cover the image"):
            lr.coverage_sum(np.zeros((30, 30)), [Box2I((0, 9), (0, 9))], mask=self.mask)


def test_bool_masks_of_others_have_no_place():
    data, bad = np.ones((6, 8)), np.eye(6, 8, dtype=bool)
    image = MaskedImage(data, lr.MaskSchema(["SAT"]), xy0=(5, 5))
    for operand in (NDData(data, mask=bad), MaskedImage(data, bad)):
        total = image.add(operand)
        assert (total.xy0, total.mask.count()) == ((5, 5), {"SAT": 0, "MASKED": 6})
        assert MaskedImage(data, xy0=(5, 5)).add(operand).mask.count() == {"MASKED": 6}
    assert MaskedImage(data, bad).add(image).mask.count() == {"MASKED": 6, "SAT": 0}


def test_values_go_into_images_where_they_are():
    data = np.zeros((40, 50))
    data[20, 30] = 9.0
    image = MaskedImage(data.copy(), xy0=(100, 200))
    heavy = lr.detect_footprints(image, 5).make_heavy(image)
    heavy.subtract_from(image)
    assert not image.data.any()
    heavy[0].add_to(image)
    heavy.insert(image)
    assert np.array_equal(image.data, data)
    plain = NDData(np.zeros((250, 150)))
    heavy.insert(plain)
    assert plain.data[220, 130] == 9
    with pytest.raises(ValueError, match="leave the image"):
        heavy.insert(image, (0, 0))
    with pytest.raises(TypeError, match="must be an array for the plane 'mask'"):
        lr.detect_footprints(image, 5).make_heavy(image, mask=np.zeros((40, 50), int)).insert(image, plane="mask")


def test_cutouts_of_sizes_on_the_sky():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [-1e-3, 1e-3], [20, 20]
    image = MaskedImage(np.zeros((40, 50)), wcs=wcs, xy0=(7, 9))
    center = wcs.pixel_to_world(20, 15)
    for size in (7 * u.pix, 7e-3 * u.deg, (7 * u.pix, 25.2 * u.arcsec)):
        assert image.cutout(center, size).bbox == image.cutout(center, 7).bbox

"""What mappings make of pixels: between two WCS, by models, and of many footprints at once."""

import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from astropy.modeling.models import AffineTransformation2D, Mapping, Polynomial2D
from astropy.wcs import WCS
from hypothesis import given
from test_footprints import frames
from test_rasterize import fits_wcs, generalized_wcs

import lsstregions as lr


def tan(scale=0.2, crpix=(50, 40), angle=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = 10, 20
    wcs.wcs.crpix = crpix
    wcs.wcs.cdelt = -scale / 3600, scale / 3600
    c, s = np.cos(angle), np.sin(angle)
    wcs.wcs.pc = [[c, -s], [s, c]]
    return wcs


class TestWcs:
    def test_points_go_over_the_sky(self):
        there = lr.WcsMapping(tan(), tan(0.1, (9, 8), 0.3))
        x, y = np.random.default_rng(0).uniform(0, 90, (2, 50))
        x2, y2 = there(x, y)
        sky = there.wcs_in.pixel_to_world(x, y).separation(there.wcs_out.pixel_to_world(x2, y2))
        assert sky.arcsec.max() < 1e-6
        assert np.allclose(there.inverse()(x2, y2), (x, y), atol=1e-6)
        assert there.inverse().wcs_in is there.wcs_out

    @pytest.mark.parametrize("wcs", [fits_wcs(distorted=True), generalized_wcs()], ids=["sip", "gwcs"])
    def test_any_wcs(self, wcs):
        there = lr.WcsMapping(wcs, fits_wcs())
        x, y = np.random.default_rng(0).uniform(0, 200, (2, 50))
        assert np.allclose(there.inverse()(*there(x, y)), (x, y), atol=1e-3)
        spans = lr.SpanSet.disk(9).shift(100, 90)
        moved = spans.transform(there)
        assert moved == spans.transform(lambda x, y: there(x, y), lambda x, y: there.inverse()(x, y))
        assert 0.8 < moved.area / spans.area < 1.2

    def test_footprints(self):
        there = lr.WcsMapping(tan(), tan(0.15, (30, 40), 0.4))
        image = np.random.default_rng(1).normal(size=(80, 90))
        fs = lr.detect_footprints(image, 1.5)
        moved = fs.transform(there)
        back = there.inverse()
        box = moved.union().bbox.dilated_by(3)
        x, y = np.meshgrid(np.arange(box.x.start, box.x.stop), np.arange(box.y.start, box.y.stop))
        held = fs.at(*back(x.astype(float), y.astype(float)))
        # LSST's rule leaves out pixels that are outside the images of the outermost pixels' centres.
        for i in range(0, len(fs), 7):
            dense = lr.SpanSet.from_mask(held == i, box.xy0)
            assert moved[i].spans <= dense
            assert moved[i].spans == fs[i].spans.transform(there)
        peaks = moved.peaks
        assert len(peaks) > 0.8 * len(fs.peaks)
        assert (np.diff(peaks["id"]) > 0).all()
        region = lr.Box2I((0, 60), (0, 50))
        clipped = fs.transform(there, region=region)
        assert clipped.region == region
        assert 0 < len(clipped) < len(moved)
        assert clipped.union() == moved.union().clip(region)

    def test_without_peaks(self):
        there = lr.WcsMapping(tan(), tan(0.15))
        assert len(lr.FootprintSet([lr.SpanSet.disk(5)]).transform(there)) == 1
        assert lr.FootprintSet().transform(there) == lr.FootprintSet()
        assert there([], [])[0].shape == (0,)
        with pytest.raises(TypeError, match="wcs_out must be a WCS of APE 14, not int"):
            lr.WcsMapping(tan(), 3)


class TestPeaks:
    """A footprint that stays keeps its peaks."""

    def test_half_a_pixel(self):
        fs = lr.detect_footprints(np.random.default_rng(2).normal(size=(60, 70)), 2.0)
        for offset in [(0.5, 0.5), (-0.5, 0.25), (0.49, -0.5)]:
            moved = fs.transform(lr.AffineTransform(lr.LinearTransform.scaling(1), offset))
            assert (np.diff(moved.peak_offsets) == np.where(moved.area > 0, np.diff(fs.peak_offsets), 0)).all()
            assert moved.remove_orphan_peaks() == moved
        smaller = fs.transform(lr.LinearTransform.scaling(0.7))
        assert (np.diff(smaller.peak_offsets)[smaller.area > 0] > 0).all()

    def test_identity(self):
        fs = lr.detect_footprints(np.array([[0.0, 5, 5, 0]]), 1, subpixel=True)
        assert fs.peaks["x"].tolist() == [1.5, 1.5]
        moved = fs.transform(lr.LinearTransform.scaling(1))
        assert moved.peaks["x_peak"].tolist() == [1, 2]
        assert moved.peaks["x"].tolist() == [1.5, 1.5]


class TestModels:
    def test_a_model_brings_its_inverse(self):
        model = AffineTransformation2D([[0, -2], [2, 0]], [7, 9])
        spans = lr.SpanSet.disk(5)
        ours = lr.AffineTransform(lr.LinearTransform([[0, -2], [2, 0]]), (7, 9))
        assert spans.transform(model) == spans.transform(ours) != spans

    def test_a_model_without_inverse(self):
        model = Mapping((0, 1, 0, 1)) | (Polynomial2D(1, c1_0=1) & Polynomial2D(1, c0_1=1))
        with pytest.raises(NotImplementedError, match="inverse"):
            lr.SpanSet.disk(5).transform(model)
        assert lr.SpanSet.disk(5).transform(model, lambda x, y: (x, y)) == lr.SpanSet.disk(5)


class TestManyFootprints:
    @given(st.lists(frames(), max_size=4), st.tuples(*[st.integers(-6, 6).map(lambda n: n / 4)] * 4))
    def test_each_by_itself(self, masks, matrix):
        matrix = np.reshape(matrix, (2, 2))
        if abs(np.linalg.det(matrix)) < 0.05:
            return
        turned = lr.LinearTransform(matrix)
        moved = lr.FootprintSet([lr.SpanSet.from_mask(mask) for mask in masks]).transform(turned)
        for mask, one in zip(masks, moved, strict=True):
            expected = reference.transformed(mask, turned, turned.inverse()) if mask.any() else []
            assert list(zip(*one.spans.indices(), strict=True)) == expected

    def test_in_chunks(self, monkeypatch):
        fs = lr.FootprintSet([lr.SpanSet([(3, 0, 500)]), lr.SpanSet.disk(9), lr.SpanSet([(0, 5, 9)])])
        turned = lr.LinearTransform.rotation(0.3)
        whole = fs.transform(turned)
        monkeypatch.setattr("lsstregions.mappings._CHUNK", 50)
        assert fs.transform(turned) == whole

    def test_refuses(self):
        fs = lr.FootprintSet([lr.SpanSet.disk(2)])
        with pytest.raises(TypeError, match="mapping must be callable, not float"):
            fs.transform(2.0)
        with pytest.raises(TypeError, match="inverse must be given"):
            fs.transform(lambda x, y: (x, y))
        with pytest.raises(ValueError, match="mapping must give arrays of the shape"):
            fs.transform(lambda x, y: (x[:1], y[:1]), lambda x, y: (x, y))
        with pytest.raises(ValueError, match="inverse must give arrays of the shape"):
            fs.transform(lambda x, y: (x, y), lambda x, y: (x[:1], y[:1]))
        lowest = lr.FootprintSet([lr.SpanSet([(-(2**31), 3, 5)])])
        assert lowest.transform(lr.LinearTransform.scaling(1)) == lowest
        peak = lr.Footprint(lr.SpanSet.disk(2)).add_peak(0.25, 0, 5.0)

        def nowhere(x, y):
            return np.where(x == 0.25, np.nan, x), y

        with pytest.raises(ValueError, match="nowhere"):
            peak.transform(nowhere, nowhere)

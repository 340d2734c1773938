"""Wherever a mask is taken, a Mask gives what the bool array of its bad pixels gives."""

import operator
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.convolution import Gaussian2DKernel, convolve, convolve_fft, interpolate_replace_nans
from astropy.io import fits
from astropy.nddata import CCDData, Cutout2D, NDData, NDDataRef, bitfield_to_boolean_mask, support_nddata
from astropy.stats import mad_std, sigma_clip, sigma_clipped_stats
from astropy.utils.masked import Masked
from regions import CirclePixelRegion, PixCoord

from lsstregions.masks import Mask, MaskSchema, merge_masks

SHAPE = (48, 64)
RNG = np.random.default_rng(11)
DATA = RNG.normal(10, 1, SHAPE)
for _y, _x, _flux in [(20, 30, 400.0), (35, 12, 250.0), (8, 50, 300.0), (25, 31, 200.0)]:
    _rows, _columns = np.indices(SHAPE)
    DATA += _flux / (2 * np.pi * 4) * np.exp(-((_rows - _y) ** 2 + (_columns - _x) ** 2) / 8)


def make_mask():
    """Return a mask whose good pixels have bits too."""
    mask = Mask(SHAPE, MaskSchema.lsst())
    rng = np.random.default_rng(4)
    mask["SAT"] = rng.random(SHAPE) < 0.03
    mask["CR"] = rng.random(SHAPE) < 0.02
    mask["DETECTED"] = rng.random(SHAPE) < 0.5
    return mask


@support_nddata
def sum_of_good(data, mask=None):
    return data[~mask].sum()


def in_ufuncs(mask):
    out = np.empty(SHAPE, bool)
    np.logical_not(mask, out=out)
    return (
        ~mask,
        mask & True,
        mask ^ mask,
        mask | np.eye(*SHAPE, dtype=bool),
        np.eye(*SHAPE, dtype=bool) & mask,
        mask == False,  # noqa: E712 It is what is tested.
        mask != 0,
        mask + 1,
        mask * DATA,
        1.0 - mask,
        np.logical_or(mask, DATA > 11),
        np.logical_and.reduce(mask, axis=0),
        np.add(DATA, 1, where=mask, out=DATA.copy()),
        np.isnan(mask),
        out,
        operator.iand(np.ones(SHAPE, bool), mask),
        DATA * u.adu * mask,
    )


def in_functions(mask):
    copied = DATA.copy()
    copied[mask] = np.nan
    written = DATA.copy()
    np.putmask(written, mask, 0)
    placed = DATA.copy()
    np.copyto(placed, -1, where=mask)
    return (
        DATA[mask],
        DATA[~mask],
        copied,
        written,
        placed,
        np.where(mask, 0, DATA),
        np.nonzero(mask),
        np.count_nonzero(mask),
        np.sum(mask),
        np.sum(mask, axis=0),
        mask.sum(axis=1),
        np.any(mask),
        np.all(mask, axis=0),
        mask.any(),
        mask.all(),
        np.mean(mask),
        np.max(mask),
        np.argmax(mask),
        np.ravel(mask),
        np.transpose(mask),
        np.reshape(mask, -1),
        np.concatenate([mask, mask]),
        np.stack([mask, mask]),
        np.broadcast_to(mask, (2, *SHAPE)),
        np.pad(mask, 1),
        np.flip(mask),
        np.full(SHAPE, mask),
        np.zeros_like(mask),
        np.array_equal(mask, np.asarray(mask)),
        np.mean(DATA, where=mask),
        np.compress(np.asarray(mask)[:, 0], mask, axis=0),
        np.asarray(mask, dtype=float),
        mask.astype(np.uint8),
        (mask.shape, mask.ndim, mask.size, mask.dtype, len(mask)),
        np.shape(mask),
        np.result_type(mask, np.uint8),
        list(map(np.sum, mask)),
        mask[3],
        mask[3, 4],
        mask[DATA > 11],
    )


def in_nddata(kind):
    def use(mask):
        image = kind(DATA, mask=mask, unit="adu")
        results = [repr(image), image.data[image.mask], image.data[~image.mask]]
        if kind is not NDData:
            part = image[3:20, 5:40]
            results += [np.asarray(part.mask), part.data[part.mask]]
            for axis in (None, 0, 1):
                for name in ("mean", "sum", "min", "max"):
                    for ignores in (True, False):
                        result = getattr(image, name)(axis=axis, operation_ignores_mask=ignores)
                        results += [result.data, np.asarray(result.mask)]
            total = image.add(image)
            results += [np.asarray(total.mask), total.data]
            results.append(np.asarray(image.multiply(2).mask))
            results.append(np.asarray(image.add(kind(DATA, unit="adu")).mask))
            results.append(np.asarray(image.add(kind(DATA, mask=DATA > 11, unit="adu")).mask))
            results.append(np.asarray(image.add(image, handle_mask=merge_masks).mask))
        return results

    return use


def in_ccddata_files(mask):
    ccd = CCDData(DATA, mask=mask, unit="adu")
    hdus = ccd.to_hdu()
    return hdus["MASK"].data, ccd.copy().mask, ccd.mask


def in_masked_arrays(mask):
    plain = np.ma.masked_array(DATA, mask=mask)
    other = np.ma.array(DATA)
    other.mask = mask
    masked = Masked(DATA, mask=mask)
    quantity = Masked(DATA * u.adu, mask=mask)
    return (
        plain.mask,
        plain.mean(),
        plain.filled(0),
        np.ma.median(plain),
        other.mask,
        np.ma.make_mask(mask),
        np.ma.mask_or(mask, DATA > 11),
        np.ma.masked_where(mask, DATA).sum(),
        np.asarray(masked.mask),
        masked.mean().unmasked,
        quantity.sum().unmasked,
        masked.filled(0),
    )


def in_convolution(mask):
    kernel = Gaussian2DKernel(1.5)
    holes = np.where(np.asarray(mask), np.nan, DATA)
    return (
        convolve(DATA, kernel, mask=mask),
        convolve(DATA, kernel, mask=mask, nan_treatment="fill"),
        convolve_fft(DATA, kernel, mask=mask),
        interpolate_replace_nans(holes, kernel),
        convolve(NDData(DATA, mask=mask), kernel),
    )


def in_statistics(mask):
    return (
        sigma_clipped_stats(DATA, mask=mask),
        sigma_clipped_stats(DATA, mask=mask, sigma=2, grow=1),
        sigma_clip(np.ma.masked_array(DATA, mask)).mask,
        mad_std(np.ma.masked_array(DATA, mask)),
        sum_of_good(NDData(DATA, mask=mask)),
        sum_of_good(DATA, mask=mask),
    )


def in_regions(mask):
    aperture = CirclePixelRegion(PixCoord(30, 20), 6).to_mask()
    return aperture.get_values(DATA, mask=mask), aperture.cutout(mask), aperture.multiply(mask)


def in_cutouts(mask):
    return Cutout2D(mask, (30, 20), (7, 9)).data, Cutout2D(mask, (2, 2), 9, mode="partial", fill_value=True).data


def in_scipy(mask):
    ndimage = pytest.importorskip("scipy.ndimage")
    return (
        ndimage.binary_dilation(mask),
        ndimage.label(mask),
        ndimage.sum_labels(DATA, mask),
        ndimage.distance_transform_edt(mask),
    )


def in_matplotlib(mask):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, axes = pyplot.subplots()
    image = axes.imshow(mask)
    contours = axes.contour(mask, [0.5])
    pyplot.close(figure)
    return image.get_array().filled(), [path.vertices for path in contours.get_paths()]


def in_files(mask):
    return fits.ImageHDU(mask.astype(np.uint8)).data, bitfield_to_boolean_mask(mask.astype(np.uint8))


def quietly(function, *args, **options):
    """Call what some versions have deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*deprecated")
        return function(*args, **options)


def in_photutils_apertures(mask):
    aperture = pytest.importorskip("photutils.aperture")
    circles = aperture.CircularAperture([(30, 20), (12.3, 35.1)], 4)
    stats = aperture.ApertureStats(DATA, circles, mask=mask)
    return (
        aperture.aperture_photometry(DATA, circles, mask=mask)["aperture_sum"].value,
        aperture.aperture_photometry(NDData(DATA, mask=mask), circles)["aperture_sum"].value,
        quietly(circles.do_photometry, DATA, mask=mask),
        stats.sum,
        stats.median,
        stats.centroid,
    )


def in_photutils_segmentation(mask):
    segmentation = pytest.importorskip("photutils.segmentation")
    segments = segmentation.detect_sources(DATA, 12, 5, mask=mask)
    finder = quietly(segmentation.SourceFinder, n_pixels=5, progress_bar=False)(DATA, 12, mask=mask)
    catalog = segmentation.SourceCatalog(DATA, segments, mask=mask)
    threshold = segmentation.detect_threshold(DATA, 2, mask=mask)
    return segments.data, finder.data, catalog.segment_flux, catalog.centroid, threshold


def in_photutils_detection(mask):
    detection = pytest.importorskip("photutils.detection")
    stars = detection.DAOStarFinder(fwhm=4.5, threshold=3.0)(DATA - 10, mask=mask)
    peaks = detection.find_peaks(DATA, 14, mask=mask)
    return np.array(stars["flux"]), np.array(peaks["peak_value"])


def in_photutils_others(mask):
    background = pytest.importorskip("photutils.background")
    centroids = pytest.importorskip("photutils.centroids")
    profiles = pytest.importorskip("photutils.profiles")
    box = (slice(10, 30), slice(20, 40))
    fitted = background.Background2D(DATA, (16, 16), mask=mask, filter_size=3)
    excluded = background.Background2D(DATA, (16, 16), coverage_mask=mask, exclude_percentile=80)
    return (
        fitted.background,
        fitted.background_rms,
        excluded.background,
        centroids.centroid_com(DATA[box], mask=mask[box]),
        centroids.centroid_2dg(DATA[box] - 10, mask=mask[box]),
        centroids.centroid_sources(DATA, 30, 20, box_size=11, mask=mask),
        profiles.RadialProfile(DATA, (30, 20), np.arange(8), mask=mask).profile,
    )


CONSUMERS = {
    "ufuncs": in_ufuncs,
    "functions": in_functions,
    "NDData": in_nddata(NDData),
    "NDDataRef": in_nddata(NDDataRef),
    "CCDData": in_nddata(CCDData),
    "CCDData in files": in_ccddata_files,
    "np.ma and Masked": in_masked_arrays,
    "convolution": in_convolution,
    "statistics": in_statistics,
    "regions": in_regions,
    "Cutout2D": in_cutouts,
    "scipy": in_scipy,
    "matplotlib": in_matplotlib,
    "files": in_files,
    "photutils.aperture": in_photutils_apertures,
    "photutils.segmentation": in_photutils_segmentation,
    "photutils.detection": in_photutils_detection,
    "photutils.others": in_photutils_others,
}


def assert_equal(first, second):
    if isinstance(first, list | tuple):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_equal(one, other)
    elif isinstance(first, str | np.dtype):
        assert first == second
    else:
        assert type(first) is type(second)
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", CONSUMERS)
def test_a_mask_gives_what_the_bool_array_gives(name):
    mask = make_mask()
    before = mask.copy()
    assert_equal(CONSUMERS[name](mask), CONSUMERS[name](np.asarray(mask)))
    assert mask.equals(before)


def test_planes_pass_through_nddata_unharmed():
    mask = make_mask()
    image = NDDataRef(DATA, mask=mask)
    assert image.mask is mask
    part = image[3:20, 5:40]
    assert part.mask.xy0 == (5, 3)
    np.testing.assert_array_equal(part.mask["DETECTED"], mask["DETECTED"][3:20, 5:40])
    for result in [image.add(image), image.add(1), image.add(DATA), image.divide(NDDataRef(DATA))]:
        assert result.mask.equals(mask)
        assert result.mask is not mask
    assert NDDataRef(image).mask is mask
    assert NDDataRef(image, copy=True).mask.equals(mask)


def test_the_documented_limits_of_ccddata():
    """A CCDData takes the bad pixels of the moment; the planes stay behind."""
    mask = make_mask()
    image = CCDData(DATA, mask=mask, unit="adu")
    assert type(image.mask) is np.ndarray
    mask.set("SAT", ...)
    assert not image.mask.all()


def test_no_copy_is_refused():
    with pytest.raises(ValueError, match="its bits are mask.array"):
        np.array(make_mask(), copy=False)


def test_bits_are_only_had_on_request():
    """The bits of an astropy bit field are `array`; a Mask is never mistaken for one."""
    mask = make_mask()
    ignored = mask.schema.bitmask("DETECTED")
    np.testing.assert_array_equal(bitfield_to_boolean_mask(mask.array, ignore_flags=ignored), mask)
    with pytest.raises(TypeError):
        bitfield_to_boolean_mask(mask)


def test_the_truth_of_a_mask_is_as_ambiguous_as_that_of_an_array():
    with pytest.raises(ValueError, match="truth value of an array"):
        bool(make_mask())

"""Masks and masked images in FITS files."""

import contextlib
import io

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, InverseVariance, StdDevUncertainty, UnknownUncertainty, VarianceUncertainty
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import lsstregions as lr
from lsstregions.detection import Threshold, detect_footprints
from lsstregions.io.fits_mask import mask_hdus, read_image, read_mask
from lsstregions.masks import Mask, MaskPlane, MaskSchema
from lsstregions.nddata import MaskedImage

LSST = MaskSchema.lsst()
JWST = {"GOOD": 0, "DO_NOT_USE": 1, "SATURATED": 2, "JUMP_DET": 4, "NON_SCIENCE": 512, "REFERENCE_PIXEL": 2**31}
SHAPE = (12, 15)


def random_mask(schema=LSST, xy0=(100, -200), shape=SHAPE):
    rng = np.random.default_rng(7)
    mask = Mask(shape, schema, xy0=xy0)
    for name in schema.names:
        mask[name] = rng.random(shape) < 0.3
    return mask


def a_wcs(ctype=("RA---TAN", "DEC--TAN")):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ctype
    wcs.wcs.crval = 150.1, 2.3
    wcs.wcs.crpix = 6.5, 7.25
    wcs.wcs.cd = [[-5e-5, 1e-6], [1e-6, 5e-5]]
    return wcs


def in_memory(*hdus):
    """Return HDUs as they are after they have been in a file."""
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(file)
    file.seek(0)
    return file


def written(mask, **cards):
    """Return a file with a mask, some cards of which were changed; None takes a card away."""
    (hdu,) = mask_hdus(mask)
    for keyword, value in cards.items():
        if value is None:
            del hdu.header[keyword]
        else:
            hdu.header[keyword] = value
    return in_memory(hdu)


class TestMasks:
    @pytest.mark.parametrize("compression", [None, "RICE_1", "GZIP_1", "GZIP_2"])
    @pytest.mark.parametrize("n_bits", [1, 8, 9, 16, 31, 32, 33, 63, 64, 65, 128, 200])
    def test_round_trip_is_exact(self, tmp_path, n_bits, compression):
        schema = MaskSchema(
            [
                MaskPlane("FIRST", 0, "the first", bad=True),
                *([MaskPlane("top of all", n_bits - 1)] if n_bits > 1 else []),
            ]
        )
        if compression == "RICE_1" and n_bits > 32:
            with pytest.raises(ValueError, match="RICE_1 compresses up to 32 bits a pixel, not uint64"):
                random_mask(schema).write(tmp_path / "mask.fits", compression=compression)
            return
        mask = random_mask(schema)
        mask.write(tmp_path / "mask.fits", compression=compression)
        again = Mask.read(tmp_path / "mask.fits")
        assert again.equals(mask)
        assert again.array.dtype == mask.array.dtype
        with fits.open(tmp_path / "mask.fits", checksum=True) as hdus:
            hdus.verify("exception")

    @given(
        st_numpy.arrays(
            st.sampled_from([np.uint8, np.uint16, np.uint32, np.uint64]),
            st.tuples(st.integers(1, 5), st.integers(1, 5)),
        )
    )
    def test_every_value_survives(self, bits):
        schema = MaskSchema(f"P{bit}" for bit in range(8 * bits.dtype.itemsize))
        for compression in (None, "GZIP_2"):
            again = read_mask(in_memory(*mask_hdus(Mask(bits, schema), compression=compression)))
            assert again.array.dtype == bits.dtype
            np.testing.assert_array_equal(again.array, bits)

    @pytest.mark.parametrize("name", ["mask.fits", "mask.fits.gz", "mask.fit"])
    def test_formats_are_found(self, tmp_path, name):
        random_mask().write(tmp_path / name)
        assert Mask.read(tmp_path / name).equals(random_mask())
        assert Mask.read(str(tmp_path / name), format="fits").equals(random_mask())

    def test_a_view_is_written_as_what_it_shows(self, tmp_path):
        mask = random_mask()[2:7, 3:9]
        mask.write(tmp_path / "mask.fits")
        assert Mask.read(tmp_path / "mask.fits").equals(mask)

    def test_a_file_is_replaced_only_on_request_and_only_whole(self, tmp_path):
        path = tmp_path / "mask.fits"
        random_mask().write(path)
        before = path.read_bytes()
        with pytest.raises(FileExistsError, match="mask.fits exists; overwrite=True replaces it"):
            random_mask().write(path)
        wide = random_mask(MaskSchema([MaskPlane("A", 40)]))
        with pytest.raises(ValueError, match="RICE_1"):
            wide.write(path, overwrite=True, compression="RICE_1")
        assert path.read_bytes() == before
        wide.write(path, overwrite=True)
        assert Mask.read(path).equals(wide)
        assert [file.name for file in tmp_path.iterdir()] == ["mask.fits"]

    def test_unknown_compression(self):
        with pytest.raises(ValueError, match="compression must be one of RICE_1, GZIP_1, GZIP_2, not 'ZIP'"):
            mask_hdus(random_mask(), compression="ZIP")

    def test_hdu_can_be_said(self):
        first, second = random_mask(), random_mask(MaskSchema(["OTHER"]))
        file = in_memory(*mask_hdus(first), *mask_hdus(second, extname="MORE"))
        assert read_mask(file).equals(first)
        file.seek(0)
        with fits.open(file) as hdus:
            assert read_mask(hdus).equals(first)
            assert read_mask(hdus, hdu="MORE").equals(second)
            assert read_mask(hdus, hdu=2).equals(second)
            assert read_mask(hdus, hdu=("MORE", 1)).equals(second)
            with pytest.raises(KeyError, match="no HDU 'NONE'; they are 0 PRIMARY, 1 MASK, 2 MORE"):
                read_mask(hdus, hdu="NONE")
            with pytest.raises(ValueError, match="HDU 0 holds no 2-D image"):
                read_mask(hdus, hdu=0)

    def test_no_mask(self):
        with pytest.raises(ValueError, match="no HDU holds a mask; they are 0 PRIMARY"):
            read_mask(in_memory())
        with pytest.raises(ValueError, match="its pixels are float32 "):
            read_mask(in_memory(fits.ImageHDU(np.zeros(SHAPE, np.float32), name="MASK")))


class TestForeignMasks:
    def test_cards_of_afw_alone(self):
        mask = random_mask()
        hdu = fits.ImageHDU(mask.array.astype(np.int32), name="MASK")
        for plane in LSST:
            hdu.header[f"HIERARCH MP_{plane.name}"] = plane.bit
        hdu.header["LTV1"], hdu.header["LTV2"] = -100, 200
        assert read_mask(in_memory(hdu)).equals(Mask(mask.array.astype(np.uint32), LSST, xy0=mask.xy0))

    def test_several_hdus_of_lsst_images(self):
        names = [f"PLANE_{i:02d}" for i in range(40)]
        rng = np.random.default_rng(1)
        images = {name: rng.random(SHAPE) < 0.3 for name in names}
        hdus = []
        for k, part in enumerate([names[:31], names[31:]]):
            bits = sum(images[name].astype(np.int32) << i for i, name in enumerate(part))
            hdu = fits.CompImageHDU(bits, name="MASK", compression_type="GZIP_2")
            hdu.ver = k + 1
            for i, name in enumerate(part):
                hdu.header.update({f"MSKN{i:04d}": name, f"MSKM{i:04d}": 1 << i, f"MSKD{i:04d}": f"no {name}"})
            for axis, start in ((1, 5), (2, 6)):
                hdu.header.update({f"CTYPE{axis}A": "LINEAR", f"CRPIX{axis}A": 1.0, f"CRVAL{axis}A": start})
            hdus.append(hdu)
        mask = read_mask(in_memory(*hdus))
        assert mask.schema.names == tuple(names)
        assert mask.xy0 == (5, 6)
        assert mask.schema["PLANE_31"].description == "no PLANE_31"
        for name in names:
            np.testing.assert_array_equal(mask[name], images[name])

    @pytest.mark.parametrize("dtype", [np.uint32, np.int32])
    def test_dq_arrays_with_a_map_of_flags(self, dtype):
        bits = np.array([[0, 1, 2], [3, 512, 2**31]], np.uint32).astype(dtype)
        hdu = fits.ImageHDU(bits, name="DQ")
        mask = read_mask(in_memory(hdu), schema=JWST)
        assert mask.interpret(x=0, y=1) == ("DO_NOT_USE", "SATURATED")
        assert mask.interpret(x=2, y=1) == ("REFERENCE_PIXEL",)
        np.testing.assert_array_equal(mask, bits != 0)
        bad = MaskSchema.from_bit_flag_map(JWST, bad=["DO_NOT_USE"])
        np.testing.assert_array_equal(read_mask(in_memory(hdu), schema=bad), bits & 1 != 0)

    def test_dq_arrays_without_one(self):
        with pytest.raises(ValueError, match="no card of HDU 'DQ' names the planes: say by schema="):
            read_mask(in_memory(fits.ImageHDU(np.full(SHAPE, 4, np.int16), name="DQ")))
        with pytest.raises(ValueError, match="HDU 'DQ': pixels have bits that no plane has: 4"):
            read_mask(in_memory(fits.ImageHDU(np.full(SHAPE, 16, np.int16), name="DQ")), schema=JWST)

    def test_the_dq_arrays_of_two_detectors_are_two_masks(self):
        hdus = [fits.ImageHDU(np.full(SHAPE, value, np.int16), name="DQ", ver=value) for value in (1, 2)]
        file = in_memory(*hdus)
        assert read_mask(file, schema=JWST).interpret(x=0, y=0) == ("DO_NOT_USE",)
        file.seek(0)
        assert read_mask(file, schema=JWST, hdu=("DQ", 2)).interpret(x=0, y=0) == ("SATURATED",)

    def test_zeros_and_ones(self):
        bad = np.eye(*SHAPE, dtype=np.uint8)
        mask = read_mask(in_memory(fits.ImageHDU(bad, name="MASK")))
        assert mask.schema.bad == ("MASKED",)
        np.testing.assert_array_equal(mask, bad.astype(bool))


class TestPlaces:
    @pytest.mark.parametrize(
        ("cards", "message"),
        [
            ({"LTV1": -99.0}, "cards LTV1 and CRVAL1A contradict each other: 99.0 and 100.0"),
            ({"LTV2": 0.5}, "card LTV2 puts the first pixel at -0.5: say by xy0="),
            ({"CRVAL2A": "there"}, "card CRVAL2A must be a number, not 'there'"),
            ({"LTV1": True}, "card LTV1 must be a number, not True"),
            ({"LTM1_1": 0.5}, "card LTM1_1 says that pixels are binned: say by xy0="),
            ({"MSKM0001": 3}, "card MSKM0001 must be a power of two"),
            ({"MP_SAT": 0}, "cards MP_BAD and MP_SAT have the same bit, 0"),
            ({"MP_SAT": 16, "MSKM0001": 1 << 16}, "a card gives plane 'SAT' bit 16, pixels have 16 bits"),
        ],
    )
    def test_a_corrupt_card_is_named(self, cards, message):
        with pytest.raises(ValueError, match=message):
            read_mask(written(random_mask(), **cards))
        if "LT" in next(iter(cards)):
            assert read_mask(written(random_mask(), **cards), xy0=(1, 2)).xy0 == (1, 2)

    def test_a_card_that_cannot_be_parsed(self):
        file = written(random_mask())
        text = file.getvalue()
        card = b"MP_CR   =                    3"
        assert card in text
        with pytest.raises(ValueError, match="MP_CR"):
            read_mask(io.BytesIO(text.replace(card, b"MP_CR   =                  '3 ")))

    @pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
    @pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
    @given(st.lists(st.tuples(st.integers(0, 80 * 70 - 1), st.sampled_from(b" 019'TF=/AZ.-")), min_size=1, max_size=4))
    def test_damaged_headers_give_errors_of_their_own(self, damages):
        content = bytearray(written(random_mask()).getvalue())
        for place, byte in damages:
            content[2880 + place] = byte
        with contextlib.suppress(ValueError, OSError, fits.VerifyError):
            read_mask(io.BytesIO(content))

    def test_either_kind_of_cards_will_do(self):
        for gone in (["LTV1", "LTV2"], ["CTYPE1A", "CTYPE2A"]):
            assert read_mask(written(random_mask(), **dict.fromkeys(gone))).xy0 == (100, -200)
        assert read_mask(written(random_mask(), **dict.fromkeys(["LTV1", "LTV2", "CTYPE1A", "CTYPE2A"]))).xy0 == (0, 0)

    def test_bits_that_no_card_names(self):
        with pytest.raises(ValueError, match="HDU 'MASK': pixels have bits that no plane has: 10"):
            read_mask(written(random_mask(), **{f"MSK{kind}0010": None for kind in "NMDB"} | {"MP_STREAK": None}))


class TestImages:
    def image(self, **changes):
        rng = np.random.default_rng(2)
        parts = {
            "mask": random_mask(),
            "uncertainty": VarianceUncertainty(rng.uniform(1, 2, SHAPE).astype(np.float32)),
            "wcs": a_wcs(),
            "unit": "nJy",
            "meta": {"OBJECT": "M 31", "a longer name": 1.5},
        }
        return MaskedImage(rng.normal(size=SHAPE).astype(np.float32), **parts | changes)

    def assert_same(self, first, second):
        assert first.data.dtype == second.data.dtype
        np.testing.assert_array_equal(first.data, second.data)
        assert first.xy0 == second.xy0
        assert first.unit == second.unit
        assert (first.mask is None) == (second.mask is None)
        assert first.mask is None or first.mask.equals(second.mask)
        assert type(first.uncertainty) is type(second.uncertainty)
        if first.uncertainty is not None:
            np.testing.assert_array_equal(first.uncertainty.array, second.uncertainty.array)
            assert first.uncertainty.unit == second.uncertainty.unit
        assert (first.wcs is None) == (second.wcs is None)
        if first.wcs is not None:
            assert first.wcs.pixel_to_world(3, 4).separation(second.wcs.pixel_to_world(3, 4)).arcsec < 1e-6

    @pytest.mark.parametrize("compression", [None, "RICE_1", "GZIP_2"])
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"mask": None, "xy0": (-3, 4)},
            {"uncertainty": None},
            {"wcs": None, "unit": None, "meta": None},
            {"unit": "electron / s"},
            {"unit": None},
            {"uncertainty": StdDevUncertainty(np.ones(SHAPE))},
            {"uncertainty": StdDevUncertainty(np.ones(SHAPE), unit="uJy")},
            {"uncertainty": InverseVariance(np.ones(SHAPE))},
            {"uncertainty": UnknownUncertainty(np.ones(SHAPE))},
            {"wcs": a_wcs(("GLON-CAR", "GLAT-CAR"))},
        ],
    )
    @pytest.mark.filterwarnings("ignore:.*uncertainty.*:astropy.utils.exceptions.AstropyUserWarning")
    def test_round_trip_is_exact(self, tmp_path, changes, compression):
        image = self.image(**changes)
        image.write(tmp_path / "image.fits", compression=compression)
        again = MaskedImage.read(tmp_path / "image.fits")
        self.assert_same(again, image)
        assert dict(again.meta) == dict(image.meta)
        again.write(tmp_path / "again.fits", compression=compression)
        once_more = MaskedImage.read(tmp_path / "again.fits")
        self.assert_same(once_more, image)
        assert dict(once_more.meta) == dict(again.meta)
        with fits.open(tmp_path / "image.fits") as hdus:
            hdus.verify("exception")

    @pytest.mark.parametrize(
        "dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64]
    )
    def test_pixels_of_every_kind(self, tmp_path, dtype):
        image = MaskedImage(np.arange(20).reshape(4, 5).astype(dtype), LSST, xy0=(1, 2))
        image.write(tmp_path / "image.fits")
        self.assert_same(MaskedImage.read(tmp_path / "image.fits"), image)

    def test_a_wide_mask(self, tmp_path):
        image = self.image(mask=random_mask(MaskSchema([MaskPlane("A", 3), MaskPlane("B", 130, bad=True)])))
        image.write(tmp_path / "image.fits")
        self.assert_same(MaskedImage.read(tmp_path / "image.fits"), image)

    def test_what_fits_cannot_keep_is_refused(self, tmp_path):
        from astropy.wcs.wcsapi import HighLevelWCSWrapper, SlicedLowLevelWCS

        wcs = HighLevelWCSWrapper(SlicedLowLevelWCS(a_wcs(), (slice(0, 5), slice(0, 5))))
        for change, message in [
            ({"meta": {"nested": {"a": 1}}}, "the metadata 'nested' cannot be kept in FITS"),
            ({"wcs": wcs}, "a WCS of class HighLevelWCSWrapper cannot be kept in FITS"),
        ]:
            with pytest.raises(ValueError, match=message):
                self.image(**change).write(tmp_path / "image.fits")
        with pytest.raises(ValueError, match="pixels of complex128 cannot be kept"):
            MaskedImage(np.zeros(SHAPE, complex)).write(tmp_path / "image.fits")
        with pytest.raises(ValueError, match="must be 2-D"):
            MaskedImage(np.zeros(3)).write(tmp_path / "image.fits")
        assert list(tmp_path.iterdir()) == []

    def test_ccddata_reads_what_we_write(self, tmp_path):
        image = self.image(uncertainty=StdDevUncertainty(np.ones(SHAPE)))
        image.write(tmp_path / "image.fits")
        ccd = CCDData.read(tmp_path / "image.fits")
        np.testing.assert_array_equal(ccd.data, image.data)
        np.testing.assert_array_equal(ccd.mask, image.mask.array != 0)
        np.testing.assert_array_equal(ccd.uncertainty.array, image.uncertainty.array)
        assert ccd.unit == image.unit
        assert ccd.wcs.pixel_to_world(3, 4).separation(image.wcs.pixel_to_world(3, 4)).arcsec < 1e-6

    def test_we_read_what_ccddata_writes(self, tmp_path):
        image = self.image(uncertainty=StdDevUncertainty(np.ones(SHAPE)), meta={"OBJECT": "M 31"})
        image.to_nddata(CCDData).write(tmp_path / "ccd.fits")
        again = MaskedImage.read(tmp_path / "ccd.fits", xy0=image.xy0)
        np.testing.assert_array_equal(again.mask, image.mask)
        assert again.mask.schema.names == ("MASKED",)
        again.mask = image.mask
        self.assert_same(again, image)
        assert again.meta["OBJECT"] == "M 31"

    def test_sci_err_dq(self):
        rng = np.random.default_rng(0)
        sci, err = rng.normal(size=(2, *SHAPE)).astype(np.float32)
        dq = rng.choice(list(JWST.values()), SHAPE).astype(np.uint32)
        hdus = [
            fits.ImageHDU(sci, fits.Header([("BUNIT", "MJy/sr")]), name="SCI"),
            fits.ImageHDU(err, name="ERR"),
            fits.ImageHDU(dq, name="DQ"),
        ]
        image = read_image(in_memory(*hdus), schema=JWST)
        np.testing.assert_array_equal(image.data, sci)
        np.testing.assert_array_equal(image.mask.array, dq)
        np.testing.assert_array_equal(image.variance, err**2)
        assert image.unit == u.MJy / u.sr

    def test_two_detectors_in_one_file(self):
        hdus = []
        for ver in (1, 2):
            for name, value in (("SCI", 10.0), ("ERR", 3.0), ("DQ", 1)):
                hdus.append(fits.ImageHDU(np.full(SHAPE, value * ver, np.int16), name=name, ver=ver))
        file = in_memory(*hdus)
        with fits.open(file) as opened:
            second = read_image(opened, hdu=("SCI", 2), schema=JWST)
            assert read_image(opened, schema=JWST).mask.interpret(x=0, y=0) == ("DO_NOT_USE",)
            assert read_image(opened, hdu=4, schema=JWST).mask.equals(second.mask)
            del opened[6]
            assert read_image(opened, hdu=4, schema=JWST).mask is None
        assert (second.data[0, 0], second.variance[0, 0]) == (20, 36)
        assert second.mask.interpret(x=0, y=0) == ("SATURATED",)

    def test_the_metadata_keeps_the_date(self, tmp_path):
        hdu = fits.ImageHDU(np.zeros(SHAPE), a_wcs().to_header(), name="IMAGE")
        hdu.header["DATE-OBS"], hdu.header["FILTER"] = "2026-01-02T03:04:05", "r"
        image = read_image(in_memory(hdu))
        assert dict(image.meta) == {"DATE-OBS": "2026-01-02T03:04:05", "FILTER": "r"}
        image.write(tmp_path / "image.fits")
        assert MaskedImage.read(tmp_path / "image.fits").meta == image.meta

    @pytest.mark.parametrize(
        ("cards", "message"),
        [
            ({"BUNIT": "bananas"}, "card BUNIT is no unit, 'bananas': say by unit="),
            ({"LTV1": 2}, "cards LTV1 and CRVAL1A contradict each other"),
            ({"CTYPE1": "RA---XXX", "CTYPE2": "DEC--XXX"}, "the WCS cards cannot be understood"),
        ],
    )
    def test_a_corrupt_card_is_named(self, tmp_path, cards, message):
        self.image().write(tmp_path / "image.fits")
        with fits.open(tmp_path / "image.fits") as hdus:
            hdus["IMAGE"].header.update(cards)
            with pytest.raises(ValueError, match=message):
                read_image(hdus)

    def test_parts_that_do_not_fit_together(self):
        image = fits.ImageHDU(np.zeros(SHAPE), name="IMAGE")
        with pytest.raises(ValueError, match="does not cover the image"):
            read_image(in_memory(image, *mask_hdus(random_mask(xy0=(0, 0), shape=(3, 4)))))
        with pytest.raises(ValueError, match=r"HDU 'VARIANCE' is of shape \(3, 4\), the image of shape \(12, 15\)"):
            read_image(in_memory(image, fits.ImageHDU(np.zeros((3, 4)), name="VARIANCE")))
        variance = fits.ImageHDU(np.zeros(SHAPE), fits.Header([("UTYPE", "Guess")]), name="UNCERT")
        with pytest.raises(ValueError, match="card UTYPE must be one of StdDevUncertainty.* not 'Guess'"):
            read_image(in_memory(image, variance))
        with pytest.raises(ValueError, match="no HDU holds an image; they are 0 PRIMARY"):
            read_image(in_memory())


class TestRealFiles:
    def test_an_exposure_of_lsst(self, shared, tmp_path):
        path = shared / "data" / "lsst_hsc_exposure.fits"
        image = MaskedImage.read(path)
        with fits.open(path) as hdus:
            np.testing.assert_array_equal(image.data, hdus[1].data)
            np.testing.assert_array_equal(image.mask.array, hdus[2].data)
            np.testing.assert_array_equal(image.variance, hdus[3].data)
            bits = {key[3:]: value for key, value in hdus[2].header.items() if key.startswith("MP_")}
        assert {plane.name: plane.bit for plane in image.mask.schema} == bits
        assert image.xy0 == (100, 100)
        assert image.mask.count() == dict.fromkeys(bits, 0) | {"DETECTED": 5390, "CROSSTALK": 14}
        assert image.meta["EXPTIME"] == 0
        # The detected pixels are not bad, the WCS is that of the cutout.
        assert not image.mask.any()
        assert image.wcs.wcs.crpix.tolist() == [866.842697735752, 2004.38916604442]
        assert Mask.read(path).equals(image.mask)
        image.write(tmp_path / "image.fits", compression="GZIP_2")
        TestImages().assert_same(MaskedImage.read(tmp_path / "image.fits"), image)

    def test_the_detected_plane_is_that_of_its_footprints(self, shared):
        stored = Mask.read(shared / "data" / "lsst_hsc_exposure.fits")
        mask = stored.copy()
        footprints = stored.footprints("DETECTED")
        assert len(footprints) == 14
        assert footprints.area.sum() == 5390
        mask.clear("DETECTED", footprints[3:])
        assert mask.footprints("DETECTED") == footprints[:3]
        mask.clear("DETECTED")
        assert mask.count()["DETECTED"] == 0
        mask.set("DETECTED", footprints)
        assert mask.equals(stored)

    def test_the_detected_plane_is_what_detection_finds(self, shared):
        """Detect as LSST's pipeline does: smooth, threshold in terms of the smoothed variance, grow by 2.4 sigma.

        The file does not say how wide its PSF was, nor which threshold was used. A Gaussian of 1.7 pixels and 6 sigma
        come nearest of the widths 1.2 to 2.6 and the thresholds 4 to 6. With them the footprints are the same, one by
        one, and 95% of the pixels in either plane are in both; the rest is within 3 pixels of an outline.
        """
        ndimage = pytest.importorskip("scipy.ndimage")
        image = MaskedImage.read(shared / "data" / "lsst_hsc_exposure.fits")
        stored = image.mask.copy()
        width = 1.7
        kernel = np.exp(-(np.arange(-6, 7) ** 2) / (2 * width**2))
        kernel /= kernel.sum()
        smooth = ndimage.convolve(image.data.astype(float), np.outer(kernel, kernel), mode="constant")
        variance = image.variance * np.sum(kernel**2) ** 2
        threshold = Threshold(6, kind="pixel_stdev", inclusive=True)
        footprints = detect_footprints(smooth, threshold, variance=variance, xy0=image.xy0).grow(int(2.4 * width + 0.5))
        image.mask.clear("DETECTED")
        image.set_mask("DETECTED", footprints)
        found, expected = image.mask.spans("DETECTED"), stored.spans("DETECTED")
        assert (found & expected).area > 0.94 * (found | expected).area
        assert (found ^ expected) <= stored.spans("DETECTED").boundary().dilate(3)
        assert len(footprints) == 14
        assert np.all(footprints.overlaps(stored.footprints("DETECTED")))
        assert np.all(stored.footprints("DETECTED").overlaps(footprints))
        np.testing.assert_array_equal(image.mask["CROSSTALK"], stored["CROSSTALK"])

    @pytest.mark.filterwarnings("ignore:The following header keyword is invalid")
    def test_a_file_with_cards_that_are_not_standard(self, shared):
        image = MaskedImage.read(shared / "data" / "ccd_image.fits")
        assert image.shape == (256, 256)
        assert (image.mask, image.wcs, image.unit) == (None, None, None)


@pytest.mark.parametrize(
    "description",
    ["combines SAT & CR & everything else that the pipeline could not find a use for in this exp &", "x" * 67 + "&"],
)
def test_descriptions_that_cards_do_not_keep(tmp_path, description):
    mask = Mask((2, 2), MaskSchema([MaskPlane("A", 0, description)]))
    with pytest.raises(ValueError, match="description of plane 'A' cannot be kept"):
        mask.write(tmp_path / "mask.fits")
    assert not list(tmp_path.iterdir())


def test_a_card_that_stands_alone(tmp_path):
    hdu = fits.ImageHDU(np.zeros((2, 2), np.uint8), name="MASK")
    hdu.header["MSKM0001"] = 2
    hdu.writeto(tmp_path / "mask.fits")
    with pytest.raises(ValueError, match="card MSKM0001 stands without MSKN0001"):
        Mask.read(tmp_path / "mask.fits")


def test_a_psf_is_not_kept(tmp_path):
    with pytest.warns(lr.LossWarning, match="FITS image files do not keep the PSF"):
        MaskedImage(np.ones((4, 5)), psf=np.ones((3, 3))).write(tmp_path / "x.fits")


def test_an_image_of_bits_alone(tmp_path):
    mask = Mask((3, 4), MaskSchema.lsst())
    mask.set("SAT", lr.Box2I((1, 3), (0, 2)))
    fits.PrimaryHDU(mask.array).writeto(tmp_path / "dq.fits")
    read = Mask.read(tmp_path / "dq.fits", schema=MaskSchema.lsst())
    assert np.array_equal(read.array, mask.array)
    with pytest.raises(ValueError, match="no HDU holds a mask"):
        Mask.read(tmp_path / "dq.fits")


def test_images_called_by_their_type(tmp_path):
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.ones((2, 2))), fits.ImageHDU(np.full((2, 2), 7.0))]
    hdus[1].header["EXTTYPE"], hdus[2].header["EXTTYPE"] = "SKY", "SCI"
    fits.HDUList(hdus).writeto(tmp_path / "types.fits")
    for name in ("SCI", "sci", 2):
        assert read_image(tmp_path / "types.fits", hdu=name).data.max() == 7

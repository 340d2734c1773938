"""MaskPlane, MaskSchema and Mask."""

import copy
import enum
import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import bitmask
from astropy.utils.masked import Masked
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from reference_masks import bad_pixels, merged, pixels_of, words_of
from regions import CircleSkyRegion

from lsstregions import _planes
from lsstregions.footprints import FootprintSet
from lsstregions.geom import Box2I
from lsstregions.masks import Mask, MaskPlane, MaskSchema, merge_masks
from lsstregions.raster import SkippedRegionWarning
from lsstregions.spans import SpanSet

LSST = MaskSchema.lsst()
WIDE = MaskSchema(
    [
        MaskPlane("LOW", 3, bad=True),
        MaskPlane("TOP", 63),
        MaskPlane("FAR", 64, bad=True),
        MaskPlane("END", 129),
    ]
)


def mask_with(schema=LSST, xy0=(10, 20), **planes):
    """Return a mask with bool images in planes."""
    mask = Mask(next(iter(planes.values())).shape, schema, xy0=xy0)
    for name, image in planes.items():
        mask[name] = image
    return mask


@pytest.fixture
def images():
    rng = np.random.default_rng(5)
    return {name: rng.random((7, 9)) < 0.4 for name in LSST.names}


class TestMaskPlane:
    def test_it_is_a_value(self):
        plane = MaskPlane("SAT", bit=1, description="saturated", bad=True)
        assert plane == MaskPlane("SAT", 1, "saturated", True)
        assert hash(plane) == hash(MaskPlane("SAT", 1, "saturated", True))
        assert pickle.loads(pickle.dumps(plane)) == plane
        with pytest.raises(AttributeError):
            plane.bit = 2

    @pytest.mark.parametrize("name", ["", " SAT", "SAT ", "S\nT", "ÉTOILE"])
    def test_a_name_that_fits_cannot_keep_is_refused(self, name):
        with pytest.raises(ValueError, match="name must be printable ASCII"):
            MaskPlane(name)

    @pytest.mark.parametrize("fields", [{"name": 5}, {"description": 5}, {"bad": "yes"}, {"bit": 1.5}])
    def test_a_field_of_the_wrong_kind_is_refused(self, fields):
        with pytest.raises(TypeError):
            MaskPlane(**{"name": "SAT"} | fields)

    @pytest.mark.parametrize("bit", [-1, 1024, 10**30])
    def test_a_bit_out_of_range_is_refused(self, bit):
        with pytest.raises(ValueError, match="'SAT' must be from 0 to 1023"):
            MaskPlane("SAT", bit)


class TestMaskSchema:
    def test_bits_are_given_in_turn_and_none_skips_one(self):
        schema = MaskSchema(["A", None, MaskPlane("B"), MaskPlane("C", 7), "D"])
        assert {plane.name: plane.bit for plane in schema} == {"A": 0, "B": 2, "C": 7, "D": 8}

    def test_planes_are_in_the_order_of_their_bits(self):
        assert MaskSchema([MaskPlane("B", 5), MaskPlane("A", 2)]).names == ("A", "B")

    def test_names_and_bits_must_be_unique(self):
        with pytest.raises(ValueError, match="two planes are called 'A'"):
            MaskSchema(["A", "B", "A"])
        with pytest.raises(ValueError, match="planes 'A' and 'B' have the same bit, 4"):
            MaskSchema([MaskPlane("A", 4), MaskPlane("B", 4)])

    def test_it_is_a_value(self):
        schema = MaskSchema(LSST)
        assert schema == LSST
        assert hash(schema) == hash(LSST)
        assert schema != LSST.remove("SAT")
        assert pickle.loads(pickle.dumps(schema)) == schema
        assert eval(repr(schema)) == schema
        for name in ("names", "_planes", "other"):
            with pytest.raises(AttributeError, match="immutable"):
                setattr(schema, name, ())

    def test_lsst_has_the_bits_of_afw(self):
        bits = {
            "BAD": 0,
            "SAT": 1,
            "INTRP": 2,
            "CR": 3,
            "EDGE": 4,
            "DETECTED": 5,
            "DETECTED_NEGATIVE": 6,
            "SUSPECT": 7,
        }
        bits |= {"NO_DATA": 8, "VIGNETTED": 9, "STREAK": 10}
        assert {plane.name: plane.bit for plane in LSST} == bits
        assert "DETECTED" not in LSST.bad
        assert all(plane.description for plane in LSST)

    @pytest.mark.parametrize(
        ("n_bits", "dtype", "n_words"),
        [
            (0, "u1", 1),
            (8, "u1", 1),
            (9, "u2", 1),
            (17, "u4", 1),
            (33, "u8", 1),
            (64, "u8", 1),
            (65, "u8", 2),
            (129, "u8", 3),
        ],
    )
    def test_the_smallest_words_that_hold_the_planes(self, n_bits, dtype, n_words):
        schema = MaskSchema([MaskPlane("TOP", n_bits - 1)] if n_bits else [])
        assert (schema.n_bits, schema.dtype, schema.n_words) == (n_bits, np.dtype(dtype), n_words)

    def test_bitmask_and_interpret_are_inverse(self):
        assert LSST.bitmask("DETECTED") == 32
        assert LSST.bitmask(["SAT", "CR", "SAT"]) == 10
        assert LSST.bitmask() == 2047
        assert LSST.interpret(42) == ("SAT", "CR", "DETECTED")
        assert LSST.interpret(np.uint16(0)) == ()
        with pytest.raises(ValueError, match="bits that no plane has: 11, 13"):
            LSST.interpret(0b101000_00000001)
        with pytest.raises(ValueError, match="the sign"):
            LSST.interpret(-1)

    def test_an_unknown_name_says_which_exist(self):
        with pytest.raises(KeyError, match="no plane 'SATT'; the planes are BAD, SAT, INTRP"):
            LSST["SATT"]
        with pytest.raises(TypeError, match="named by a string, not by 5"):
            LSST.bitmask([5])

    def test_add_takes_the_bit_after_the_highest(self):
        schema = MaskSchema([MaskPlane("A", 4)]).add("B", MaskPlane("C", 9), "D")
        assert {plane.name: plane.bit for plane in schema} == {"A": 4, "B": 5, "C": 9, "D": 10}
        with pytest.raises(ValueError, match="from 0 to 1023, not 1024"):
            MaskSchema([MaskPlane("A", 1023)]).add("B")

    def test_remove_and_rename_leave_bits_where_they_are(self):
        assert LSST.remove("SAT")["INTRP"].bit == 2
        renamed = LSST.rename({"SAT": "CR", "CR": "SAT"})
        assert (renamed["SAT"].bit, renamed["CR"].bit) == (3, 1)
        with pytest.raises(ValueError, match="two planes are called 'CR'"):
            LSST.rename({"SAT": "CR"})
        with pytest.raises(KeyError, match="no plane 'X'"):
            LSST.rename({"X": "Y"})

    def test_merge_keeps_bits_where_it_can(self):
        first = MaskSchema([MaskPlane("A", 0), MaskPlane("B", 1)])
        second = MaskSchema([MaskPlane("B", 0, "second"), MaskPlane("C", 1), MaskPlane("D", 5)])
        assert {plane.name: plane.bit for plane in first | second} == {"A": 0, "B": 1, "D": 5, "C": 6}
        assert (first | second)["B"].description == ""
        assert first | first == first

    def test_merge_refuses_planes_of_which_one_is_bad(self):
        with pytest.raises(ValueError, match="plane 'A' is bad in one schema and not bad in the other"):
            MaskSchema([MaskPlane("A", bad=True)]) | MaskSchema(["A"])

    def test_bit_flag_maps(self):
        flags = LSST.to_bit_flag_map("Lsst")
        assert flags.DETECTED == 32
        assert MaskSchema.from_bit_flag_map(flags, bad=LSST.bad) == LSST
        assert MaskSchema.from_bit_flag_map(flags).bad == LSST.names

        class Extended(bitmask.extend_bit_flag_map("Base", HOT=1)):
            COLD = 4, "much too cold"

        schema = MaskSchema.from_bit_flag_map(Extended)
        assert [(p.name, p.bit, p.description) for p in schema] == [
            ("HOT", 0, ""),
            ("COLD", 2, "much too cold"),
        ]

    def test_bit_flag_maps_of_other_kinds(self):
        jwst = {"GOOD": 0, "DO_NOT_USE": 1, "SATURATED": 2, "REFERENCE_PIXEL": 2**31}
        schema = MaskSchema.from_bit_flag_map(jwst, bad=["DO_NOT_USE"])
        assert schema.names == ("DO_NOT_USE", "SATURATED", "REFERENCE_PIXEL")
        assert schema.bad == ("DO_NOT_USE",)
        flags = enum.IntFlag("flags", {"A": 1, "B": 8})
        assert MaskSchema.from_bit_flag_map(flags).interpret(9) == ("A", "B")

    @pytest.mark.parametrize(
        ("flags", "error", "message"),
        [
            ({"A": 3}, ValueError, "flag 'A' must be a power of two, not 3"),
            ({"A": -4}, ValueError, "flag 'A' must be a power of two, not -4"),
            ({"A": 1.5}, TypeError, "flag 'A' must be an integer"),
            ({"A": 1, "B": 1}, ValueError, "the same bit"),
            (5, TypeError, "must be a BitFlagNameMap or a mapping"),
        ],
    )
    def test_bad_bit_flag_maps_are_refused(self, flags, error, message):
        with pytest.raises(error, match=message):
            MaskSchema.from_bit_flag_map(flags)

    @pytest.mark.parametrize("planes", [["a", "A"], ["_a"], [MaskPlane("A", 64)]])
    def test_what_a_bit_flag_map_cannot_hold_is_refused(self, planes):
        with pytest.raises(ValueError, match="a bit flag map"):
            MaskSchema(planes).to_bit_flag_map()

    def test_the_table_says_what_a_newcomer_wants_to_know(self):
        lines = str(LSST).splitlines()
        assert lines[0].split() == ["bit", "name", "bad", "description"]
        assert lines[2].split()[:3] == ["1", "SAT", "bad"]


class TestHeaders:
    @given(
        st.lists(st.sampled_from(["BAD", "SAT", "x y", "lower", "A-1", "N" * 70, "DETECTED"]), unique=True),
        st.data(),
    )
    def test_round_trip_is_exact(self, names, data):
        bits = data.draw(st.lists(st.integers(0, 63), min_size=len(names), max_size=len(names), unique=True))
        texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100)
        schema = MaskSchema(
            MaskPlane(name, bit, data.draw(texts), data.draw(st.booleans()))
            for name, bit in zip(names, bits, strict=True)
        )
        header = fits.Header()
        MaskSchema(["OLD", "ONES"]).update_header(header)
        schema.update_header(header)
        header = fits.Header.fromstring(header.tostring())
        if names:
            assert MaskSchema.from_header(header) == schema
        else:
            with pytest.raises(ValueError, match="names no mask planes"):
                MaskSchema.from_header(header)

    @pytest.mark.parametrize("padding", ["", "x" * 60, "it's / " * 30])
    def test_quotes_and_slashes(self, padding):
        for length in range(1, 5):
            for letters in itertools.product("'/ &", repeat=length):
                schema = MaskSchema([MaskPlane("A", 0, padding + "".join(letters) + "."), MaskPlane("B", 1)])
                header = fits.Header()
                schema.update_header(header)
                assert MaskSchema.from_header(fits.Header.fromstring(header.tostring())) == schema

    def test_planes_of_lsst_get_their_meaning(self):
        header = fits.Header([("MP_SAT", 4), ("HIERARCH MP_UNMASKEDNAN", 10), ("HIERARCH MP_MY_PLANE", 0)])
        schema = MaskSchema.from_header(header)
        assert schema["SAT"] == MaskPlane("SAT", 4, LSST["SAT"].description, bad=True)
        assert schema.bad == ("SAT", "UNMASKEDNAN")

    def test_cards_of_lsst_images(self):
        header = fits.Header()
        for n, name in enumerate(["NO_DATA", "COSMIC_RAY"]):
            header[f"MSKN{n:04d}"], header[f"MSKM{n:04d}"], header[f"MSKD{n:04d}"] = (
                name,
                1 << n,
                f"what {name} means",
            )
        schema = MaskSchema.from_header(header)
        assert schema["COSMIC_RAY"] == MaskPlane("COSMIC_RAY", 1, "what COSMIC_RAY means", bad=True)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"MP_SAT": 5}, "card MP_SAT says bit 5, the MSK cards say 1"),
            ({"MP_OTHER": 5}, "card MP_OTHER names a plane that no MSKN card names"),
            ({"MP_SAT": "one"}, "card MP_SAT must be an integer, not 'one'"),
            ({"MP_SAT": 1.0}, "card MP_SAT must be an integer, not 1.0"),
            ({"MP_SAT": True}, "card MP_SAT must be an integer, not True"),
            ({"MP_SAT": 64}, "card MP_SAT must be a bit from 0 to 63, not 64"),
            ({"MP_SAT": 0}, "cards MP_BAD and MP_SAT have the same bit, 0"),
            ({"MSKM0001": 3}, "card MSKM0001 must be a power of two below 2\\*\\*64, not 3"),
            ({"MSKM0001": 1}, "cards MSKM0000 and MSKM0001 have the same bit, 0"),
            ({"MSKM0001": None}, "card MSKM0001 is missing"),
            ({"MSKN0001": None}, "card MSKM0001 stands without MSKN0001"),
            ({"MSKN0001": 7}, "card MSKN0001: name must be a string, not 7"),
            ({"MSKN0001": "BAD"}, "card MSKN0001 has the name of another plane, 'BAD'"),
            ({"MSKD0001": 7}, "card MSKD0001 must be a string, not 7"),
            ({"MSKB0001": 7}, "card MSKB0001 must be T or F, not 7"),
        ],
    )
    def test_a_corrupt_card_is_named(self, changes, message):
        header = fits.Header()
        MaskSchema(["BAD", "SAT"]).update_header(header)
        for keyword, value in changes.items():
            if value is None:
                del header[keyword]
            else:
                header[keyword] = value
        with pytest.raises(ValueError, match=message):
            MaskSchema.from_header(header)

    def test_a_card_that_stands_twice(self):
        header = fits.Header([("MP_SAT", 1), ("MP_BAD", 0), ("MP_SAT", 1)])
        with pytest.raises(ValueError, match="card MP_SAT stands twice"):
            MaskSchema.from_header(header)

    def test_an_image_has_no_more_than_64_bits(self):
        with pytest.raises(ValueError, match="at most 64 bits"):
            WIDE.update_header(fits.Header())


class TestMaking:
    def test_a_shape_or_a_box(self):
        mask = Mask((3, 4), LSST)
        assert (mask.shape, mask.xy0, mask.array.dtype, mask.dtype) == ((3, 4), (0, 0), np.uint16, bool)
        mask = Mask(Box2I(x=(5, 9), y=(-2, 1)), LSST)
        assert mask.bbox == Box2I(x=(5, 9), y=(-2, 1))

    @pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.uint32, np.int64, np.uint64])
    def test_an_array_is_wrapped(self, dtype):
        array = np.zeros((3, 4), dtype)
        mask = Mask(array, LSST)
        mask.set("SAT", ...)
        assert np.all(array == 2)
        assert mask.array.dtype.kind == "u"

    def test_the_sign_bit_is_a_plane(self):
        mask = Mask(np.full((2, 2), -1, np.int8), MaskSchema(list("ABCDEFGH")))
        assert mask.interpret(x=0, y=0) == tuple("ABCDEFGH")

    def test_a_bool_array_is_bit_0(self):
        array = np.eye(3, dtype=bool)
        mask = Mask(array, MaskSchema(["MASKED"]))
        np.testing.assert_array_equal(mask["MASKED"], array)
        assert np.shares_memory(mask.array, array)
        assert not np.shares_memory(Mask(array, LSST.remove(*LSST.names[8:])).array, array)
        with pytest.raises(ValueError, match="cannot be shared"):
            mask.add_planes("MINE", copy=False)

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((4, 6), ">i4"),
            np.zeros((6, 4), np.uint16).T,
            np.zeros((4, 12), np.uint16)[:, ::2],
            np.zeros((4, 6), np.uint16)[:, ::-1],
        ],
    )
    def test_an_array_that_cannot_be_wrapped_is_copied(self, array):
        array[1, 2] = 2
        mask = Mask(array, LSST)
        assert mask.interpret(x=2, y=1) == ("SAT",)
        mask.set("SAT", ...)
        assert mask.count()["SAT"] == 24
        assert np.count_nonzero(array) == 1
        with pytest.raises(ValueError, match="without a copy"):
            Mask(array, LSST, copy=False)

    def test_copy(self):
        array = np.zeros((3, 4), np.uint16)
        assert np.shares_memory(Mask(array, LSST, copy=False).array, array)
        assert not np.shares_memory(Mask(array, LSST, copy=True).array, array)

    def test_more_than_64_planes(self):
        array = np.zeros((3, 4, 5), np.uint64)
        mask = Mask(array, WIDE)
        mask.set("END", ...)
        assert np.all(array[2] == 2)
        assert mask.shape == (4, 5)
        assert mask.interpret(x=0, y=0) == mask.interpret(mask.array[:, 0, 0]) == mask.interpret(1 << 129) == ("END",)

    @pytest.mark.parametrize(
        ("pixels", "schema", "error", "message"),
        [
            (np.zeros((2, 2)), LSST, TypeError, "must be integers or bool, not float64"),
            (np.zeros(4, int), LSST, ValueError, r"of shape \(ny, nx\) for this schema, not \(4,\)"),
            (np.zeros((2, 2, 2), np.uint64), LSST, ValueError, r"of shape \(ny, nx\)"),
            (np.zeros((2, 2), np.uint64), WIDE, ValueError, r"of shape \(3, ny, nx\)"),
            (
                np.zeros((2, 2, 2), np.uint64),
                WIDE,
                ValueError,
                "takes 3 words of 64 bits a pixel, not 2 of 64",
            ),
            (np.zeros((2, 2), np.uint8), LSST, ValueError, "have 8 bits, the schema needs 11: use uint16"),
            (np.full((2, 2), 2048), LSST, ValueError, "bits that no plane has: 11"),
            ((2, -2), LSST, ValueError, "must not be negative"),
            ((2, 2.5), LSST, TypeError, "must be an integer"),
            ((2, 2**31), LSST, OverflowError, "int32"),
            ("abc", LSST, TypeError, "integers or bool"),
            ((2, 2), ["SAT"], TypeError, "schema must be a MaskSchema"),
        ],
    )
    def test_bad_arguments(self, pixels, schema, error, message):
        with pytest.raises(error, match=message):
            Mask(pixels, schema)

    def test_a_coordinate_beyond_int32(self):
        with pytest.raises(OverflowError):
            Mask((2, 2), LSST, xy0=(2**31, 0))
        with pytest.raises(OverflowError):
            Mask((2, 2), LSST, xy0=(0, 2**31 - 2))

    @pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
    def test_no_pixels(self, shape):
        mask = Mask(shape, LSST, xy0=(3, 4))
        mask.set("SAT", Box2I(x=(0, 10), y=(0, 10)))
        mask.set("SAT", ...)
        assert mask.count()["SAT"] == 0
        assert mask["SAT"].shape == shape
        assert len(mask.spans("SAT")) == 0
        assert (mask | mask).equals(mask)
        assert not mask.any()


class TestSetting:
    @pytest.mark.parametrize(
        "schema",
        [
            MaskSchema(["A", "B"]),
            LSST.rename({"BAD": "A", "STREAK": "B"}),
            WIDE.rename({"LOW": "A", "END": "B"}),
        ],
    )
    @pytest.mark.parametrize("action", ["set", "clear", "toggle"])
    @given(data=st.data())
    def test_every_way_to_set_agrees_with_numpy(self, schema, action, data):
        shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 40)))
        xy0 = data.draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3)))
        before = data.draw(st_numpy.arrays(bool, shape))
        region = data.draw(st_numpy.arrays(bool, (7, 46)))
        spans = SpanSet.from_mask(region, xy0=(-3, -3))
        area = pixels_of(spans.array, shape, xy0)
        mask = mask_with(schema, xy0, B=before)
        getattr(mask, action)(["A", "B"], spans)
        by_array = mask_with(schema, xy0, B=before)
        getattr(by_array, action)(["A", "B"], area)
        expected = {"set": lambda p: p | area, "clear": lambda p: p & ~area, "toggle": lambda p: p ^ area}[action]
        np.testing.assert_array_equal(mask["B"], expected(before))
        np.testing.assert_array_equal(mask["A"], expected(np.zeros(shape, bool)))
        assert by_array.equals(mask)
        assert sum(mask.count().values()) == mask["A"].sum() + mask["B"].sum()

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
    def test_runs_of_every_length_and_place(self, dtype):
        schema = MaskSchema([MaskPlane("A", 8 * np.dtype(dtype).itemsize - 1), MaskPlane("B", 0)])
        for start in range(10):
            for stop in range(start + 1, 40):
                words = np.zeros((1, 40), dtype)
                mask = Mask(words, schema)
                mask.set("B", ...)
                mask.set("A", Box2I(x=(start, stop), y=(0, 1)))
                assert np.array_equal(np.flatnonzero(mask["A"]), np.arange(start, stop))
                mask.toggle(["A", "B"], Box2I(x=(start, stop), y=(0, 1)))
                mask.toggle("B", Box2I(x=(start, stop), y=(0, 1)))
                assert np.array_equal(words, np.ones((1, 40), dtype))

    def test_regions_at_the_ends_of_int32(self):
        low, high = -(2**31), 2**31 - 1
        mask = Mask((4, 4), LSST, xy0=(-2, -2))
        mask.set("SAT", SpanSet([[low, low, high], [-1, low, high], [high - 1, low, high]]))
        assert mask["SAT"].sum(axis=1).tolist() == [0, 4, 0, 0]
        mask = Mask((4, 4), LSST, xy0=(high - 4, high - 4))
        mask.set("SAT", SpanSet([[high - 2, low, high]]))
        assert mask["SAT"].sum(axis=1).tolist() == [0, 0, 4, 0]

    def test_clear_without_arguments_clears_all(self, images):
        mask = mask_with(**images)
        mask.clear("SAT")
        assert mask.count()["SAT"] == 0
        assert mask.count()["BAD"] == images["BAD"].sum()
        mask.clear(region=Box2I(x=(10, 14), y=(20, 22)))
        assert not mask.array[:2, :4].any()
        assert mask.array[2:].any()
        mask.clear()
        assert not mask.array.any()

    def test_everywhere(self):
        mask = Mask((3, 4), WIDE)
        mask.set(["LOW", "END"], ...)
        assert mask.count() == {"LOW": 12, "TOP": 0, "FAR": 0, "END": 12}
        mask.toggle(["LOW", "FAR"], ...)
        assert mask.count() == {"LOW": 0, "TOP": 0, "FAR": 12, "END": 12}

    def test_overlapping_regions_are_toggled_once(self):
        mask = Mask((1, 6), LSST)
        mask.toggle("SAT", [Box2I(x=(0, 4), y=(0, 1)), Box2I(x=(2, 6), y=(0, 1))])
        assert mask["SAT"].all()

    @pytest.mark.parametrize("action", ["set", "clear", "toggle"])
    def test_footprints_that_overlap_and_leave_the_mask(self, action):
        footprints = FootprintSet([SpanSet.disk(3), SpanSet.disk(2).shift(2, 1), SpanSet.disk(4).shift(-6, 9)])
        mask = Mask((12, 13), LSST, xy0=(-5, -2))
        mask["SAT"] = np.indices((12, 13)).sum(axis=0) % 2 == 0
        other = mask.copy()
        getattr(mask, action)("SAT", footprints)
        getattr(other, action)("SAT", footprints.union())
        assert mask.equals(other)
        assert mask.count()["SAT"] != 78

    def test_dilate_grows_each_plane_on_its_own(self):
        mask = Mask((9, 9), LSST, xy0=(5, 5))
        mask.set("SAT", SpanSet([[9, 9, 10]]))
        mask.set("CR", SpanSet([[5, 5, 6]]))
        mask.dilate(["SAT", "CR"], 1)
        assert mask["SAT"].sum() == 5
        assert mask["CR"].sum() == 3

    def test_a_read_only_array_is_never_written(self):
        array = np.zeros((3, 4), np.uint16)
        array.flags.writeable = False
        mask = Mask(array, LSST)
        for change in [
            lambda: mask.set("SAT", ...),
            lambda: mask.clear("SAT", Box2I(x=(0, 1), y=(0, 1))),
            lambda: mask.update(mask.copy()),
            lambda: mask.__setitem__(slice(0, 3), mask.copy()),
        ]:
            with pytest.raises(ValueError, match="the mask is read-only"):
                change()
        mask.copy().set("SAT", ...)

    def test_errors_name_the_argument(self):
        mask = Mask((3, 4), LSST)
        with pytest.raises(KeyError, match="no plane 'SATT'; the planes are BAD"):
            mask.set("SATT", ...)
        with pytest.raises(ValueError, match=r"the shape of the mask, \(3, 4\), not \(4, 3\)"):
            mask.set("SAT", np.zeros((4, 3), bool))
        with pytest.raises(TypeError):
            mask.set("SAT", "everywhere")
        with pytest.raises(TypeError):
            mask.set("SAT")

    def test_kernels_from_many_threads(self):
        rng = np.random.default_rng(1)
        spans = SpanSet.from_mask(rng.random((200, 300)) < 0.3)

        def work(_):
            mask = Mask((200, 300), WIDE)
            mask.set(["LOW", "END"], spans)
            mask.toggle("TOP", spans)
            return mask

        with ThreadPoolExecutor(8) as pool:
            masks = list(pool.map(work, range(16)))
        assert all(mask.equals(masks[0]) for mask in masks)
        assert masks[0].count() == {"LOW": spans.area, "TOP": spans.area, "FAR": 0, "END": spans.area}


@pytest.mark.parametrize("masked_array", [np.ma.MaskedArray, Masked])
def test_masked_booleans_are_refused(masked_array):
    """What is under a mask is not known, and must not be taken for the plane of bit 0."""
    where = masked_array([[True, True], [False, False]], mask=[[False, False], [True, False]])
    mask = Mask((2, 2), LSST)
    for change in (mask.set, mask.clear, mask.toggle, mask.__setitem__):
        with pytest.raises(ValueError, match="masked entries"):
            change("SAT", where)
    assert not mask.array.any()
    mask.set("SAT", masked_array([[True, True], [False, False]], mask=np.zeros((2, 2), bool)))
    assert mask.count()["SAT"] == 2
    for make in (lambda: Mask(where.astype(np.uint8), MaskSchema(["A"])), lambda: SpanSet.from_mask(where)):
        with pytest.raises(ValueError, match="masked entries"):
            make()


class TestAsking:
    @given(
        st_numpy.arrays(
            st.sampled_from([np.uint8, np.uint16, np.uint32, np.uint64]),
            st.tuples(st.integers(0, 5), st.integers(0, 70)),
        ),
        st.integers(0, 2**64 - 1),
    )
    def test_kernels_agree_with_numpy(self, words, bits):
        width = 8 * words.dtype.itemsize
        bits &= (1 << width) - 1
        out = np.empty(words.shape, bool)
        _planes.any_of(words.view(np.uint8), words.dtype.itemsize, bits, out.view(np.uint8), False)
        np.testing.assert_array_equal(out, (words & words.dtype.type(bits)) != 0)
        _planes.any_of(words.view(np.uint8), words.dtype.itemsize, 1, out.view(np.uint8), True)
        np.testing.assert_array_equal(out, (words & words.dtype.type(bits | 1)) != 0)
        counts = _planes.count_bits(words.view(np.uint8), words.dtype.itemsize)
        np.testing.assert_array_equal(
            counts, [np.count_nonzero(words & words.dtype.type(1 << b)) for b in range(width)]
        )

    def test_planes_as_bool_arrays(self, images):
        mask = mask_with(**images)
        for name, image in images.items():
            np.testing.assert_array_equal(mask[name], image)
        np.testing.assert_array_equal(mask[["SAT", "CR"]], images["SAT"] | images["CR"])
        np.testing.assert_array_equal(mask.to_bool(["SAT", "CR"]), images["SAT"] | images["CR"])
        np.testing.assert_array_equal(mask.to_bool(), bad_pixels(images, LSST.bad))
        np.testing.assert_array_equal(mask.array, words_of(images, {p.name: p.bit for p in LSST}, np.uint16))
        assert mask.count() == {name: image.sum() for name, image in images.items()}

    def test_detected_is_not_bad(self):
        mask = mask_with(DETECTED=np.ones((3, 3), bool))
        assert not mask.to_bool().any()
        assert mask["DETECTED"].all()

    def test_no_planes(self):
        mask = Mask((2, 3), MaskSchema())
        assert not mask.to_bool().any()
        assert mask.count() == {}
        assert "no planes" in repr(mask)

    def test_spans_are_in_the_pixel_plane(self, images):
        mask = mask_with(**images, xy0=(-7, 9))
        spans = mask.spans(["SAT", "CR"])
        np.testing.assert_array_equal(pixels_of(spans.array, (7, 9), (-7, 9)), images["SAT"] | images["CR"])
        other = Mask((7, 9), LSST, xy0=(-7, 9))
        other.set("EDGE", spans)
        np.testing.assert_array_equal(other["EDGE"], images["SAT"] | images["CR"])
        assert len(mask.footprints("SAT")) >= 1
        assert mask.footprints("SAT").union() == mask.spans("SAT")

    def test_interpret(self):
        mask = mask_with(SAT=np.eye(3, dtype=bool), CR=np.ones((3, 3), bool))
        assert mask.interpret(10) == ("SAT", "CR")
        assert mask.interpret(mask.array[0, 0]) == ("SAT", "CR")
        assert mask.interpret(x=10, y=21) == ("CR",)
        with pytest.raises(IndexError, match=r"pixel \(0, 0\) is outside the mask"):
            mask.interpret(x=0, y=0)
        with pytest.raises(TypeError, match="either a value or both"):
            mask.interpret(5, x=1, y=1)
        with pytest.raises(TypeError, match="either a value or both"):
            mask.interpret(x=1)

    def test_texts(self):
        mask = mask_with(SAT=np.eye(3, dtype=bool))
        assert repr(mask).startswith("<Mask 3 x 3 at (10, 20) of uint16: BAD, SAT")
        line = next(line for line in str(mask).splitlines() if " SAT " in line)
        assert line.split()[:4] == ["1", "SAT", "bad", "3"]
        assert "2 x uint64" in repr(Mask((2, 2), MaskSchema([MaskPlane("A", 64)])))


class TestIndexing:
    @pytest.mark.parametrize("schema", [LSST, WIDE])
    @pytest.mark.parametrize("key", [(3, 4), (slice(None, None, 2), 1), ([1, 5], [0, 8]), np.eye(7, 9, dtype=bool), 2])
    def test_any_index_is_that_of_the_booleans(self, schema, key):
        rng = np.random.default_rng(3)
        mask = mask_with(schema, **{name: rng.random((7, 9)) < 0.3 for name in schema.names})
        np.testing.assert_array_equal(mask[key], np.asarray(mask)[key])

    def test_windows_are_views_with_their_own_origin(self, images):
        mask = mask_with(**images)
        for window, rows, columns in [
            (mask[2:5, 3:7], slice(2, 5), slice(3, 7)),
            (mask[-3:, :-1], slice(4, 7), slice(0, 8)),
            (mask[2:5], slice(2, 5), slice(0, 9)),
            (mask[..., 3:7], slice(0, 7), slice(3, 7)),
            (mask[...], slice(0, 7), slice(0, 9)),
            (mask[2:5, ..., 3:7], slice(2, 5), slice(3, 7)),
            (mask[Box2I(x=(13, 17), y=(22, 25))], slice(2, 5), slice(3, 7)),
        ]:
            assert np.shares_memory(window.array, mask.array)
            assert window.xy0 == (10 + columns.start, 20 + rows.start)
            assert window.schema is mask.schema
            np.testing.assert_array_equal(window["SAT"], images["SAT"][rows, columns])
        mask[2:4, 3:5].set("STREAK", ...)
        assert mask["STREAK"][2:4, 3:5].all()

    def test_empty_windows(self):
        mask = Mask((4, 5), LSST, xy0=(1, 2))
        assert mask[3:1, 2:4].shape == (0, 2)
        assert mask[Box2I.from_shape((0, 0))].shape == (0, 0)

    def test_a_box_must_be_inside(self):
        mask = Mask((4, 5), LSST, xy0=(1, 2))
        with pytest.raises(IndexError, match="is not inside the image"):
            mask[Box2I(x=(0, 3), y=(2, 4))]

    @pytest.mark.parametrize(
        "index",
        [
            0,
            -1,
            (1, 2),
            (slice(None), 3),
            (slice(None, None, 2), slice(None)),
            slice(None, None, -1),
            None,
            (0, ...),
        ],
    )
    def test_any_other_index_is_that_of_the_bool_array(self, images, index):
        mask = mask_with(**images)
        result = mask[index]
        assert not isinstance(result, Mask)
        np.testing.assert_array_equal(result, bad_pixels(images, LSST.bad)[index])

    def test_bool_and_integer_arrays(self, images):
        mask = mask_with(**images)
        bad = bad_pixels(images, LSST.bad)
        np.testing.assert_array_equal(mask[images["SAT"]], bad[images["SAT"]])
        np.testing.assert_array_equal(mask[np.array([1, 3])], bad[[1, 3]])
        np.testing.assert_array_equal([list(row) for row in mask], bad)

    def test_errors(self, images):
        mask = mask_with(**images)
        for index in [(slice(None), slice(None), slice(None)), 99, (..., ...)]:
            with pytest.raises(IndexError):
                mask[index]
        with pytest.raises(KeyError, match="no plane 'X'"):
            mask["X"]

    def test_assigning_a_plane(self, images):
        mask = mask_with(**images)
        mask["SAT"] = ~images["SAT"]
        mask["CR"] = True
        np.testing.assert_array_equal(mask["SAT"], ~images["SAT"])
        assert mask["CR"].all()
        np.testing.assert_array_equal(mask["EDGE"], images["EDGE"])
        with pytest.raises(TypeError, match="from booleans, not from int"):
            mask["SAT"] = 1
        with pytest.raises(TypeError, match="set plane by plane"):
            mask[2:4] = True

    def test_assigning_a_window_replaces_by_name(self, images):
        mask = mask_with(**images)
        other = Mask((2, 3), MaskSchema([MaskPlane("CR", 0, bad=True)]))
        other.set("CR", Box2I(x=(0, 1), y=(0, 2)))
        mask[1:3, 2:5] = other
        assert mask["CR"][1:3, 2:5].tolist() == [[True, False, False]] * 2
        assert not mask["SAT"][1:3, 2:5].any()
        np.testing.assert_array_equal(mask["SAT"][3:], images["SAT"][3:])
        with pytest.raises(ValueError, match=r"shape \(2, 3\) cannot fill a window of shape \(2, 2\)"):
            mask[1:3, 2:4] = other


class TestPlanes:
    def test_add(self, images):
        mask = mask_with(**images)
        wider = mask.add_planes("MINE", MaskPlane("YOURS", 40, bad=True))
        assert (wider.schema["MINE"].bit, wider.array.dtype) == (11, np.uint64)
        assert wider.xy0 == mask.xy0
        for name, image in images.items():
            np.testing.assert_array_equal(wider[name], image)
        assert not wider[["MINE", "YOURS"]].any()

    def test_add_without_a_copy(self):
        mask = Mask((3, 3), LSST)
        assert not np.shares_memory(mask.add_planes("MINE").array, mask.array)
        assert np.shares_memory(mask.add_planes("MINE", copy=False).array, mask.array)
        with pytest.raises(ValueError, match="pixels of uint16 cannot be shared"):
            mask.add_planes(MaskPlane("MINE", 16), copy=False)

    def test_remove_clears_the_bits_in_the_copy(self, images):
        mask = mask_with(**images)
        rest = mask.remove_planes("SAT", "STREAK")
        assert rest.array.dtype == np.uint16
        assert not (rest.array & 2).any()
        np.testing.assert_array_equal(rest["CR"], images["CR"])
        np.testing.assert_array_equal(mask["SAT"], images["SAT"])
        assert mask.remove_planes(*LSST.names[:-1]).count() == {"STREAK": images["STREAK"].sum()}

    def test_rename(self, images):
        mask = mask_with(**images)
        swapped = mask.rename_planes({"SAT": "CR", "CR": "SAT"})
        np.testing.assert_array_equal(swapped["SAT"], images["CR"])
        assert not np.shares_memory(swapped.array, mask.array)
        assert np.shares_memory(mask.rename_planes({"SAT": "FULL"}, copy=False).array, mask.array)

    @given(st.permutations([0, 1, 2, 7, 9, 31, 40, 63, 64, 70, 129]))
    def test_conform_moves_bits_by_name(self, bits):
        rng = np.random.default_rng(5)
        images = {name: rng.random((5, 6)) < 0.4 for name in LSST.names}
        mask = mask_with(**images)
        other = MaskSchema(MaskPlane(name, bit) for name, bit in zip(LSST.names, bits, strict=True))
        moved = mask.conform(other)
        for name, image in images.items():
            np.testing.assert_array_equal(moved[name], image)
        assert moved.conform(LSST).equals(mask)

    def test_conform_loses_nothing_silently(self, images):
        mask = mask_with(**images | {"CR": np.zeros((7, 9), bool)})
        with pytest.raises(ValueError, match=r"the schema lacks planes that have pixels here, \{'SAT': \d+\}"):
            mask.conform(LSST.remove("SAT", "CR"))
        assert mask.conform(LSST.remove("CR")).count()["SAT"] == images["SAT"].sum()

    def test_conform_without_a_copy(self, images):
        mask = mask_with(**images)
        same = mask.conform(LSST.add("MINE"), copy=False)
        assert np.shares_memory(same.array, mask.array)
        with pytest.raises(ValueError, match="cannot be shared"):
            mask.conform(MaskSchema(reversed(LSST.names)), copy=False)


class TestMerging:
    def test_by_name(self):
        rng = np.random.default_rng(2)
        a, b, c = rng.random((3, 4, 5)) < 0.5
        first = mask_with(MaskSchema([MaskPlane("A", 0), MaskPlane("B", 1)]), A=a, B=b)
        second = mask_with(MaskSchema([MaskPlane("B", 0), MaskPlane("C", 1)]), B=a, C=c)
        for both in [
            first | second,
            np.logical_or(first, second),
            np.bitwise_or(first, second),
            merge_masks(first, second),
        ]:
            expected = merged({"A": a, "B": b}, {"B": a, "C": c})
            assert both.schema.names == ("A", "B", "C")
            assert all(np.array_equal(both[name], image) for name, image in expected.items())
            assert both.xy0 == (10, 20)
        assert not np.shares_memory((first | first).array, first.array)

    def test_in_place(self):
        a = np.eye(3, dtype=bool)
        mask = mask_with(SAT=a)
        view = mask
        mask |= mask_with(MaskSchema(["CR"]), CR=~a)
        assert mask is view
        np.testing.assert_array_equal(mask["CR"], ~a)
        np.testing.assert_array_equal(mask["SAT"], a)
        with pytest.raises(KeyError, match="no plane 'MINE'"):
            mask |= mask_with(MaskSchema(["MINE"]), MINE=a)

    def test_different_pixels(self):
        with pytest.raises(ValueError, match=r"shape \(3, 4\) at \(0, 0\) and shape \(3, 4\) at \(1, 0\)"):
            Mask((3, 4), LSST) | Mask((3, 4), LSST, xy0=(1, 0))
        with pytest.raises(ValueError, match="the masks cover different pixels"):
            Mask((3, 4), LSST) | Mask((4, 3), LSST)

    def test_an_array_is_merged_as_a_plane(self, images):
        mask = mask_with(**images)
        for both in [merge_masks(mask, images["SUSPECT"]), merge_masks(images["SUSPECT"], mask)]:
            np.testing.assert_array_equal(both["MASKED"], images["SUSPECT"])
            np.testing.assert_array_equal(both["CR"], images["CR"])
            assert both.bbox == mask.bbox

    def test_with_an_array_it_is_the_bool_array(self, images):
        mask = mask_with(**images)
        bad = bad_pixels(images, LSST.bad)
        for result in [mask | images["SUSPECT"], images["SUSPECT"] | mask, merge_masks(bad, images["SUSPECT"])]:
            assert type(result) is np.ndarray
            np.testing.assert_array_equal(result, bad | images["SUSPECT"])
        with pytest.raises(TypeError, match="a Mask cannot hold the result of bitwise_or"):
            mask |= images["SUSPECT"]
        with pytest.raises(TypeError, match="a Mask cannot hold the result of bitwise_and"):
            mask &= mask


class TestAsAValue:
    @pytest.mark.parametrize("schema", [LSST, WIDE])
    @pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), Mask.copy])
    def test_copies(self, schema, clone):
        mask = Mask((6, 7), schema, xy0=(3, 4))
        mask.set(schema.names[-1], Box2I(x=(5, 8), y=(6, 7)))
        for original in [mask, mask[1:4, 2:5]]:
            clone_of_it = clone(original)
            assert clone_of_it.equals(original)
            assert not np.shares_memory(clone_of_it.array, original.array)
            clone_of_it.set(schema.names[0], ...)
            assert not clone_of_it.equals(original)

    def test_a_shallow_copy_shares_its_pixels(self):
        mask = Mask((6, 7), LSST)
        assert np.shares_memory(copy.copy(mask).array, mask.array)

    def test_equals(self):
        mask = Mask((6, 7), LSST)
        assert not mask.equals(Mask((6, 7), LSST, xy0=(1, 0)))
        assert not mask.equals(Mask((6, 8), LSST))
        assert not mask.equals(Mask((6, 7), LSST.remove("SAT")))
        assert (mask == mask).all()
        with pytest.raises(TypeError):
            mask.equals(mask.array)

    def test_it_has_no_hash_and_takes_no_attributes(self):
        mask = Mask((6, 7), LSST)
        with pytest.raises(TypeError, match="unhashable"):
            hash(mask)
        with pytest.raises(AttributeError):
            mask.planes = 5


class MaskMachine(RuleBasedStateMachine):
    """Any sequence of changes agrees with a dict of bool images."""

    names = st.sampled_from("ABCDEF")
    bits = st.one_of(st.none(), st.integers(0, 12), st.integers(0, 140))

    def drawn_planes(self, data):
        return data.draw(st.lists(st.sampled_from(sorted(self.planes)), min_size=1, unique=True))

    def drawn_region(self, data):
        """Return a region and its pixels in the mask."""
        spans = SpanSet.from_mask(
            data.draw(st_numpy.arrays(bool, (6, 20))),
            xy0=data.draw(st.tuples(st.integers(-4, 4), st.integers(-4, 4))),
        )
        area = pixels_of(spans.array, self.mask.shape, self.mask.xy0)
        return data.draw(st.sampled_from([(spans, area), (area, area), (..., np.ones(self.mask.shape, bool))]))

    @initialize(shape=st.tuples(st.integers(1, 8), st.integers(1, 20)), bit=bits)
    def start(self, shape, bit):
        self.mask = Mask(shape, MaskSchema([MaskPlane("A", bit, bad=True)]), xy0=(-2, 1))
        self.planes = {"A": np.zeros(shape, bool)}

    @precondition(lambda self: self.planes)
    @rule(data=st.data(), action=st.sampled_from(["set", "clear", "toggle"]))
    def paint(self, data, action):
        region, area = self.drawn_region(data)
        names = self.drawn_planes(data)
        getattr(self.mask, action)(names, region)
        for name in names:
            image = self.planes[name]
            self.planes[name] = {"set": image | area, "clear": image & ~area, "toggle": image ^ area}[action]

    @precondition(lambda self: self.planes)
    @rule(data=st.data())
    def paint_through_a_view(self, data):
        region, area = self.drawn_region(data)
        y, x = (data.draw(st.integers(0, size)) for size in self.mask.shape)
        name = self.drawn_planes(data)[0]
        self.mask[y:, :x].set(name, region[y:, :x] if region is area else region)
        self.planes[name][y:, :x] |= area[y:, :x]

    @rule(data=st.data())
    def cut(self, data):
        y, x = (data.draw(st.integers(0, size - 1)) for size in self.mask.shape)
        self.mask = self.mask[y:, x:]
        self.planes = {name: image[y:, x:] for name, image in self.planes.items()}

    @rule(name=names, bit=bits)
    def add(self, name, bit):
        taken = {plane.bit for plane in self.mask.schema}
        if name not in self.planes and bit not in taken:
            self.mask = self.mask.add_planes(MaskPlane(name, bit, bad=name in "ACE"))
            self.planes[name] = np.zeros(self.mask.shape, bool)

    @precondition(lambda self: self.planes)
    @rule(data=st.data())
    def remove(self, data):
        names = self.drawn_planes(data)
        self.mask = self.mask.remove_planes(*names)
        self.planes = {name: image for name, image in self.planes.items() if name not in names}

    @rule(data=st.data(), names=st.lists(names, unique=True), in_place=st.booleans())
    def merge(self, data, names, in_place):
        bits = data.draw(st.lists(st.integers(0, 100), min_size=len(names), max_size=len(names), unique=True))
        schema = MaskSchema(MaskPlane(name, bit, bad=name in "ACE") for name, bit in zip(names, bits, strict=True))
        other = Mask(self.mask.shape, schema, xy0=self.mask.xy0)
        images = {}
        for name in names:
            images[name] = data.draw(st_numpy.arrays(bool, self.mask.shape))
            other[name] = images[name]
        if in_place and set(names) <= set(self.planes):
            self.mask |= other
        else:
            self.mask = self.mask | other
        self.planes = merged(self.planes, images)

    @rule(data=st.data())
    def conform(self, data):
        bits = data.draw(
            st.lists(st.integers(0, 130), min_size=len(self.planes), max_size=len(self.planes), unique=True)
        )
        planes = zip(sorted(self.planes), bits, strict=True)
        self.mask = self.mask.conform(MaskSchema(MaskPlane(name, bit, bad=name in "ACE") for name, bit in planes))

    @invariant()
    def agree(self):
        assert set(self.mask.schema.names) == set(self.planes)
        for name, image in self.planes.items():
            np.testing.assert_array_equal(self.mask[name], image)
        assert self.mask.count() == {name: np.count_nonzero(self.planes[name]) for name in self.mask.schema.names}
        if self.planes:
            np.testing.assert_array_equal(self.mask, bad_pixels(self.planes, "ACE"))


TestMaskMachine = MaskMachine.TestCase
TestMaskMachine.settings = settings(max_examples=60, stateful_step_count=20)


class TestOfTheUnwary:
    """What looks right and is not meant so."""

    def test_a_mask_of_a_mask(self):
        mask = Mask((6, 8), MaskSchema(["SAT", "CR", "DET"]), xy0=(10, 20))
        mask.set("CR", Box2I((11, 13), (21, 23)))
        mask.set("DET", ...)
        schema = MaskSchema(["DET", MaskPlane("CR", 40, bad=True), "SAT"])
        moved = Mask(mask, schema)
        assert (moved.xy0, moved.count()) == ((10, 20), {"DET": 48, "CR": 4, "SAT": 0})
        assert Mask(mask, mask.schema, xy0=(0, 0), copy=False).array.base is not None
        with pytest.raises(ValueError, match="lacks planes that have pixels"):
            Mask(mask, MaskSchema(["CR"]))

    @pytest.mark.parametrize("planes", [None, 1, MaskPlane("SAT", 0)])
    def test_planes_have_names(self, planes):
        mask = Mask((2, 2), MaskSchema(["SAT"]))
        for call in (mask.set, mask.toggle):
            with pytest.raises(TypeError, match="planes must be the name of a plane"):
                call(planes, ...)
        assert mask.count() == {"SAT": 0}

    def test_bool_arrays_in_lists(self):
        mask, where = Mask((6, 8), MaskSchema(["SAT"]), xy0=(100, 200)), np.eye(6, 8, dtype=bool)
        mask.set("SAT", [where, [Box2I((107, 108), (200, 201)), where]])
        where[0, 7] = True
        np.testing.assert_array_equal(mask["SAT"], where)
        with pytest.raises(ValueError, match="shape of the mask"):
            mask.set("SAT", [np.ones((5, 5), bool)])

    def test_schemas_of_mappings(self):
        assert MaskSchema({"SAT": 5, "BAD": 1}) == MaskSchema([MaskPlane("BAD", 1), MaskPlane("SAT", 5)])
        with pytest.raises(TypeError, match="planes must be a list"):
            MaskSchema(5)

    def test_several_planes_come_in_a_list(self):
        with pytest.raises(TypeError, match=r"mask\[\['SAT', 'CR'\]\]"):
            Mask((2, 2), MaskSchema(["SAT", "CR"]))["SAT", "CR"]

    def test_numpy_in_place(self):
        mask = Mask((2, 2), MaskSchema(["SAT"]))
        for ufunc in (np.bitwise_or, np.logical_or, np.add):
            with pytest.raises(TypeError, match="cannot hold the result"):
                ufunc.at(mask, (0, 0), True)

    def test_span_sets_know_where_masks_are(self):
        mask = Mask((6, 8), MaskSchema([MaskPlane("SAT", bad=True)]), xy0=(100, 200))
        mask.set("SAT", Box2I((105, 108), (201, 203)))
        assert SpanSet.from_mask(mask) == mask.spans() == SpanSet.from_box(Box2I((105, 108), (201, 203)))


def test_sky_regions_that_do_not_project():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [-1e-4, 1e-4], [50, 30]
    here, there = (CircleSkyRegion(SkyCoord(*at, unit="deg"), 2 * u.arcsec) for at in ((50, 30), (230, -30)))
    mask = Mask((20, 20), MaskSchema(["A"]), xy0=(-10, -10))
    for change in (mask.set, mask.clear, mask.toggle):
        with pytest.raises(ValueError, match="do not project"):
            change("A", [here, there], wcs)
        with pytest.warns(SkippedRegionWarning, match="number 1"):
            change("A", [here, there], wcs, unprojectable="skip")
    assert mask.count()["A"] == SpanSet.from_region(here, wcs=wcs).area > 9
    with pytest.warns(SkippedRegionWarning):
        assert not SpanSet.from_region(there, wcs=wcs, unprojectable="skip")


def test_planes_may_come_from_an_iterator():
    mask = Mask((3000, 3000), MaskSchema(["A", "B"]))
    mask.set("A", Box2I.from_shape((3000, 3000)))
    for made in (mask.spans(name for name in ["A"]), mask.footprints(iter(["A"])).union()):
        assert made.area == 3000**2
    with pytest.raises(KeyError, match="C"):
        Mask((0, 0), MaskSchema(["A"])).spans(iter("C"))


def test_bits_of_a_mask_and_not_its_badness():
    mask = Mask((4, 5), MaskSchema.lsst(), xy0=(10, 20))
    mask.set("DETECTED", SpanSet([(21, 12, 14)]))
    assert not np.asarray(mask).any()
    bit = mask.schema.bitmask("DETECTED")
    assert SpanSet.from_bits(mask, bit) == SpanSet.from_bits(mask) == SpanSet([(21, 12, 14)])
    assert SpanSet.from_bits(mask, bit, xy0=(0, 0)) == SpanSet([(1, 2, 4)])


def test_footprints_of_a_mask_lie_in_its_box():
    mask = Mask((20, 30), MaskSchema.lsst(), xy0=(5, 7))
    mask.set("SAT", Box2I((5, 7), (7, 9)))
    found = mask.footprints("SAT")
    assert found.region == mask.bbox
    assert found.grow(2).bbox.tolist() == [[5, 9, 7, 11]]

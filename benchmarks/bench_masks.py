"""Masks: planes set from footprints, bool arrays, counts, merging and files, against NumPy and astropy."""

import io

import numpy as np
from astropy.io import fits
from astropy.nddata import bitfield_to_boolean_mask
from helpers import compare, parser, star_field

from lsstregions import _pixels
from lsstregions.detection import detect_footprints
from lsstregions.geom import Box2I
from lsstregions.io.fits_mask import mask_hdus, read_mask
from lsstregions.masks import Mask, MaskPlane, MaskSchema


def set_by_slices(array, runs, bit):
    for y, x_start, x_stop in runs:
        array[y, x_start:x_stop] |= bit


def set_by_index(array, footprints, bit):
    y, x = footprints.union().indices()
    array[y, x] |= bit


def main():
    options = parser(__doc__).parse_args()
    box = Box2I.from_shape((options.size, options.size))
    footprints = detect_footprints(star_field(options.size), 5).grow(3)
    spans = footprints.union()
    runs = spans.array.tolist()
    byte = np.full(1, 255, np.uint8)
    print(f"{len(footprints)} footprints, {len(spans)} spans, {spans.area} pixels of {options.size} x {options.size}")

    for dtype, width in ((np.uint8, 8), (np.uint16, 16), (np.uint32, 32), (np.uint64, 64)):
        schema = MaskSchema(
            [MaskPlane("DETECTED", 5), MaskPlane("BAD", 0, bad=True), MaskPlane("LAST", width - 1, bad=True)]
        )
        mask = Mask(box, schema)
        assert mask.array.dtype == dtype
        array = np.zeros(mask.shape, dtype)
        memory = np.zeros((options.size, options.size * array.itemsize), np.uint8)
        scaled, in_rows = (runs * [1, array.itemsize, array.itemsize] for runs in (footprints.spans, spans.array))
        scaled, in_rows = scaled.astype(np.int32), in_rows.astype(np.int32)
        compare(
            f"set a plane from footprints, {width} bits a pixel",
            {
                "Mask.set(FootprintSet)": lambda mask=mask: mask.set("DETECTED", footprints),
                "Mask.set(SpanSet)": lambda mask=mask: mask.set("DETECTED", spans),
                "memset, footprint by footprint": lambda memory=memory, runs=scaled: _pixels.paint(
                    memory, runs, 0, 0, byte
                ),
                "memset, row by row": lambda memory=memory, runs=in_rows: _pixels.paint(memory, runs, 0, 0, byte),
                "NumPy, a slice a span": lambda array=array: set_by_slices(array, runs, dtype(32)),
                "NumPy, indices": lambda array=array: set_by_index(array, footprints, dtype(32)),
            },
            options.repeats,
            "3 x faster than slices, at most 2 x memset",
        )
        mask.set("LAST", spans)
        bits = dtype(schema.bitmask(["DETECTED", "LAST"]))
        compare(
            f"where any of two planes is set, {width} bits a pixel",
            {
                "Mask.to_bool": lambda mask=mask: mask.to_bool(["DETECTED", "LAST"]),
                "(array & bits) != 0": lambda mask=mask, bits=bits: (mask.array & bits) != 0,
                "bitfield_to_boolean_mask": lambda mask=mask, bits=bits: bitfield_to_boolean_mask(mask.array, ~bits),
            },
            options.repeats,
            "NumPy's speed",
        )

    mask = Mask(box, MaskSchema.lsst())
    mask.set(["DETECTED", "SAT"], footprints)
    planes = [mask.array.dtype.type(1 << plane.bit) for plane in mask.schema]
    compare(
        "count the pixels of 11 planes",
        {
            "Mask.count": mask.count,
            "NumPy, plane by plane": lambda: [np.count_nonzero(mask.array & bit) for bit in planes],
        },
        options.repeats,
    )
    same, swapped = mask.copy(), mask.schema.rename({"SAT": "STREAK", "STREAK": "SAT"})
    swapped = MaskSchema(MaskPlane(plane.name, plane.bit, "", mask.schema[plane.name].bad) for plane in swapped)
    compare(
        "merge two masks",
        {
            "mask | mask, the same planes": lambda: mask | same,
            "array | array": lambda: mask.array | same.array,
            "mask.conform, two planes swapped": lambda: mask.conform(swapped),
        },
        options.repeats,
    )
    compare(
        "the spans of a plane",
        {
            "Mask.spans": lambda: mask.spans("DETECTED"),
            "(array & bits) != 0": lambda: (mask.array & 32) != 0,
        },
        options.repeats,
    )
    compare(
        "write and read FITS in memory",
        {
            "mask": lambda: written_and_read(mask_hdus(mask), read_mask),
            "astropy.io.fits, the array alone": lambda: written_and_read([fits.ImageHDU(mask.array)], read_array),
        },
        options.repeats,
    )


def written_and_read(hdus, read):
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(file)
    file.seek(0)
    return read(file)


def read_array(file):
    with fits.open(file, memmap=False) as hdus:
        return hdus[1].data


if __name__ == "__main__":
    main()

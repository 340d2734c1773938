"""Shapes to pixels: ours, from region objects and from arrays, beside regions, photutils, cv2, skimage and rasterio.

A peer paints its pixels into a bit of an integer mask as large as the frame, as it must to give a mask; so do we. All
masks are of one dtype.
"""

import functools
import operator
from itertools import pairwise

import astropy.units as u
import numpy as np
import regions as ar
import shapely
from astropy.wcs import WCS
from helpers import compare, parser, peer
from photutils.aperture import CircularAperture

from lsstregions import raster
from lsstregions.footprints import FootprintSet
from lsstregions.geom import Box2I
from lsstregions.masks import Mask, MaskSchema

BIT = 4


def paint_masks(image: np.ndarray, masks: list) -> None:
    """Set the bit under masks of regions or photutils, one by one."""
    for mask in masks:
        large, small = mask.get_overlap_slices(image.shape)
        if large is not None:
            image[large][mask.data[small] > 0] |= BIT


def tan_wcs(size: int) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [size / 2, size / 2]
    wcs.wcs.crval = [10, 20]
    wcs.wcs.cdelt = [-0.2 / 3600, 0.2 / 3600]
    return wcs


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--count", type=int, default=10_000, help="how many shapes")
    args = options.parse_args()
    size, count, repeats = args.size, args.count, args.repeats
    rng = np.random.default_rng(1)
    within = Box2I.from_shape((size, size))
    x, y = rng.uniform(0, size, (2, count))
    mask = Mask(within, MaskSchema.lsst())
    image = np.zeros_like(mask.array)
    scratch = np.zeros((size, size), np.uint8)
    # What one contender has painted is still in the cache when the next one begins, who would have to write it back.
    clean = np.ones((size, size)).max
    cv2, draw, features = peer("cv2"), peer("skimage.draw"), peer("rasterio.features")

    r = rng.uniform(2, 20, count)
    circles = [ar.CirclePixelRegion(ar.PixCoord(*point), radius) for *point, radius in zip(x, y, r, strict=True)]
    apertures = [CircularAperture(point[:2], point[2]) for point in zip(x, y, r, strict=True)]

    def cv2_circles() -> None:
        scratch[:] = 0
        for cx, cy, radius in zip(x, y, r, strict=True):
            cv2.circle(scratch, (round(cx * 16), round(cy * 16)), round(radius * 16), BIT, -1, shift=4)

    def skimage_disks() -> None:
        for cx, cy, radius in zip(x, y, r, strict=True):
            image[draw.disk((cy, cx), radius, shape=image.shape)] |= BIT

    compare(
        f"{count} circles, r 2 to 20, into a bit of a mask",
        {
            "ours, from arrays": lambda: mask.set("BAD", FootprintSet.from_circles(x, y, r, within=within)),
            "ours, from region objects": lambda: mask.set("BAD", circles),
            "ours, runs alone, from arrays": lambda: raster.circles(x, y, r, within=within),
            "regions to_mask, painted": lambda: paint_masks(image, [circle.to_mask() for circle in circles]),
            "photutils to_mask(center), painted": lambda: paint_masks(
                image, [aperture.to_mask(method="center") for aperture in apertures]
            ),
            "cv2.circle into bytes (other pixels)": cv2_circles if cv2 else None,
            "skimage.draw.disk": skimage_disks if draw else None,
        },
        repeats,
        "30 x from objects, 100 x from arrays, of regions",
        clean,
    )

    a, theta = rng.uniform(2, 30, count), rng.uniform(0, np.pi, count)
    b = a * rng.uniform(0.3, 1, count)
    columns = list(zip(x, y, 2 * a, 2 * b, theta * u.rad, strict=True))
    ellipses = [ar.EllipsePixelRegion(ar.PixCoord(cx, cy), w, h, angle) for cx, cy, w, h, angle in columns]
    compare(
        f"{count} ellipses into a bit of a mask",
        {
            "ours, from arrays": lambda: mask.set("BAD", FootprintSet.from_ellipses(x, y, a, b, theta, within=within)),
            "ours, from region objects": lambda: mask.set("BAD", ellipses),
            "ours, runs alone, from arrays": lambda: raster.ellipses(x, y, a, b, theta, within=within),
            "regions to_mask, painted": lambda: paint_masks(image, [ellipse.to_mask() for ellipse in ellipses]),
        },
        min(repeats, 5),
        "150 x from objects, 500 x from arrays",
        clean,
    )

    sizes = rng.integers(5, 51, max(count // 10, 1))
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    t = np.concatenate([np.sort(rng.uniform(0, 2 * np.pi, n)) for n in sizes])
    radius = rng.uniform(20, 50, t.size)
    px = np.repeat(rng.uniform(0, size, sizes.size), sizes) + radius * np.cos(t)
    py = np.repeat(rng.uniform(0, size, sizes.size), sizes) + radius * np.sin(t)
    outlines = [slice(start, stop) for start, stop in pairwise(offsets)]
    polygons = [ar.PolygonPixelRegion(ar.PixCoord(px[some], py[some])) for some in outlines]
    # For rasterio pixel i extends from i to i + 1.
    shapes = [shapely.Polygon(np.column_stack([px[some] + 0.5, py[some] + 0.5])) for some in outlines]
    compare(
        f"{sizes.size} polygons of up to 50 vertices",
        {
            "ours, from arrays": lambda: raster.polygons(px, py, offsets, within=within),
            "ours, from region objects": lambda: raster.runs_of_regions(polygons, None, within),
            "regions to_mask, painted": lambda: paint_masks(image, [polygon.to_mask() for polygon in polygons]),
            "rasterio.features.rasterize": (lambda: features.rasterize(shapes, out=scratch)) if features else None,
        },
        min(repeats, 3),
        "100 x of regions, 10 x of rasterio",
    )

    t = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    radius = size * (0.37 + 0.005 * rng.standard_normal(t.size))
    px, py = size / 2 + radius * np.cos(t), size / 2 + radius * np.sin(t)
    points = np.round(np.column_stack([px, py]) * 16).astype(np.int32)
    compare(
        "one polygon of 100,000 vertices",
        {
            "ours": lambda: raster.polygons(px, py, [0, t.size], within=within),
            "cv2.fillPoly into bytes": (lambda: cv2.fillPoly(scratch, [points], 1, shift=4)) if cv2 else None,
        },
        repeats,
        "not slower",
    )

    wcs = tan_wcs(size)
    sky = wcs.pixel_to_world(x, y)
    on_sky = [ar.CircleSkyRegion(center, radius * 0.2 * u.arcsec) for center, radius in zip(sky, r, strict=True)]
    few = on_sky[: max(count // 100, 1)]
    times = compare(
        f"{count} sky circles through a TAN WCS; regions does 1 in 100 of them",
        {
            "ours": lambda: raster.runs_of_regions(on_sky, wcs, within),
            "to_pixel one by one": lambda: [circle.to_pixel(wcs) for circle in few],
        },
        min(repeats, 3),
        "300 x",
    )
    print(f"  (for all of them: {times['to_pixel one by one'] * len(on_sky) / len(few) / times['ours']:.0f} x)")

    chain = functools.reduce(operator.or_, circles * (100_000 // count or 1))
    apart = ar.CirclePixelRegion(ar.PixCoord(0, 0), 5) | ar.CirclePixelRegion(ar.PixCoord(1e6, 1e6), 5)
    huge = ar.CirclePixelRegion(ar.PixCoord(0, 0), 1e8)
    many = np.linspace(0, 2 * np.pi, 1_000_000, endpoint=False)
    compare("a compound of 100,000 circles", {"ours": lambda: raster.runs_of(chain)}, 1, "2 s")
    compare("two circles a million pixels apart", {"ours": lambda: raster.runs_of(apart)}, repeats)
    compare("a circle of r = 1e8 over the image", {"ours": lambda: raster.runs_of(huge, None, within)}, repeats)
    compare(
        "a polygon of a million vertices",
        {"ours": lambda: raster.polygons(1500 * np.cos(many), 1500 * np.sin(many), [0, many.size])},
        3,
        "1 s",
    )


if __name__ == "__main__":
    main()

"""From an image to a table of areas, boxes, fluxes, centroids, second moments and peaks."""

import helpers
import numpy as np

import lsstregions as lr

cv2 = helpers.peer("cv2")
sep = helpers.peer("sep")
segmentation = helpers.peer("photutils.segmentation")


COLUMNS = [
    "area", "bbox_xmin", "bbox_xmax", "bbox_ymin", "bbox_ymax", "segment_flux", "x_centroid", "y_centroid",
    "covariance_xx", "covariance_yy", "covariance_xy", "semimajor_axis", "semiminor_axis", "orientation",
    "max_value", "max_value_xindex", "max_value_yindex",
]  # fmt: skip


def with_cv2(image, sigma):
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        (image > sigma).view(np.uint8), 8, cv2.CV_32S, cv2.CCL_BBDT
    )
    y, x = np.nonzero(labels)
    number, value = labels[y, x], image[y, x].astype(float)
    sums = [np.bincount(number, value * w, count) for w in (1.0, x, y, x * x, y * y, x * y)]
    peak = np.full(count, -np.inf)
    np.maximum.at(peak, number, value)
    return stats, sums, peak


def with_photutils(image, sigma):
    return segmentation.SourceCatalog(image, segmentation.detect_sources(image, sigma, 1)).to_table(columns=COLUMNS)


def main() -> None:
    arguments = helpers.parser(__doc__).parse_args()
    image, sigma = helpers.star_field(arguments.size), 5.0
    found = lr.detect_footprints(image, sigma)
    contenders = {
        # The peers tell the highest pixel of each source, as the table does, and no local peaks.
        "lsstregions": lambda: lr.detect_footprints(image, sigma, peaks=False).measure(image, columns=COLUMNS),
        "lsstregions, local peaks too": lambda: lr.detect_footprints(image, sigma).measure(image, columns=COLUMNS),
        "lsstregions, all columns": lambda: lr.detect_footprints(image, sigma).measure(image),
        "lsstregions, the table alone": lambda: found.measure(image, columns=COLUMNS),
        "(image.max())": image.max,
        "sep.extract, no deblending": sep
        and (lambda: sep.extract(image, sigma, minarea=1, filter_kernel=None, deblend_nthresh=1, clean=False)),
        "cv2 with stats, and bincount": cv2 and (lambda: with_cv2(image, sigma)),
    }
    helpers.compare(
        f"{image.shape}, {len(found)} footprints, image to table", contenders, arguments.repeats, "sep 15 x, cv2 10 x"
    )
    if segmentation is not None:
        contenders = {
            "lsstregions": contenders["lsstregions"],
            "photutils SourceCatalog": lambda: with_photutils(image, sigma),
        }
        helpers.compare("the same, with photutils", contenders, 1, "100 x")


if __name__ == "__main__":
    main()

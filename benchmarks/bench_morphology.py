"""Dilation and erosion by disks, spans to spans, against cv2 and scipy on byte masks."""

import helpers
import numpy as np
import scipy.ndimage

from lsstregions import SpanSet

TARGETS = {5: "4 x cv2", 10: "10 x cv2", 30: "40 x cv2"}


def main() -> None:
    options = helpers.parser(__doc__)
    options.add_argument("--scipy", action="store_true", help="run scipy too, which takes seconds")
    args = options.parse_args()
    cv2 = helpers.peer("cv2")
    frames = {
        "40% of the frame": helpers.blobs(args.size),
        "5 sigma": helpers.star_field(args.size) > 5,
    }
    for name, mask in frames.items():
        spans, pixels = SpanSet.from_mask(mask), mask.astype(np.uint8)
        print(f"\n{name}: {len(spans)} spans, {spans.area} pixels")
        for radius, target in TARGETS.items():
            disk = SpanSet.disk(radius).to_mask()
            kernel = disk.astype(np.uint8)
            helpers.compare(
                f"dilate, r = {radius}",
                {
                    "lsstregions": lambda: spans.dilate(radius),
                    "cv2.dilate": cv2 and (lambda: cv2.dilate(pixels, kernel)),
                    "scipy binary_dilation": (
                        (lambda: scipy.ndimage.binary_dilation(mask, disk)) if args.scipy else None
                    ),
                },
                args.repeats,
                target,
            )
            helpers.compare(
                f"erode, r = {radius}",
                {
                    "lsstregions": lambda: spans.erode(radius),
                    "cv2.erode": cv2 and (lambda: cv2.erode(pixels, kernel)),
                },
                args.repeats,
            )


if __name__ == "__main__":
    main()

__version__: str

from . import datasets, io, plotting, raster, viewers
from ._pixel_region import LossWarning, to_regions
from .detection import Threshold, detect_footprints
from .ellipses import (
    Axes,
    ConformalShear,
    DeterminantRadius,
    Distortion,
    Ellipse,
    LogDeterminantRadius,
    LogTraceRadius,
    Quadrupole,
    ReducedShear,
    Separable,
    TraceRadius,
)
from .footprints import Footprint, FootprintSet, HeavyFootprint
from .geom import (
    AffineTransform,
    Box2D,
    Box2I,
    Extent2D,
    Extent2I,
    IntervalD,
    IntervalI,
    LinearTransform,
    Point2D,
    Point2I,
)
from .io.outlines import serialize_regions, write_regions
from .mappings import WcsMapping
from .masks import Mask, MaskPlane, MaskSchema, merge_masks
from .merging import merge_by_priority
from .nddata import MaskedImage
from .raster import SkippedRegionWarning, coverage, coverage_sum, rasterize
from .spans import SpanSet

__all__ = [
    "AffineTransform",
    "Axes",
    "Box2D",
    "Box2I",
    "ConformalShear",
    "DeterminantRadius",
    "Distortion",
    "Ellipse",
    "Extent2D",
    "Extent2I",
    "Footprint",
    "FootprintSet",
    "HeavyFootprint",
    "IntervalD",
    "IntervalI",
    "LinearTransform",
    "LogDeterminantRadius",
    "LogTraceRadius",
    "LossWarning",
    "Mask",
    "MaskPlane",
    "MaskSchema",
    "MaskedImage",
    "Point2D",
    "Point2I",
    "Quadrupole",
    "ReducedShear",
    "Separable",
    "SkippedRegionWarning",
    "SpanSet",
    "Threshold",
    "TraceRadius",
    "WcsMapping",
    "coverage",
    "coverage_sum",
    "datasets",
    "detect_footprints",
    "io",
    "merge_by_priority",
    "merge_masks",
    "plotting",
    "raster",
    "rasterize",
    "serialize_regions",
    "to_regions",
    "viewers",
    "write_regions",
]

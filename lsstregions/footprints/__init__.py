"""Footprint, HeavyFootprint and FootprintSet: a detected set of pixels, one with its values, and many in columns."""

from ._footprint import Footprint, HeavyFootprint
from ._set import FootprintSet

__all__ = ["Footprint", "FootprintSet", "HeavyFootprint"]

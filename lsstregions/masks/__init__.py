"""Named mask planes: a plane is a named bit, a schema a set of planes, a mask an image of their bits."""

from ._mask import Mask, merge_masks, window_of
from ._schema import MASKED, MaskPlane, MaskSchema

__all__ = ["MASKED", "Mask", "MaskPlane", "MaskSchema", "merge_masks", "window_of"]

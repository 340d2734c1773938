"""Named mask planes: a plane is a named bit, a schema a set of planes, a mask an image of their bits."""

from ._mask import Mask, merge_masks, window_of
from ._schema import MaskPlane, MaskSchema

__all__ = ["Mask", "MaskPlane", "MaskSchema", "merge_masks", "window_of"]

"""Pixel regions for astronomy: span sets, footprints, named mask planes, and the geometry under them.

The public names, and modules, are listed in ``__init__.pyi``; each is imported when it is first used.
"""

import lazy_loader

from . import _with_regions  # noqa: F401 It registers our format.

__version__ = "0.1.dev0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
# ``import *`` takes no modules: some need optional packages.
__all__ = [name for name in __all__ if name not in ("datasets", "io", "plotting", "raster", "viewers")]

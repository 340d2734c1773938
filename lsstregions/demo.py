"""A look at what the package does: ``python -m lsstregions.demo``, the same as ``lsstregions demo``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))

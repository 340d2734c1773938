"""Build the compiled modules: every cext/_name.pyx becomes lsstregions._name."""

import os
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

# A checked build: array bounds are tested in every kernel, and the portable code stands in for that of this machine.
CHECKED = os.environ.get("LSSTREGIONS_DEBUG", "0") not in ("", "0")
# There is no stable ABI for free-threaded interpreters yet.
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

macros = [] if FREE_THREADED else [("Py_LIMITED_API", "0x030b0000")]
macros += [("LSSTREGIONS_PORTABLE", "1")] if CHECKED else []
# No fused multiply-add: a pixel centre on an edge must fall the same way on every machine. Square roots set no errno,
# and what is not wanted may be computed as well: without that, loops would not become SIMD.
flags = [] if sys.platform == "win32" else ["-O3", "-g0", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
headers = sorted(str(path) for pattern in ("*.pxd", "*.h") for path in Path("cext").glob(pattern))

extensions = [
    Extension(
        f"lsstregions.{source.stem}",
        [str(source)],
        depends=headers,
        include_dirs=["cext"],
        define_macros=macros,
        extra_compile_args=flags,
        py_limited_api=not FREE_THREADED,
    )
    for source in sorted(Path("cext").glob("_*.pyx"))
]

setup(
    ext_modules=extensions,
    options={
        "build_ext": {
            "cython_include_dirs": ["cext"],
            "cython_c_in_temp": True,
            # Here and not in the files: a directive in a file could not be undone by the checked build.
            "cython_directives": {
                "language_level": 3,
                "boundscheck": CHECKED,
                "wraparound": False,
                "initializedcheck": CHECKED,
                "cdivision": True,
                "embedsignature": True,
                "freethreading_compatible": True,
            },
            "parallel": os.cpu_count(),
        },
        "bdist_wheel": {} if FREE_THREADED else {"py_limited_api": "cp311"},
    },
)

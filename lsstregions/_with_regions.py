"""Have `regions` know our format in any program that imports both, whichever comes first.

Its registry has no plugins, and importing it takes longer than importing us and NumPy. So that it need not be imported
for this, what registers the format (`_footprint_format`) waits until it is.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class _Watcher(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "regions":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def and_register(module: ModuleType) -> None:
                execute(module)
                _register()

            spec.loader.exec_module = and_register  # type: ignore[method-assign]  # To be called once.
        return spec


def _register() -> None:
    from . import _footprint_format  # noqa: F401 It does so when it is imported.


if "regions" in sys.modules:
    _register()
else:
    sys.meta_path.insert(0, _Watcher())

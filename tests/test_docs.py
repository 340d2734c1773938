"""The documentation: every example does what it says."""

import doctest
import importlib
import pkgutil
import re
import warnings
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
from astropy.wcs import WCS

import lsstregions

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(DOCS.rglob("*.rst"))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# Modules whose import needs an optional package are looked at where it is installed.
MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages(lsstregions.__path__, "lsstregions.")
    if not name.rpartition(".")[2].startswith("_")
)


def test_classes_have_what_notebooks_and_figures_ask_for():
    shown = {
        "SpanSet": ("plot", "_repr_html_", "_repr_png_"),
        "Footprint": ("plot", "_repr_html_", "_repr_png_"),
        "FootprintSet": ("plot", "_repr_html_", "_repr_png_", "to_moc"),
        "Mask": ("plot", "_repr_html_", "_repr_png_"),
        "Box2I": ("_repr_svg_",),
        "Box2D": ("_repr_svg_",),
        "Ellipse": ("_repr_svg_",),
    }
    for name, methods in shown.items():
        for method in methods:
            assert callable(getattr(getattr(lsstregions, name), method, None)), f"{name}.{method}"
    spans, box = lsstregions.SpanSet.disk(3), lsstregions.Box2I((0, 9), (0, 7))
    made = [spans, lsstregions.Footprint(spans), lsstregions.FootprintSet([spans])]
    for one in (*made, lsstregions.Mask(box, lsstregions.MaskSchema.lsst())):
        assert one._repr_html_().startswith("<div")
        assert one._repr_png_().startswith(b"\x89PNG")
    wide = lsstregions.SpanSet([(0, -(2**30) - 5, -(2**30)), (0, 2**30, 2**30 + 5)])
    for one in (wide, lsstregions.Footprint(wide), lsstregions.FootprintSet([wide])):
        assert "wider than int32" in one._repr_html_()
    for one in (box, lsstregions.Box2D((0, 9), (0, 7)), lsstregions.Ellipse(lsstregions.Axes(3, 2, 1))):
        assert one._repr_svg_().startswith("<svg")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_pages(page):
    failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=FLAGS, encoding="utf-8")
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_figures(page, monkeypatch):
    """Run the code of the page's plots, one after the other, as Sphinx does."""
    plt = pytest.importorskip("matplotlib.pyplot")
    namespace = {"__name__": "figure"}
    plt.switch_backend("agg")
    for code in blocks(page.read_text(encoding="utf-8"), "plot::"):
        exec(compile(code, str(page), "exec"), namespace)
        plt.gcf().canvas.draw()
        plt.close("all")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_code_blocks(page, monkeypatch, tmp_path):
    """Run what is shown as it is typed into files; viewers have a stand-in."""
    monkeypatch.chdir(tmp_path)
    for code in blocks(page.read_text(encoding="utf-8"), "code-block:: python"):
        if "to_moc" in code:
            pytest.importorskip("mocpy")
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1e-4, 1e-4]
        known = {"imviz": MagicMock(), "aladin": MagicMock(), "wcs": wcs}
        footprints = lsstregions.FootprintSet([lsstregions.SpanSet.disk(3).shift(5, 5)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lsstregions.LossWarning)
            exec(compile(code, str(page), "exec"), {"footprints": footprints, **known})


def blocks(text, directive):
    """Yield the code of one kind of directive in a page."""
    for block in re.findall(rf"^\.\. {directive}\n((?:[ ]{{3}}.*\n|\n)*)", text + "\n", re.M):
        lines = [line[3:] for line in block.splitlines()]
        yield "\n".join(line for line in lines if not re.match(r":[\w-]+:", line))


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(str(error))
    inner = [module] + [
        importlib.import_module(f"{name}.{part.name}")
        for part in pkgutil.iter_modules(getattr(module, "__path__", []))
        if part.name.startswith("_")
    ]
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for part in inner:
        everything = {"np": np, **{public: getattr(lsstregions, public) for public in lsstregions.__all__}}
        for test in doctest.DocTestFinder(exclude_empty=True).find(part, extraglobs=everything):
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("notebook", sorted((DOCS / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_notebooks(notebook, monkeypatch, tmp_path):
    """Run the cells of a notebook, kept as a script."""
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    exec(compile(notebook.read_text(encoding="utf-8"), str(notebook), "exec"), {"__name__": "notebook"})
    plt.close("all")


def test_readme(monkeypatch, tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    plt.close("all")
    assert (tmp_path / "overlay.png").exists()

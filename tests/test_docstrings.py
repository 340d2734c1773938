"""The docstrings of everything public: types, shapes, units, and each exception that the code raises."""

import ast
import builtins
import contextlib
import functools
import importlib
import inspect
import pkgutil
import re
import textwrap

import pytest

import lsstregions
from lsstregions import _validate
from lsstregions.io._checked import reading

# Modules whose import needs an optional package are looked at where it is installed.
MODULES = ["lsstregions", *sorted(name for _, name, _ in pkgutil.walk_packages(lsstregions.__path__, "lsstregions."))]
# What says how many entries an array has.
SHAPE = re.compile(
    r"\bshapes?\b|\((?:n\w*|m|k|2|3|ny|\.\.\.)(?:,[^)]*|)\)|\b[123]-D\b|\bscalars?\b|\b(?:for|of) each\b"
)
UNITS = {
    r"radian|Quantity|degree": {"angle", "theta", "orientation"},
    r"pixel": {"a", "b", "r", "radius", "width", "height", "buffer", "dx", "dy", "left", "right", "up", "down"}
    | {"inner_a", "inner_b", "inner_r", "inner_width", "inner_height", "psf_sigma", "perimeter", "area"}
    | {"new_peak_distance", "same_peak_distance", "xx", "yy", "xy"},
}
# What a check inside could raise, but not of what it is given there.
IMPOSSIBLE = {
    "Point2D.to_pixel": {"TypeError"},
    "Extent2D.floor": {"TypeError"},
    "Extent2D.ceil": {"TypeError"},
    "Extent2D.truncate": {"TypeError"},
    "FootprintSet.shift": {"ValueError"},
    "SpanSet.unflatten": {"TypeError", "OverflowError"},
    "Footprint.as_artist": {"ValueError"},
}


def import_or_none(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def public_names():
    """Yield the name and the object of every public function and class, once, at its shortest name."""
    seen = set()
    for module in filter(None, (import_or_none(name) for name in MODULES if "._" not in name)):
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
        for name in getattr(module, "__all__", own):
            value = getattr(module, name)
            if not name.startswith("_") and (inspect.isclass(value) or inspect.isroutine(value)) and value not in seen:
                seen.add(value)
                yield f"{module.__name__}.{name}".removeprefix("lsstregions."), value


def function_of(value):
    """Return the function in a property, a class method, a wrapper, or itself."""
    value = getattr(value, "fget", None) or getattr(value, "__func__", value)
    return inspect.unwrap(value)


def public_callables():
    """Yield name, object with the docstring, function, and class if it is a member, of everything public."""
    for name, value in public_names():
        if not inspect.isclass(value):
            yield name, value, function_of(value), None
            continue
        makers = [vars(value).get(maker) for maker in ("__new__", "__init__")]
        for maker in filter(inspect.isfunction, map(function_of, filter(None, makers))):
            yield name, value, maker, value
            break
        else:
            yield name, value, None, value
        for base in value.__mro__:
            if not base.__module__.startswith("lsstregions"):
                continue
            for member, found in vars(base).items():
                function = function_of(found)
                if not member.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{member}", found, function, value


CALLABLES = {name: rest for name, *rest in public_callables()}
PUBLIC = {function for _, function, _ in CALLABLES.values()}


def sections(text):
    """Return the sections of a numpydoc docstring by name; what comes before the first is ''."""
    parts = re.split(r"^(\w[\w ]+)\n-{3,}$", text, flags=re.M)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def fields(section):
    """Yield names, type and description of each entry of a section such as Parameters."""
    for entry in re.split(r"^(?=\S)", section, flags=re.M):
        if entry.strip():
            head, _, description = entry.partition("\n")
            names, colon, kind = head.partition(" : ")
            yield [name.strip(" *") for name in names.split(",")], kind if colon else "", description


def parameters(function):
    """Return the annotations of a function's parameters, as text."""
    every = inspect.signature(function).parameters.values() if function else []
    return {p.name: str(p.annotation) for p in every if p.name not in ("self", "cls", "args", "kwargs")}


def is_array(annotation):
    return re.search(r"ndarray|_array_like|NDArray|ArrayLike", annotation) is not None


def docstring(value):
    return inspect.getdoc(function_of(value) if not inspect.isclass(value) else value) or ""


@pytest.mark.parametrize("name", CALLABLES)
def test_summary(name):
    lines = docstring(CALLABLES[name][0]).splitlines()
    assert lines, "no docstring"
    assert lines[0].endswith((".", ":")), "the first line is no sentence"
    assert len(lines) == 1 or not lines[1], "the summary is longer than one line"


@pytest.mark.parametrize("name", CALLABLES)
def test_parameters(name):
    value, function, owner = CALLABLES[name]
    text = docstring(value)
    parts = sections(text)
    # Methods of two words, and functions that only a module of a format has, may describe theirs in the summary.
    is_brief = "Parameters" not in parts and (name.count(".") > 1 or (owner is not None and value is not owner))
    inherited = "".join(inspect.getdoc(base) or "" for base in getattr(value, "__mro__", [object])[:-1])
    entries = fields(parts.get("Parameters", parts.get("Attributes", "")))  # a named tuple has attributes alone
    described = {n: (kind, more) for names, kind, more in entries for n in names}
    assert not [n for n, (kind, _) in described.items() if not kind and n not in ("style", "options", "metadata")]
    for parameter, annotation in parameters(function).items():
        kind, more = described.get(parameter, ("", ""))
        about = kind + more or parts[""]
        if not is_brief and not parameter.startswith("_"):
            assert re.search(rf"(?<!\w){parameter}(?!\w)", text + inherited), f"{parameter} is not described"
        if is_array(annotation) or re.search(r"\b(?:nd)?array", kind):
            assert SHAPE.search(about), f"no shape of {parameter}"
        for unit, names in UNITS.items():
            if parameter in names:
                assert re.search(unit, about), f"no unit of {parameter}"


@pytest.mark.parametrize("name", CALLABLES)
def test_results(name):
    value, function, owner = CALLABLES[name]
    if function is None or inspect.isclass(value):
        return
    parts = sections(docstring(value))
    about = parts.get("Returns", parts[""])
    if is_array(str(inspect.signature(function).return_annotation)):
        assert SHAPE.search(about), "no shape of what is returned"
    if isinstance(value, property):
        for unit, names in UNITS.items():
            if name.rpartition(".")[2] in names:
                assert re.search(unit, about + docstring(owner)), "no unit"


class Raised(ast.NodeVisitor):
    """The exceptions that leave a function: its own, and those of functions that it calls and that are not public."""

    def __init__(self, function, owner, depth):
        self.owner, self.depth = owner, depth
        self.names = vars(builtins) | function.__globals__ | {"self": owner, "cls": owner}
        self.caught = ()
        self.found = set()
        with contextlib.suppress(OSError):  # what dataclasses and named tuples make has no source, and raises nothing
            self.visit(ast.parse(textwrap.dedent(inspect.getsource(function))))

    def named(self, node):
        """Return what an expression of names and dots stands for, or None."""
        if isinstance(node, ast.Attribute):
            return getattr(self.named(node.value), node.attr, None)
        return self.names.get(getattr(node, "id", None))

    def visit_Try(self, node):
        outer = self.caught
        for handler in node.handlers:
            kinds = getattr(handler.type, "elts", [handler.type])
            self.caught += tuple(self.named(kind) or BaseException for kind in kinds)
        for child in node.body:
            self.visit(child)
        self.caught = outer
        for child in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(child)

    def visit_With(self, node):
        outer = self.caught
        if any(self.named(getattr(item.context_expr, "func", None)) is reading for item in node.items):
            self.caught += (Exception,)  # of which `reading` makes its own
        for child in node.body:
            self.visit(child)
        self.caught = outer
        for item in node.items:
            self.visit(item)

    def visit_Raise(self, node):
        kind = self.named(getattr(node.exc, "func", node.exc))
        if inspect.isclass(kind):
            self.add({kind})
        self.generic_visit(node)

    def visit_Call(self, node):
        target = function_of(self.named(node.func))
        if inspect.isfunction(target) and target.__module__.startswith("lsstregions.") and target not in PUBLIC:
            checks = target.__module__ == _validate.__name__
            if checks or self.depth:
                self.add(raised(target, self.owner, self.depth - (not checks)))
        self.generic_visit(node)

    def add(self, kinds):
        self.found |= {kind for kind in kinds if not issubclass(kind, self.caught)}


@functools.cache
def raised(function, owner, depth=1):
    return frozenset(Raised(function, owner, depth).found)


@pytest.mark.parametrize("name", CALLABLES)
def test_raises(name):
    value, function, owner = CALLABLES[name]
    function = getattr(value, "__post_init__", function)
    if function is None:
        return
    said = " ".join(n for names, *_ in fields(sections(docstring(value)).get("Raises", "")) for n in names)
    missing = {
        kind.__name__
        for kind in raised(function, owner)
        if not any(re.search(rf"\b{base.__name__}\b", said) for base in kind.__mro__[: kind.__mro__.index(Exception)])
    }
    missing -= IMPOSSIBLE.get(name.replace("Heavy", ""), set())
    assert not missing, f"Raises does not name {sorted(missing)}"

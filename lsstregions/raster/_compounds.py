"""Trees of regions to chains of operations on what their leaves are, and chains of operations on run arrays."""

import functools
import itertools
import operator
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _algebra, _runs
from ._dispatch import OR, folded, joined
from ._shapes import Runs

Table = NDArray[np.bool_]


class Operation(NamedTuple):
    """A function of what there is and another operand, which it takes first if it is `turned`."""

    function: Callable
    turned: bool


class Chain(NamedTuple):
    """A compound, its operands, and the operations by which each but the first joins those before it."""

    compound: Any
    operands: list[Any]
    operations: list[Operation]


def chains_of(roots: Sequence[Any], kinds: tuple[Any, ...]) -> list[Chain]:
    """Return chains for compounds of these kinds, each after those that it is made of.

    A chain goes down into the larger of two members for as long as nothing else needs what is there: a tree of n leaves
    has no more than log2(n) chains within each other, however it is nested.
    """
    members = _members(roots, kinds)
    needed = Counter(map(id, roots))
    needed.update([id(member.larger) for member in members.values()])
    needed.update([id(member.other) for member in members.values()])
    inner: set[int] = set()
    chains = []
    for key in reversed(members):
        if key in inner:
            continue
        chain = Chain(members[key].compound, [], [])
        while True:
            compound, larger, other, turned, _ = members[key]
            chain.operands.append(other)
            chain.operations.append(_operation(compound.operator, turned))
            key = id(larger)
            if key not in members or needed[key] > 1:
                break
            inner.add(key)
        chain.operands.append(larger)
        chain.operands.reverse()
        chain.operations.reverse()
        chains.append(chain)
    return chains[::-1]


class _Member(NamedTuple):
    """A compound, the larger of its two members and the other one, whether this comes first, and how many are in it."""

    compound: Any
    larger: Any
    other: Any
    turned: bool
    size: int


def _members(roots: Sequence[Any], kinds: tuple[Any, ...]) -> dict[int, _Member]:
    """Return the compounds of trees, each after those that it is made of, by identity."""
    found: dict[int, _Member] = {}
    opened: dict[int, tuple[Any, Any]] = {}
    # Asked once a class: those of `regions` are slow to tell.
    is_compound: dict[type, bool] = {}
    ahead = list(reversed(roots))
    while ahead:
        part = ahead.pop()
        kind, key = type(part), id(part)
        if kind not in is_compound:
            is_compound[kind] = isinstance(part, kinds)
        if not is_compound[kind] or key in found:
            continue
        if key in opened:
            left, right = opened.pop(key)
            left_size = found[id(left)].size if id(left) in found else 0
            right_size = found[id(right)].size if id(right) in found else 0
            # Shared members make numbers without end.
            size = min(left_size + right_size + 1, 1 << 60)
            if right_size > left_size:
                found[key] = _Member(part, right, left, True, size)
            else:
                found[key] = _Member(part, left, right, False, size)
        else:
            opened[key] = left, right = part.region1, part.region2
            ahead += [part, right, left]
    return found


@functools.lru_cache(64)
def _operation(function: Callable, turned: bool) -> Operation:
    """Return an operation; they are few, and compounds many."""
    return Operation(function, turned)


@functools.lru_cache(64)
def truth_of(function: Callable) -> Table:
    """Return what a function makes of neither, only the first, only the second and both."""
    a, b = np.array([[False, True, False, True], [False, False, True, True]])
    try:
        result = function(a, b)
    except TypeError:
        # As `regions` itself does it: on integers.
        result = function(a.astype(int), b.astype(int))
    table = np.asarray(result)
    if table.shape != a.shape or table.dtype.kind not in "biu":
        raise TypeError(f"the operator of a compound must return a truth for each pixel, not {result!r}")
    return table.astype(bool)


def combine(operands: Sequence[Runs], operations: Sequence[Operation], everything: Runs | None) -> Runs:
    """Return the runs of a chain of operations on booleans; `everything` is all that there may be, if that is known."""
    if all(operation.function is operator.or_ for operation in operations):
        return _runs.canonical(joined(operands)[0])
    runs = operands[0]
    for outside, group in itertools.groupby(
        zip(operations, operands[1:], strict=True), key=lambda step: holds_outside(step[0])
    ):
        steps = list(group)
        codes = [_code_of(operation) for operation, _ in steps]
        if not outside:
            runs = folded(joined([runs, *(operand for _, operand in steps)]), [OR, *codes])
            continue
        if everything is None:
            raise ValueError("the compound region has no bounds, as its operator holds outside of both; pass `within`")
        for code, (_, operand) in zip(codes, steps, strict=True):
            runs = _algebra.subtract(everything, folded(joined([runs, operand]), [OR, code ^ 15]))
    return runs


@functools.lru_cache(64)
def _code_of(operation: Operation) -> int:
    """Return an operation as `_algebra.fold` takes it."""
    table = truth_of(operation.function)
    return int(np.packbits(table[[0, 2, 1, 3]] if operation.turned else table, bitorder="little")[0])


def holds_outside(operation: Operation) -> bool:
    """Whether an operation holds where neither of its operands is."""
    return bool(_code_of(operation) & 1)

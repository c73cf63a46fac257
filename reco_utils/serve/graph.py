"""Everything an object refers to: found, or copied with something changed. Nothing that is given is ever changed."""

import functools
from collections.abc import Callable, Iterator
from types import NoneType

ATOMS = {NoneType, bool, int, float, str}  # lead nowhere


def parts(root: object) -> Iterator[object]:
    """Every instance of a class of ours that `root` leads to, each once, what is nearer first."""
    waiting, met = [root], set()
    for value in waiting:
        if type(value) not in ATOMS and id(value) not in met:
            met.add(id(value))
            waiting += _inside(value)
            if _is_ours(value):
                yield value


def rebuilt(root: object, change: Callable[[object], object], touch: Callable[[object], bool]) -> object:
    """A copy in which some objects are replaced; what leads to none of them is shared with the original.

    Parameters
    ----------
    change : function
        What stands in an object's place from now on: the object itself, if nothing changes.
    touch : function
        Gets a shallow copy of each instance of ours and may change its attributes; True if it did.
    """
    done = {}  # id -> (copy, original kept alive)

    def copied(value):
        if type(value) in ATOMS:
            return value
        if id(value) not in done:
            done[id(value)] = _rebuilt(value, change, touch, copied), value
        return done[id(value)][0]

    return copied(root)


def _is_ours(value) -> bool:
    return type(value).__module__.startswith("reco_utils.") and hasattr(value, "__dict__")


def _inside(value) -> list:
    """What a container or an instance of ours holds."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    return list(vars(value).values()) if _is_ours(value) else []


def _rebuilt(value, change, touch, copied):
    new = change(value)
    if new is not value:
        return new
    if isinstance(value, functools.partial):
        args, keywords = copied(value.args), copied(value.keywords)
        same = args is value.args and keywords is value.keywords
        return value if same else functools.partial(value.func, *args, **keywords)
    inside = [copied(v) for v in _inside(value)]
    same = all(a is b for a, b in zip(inside, _inside(value)))
    if isinstance(value, (list, tuple)):
        return value if same else tuple.__new__(type(value), inside) if isinstance(value, tuple) else inside
    if isinstance(value, dict):
        return value if same else dict(zip(value, inside))
    if not _is_ours(value):
        return value
    clone = object.__new__(type(value))
    vars(clone).update(zip(vars(value), inside))
    return clone if touch(clone) or not same else value

"""Grades the exercises of the course: `check("02.1", answer)` says correct, not answered yet, or what is wrong.

The graders of notebook 02 live in `nb02.py`, one plain function per exercise:

    @grader("02.1", hint="start from the users who share at least two films")
    def overlap(answer):
        if answer != 3:
            raise Wrong(f"{answer} users is not right: does your count include Ann herself?")
        return "Ann has three neighbours, all of them through one film."

It raises `Wrong` with advice that does not give the answer away, or returns one sentence that explains it. A function
to be graded is simply called: one that returns nothing, or the dots it was handed out with, counts as not answered.
"""

import difflib
import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Wrong(AssertionError):
    """The answer is not right yet; the message says what to look at."""


class _NotAnswered(Exception):
    """The answer is still the placeholder."""


class _Grader(NamedTuple):
    grade: Callable
    hint: str


_graders: dict[str, _Grader] = {}


def grader(exercise: str, *, hint: str) -> Callable:
    """Register the decorated function as the grader of `exercise`, e.g. "02.1"; `hint` helps who has not begun."""

    def register(grade):
        if exercise in _graders and _graders[exercise].grade.__module__ != grade.__module__:
            raise ValueError(f"exercise {exercise} already has a grader in {_graders[exercise].grade.__module__}")
        _graders[exercise] = _Grader(grade, hint)
        return grade

    return register


def exercises(notebook: str = "") -> tuple[str, ...]:
    """The exercises that have a grader, in order; of one notebook ("02") or of all."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        if module.name.rpartition(".")[2].startswith(f"nb{notebook}"):
            importlib.import_module(module.name)
    return tuple(sorted(e for e in _graders if e.startswith(notebook)))


def check(exercise: str, answer: object = ...) -> None:
    """Print whether `answer` is right; an exercise that was not answered yet prints its hint and stops nothing.

    Parameters
    ----------
    exercise : str
        Notebook and number, e.g. "02.1".
    answer : object
        A value, or a function, which is then tried on small cases. Dots or None mean: not answered yet. So do dots
        inside a tuple, list or dict.
    Raises
    ------
    Wrong  when the answer is not right, with advice
    ValueError  when there is no such exercise
    """
    grade, hint = _find(exercise)
    try:
        if _is_blank(answer):
            raise _NotAnswered
        praise = grade(_watch(answer) if _is_function(answer) else answer)
    except _NotAnswered:
        print(f"{exercise}: not answered yet. Hint: {hint}")
    except Wrong as wrong:
        raise Wrong(f"{exercise}: not right yet. {wrong}") from None
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise Wrong(f"{exercise}: the answer cannot be graded, {what}. Hint: {hint}") from error
    else:
        print(f"{exercise}: correct. {praise or ''}".rstrip())


def a_function(answer: object) -> Callable:
    """The answer, if it can be called."""
    if not callable(answer):
        raise Wrong(f"the answer must be the function itself, got {answer!r}: pass its name, without brackets")
    return answer


def a_number(found: object) -> float:
    """What a function returned as a float, NaN allowed."""
    try:
        return float(found)
    except (TypeError, ValueError):
        raise Wrong(f"the function must return one number, got {found!r}") from None


def grade_choices(answer: object, right: Mapping[str, tuple[str, str]], allowed: Sequence[str]) -> None:
    """Raise `Wrong` unless the answer is a dict with the right choice for each case.

    Parameters
    ----------
    answer : object
    right : mapping of case to (right choice, advice for who chose another)
    allowed : the choices there are
    """
    if not isinstance(answer, dict):
        example = ", ".join(f"{case!r}: {choice!r}" for case, choice in zip(right, allowed))
        raise Wrong(f"the answer must be a dict like {{{example}, ...}}, got {type(answer).__name__}")
    if missing := sorted(set(right) - set(answer)):
        raise Wrong(f"no answer for {', '.join(missing)}")
    for case, (choice, advice) in right.items():
        said = str(answer[case]).strip().lower()
        if said not in allowed:
            raise Wrong(f"{case} must be {' or '.join(map(repr, allowed))}, got {answer[case]!r}")
        if said != choice:
            raise Wrong(f"{case}: {advice}")


def _find(exercise: str) -> _Grader:
    """The grader of one exercise, or an error that names the nearest."""
    if exercise in exercises(str(exercise)[:2]):
        return _graders[exercise]
    near = difflib.get_close_matches(str(exercise), exercises(), 3, 0)
    raise ValueError(f"no exercise {exercise!r}; the nearest are {', '.join(near) or 'not written yet'}")


def _is_blank(answer: object) -> bool:
    """Is the answer still the placeholder, or a collection with a placeholder in it?"""
    if isinstance(answer, dict):
        answer = tuple(answer.values())
    return answer is None or answer is ... or (isinstance(answer, tuple | list) and any(a is ... for a in answer))


def _is_function(answer: object) -> bool:
    return callable(answer) and not isinstance(answer, type) and hasattr(answer, "__name__")


def _watch(function: Callable) -> Callable:
    """The function, except that returning a placeholder, or not being implemented, counts as not answered."""

    @functools.wraps(function)
    def watched(*args, **kwargs):
        try:
            result = function(*args, **kwargs)
        except NotImplementedError:
            raise _NotAnswered from None
        if _is_blank(result):
            raise _NotAnswered
        return result

    return watched

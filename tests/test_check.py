"""The grading machinery, on exercises made up here."""

import numpy as np
import pytest

from reco_utils import check as checks
from reco_utils.check import Wrong, check, exercises, grader


@pytest.fixture(autouse=True)
def graders(monkeypatch):
    """Three exercises of a notebook 98, which no course has; gone after the test."""
    monkeypatch.setattr(checks, "_graders", {})

    @grader("98.1", hint="count the sides of a dice")
    def number(answer):
        if answer != 6:
            raise Wrong(f"{answer} is the wrong number of sides")
        return "A cube has six faces."

    @grader("98.2", hint="return the larger one")
    def function(answer):
        if answer(1, 2) != 2:
            raise Wrong("the larger of 1 and 2 does not come back")

    @grader("98.3", hint="an array of two zeros")
    def array(answer):
        assert answer.shape == (2,)


def test_a_right_answer_is_praised_with_the_graders_sentence(capsys):
    check("98.1", 6)
    assert capsys.readouterr().out == "98.1: correct. A cube has six faces.\n"


def test_a_wrong_answer_stops_the_notebook_with_advice():
    with pytest.raises(Wrong, match=r"^98\.1: not right yet\. 7 is the wrong number of sides$"):
        check("98.1", 7)
    assert issubclass(Wrong, AssertionError)


def test_an_exercise_left_open_prints_its_hint_and_goes_on(capsys):
    def dots(a, b): ...

    def later(a, b):
        raise NotImplementedError

    for blank in (..., None, (1, ...), [...], {"a": ...}):
        check("98.1", blank)
    check("98.1")
    for blank in (lambda a, b: ..., dots, later):
        check("98.2", blank)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == ["98.1: not answered yet. Hint: count the sides of a dice"] * 6
    assert lines[6:] == ["98.2: not answered yet. Hint: return the larger one"] * 3


def test_a_function_is_tried_and_a_silent_grader_only_says_correct(capsys):
    check("98.2", max)
    assert capsys.readouterr().out == "98.2: correct.\n"
    with pytest.raises(Wrong, match="the larger of 1 and 2"):
        check("98.2", min)


def test_an_answer_that_cannot_be_graded_says_why():
    with pytest.raises(Wrong, match="98.2: the answer cannot be graded, ZeroDivisionError"):
        check("98.2", lambda a, b: 1 / 0)
    with pytest.raises(Wrong, match="AttributeError: 'int' object has no attribute 'shape'. Hint: an array of two"):
        check("98.3", 3)


def test_arrays_are_answers(capsys):
    check("98.3", np.zeros(2))
    assert "correct" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["98.11", "98-1", 98.1])
def test_an_unknown_exercise_names_the_nearest(name, monkeypatch):
    monkeypatch.setattr(checks, "__path__", [])  # so that only the exercises above are known
    with pytest.raises(ValueError, match=rf"no exercise {name!r}; the nearest are 98\.1"):
        check(name, 6)
    assert exercises("98") == ("98.1", "98.2", "98.3")


def test_two_notebooks_cannot_grade_one_exercise(monkeypatch):
    def other(answer): ...

    other.__module__ = "reco_utils.check.nb99"
    with pytest.raises(ValueError, match="98.1 already has a grader"):
        grader("98.1", hint="")(other)

"""Briefs and a stand-in for a provider, shared by the tests of this room."""

import pytest

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.providers import Completion, ProviderError


class Scripted:
    """A provider that says what it is told to, in turn; the last line again and again. Errors are raised."""

    name = "scripted"

    def __init__(self, *answers):
        self.answers, self.prompts = list(answers), []

    def complete(self, prompt):
        self.prompts.append(prompt)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, ProviderError):
            raise answer
        return answer if isinstance(answer, Completion) else Completion(answer, self.name, "none")


@pytest.fixture
def scripted():
    """The class, for tests to fill."""
    return Scripted


@pytest.fixture
def mug():
    """A product with attributes, a price and a description."""
    return Brief.of(
        {
            "title": "Norrland enamel camping mug, 350 ml, forest green", "category": "Kitchen",
            "subcategory": "Drinkware", "brand": "Norrland", "price": 14.9, "tags": ["camping mug", "enamel"],
            "description": "A sturdy camping mug by Norrland, made in Sweden. 3-year warranty. Wash before first use.",
            "attributes": {"material": "enamel", "capacity": "350 ml", "colour": "forest green"},
        }
    )  # fmt: skip

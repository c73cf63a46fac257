"""A second reader: a language model is asked, sentence by sentence, which words the facts do not support.

The rules of the checker know words; they do not understand a sentence. A large model does, more or less, and costs
money and time, so it reads only what the rules let pass. It is asked for the words, not for a verdict: words can be
looked up. Facts and sentence are fenced data in its prompt, and no answer, or one that cannot be read, is a refusal. A
sentence can still try to talk the reader round; the rules have read it before, and what they refuse is not asked.

A small model is no second reader. Of 33 practice sentences, half of them invented, the 135M model of `LocalProvider`
gave a readable answer to none, and a 270M model (Gemma 3, Q4_K_M) to none of 23: they mostly repeat the facts, until
the answer is cut off (at 60 tokens here). No large model was measured.
"""

import json

from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.checks import Finding
from reco_utils.copywriting.prompts import unsupported
from reco_utils.copywriting.providers import Completion, Provider, ProviderError
from reco_utils.copywriting.words import sentences_in


def second_reading(text: str, brief: Brief, provider: Provider) -> tuple[Finding, ...]:
    """What a model finds in a text that the facts do not support: one call for each sentence.

    Parameters
    ----------
    text : str
    brief : Brief
    provider : Provider
        Any; its own limits on tokens and cost hold, and its answers can be recorded and replayed like others.

    Returns
    -------
    Findings of kind "feature", in order; a whole sentence where the words are not found in it

    Raises
    ------
    ProviderError  when the provider fails, or its answer is cut off, declined or not the JSON that was asked for
    """
    found = []
    for start, end in sentences_in(text):
        sentence = text[start:end].strip()
        if any(c.isalpha() for c in sentence):
            begin = text.index(sentence, start)
            answer = _words(provider.complete(unsupported(brief, sentence)))
            found += [_finding(sentence, begin, words) for words in answer]
    return tuple(found)


def _finding(sentence, begin, words):
    """The words in their place, the whole sentence where they are not in it."""
    at = sentence.lower().find(words.lower())
    start, end = (at, at + len(words)) if at >= 0 and words else (0, len(sentence))
    why = "the second reader finds no fact for it"
    return Finding("feature", begin + start, begin + end, f"{sentence[start:end]!r}: {why}")


def _words(completion: Completion) -> list[str]:
    """The list of an answer {"unsupported": [...]}; text around the braces does not matter."""
    said = completion.text
    try:
        words = json.loads(said[said.index("{") : said.rindex("}") + 1])["unsupported"]
        if completion.stop != "end" or not isinstance(words, list) or not all(isinstance(w, str) for w in words):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        told = f"no list of unsupported words in the answer ({completion.stop}): {said[:80]!r}"
        raise ProviderError(completion.provider, "response", told) from None
    return words

"""Answers of language models, recorded once and replayed without them: for notebooks, tests and exercises.

A recording is a JSONL file, one answer or failure a line, found by what was asked. Nothing of a provider but its name
and its model's goes into it, so it holds no key. Answers that no model gave, made by hand for a test, are marked
"constructed".
"""

import hashlib
import json
import os
import re
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from reco_utils.copywriting.prompts import Prompt
from reco_utils.copywriting.providers import Completion, Provider, ProviderError

SOURCES = ("recorded", "constructed")
LOCAL = Path(__file__).with_name("local_responses.jsonl")  # answers of the small local model, shipped with the package
REASONS = re.compile(r"<reasons>.*?</reasons>", re.S)


def key_of(prompt: Prompt) -> str:
    """16 hex digits that stand for a prompt: another word or limit gives another key.

    The reasons of a refusal do not count: they are the checker's words, and a better checker would void recordings.
    """
    user = REASONS.sub("", prompt.user)
    parts = json.dumps([prompt.system, user, prompt.max_tokens])
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


@dataclass
class Recorder:
    """Asks a provider and appends every answer, or failure, to a file. Safe to use from several threads.

    Parameters
    ----------
    provider : Provider
    path : path
        Created where it is not there; recordings are appended.
    source : {"recorded", "constructed"}
        "constructed" where `provider` is a stand-in and no model was asked.
    """

    provider: Provider
    path: str | os.PathLike
    source: str = "recorded"

    def __post_init__(self):
        if self.source not in SOURCES:
            raise ValueError(f"source must be one of {list(SOURCES)}, got {self.source!r}")
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The provider's own."""
        return self.provider.name

    def complete(self, prompt: Prompt) -> Completion:
        """The provider's answer; a ProviderError is recorded and raised again."""
        try:
            completion = self.provider.complete(prompt)
        except ProviderError as error:
            told = {"provider": error.provider, "kind": error.kind, "message": error.message}
            self._append(prompt, {"error": told})
            raise
        self._append(prompt, {"completion": asdict(completion)})
        return completion

    def _append(self, prompt, answer):
        line = {"key": key_of(prompt), "source": self.source, **answer, "prompt": asdict(prompt)}
        with self._lock, open(self.path, "a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


class Replay:
    """A provider that answers from a recording, and fails as recorded.

    Where a prompt was recorded more than once, the last answer counts. `sources` says of each key whether its answer
    was recorded or constructed; a completion names the provider and model it came from.

    Parameters
    ----------
    path : path

    Raises
    ------
    FileNotFoundError  without the file
    ValueError  for a line that is no recording, with its number
    """

    name = "replay"

    def __init__(self, path: str | os.PathLike):
        self._answers, self.sources = {}, {}
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), 1):
            if line.strip():
                self._add(line, f"{Path(path).name}, line {number}")

    def _add(self, line, where):
        try:
            row = json.loads(line)
            answer = ProviderError(**row["error"]) if "error" in row else Completion(**row["completion"])
            key, source = row["key"], row["source"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{where}: no recording ({type(error).__name__}: {error}); record it again") from None
        self._answers[key], self.sources[key] = answer, source

    def __len__(self) -> int:
        return len(self._answers)

    def complete(self, prompt: Prompt) -> Completion:
        """The recorded answer; ProviderError of kind "missing" where this prompt was never asked."""
        answer = self._answers.get(key_of(prompt))
        if answer is None:
            what = f"no answer recorded for this prompt ({key_of(prompt)}) among {len(self)}; record it with Recorder"
            raise ProviderError(self.name, "missing", what)
        if isinstance(answer, ProviderError):
            raise ProviderError(answer.provider, answer.kind, answer.message)
        return answer

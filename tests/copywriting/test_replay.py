import json
import threading
from dataclasses import replace

import pytest

from reco_utils.copywriting.prompts import Prompt, again
from reco_utils.copywriting.providers import Completion, ProviderError
from reco_utils.copywriting.replay import LOCAL, Recorder, Replay, key_of
from tests.copywriting.record_local import questions, tasks

PROMPT = Prompt("rules", "a mug", 50)


def test_what_was_recorded_is_replayed(tmp_path, scripted):
    answer = Completion("Grüße 🔥\n\u2028", "local", "m", "length", 12, 3)
    assert Recorder(scripted(answer), tmp_path / "r.jsonl").complete(PROMPT) == answer
    assert Replay(tmp_path / "r.jsonl").complete(PROMPT) == answer


def test_failures_are_recorded_and_replayed_too(tmp_path, scripted):
    recorder = Recorder(scripted(ProviderError("openai", "rate", "slow down")), tmp_path / "r.jsonl", "constructed")
    for provider in (recorder, Replay(tmp_path / "r.jsonl") if (tmp_path / "r.jsonl").exists() else recorder):
        with pytest.raises(ProviderError, match="openai: rate: slow down"):
            provider.complete(PROMPT)
    with pytest.raises(ProviderError, match="openai: rate: slow down"):
        Replay(tmp_path / "r.jsonl").complete(PROMPT)
    assert set(Replay(tmp_path / "r.jsonl").sources.values()) == {"constructed"}


@pytest.mark.parametrize("change", [{"system": "x"}, {"user": "x"}, {"max_tokens": 51}])
def test_any_other_prompt_is_missing(tmp_path, scripted, change):
    Recorder(scripted("text"), tmp_path / "r.jsonl").complete(PROMPT)
    with pytest.raises(ProviderError, match="replay: missing: no answer recorded .* among 1"):
        Replay(tmp_path / "r.jsonl").complete(replace(PROMPT, **change))


def test_the_last_answer_to_a_prompt_counts(tmp_path, scripted):
    recorder = Recorder(scripted("first", "second"), tmp_path / "r.jsonl")
    recorder.complete(PROMPT), recorder.complete(PROMPT)
    assert Replay(tmp_path / "r.jsonl").complete(PROMPT).text == "second"


def test_threads_write_whole_lines(tmp_path, scripted):
    recorder = Recorder(scripted("word " * 2000), tmp_path / "r.jsonl")
    prompts = [Prompt("rules", str(i), 50) for i in range(40)]
    threads = [threading.Thread(target=recorder.complete, args=(prompt,)) for prompt in prompts]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert len(Replay(tmp_path / "r.jsonl")) == 40


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"key": "a"}', '{"key": "a", "source": "recorded", "completion": {"x": 1}}']
)
def test_a_line_that_is_no_recording_is_named(tmp_path, scripted, line):
    Recorder(scripted("text"), tmp_path / "r.jsonl").complete(PROMPT)
    with open(tmp_path / "r.jsonl", "a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="r.jsonl, line 2: no recording"):
        Replay(tmp_path / "r.jsonl")


def test_another_source_is_refused(tmp_path, scripted):
    with pytest.raises(ValueError, match="source must be one of"):
        Recorder(scripted("text"), tmp_path / "r.jsonl", source="real")


def test_the_key_is_that_of_a_known_prompt():
    assert key_of(Prompt("a", "b", 1)) != key_of(Prompt("ab", "", 1))  # the parts are told apart


def test_the_key_survives_other_words_of_the_checker_but_no_other_refused_text():
    first = again(PROMPT, "the best mug", ["superlative: no"])
    assert key_of(first) == key_of(again(PROMPT, "the best mug", ["superlative: not in the facts"]))
    assert key_of(first) != key_of(again(PROMPT, "the worst mug", ["superlative: no"]))
    assert key_of(first) != key_of(PROMPT)


# ------------------------------------------------------------------------------------------ the recordings we ship
def test_the_shipped_answers_are_the_local_models_own():
    rows = [json.loads(line) for line in LOCAL.read_text(encoding="utf-8").splitlines()]
    assert {row["source"] for row in rows} == {"recorded"}
    assert {row["completion"]["provider"] for row in rows} == {"local"}
    assert all("SmolLM2" in row["completion"]["model"] and "/" not in row["completion"]["model"] for row in rows)


def test_the_shipped_answers_belong_to_todays_prompts():
    """If this is red, prompts or briefs have changed: run `python -m tests.copywriting.record_local`."""
    from reco_utils.copywriting.writer import Writer

    replay = Replay(LOCAL)
    for name, call in tasks(Writer(replay, attempts=1)):
        written = call()
        assert written.errors == () and written.ok, name
    assert all(replay.complete(prompt).provider == "local" for prompt in questions())

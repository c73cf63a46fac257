"""The engine over HTTP: every route, read, checked and documented by FastAPI.

    app = create_app(engine, settings)           # an ASGI app, that `server` runs

A list that lies ready is answered on the event loop; what must be made, and what waits for the disk or the network, on
a thread, and a thread costs a request twice what the list does.
"""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Body, Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry, generate_latest
from pydantic_core import to_json

from reco_utils import __version__
from reco_utils.serve import artifact, reference, schemas
from reco_utils.serve.artifact import ArtifactError, Published
from reco_utils.serve.ask import Answer, Ask, BadRequest, NotFound
from reco_utils.serve.engine import Engine
from reco_utils.serve.journal import Journal
from reco_utils.serve.limits import Limits
from reco_utils.serve.problems import Problem, ProblemDetails, add_handlers, refused
from reco_utils.serve.schemas import ItemId, UserId
from reco_utils.serve.settings import SECRET_LENGTH, Settings
from reco_utils.serve.upkeep import Upkeep
from reco_utils.serve.view import POPULAR

ABOUT = "Lists for users, known or not. Every error is a problem of RFC 9457; ids in paths are percent-encoded."


# --------------------------------------------------------------------------------------------------------------- app
def create_app(engine: Engine, settings: Settings, clock: Callable[[], float] = time.monotonic) -> FastAPI:
    """The app: all routes over an engine, within its limits.

    While it runs, a thread looks for newly published versions. The engine stays the caller's to close.

    Parameters
    ----------
    engine : Engine
    settings : Settings
    clock : function () -> seconds
        Fills the token buckets of the rate limit.
    """
    app = FastAPI(
        title="Recommendations", version=__version__, description=ABOUT, docs_url=None, redoc_url=None,
        redirect_slashes=False, lifespan=_looking_after, generate_unique_id_function=lambda route: route.name,
        telemetry=dict.fromkeys(("tracing", "metrics", "logs"), False),  # it would carry paths, and ids in them
    )  # fmt: skip
    app.state.desk = Desk(engine, settings)
    for router in (shop, admin, health, pages):
        app.include_router(router)
    app.openapi = partial(_document, app)
    add_handlers(app)
    app.add_middleware(AsSent)
    app.add_middleware(Limits, settings=settings, registry=app.state.desk.registry, clock=clock)
    app.add_middleware(Journal, settings=settings, registry=app.state.desk.registry)
    return app


class AsSent:
    """ASGI middleware: paths stay percent-encoded, for a quoted slash in an id is no slash; HEAD is as GET."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            raw = scope.get("raw_path")
            scope["path"] = quote(scope["path"]) if raw is None else raw.decode("latin-1")
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}  # the server knows that nothing but the head is to be sent
        await self.app(asked, receive, send)
        scope["route"] = asked.get("route")


def _document(app) -> dict[str, Any]:
    """The OpenAPI document, in which refusals are problems, not what FastAPI would send."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        forms = document["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            forms.pop(name, None)
        forms["Problem"] = ProblemDetails.model_json_schema()
    return app.openapi_schema


@contextlib.asynccontextmanager
async def _looking_after(app):
    """While the app runs: the upkeep of the engine, on a thread of its own."""
    desk = app.state.desk
    current_default_thread_limiter().total_tokens = desk.settings.threads
    with desk.upkeep:
        yield
    await asyncio.to_thread(desk.makers.shutdown)
    desk.makers = desk.new_makers()  # for an app may be started again


class Desk:
    """Where the routes find the engine, its upkeep, the threads that make lists, and the counters."""

    def __init__(self, engine: Engine, settings: Settings):
        self.engine, self.settings, self.registry = engine, settings, CollectorRegistry()
        self.upkeep, self.makers = Upkeep(engine, settings.refresh_seconds), self.new_makers()

    def new_makers(self) -> ThreadPoolExecutor:
        """Threads to make lists on.

        Where everything lies in memory one thread makes all lists: several would take the interpreter from one another
        and from the event loop, and each list would be later. Of 500 new lists a second 95 % are ready within 45 ms
        with one thread, 89 with two, 121 with eight. While one waits for a store elsewhere, another may go on.
        """
        return ThreadPoolExecutor(1 if self.settings.store == "memory:" else self.settings.makers, "reco-making")

    async def made(self, function: Callable, *args) -> Any:
        """Call what takes processor time on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.makers, function, *args)

    async def in_time(self, ask: Ask) -> Answer:
        """The list made on a thread; what is popular if no thread gets round to it within half the deadline."""
        job = self.makers.submit(self.engine.recommend, ask)
        making = asyncio.wrap_future(job)
        await asyncio.wait([making], timeout=self.settings.deadline_ms / 2_000)
        if making.done() or not job.cancel():  # what has begun is bound by the engine's own deadline
            return await making
        answer = self.engine.recommend(replace(ask, model=POPULAR))
        return replace(answer, degraded=(*answer.degraded, "busy"))

    def change(self, change: Callable, *version: str) -> Published:
        """Publish or roll back, and serve it at once."""
        home = self.engine.live.home
        try:
            served = change(home, *version)
        except ArtifactError as refusal:
            raise Problem(409, str(refusal).replace(str(home), "the store")) from None
        self.engine.refresh()
        return served


# -------------------------------------------------------------------------------------------------------- dependencies
async def _desk(request: Request) -> Desk:
    """The desk of this app."""
    return request.app.state.desk


AtDesk = Annotated[Desk, Depends(_desk)]
bearer = HTTPBearer(scheme_name="admin", description="RECO_ADMIN_KEY", auto_error=False)


async def _admit(desk: AtDesk, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
    """Refuse whoever does not know the admin key; how long that takes says nothing about it."""
    key = desk.settings.admin_key
    if not key:
        raise Problem(
            403, f"admin routes are off; set RECO_ADMIN_KEY ({SECRET_LENGTH} or more characters) and start again"
        )
    sent = "" if given is None else given.credentials.strip()
    if not hmac.compare_digest(sent.encode(), key.encode()):
        raise Problem(401, "send the admin key as Authorization: Bearer <key>", {"WWW-Authenticate": "Bearer"})


async def _json_only(request: Request) -> None:
    """Refuse a body in another format."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "the body must be JSON, with Content-Type: application/json")


# ------------------------------------------------------------------------------------------------------------- answers
class Json(JSONResponse):
    """A value of Python, numpy or pandas as JSON; what is NaN or infinite is null."""

    def render(self, content: Any) -> bytes:
        """The value as bytes."""
        return to_json(content, inf_nan_mode="null", fallback=_plain)


class Metrics(PlainTextResponse):
    """In the text format of Prometheus."""

    media_type = "text/plain; version=0.0.4"


COUNTED = {Metrics.media_type: {"example": '# TYPE reco_lists_total counter\nreco_lists_total{path="cached"} 3\n'}}


def _plain(value):
    """What pydantic does not know, as something it does."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if hasattr(value, "items"):
        return dict(value)
    return None if value is pd.NA else str(value)


def _listed(request: Request, answer: Answer, *, reasons: bool = False, **more) -> Json:
    """A list as a response; the log learns how it was made, not for whom."""
    places = [place._asdict() for place in answer.items]
    if reasons:
        for place in places:
            place["reason"] = answer.reasons.get(place["item"])
    noted = {"step": answer.step, "path": answer.path, "degraded": list(answer.degraded)}
    request.state.noted = noted
    found = {"user": answer.user or None, "version": answer.version, **noted, "cached": answer.cached}
    return Json({**found, "items": places, **more})


# ----------------------------------------------------------------------------------------------------------- questions
shop = APIRouter(prefix="/v1", tags=["shop"], responses=refused(429, 503))


@shop.get("/users/{user:path}/recommendations", response_model=schemas.Listing, responses=refused(400))
async def recommend(request: Request, desk: AtDesk, user: UserId, query: Annotated[schemas.ListQuery, Query()]):
    """A list for a user, known or not.

    `step` names the part of the model that answered: strangers get what their cohort likes. `degraded` names parts
    that failed or were late while this list was made; `busy` means that nobody had time to make one, so that what is
    popular is shown.
    """
    ask = query.ask(user)
    return _listed(request, desk.engine.at_once(ask) or await desk.in_time(ask), reasons=ask.reasons)


@shop.get("/users/{user:path}/features", response_model=schemas.Features, responses=refused(400))
def features(desk: AtDesk, user: UserId):
    """What is known of a user, and how old that is."""
    return Json(desk.engine.features(user))


@shop.get("/items/{item:path}/similar", response_model=schemas.Listing, responses=refused(400, 404))
async def similar(request: Request, desk: AtDesk, item: ItemId, query: Annotated[schemas.Length, Query()]):
    """What goes with an item."""
    return _listed(request, await desk.made(desk.engine.similar, item, query.k))


@shop.get("/items", response_model=schemas.Items, responses=refused(400))
def items(desk: AtDesk, query: Annotated[schemas.ItemsQuery, Query()]):
    """Several rows of the catalogue."""
    found, unknown = [], []
    for item in dict.fromkeys(query.id):
        try:
            found.append(desk.engine.item(item))
        except NotFound:
            unknown.append(item)
    return Json({"items": found, "unknown": unknown})


@shop.get("/items/{item:path}", response_model=schemas.Item, responses=refused(400, 404))
def item(desk: AtDesk, item: ItemId):
    """A row of the catalogue."""
    return Json(desk.engine.item(item))


@shop.get("/search", response_model=schemas.Found, responses=refused(400, 404))
async def search(request: Request, desk: AtDesk, query: Annotated[schemas.SearchQuery, Query()]):
    """Items for what somebody typed."""
    answer = await desk.made(desk.engine.search, query.q, query.user, query.k)
    return _listed(request, answer, understood=answer.understood)


@shop.get("/categories")
def categories(desk: AtDesk) -> schemas.Categories:
    """Categories of the shop."""
    return {"categories": desk.engine.categories()}


@shop.get("/models")
def models(desk: AtDesk) -> schemas.Models:
    """Models that can be asked on their own."""
    return {"models": desk.engine.models()}


@shop.post("/events", status_code=202, dependencies=[Depends(_json_only)], responses=refused(400, 408, 413, 415))
def events(desk: AtDesk, events: Annotated[list[schemas.Event], Body(min_length=1)]) -> schemas.Taken:
    """What visitors did.

    When the answer comes the events are on the disk. Of a list with mistakes none is taken, and all mistakes are
    named. Sending again is safe: `event_id` decides.
    """
    if len(events) > desk.settings.max_events:
        raise BadRequest(f"1 to {desk.settings.max_events} events may be sent at once, got {len(events)}")
    return desk.engine.ingest([event.model_dump(exclude_unset=True) for event in events])


# -------------------------------------------------------------------------------------------------------------- admin
admin = APIRouter(prefix="/v1", tags=["admin"], dependencies=[Depends(_admit)], responses=refused(401, 403, 429, 503))
WITH_BODY, JSON = (400, 408, 413), [Depends(_json_only)]


@admin.delete("/users/{user:path}", response_model=schemas.Gone, responses=refused(*WITH_BODY))
def forget(desk: AtDesk, user: UserId):
    """Remove every trace of a user.

    `removed` counts by place; `trace` names what still holds the user after that, and is empty.
    """
    with desk.upkeep.feeding:  # nobody writes features meanwhile
        gone = desk.engine.forget(user)
    return Json({"removed": gone.removed, "trace": gone.trace, "clean": not gone.trace})


@admin.get("/admin/versions")
def versions(desk: AtDesk) -> schemas.Versions:
    """What is stored and what is served."""
    home = desk.engine.live.home
    table = artifact.versions(home).astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    return {"published": artifact.published(home), "versions": rows}


@admin.post("/admin/publish", dependencies=JSON, responses=refused(*WITH_BODY, 409, 415))
def publish(desk: AtDesk, body: schemas.Version) -> schemas.Served:
    """Serve a version to everybody."""
    return desk.change(artifact.publish, body.version)


@admin.post("/admin/canary", dependencies=JSON, responses=refused(*WITH_BODY, 409, 415))
def canary(desk: AtDesk, body: schemas.Canary) -> schemas.Served:
    """Try a version on a share of the users."""
    return desk.change(partial(artifact.publish, canary=body.share), body.version)


@admin.post("/admin/rollback", responses=refused(*WITH_BODY, 409))
def rollback(desk: AtDesk) -> schemas.Served:
    """End the canary, or serve the version before."""
    return desk.change(artifact.rollback)


@admin.post("/admin/stock", dependencies=JSON, responses=refused(*WITH_BODY, 404, 415))
def stock(desk: AtDesk, body: schemas.InStock) -> schemas.InStock:
    """An item is in stock, or no longer.

    No list made from now on shows an item that is not in stock, cached ones included.
    """
    desk.engine.stock(body.item, body.in_stock)
    return body


# ----------------------------------------------------------------------------------------------------- health, metrics
health = APIRouter(tags=["health"])


@health.get("/health/live")
async def live() -> schemas.Alive:
    """Is the process up?"""
    return {"status": "alive"}


@health.get("/health/ready", response_model=schemas.Ready, responses=refused(503))
def ready(desk: AtDesk):
    """May it serve?

    503 with the reasons when no model is loaded, the model is too old or there is nothing to fall back on.
    """
    state = desk.engine.health()
    if not state.ready:
        raise Problem(503, f"not ready: {'; '.join(state.reasons)}", **vars(state))
    return Json(vars(state))


@health.get("/metrics", response_class=Metrics, responses={200: {"content": COUNTED}})
def metrics(desk: AtDesk) -> str:
    """Counters for Prometheus, of the engine and of the requests."""
    return desk.engine.monitor.prometheus() + generate_latest(desk.registry).decode()


# --------------------------------------------------------------------------------------------------------------- pages
pages = APIRouter(include_in_schema=False)


@pages.get("/docs", response_class=HTMLResponse)
async def docs(request: Request) -> str:
    """The document for people; FastAPI's own page would fetch scripts from elsewhere."""
    return reference.page(request.app.openapi())

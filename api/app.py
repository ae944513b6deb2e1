"""create_app(): wiring only; every router on one screen."""

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import Scope

from api.agencies.endpoints import router as agencies
from api.agencies.service import AgencyRegister
from api.audit.endpoints import router as audit
from api.contract import contract_router
from api.disclosure.gate import Gate
from api.graphql.endpoints import router as graphql
from api.health import ROUTES as HEALTH
from api.health import Requests
from api.identity.development import DevelopmentIssuer
from api.identity.jwks import JwksSource
from api.identity.tokens import TokenVerifier
from api.incidents.endpoints import router as incidents
from api.individuals.endpoints import router as individuals
from api.interventions.endpoints import router as interventions
from api.law.endpoints import router as law_router
from api.ledger.cosigning import Cosigning
from api.ledger.endpoints import router as ledger_router
from api.ledger.proving import Checkpoints
from api.ledger.signing import signer_of
from api.mappings.endpoints import router as mappings
from api.pages.endpoints import router as pages
from api.protection.keys import key_source
from api.protection.sealing import Sealer
from api.reports.counts.endpoints import router as crime_counts
from api.reports.endpoints import router as reports
from api.reports.indicators.endpoints import router as indicators
from api.requests.decisions.endpoints import router as decisions
from api.requests.endpoints import router as requests
from api.scenes.endpoints import router as scenes
from api.settings import BASE_PATH, Settings
from api.store.database import Database
from api.web import problems
from api.web.api_info import API_VERSION, api_info_router
from api.web.body import BodyLimit
from api.web.context import Services
from api.web.methods import Methods
from api.web.openapi import operation_id
from api.web.paging import check_url_base
from api.web.query import RequestSyntax
from api.web.trace import Envelope
from api.world import ledger_of, new_salt, utc_now
from policies.catalogue import law

RELEASED = date(2026, 11, 21)
ROUTERS = (
    agencies,
    scenes,
    law_router,
    graphql,
    incidents,
    mappings,
    individuals,
    requests,
    decisions,
    interventions,
    reports,
    indicators,
    crime_counts,
    ledger_router,
    audit,
)
_FEED = "/incident-batches"


def create_app(
    settings: Settings,
    database: Database,
    *,
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], UUID] = uuid4,
    new_salt: Callable[[], bytes] = new_salt,
) -> Starlette:
    """The service over one database.

    Raises `LawError` where the law files do not hold together, `DataKeyError` and `KeyFileError` where the keys cannot
    be read.
    """
    client = httpx.AsyncClient(timeout=5)
    the_law = law()
    ledger = ledger_of(database, clock=clock, new_id=new_id, new_salt=new_salt)
    signer = signer_of(settings)
    checkpoints = Checkpoints(database, signer)
    sealer = Sealer(key_source(settings))
    services = Services(
        settings=settings,
        law=the_law,
        clock=clock,
        new_id=new_id,
        database=database,
        ledger=ledger,
        checkpoints=checkpoints,
        cosigning=Cosigning(database, checkpoints, clock),
        gate=Gate(database, ledger, the_law, clock, sealer),
        sealer=sealer,
        agencies=AgencyRegister(database, the_law, clock),
        verifier=TokenVerifier(
            _keys(settings, clock, client), issuer=settings.issuer, audience=settings.audience, clock=clock
        ),
    )
    api = _api(settings, services)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        await database.open()
        try:
            yield
        finally:
            await database.close()
            await client.aclose()

    counts: Counter[tuple[str, str]] = Counter()
    app = Starlette(
        routes=[*HEALTH, Mount(BASE_PATH, app=api)],
        middleware=[Middleware(Requests, counts=counts)],
        lifespan=lifespan,
    )
    # A redirect would be built from the Host header, which the caller writes.
    app.router.redirect_slashes = False
    problems.install(app, new_id=lambda: str(new_id()))
    # Outermost, so that an answer to a crash carries the same headers as any other.
    app.add_middleware(Envelope, random_bytes=secrets.token_bytes, https=settings.public_url.startswith("https:"))
    app.state.services, app.state.counts, app.state.api = services, counts, api
    return app


def _keys(settings: Settings, clock: Callable[[], datetime], client: httpx.AsyncClient) -> JwksSource:
    """The issuer's published keys; the development key only where nothing else is set, and never in production."""
    development = settings.environment == "development"
    if settings.jwks is not None:
        return JwksSource.from_location(settings.jwks, clock=clock, client=client, development=development)
    issuer = DevelopmentIssuer.load_or_create(settings.data_dir, issuer=settings.issuer, audience=settings.audience)
    return JwksSource.from_document(issuer.jwks(), clock=clock, development=development)


def _api(settings: Settings, services: Services) -> FastAPI:
    check_url_base(settings.api_url)
    api = FastAPI(
        version=API_VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    api.state.services = services

    def limit_for(scope: Scope) -> int:
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        return settings.feed_limit_bytes if path.startswith(_FEED) else settings.body_limit_bytes

    api.add_middleware(Methods, app_of=api)
    api.add_middleware(BodyLimit, limit_for=limit_for)
    api.add_middleware(RequestSyntax)
    problems.install(api, new_id=lambda: str(services.new_id()))
    for router in ROUTERS:
        api.include_router(router)
    api.include_router(api_info_router(released=RELEASED, documentation=f"{settings.api_url}/docs"))
    api.include_router(contract_router(api))
    api.include_router(pages(settings))
    return api

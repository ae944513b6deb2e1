# ruff: noqa: E501 - lines to paste cannot be broken
"""`samsyn demo`: everything on one machine, and the three users' jobs as lines to paste."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from api.demo import demo_scenes
from api.demo.loading import demo_id, load_demo, scene_id
from api.identity.development import DevelopmentIssuer
from api.running import StartError, exit_on_sigterm, listening, migrated
from api.serving import serve
from api.settings import Settings
from api.store.database import Database

_JOBS_SCENE = "Bredäng"
_STOP = "9091001000009289"


def run_demo(data_dir: Path | None, port: int, out: Console, progress: Callable[[str], None]) -> None:
    """Run the demo in the foreground until Ctrl-C or SIGTERM; nothing is left running."""
    exit_on_sigterm()
    listener = listening("127.0.0.1", port)
    port = listener.getsockname()[1]
    given = {} if data_dir is None else {"data_dir": data_dir}
    settings = Settings(public_url=f"http://127.0.0.1:{port}", **given)  # type: ignore[arg-type]
    if settings.environment != "development":
        raise StartError("the demo signs its own tokens and runs in development only; unset SAMSYN_ENVIRONMENT")
    progress("starting PostgreSQL" if settings.database_url is None else "using the database of DATABASE_URL")
    with migrated(settings, progress) as url:
        asyncio.run(_load(url, settings, out))
        serve(settings, url, listener, ready=lambda: out.print(_welcome(settings, data_dir), markup=False))


async def _load(url: str, settings: Settings, out: Console) -> None:
    database = Database(url)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task("loading the demo", total=6)

        def step(text: str) -> None:
            bar.update(task, description=text, advance=1)

        try:
            await load_demo(database, settings, step)
        finally:
            await database.close()


def _welcome(settings: Settings, data_dir: Path | None) -> str:
    """What a newcomer reads: three tokens, and the jobs. The lines fetch tokens of their own, which live 5 minutes."""
    scene = next(one for one in demo_scenes() if one.name == _JOBS_SCENE)
    where = "" if data_dir is None else f" --data-dir '{data_dir}'"
    api = settings.api_url
    issuer = DevelopmentIssuer.load_or_create(settings.data_dir, issuer=settings.issuer, audience=settings.audience)

    def token(agency: str, purposes: list[str], scope: str) -> str:
        return issuer.token(agency, purposes, ["read", scope], now=datetime.now(UTC), new_id=lambda: str(uuid.uuid4()))

    def fetch(agency: str, options: str = "") -> str:
        return f'-H "Authorization: Bearer $(uv run samsyn token {agency}{options}{where})"'

    report = demo_id("report", f"{_JOBS_SCENE}:2026-Q3")
    return f"""
Samsyn answers on {api}   documentation: {api}/docs
Everything but the named places and the papers' figures is fictional. Ctrl-C stops the server and its database.

Three tokens (five minutes):
  skarholmen-trygghet  {token("skarholmen-trygghet", [], "write:surveys")}
  trafikforvaltningen  {token("trafikforvaltningen", [], "write:incidents")}
  polismyndigheten     {token("polismyndigheten", ["prevent-crime"], "publish:reports")}

1. A municipal app posts an intervention survey
curl -sS -X POST {api}/intervention-surveys {fetch("skarholmen-trygghet")} \\
  -H 'Content-Type: application/json' -H "Idempotency-Key: \\"$(date +%s)-survey\\"" \\
  -d '{{"scene":"{scene_id(scene)}","period":"2026","interventions":[{{"intervention":"place-activation","status":"ongoing","startedOn":"2026-05-01","times":6,"partners":["lokalpolisområdet"]}}]}}'

2. Trafikförvaltningen feeds incidents
curl -sS -X POST {api}/incident-batches {fetch("trafikforvaltningen")} \\
  -H 'Content-Type: application/x-ndjson' \\
  -d '{{"incidentId":"exempel-1","occurredAt":"2026-10-30T21:14:00+01:00","stopId":"{_STOP}","category":"disorder","mode":"metro","line":"13","severity":2,"revision":1}}'

3. A police system pulls a situation report; every field says which paragraph decided
curl -sS '{api}/situation-reports?scene={scene_id(scene)}&period=2026-Q3' {fetch("polismyndigheten", " --purpose prevent-crime")} \\
  -H 'Purpose: prevent-crime'
curl -sS {api}/situation-reports/{report} {fetch("polismyndigheten", " --purpose prevent-crime")} -H 'Purpose: prevent-crime'
   The same report as health care sees it, and why:
curl -sS {api}/situation-reports/{report} {fetch("region-stockholm-vard", " --purpose care-and-support")} -H 'Purpose: care-and-support'

The county's figures as the papers give them, and the question nobody dares to answer:
curl -sS '{api}/indicators?area=01' {fetch("lansstyrelsen-stockholm")}
curl -sS -X POST {api}/explanations -H 'Content-Type: application/json' \\
  -d '{{"holderSector":"social-services","recipientSector":"police","purpose":"prevent-crime","kind":"person-circumstance","subject":{{"age":17}}}}'
"""

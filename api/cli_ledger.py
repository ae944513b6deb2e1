"""Commands about the ledger: to verify it, and to be one of those who see it grow."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from api.cli_parts import ERR, OUT, DataDir, fail, run_over_database, settings_of

if TYPE_CHECKING:
    from api.ledger.auditing import Audit
    from api.store.database import Database

_FAULTY, _CANNOT_TELL = 1, 2
_PATIENCE_S = 60


def verify(
    leaves: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Leaves as JSON, one a line")] = None,
    url: Annotated[str | None, typer.Option(help="Take the leaves from the service, …/samsyn/v1")] = None,
    token: Annotated[str | None, typer.Option(help="For the service, with the scope audit:read")] = None,
    checkpoint: Annotated[list[str] | None, typer.Option(metavar="FILE", help="A signed checkpoint")] = None,
    key: Annotated[list[str] | None, typer.Option(metavar="KEY", help="The log's or a witness's key, as text")] = None,
    parts: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Receipts, as JSON")] = None,
    data_dir: DataDir = None,
) -> None:
    """Verify the ledger: the configured database's, or what is given. Ends with 0, 1 (a fault), or 2 (cannot tell)."""
    from api.ledger import verifier

    many = {"--leaves": leaves, "--checkpoint": checkpoint, "--key": key, "--parts": parts}
    if token and not url:
        _cannot("--token is for the service: give --url too")
    if leaves or url or checkpoint or parts:
        given = [word for option, values in many.items() for value in values or () for word in (option, value)]
        given += [word for option, one in (("--url", url), ("--token", token)) if one for word in (option, one)]
        raise typer.Exit(verifier.main(given, say=lambda line: OUT.print(line, markup=False)))
    found = _audited(data_dir, key or ())
    for fault in found.faults:
        OUT.print(f"WRONG: {fault}", markup=False)
    if found.faults:
        raise typer.Exit(_FAULTY)
    OUT.print("nothing is wrong with the ledger")


def _audited(data_dir: Path | None, given: Sequence[str]) -> "Audit":
    """The configured database, counted again; ends the program with 2 where that cannot be done.

    `given` are keys from elsewhere: believed, and not what the configuration and the database have in their place.
    """
    from api.ledger.auditing import audit
    from api.ledger.checkpoint import LOG, WITNESS, NoteError, VerifierKey
    from api.ledger.signing import SigningRefusedError, signer_of

    try:
        keys = [VerifierKey.parse(text) for text in given]
    except NoteError as error:
        _cannot(str(error))
    logs, witnesses = ([key for key in keys if key.kind == kind] for kind in (LOG, WITNESS))
    found: list[Audit] = []

    async def work(database: "Database") -> None:
        signer = signer_of(settings)
        refusal = None
        try:
            remembered = {f"what this log signed ({one.size} leaves)": one for one in signer.signed_before()}
        except SigningRefusedError as error:
            remembered, refusal = {}, str(error)
        counted = await audit(database, remembered, signer.origin, witnesses)
        counted.faults += [refusal] if refusal is not None else []
        if logs and signer.public not in logs:
            counted.faults.append(f"this log signs with {signer.public.text}, not with the key that was given")
        OUT.print(
            f"{counted.leaves} leaves, root {counted.root.hex()}; {counted.parts} parts, {counted.erased} of them "
            f"erased; {counted.cosignatures} cosignatures, and {counted.passed_over} passed over, of keys that are "
            f"not known; {len(remembered)} checkpoints remembered",
            markup=False,
        )
        for key in witnesses:
            seen = counted.cosigned.get(key.name)
            OUT.print(f"{key.name}: {'no cosignature' if seen is None else f'{seen} leaves cosigned'}", markup=False)
        found.append(counted)

    try:
        settings = settings_of(data_dir)
        run_over_database(settings, work)
    except typer.Exit:
        raise typer.Exit(_CANNOT_TELL) from None
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the ledger was not verified
        _cannot(f"cannot tell: {type(error).__name__}; the database has no ledger that this program can read")
    return found[0]


def witness(
    agency: Annotated[str, typer.Argument(help="Slug of a registered authority")],
    key: Annotated[str, typer.Argument(help="Its key, as `samsyn witness-key` prints it")],
    data_dir: DataDir = None,
) -> None:
    """Register the key with which an agency cosigns the ledger's checkpoints; it takes the place of an older one."""
    from api.ledger import repository
    from api.ledger.checkpoint import WITNESS, NoteError, VerifierKey
    from api.ledger.signing import signer_of
    from policies.catalogue import law

    try:
        known = VerifierKey.parse(key)
    except NoteError as error:
        fail(str(error))
    settings = settings_of(data_dir)
    if known.kind != WITNESS:
        fail("this key signs notes; a witness's cosigns them (c2sp.org/tlog-cosignature)")

    async def work(database: "Database") -> None:
        # With one key in both places, what the witness cosigns would speak for the log.
        if known.public == signer_of(settings).public.public:
            fail("this is the log's own key; a witness has another")
        async with database.transaction() as connection:
            if await repository.sector_of(connection, agency) not in law().authorities:
                fail("no such authority is registered; see `samsyn agency`")
            others = [one.key for one in await repository.read_witnesses(connection) if one.agency != agency]
            if any(known.name == one.name or known.public == one.public for one in others):
                fail("another agency cosigns with this key or under this name")
            await repository.register_witness(connection, repository.Witness(agency, known))
        OUT.print(f"{agency} cosigns as {known.name}", markup=False)

    run_over_database(settings, work)


def witness_key(
    file: Annotated[Path, typer.Argument(help="The key's file; made where it is missing")],
    name: Annotated[str, typer.Argument(help="The witness's name for ever, such as polisen.example/witness")],
) -> None:
    """Make a key to cosign with, at the agency, and print what the log's operator registers."""
    from api.ledger.checkpoint import WITNESS, NoteError, VerifierKey
    from api.ledger.keys import KeyFileError, load_or_create

    try:
        key = VerifierKey(name, WITNESS, load_or_create(file).public_key().public_bytes_raw())
        typer.echo(VerifierKey.parse(key.text).text)
    except (KeyFileError, NoteError) as error:
        fail(str(error))


def cosign(
    url: Annotated[str, typer.Option(help="The service, …/samsyn/v1")],
    key: Annotated[Path, typer.Option(help="The agency's key, as `samsyn witness-key` made it")],
    state: Annotated[Path, typer.Option(help="What was seen before; to be kept, and to be backed up")],
    token: Annotated[str, typer.Option(help="The agency's access token, with the scopes read and audit:read")],
    log_key: Annotated[
        str | None, typer.Option(help="The log's key, as its operator published it; else the first one seen is taken")
    ] = None,
) -> None:
    """See that the ledger has only grown since the last time, and cosign it. Ends with 1 where it has not: evidence."""
    import httpx

    from api.ledger.checkpoint import NoteError, VerifierKey
    from api.ledger.keys import KeyFileError, load
    from api.ledger.witness import NotGrownError, Witness, WitnessError
    from api.world import utc_now

    try:
        known = VerifierKey.parse(log_key) if log_key is not None else None
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=_PATIENCE_S) as client:
            service = _Service(client, url.rstrip("/"))
            seen = Witness(service, load(key), state, lambda: int(utc_now().timestamp()), known).cosign()
    except NotGrownError as error:
        OUT.print(f"NOT COSIGNED: {error}", markup=False)
        raise typer.Exit(_FAULTY) from None
    except (WitnessError, KeyFileError, NoteError) as error:
        _cannot(str(error))
    OUT.print(f"cosigned: {seen.size} leaves, root {seen.root.hex()}", markup=False)


class _Service:
    """The log's service over HTTP."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def get(self, path: str) -> str:
        return self._asked("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> str:
        return self._asked("POST", path, content=json.dumps(body), headers={"Content-Type": "application/json"})

    def _asked(self, method: str, path: str, **more: Any) -> str:
        import httpx

        from api.ledger.witness import WitnessError

        try:
            answer = self._client.request(method, f"{self._url}/{path}", **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WitnessError(f"{self._url}/{path}: {type(error).__name__}") from None
        if not answer.is_success:
            raise WitnessError(f"{self._url}/{path}: {answer.status_code} {answer.text[:1000]}")
        return str(answer.text)


def _cannot(text: str) -> NoReturn:
    ERR.print(f"samsyn: {text}", style="red", markup=False)
    raise typer.Exit(_CANNOT_TELL)

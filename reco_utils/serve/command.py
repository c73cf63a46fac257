"""`python -m reco_utils serve ...`: train, publish, run, look after. Each action says what it did in a line or two.

    serve start       the API and the storefront until Ctrl-C; trains first when nothing was published yet
    serve train       fit a new version, check it, publish it; --canary 0.05 for a share of the users first
    serve retrain     what cron calls: factors daily, content weekly, published only if no worse than the last
    serve lists       everybody's list to Parquet, for e-mail and push
    serve versions | publish | rollback | prune | forget

`serve` alone is `serve start`.
"""

import argparse
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

ACTIONS = ("start", "train", "retrain", "lists", "versions", "publish", "rollback", "prune", "forget")


def add_parser(rooms) -> None:
    """Add `serve` to the subparsers of the command line."""
    serve = rooms.add_parser("serve", help="train, publish and run the shop's service", description=__doc__,
                             formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    serve.add_argument("action", nargs="?", default="start", choices=ACTIONS)
    serve.add_argument("name", nargs="?", help="of publish: a version; of forget: a user's id")
    serve.add_argument("--dataset", default="shop", help="default: %(default)s")
    serve.add_argument("--size", default="medium", choices=("small", "medium", "large"), help="default: %(default)s")
    serve.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    serve.add_argument("--home", type=Path, help="where versions and events are kept (runs/serve/<dataset>-<size>)")
    serve.add_argument("--host", help="address to listen on (default: 127.0.0.1, this machine only)")
    serve.add_argument("--port", type=int, help="of the API (default: 8000); the storefront takes 501 more")
    serve.add_argument("--no-storefront", action="store_true", help="the API alone")
    serve.add_argument("--canary", type=float, metavar="SHARE", help="of train and publish: first for this share only")
    serve.add_argument("--what", default="due", choices=("due", "factors", "content", "all"), help="of retrain")
    serve.add_argument(
        "--out", type=Path, default=Path("runs/lists"), help="of lists and forget: their folder (%(default)s)"
    )
    serve.add_argument("-k", type=int, default=10, help="of lists: their length (default: %(default)s)")
    serve.add_argument("--keep", type=int, default=3, help="of prune: how many versions stay (default: %(default)s)")
    serve.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Do one action and return the exit status: 0 done, 1 refused by a check.

    Raises
    ------
    ValueError, OSError  when it is impossible; the command line makes them one line and status 2
    """
    given = options.home or os.environ.get("RECO_HOME")
    options.home = Path(given) if given else Path("runs/serve") / f"{options.dataset}-{options.size}"
    if (options.action in ("publish", "forget")) != (options.name is not None):
        wanted = {"publish": "a version; `serve versions` lists them", "forget": "a user's id"}
        missing = f"needs {wanted[options.action]}" if options.action in wanted else "takes no name"
        raise ValueError(f"serve {options.action} {missing}")
    if options.action in ("lists", "publish", "rollback") and not options.home.is_dir():
        raise ValueError(f"there is no version in {options.home}; `serve train` makes one")
    return globals()[f"_{options.action}"](options)


def _tables(options):
    """The dataset of this home, its last event moved to the day of the first training: old data is stale at once."""
    import pandas as pd

    from reco_utils.data.registry import load_dataset
    from reco_utils.data.shift import days_until, shift
    from reco_utils.serve.plain import put

    asked = {"dataset": options.dataset, "size": options.size, "seed": options.seed}
    note = options.home / "dataset.json"
    kept = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    days = kept.pop("moved_days", None)
    if kept and kept != asked:
        raise ValueError(f"{options.home} serves {kept}, got {asked}; name another folder with --home")
    tables = load_dataset(options.dataset, size=options.size, seed=options.seed)
    if days is None:
        days = int(days_until(tables, pd.Timestamp.now("UTC")).days)
        options.home.mkdir(parents=True, exist_ok=True)
        put(note, json.dumps(asked | {"moved_days": days}).encode())
        if days:
            print(f"the data ended {days} days ago; all its times are moved by that, so that the shop is of today")
    return shift(tables, pd.Timedelta(days=days))


def _train(options) -> int:
    from reco_utils.serve import artifact
    from reco_utils.serve.forgotten import forgotten

    print(f"training on {options.dataset} ({options.size}) ...", flush=True)
    old, before = None, artifact.published(options.home).version
    try:
        old = artifact.load(options.home, before) if before else None
    except artifact.ArtifactError as error:
        print(f"what serves cannot be read ({error}), so the new version is compared with nothing")
    began = time.time()  # whoever asks to be forgotten from now on is taken out by `artifact.save`
    tables = forgotten(options.home).left(_tables(options))
    new = artifact.train(tables, previous=old, clock=lambda: began)
    version = artifact.save(new, options.home)
    figures = ", ".join(f"{label} {round(value, 3):g}" for label, value in new.manifest.metrics.items())
    print(f"saved {version}: {new.manifest.n_users:,} users, {new.manifest.n_items:,} items; on test data {figures}")
    reasons = artifact.check(artifact.load(options.home, version), against=old)
    if reasons:
        print("not published: " + "; ".join(reasons), file=sys.stderr)
        return 1
    return _serve_version(options, version)


def _publish(options) -> int:
    return _serve_version(options, options.name)


def _serve_version(options, version) -> int:
    from reco_utils.serve import artifact

    served = artifact.publish(options.home, version, canary=options.canary)
    who = "everybody" if options.canary is None else f"{served.canary_share:.0%} of the users"
    print(f"published {version} to {who}")
    return 0


def _rollback(options) -> int:
    from reco_utils.serve import artifact

    print(f"{artifact.rollback(options.home).version} is served to everybody again")
    return 0


def _versions(options) -> int:
    from reco_utils.serve import artifact

    table = artifact.versions(options.home)
    print(table.to_string(index=False) if len(table) else f"no version in {options.home}; `serve train` makes one")
    return 0


def _prune(options) -> int:
    from reco_utils.serve import artifact

    gone = artifact.prune(options.home, options.keep)
    print(f"removed {', '.join(gone)}" if gone else "nothing to remove")
    return 0


def _retrain(options) -> int:
    from reco_utils.serve import server
    from reco_utils.serve.event_log import EventLog
    from reco_utils.serve.schedule import retrain

    with contextlib.closing(EventLog(options.home / server.EVENTS)) as log:
        found = retrain(options.home, lambda: _tables(options), log, what=options.what, canary=options.canary)
    for note in found.notes:
        print(note)
    if found.reasons:
        print("not published: " + "; ".join(found.reasons), file=sys.stderr)
    else:
        print(f"published {found.version}" if found.published else "nothing was due")
    return found.status


def _lists(options) -> int:
    from reco_utils.serve import artifact, batch
    from reco_utils.serve.kv import open_kv
    from reco_utils.serve.settings import Settings
    from reco_utils.serve.stock import Stock, shared

    found = artifact.load(options.home)
    url = Settings.from_environment(os.environ, home=options.home).store
    with contextlib.closing(shared(open_kv(url), options.home)) as kv:
        stock = Stock(kv)
        stock.reload()
    late = lambda: artifact.forgotten_since(options.home, found)
    written = batch.write_lists(found, options.out, k=options.k, changes=stock.changes(), forgotten=late)
    print(f"{written.n_lists:,} lists of version {written.version} in {written.path}")
    return 0


def _forget(options) -> int:
    from reco_utils.serve import batch, server

    with contextlib.closing(server.build(server.settings_of(options))) as engine:
        found = engine.forget(options.name)
    n_rows = batch.forget_in_lists(options.out, options.name)
    removed = ", ".join(f"{where}: {what}" for where, what in found.removed.items())
    print(f"removed {removed or 'nothing, for nobody here knows them'}; rows of lists in {options.out}: {n_rows}")
    print("no trace is left" if not found.trace else f"still there: {', '.join(found.trace)}")
    return int(bool(found.trace))


def _start(options) -> int:
    from reco_utils.serve import artifact, server, storefront

    if not options.no_storefront:  # both share a key, so that customers can have themselves forgotten
        os.environ.setdefault("RECO_ADMIN_KEY", secrets.token_urlsafe(24))
    settings = server.settings_of(options)
    where = settings.port + 501
    if not options.no_storefront and not 501 < where <= 65_535:
        raise ValueError(f"with a storefront, 501 above it, --port must be from 1 to 65034, got {settings.port}")
    for port in (settings.port,) if options.no_storefront else (settings.port, where):
        server.bind(settings.host, port).close()  # a port that is taken is said before anything is trained
    if artifact.published(options.home).version is None and (status := _train(options)):
        return status
    shown = None
    try:
        if not options.no_storefront:
            _leave_on_signals()
            url = f"http://{settings.host}:{settings.port}"
            command = storefront.command(url, settings.host, where, home=options.home)
            shown = subprocess.Popen(command, start_new_session=True)  # Ctrl-C reaches us alone, and we stop it
            print(f"storefront  http://{settings.host}:{where}")
        print(f"API         http://{settings.host}:{settings.port}/docs   (Ctrl-C stops)", flush=True)
        return server.run(settings)
    finally:
        if shown is not None:
            shown.kill()  # it has nothing to save, and does not hear SIGTERM once its terminal is gone
            shown.wait()


def _leave_on_signals() -> None:
    """Until the server runs, SIGTERM and a closed terminal end us like Ctrl-C: not without the storefront."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))

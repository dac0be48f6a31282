"""How a runner's container starts: the script is run for real, with stubs for what the image has."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path

import pytest

from krs.core.vocabulary import Credential, Lifecycle
from krs.github import Start, bootstrap

SU = """#!/bin/bash
# su -s SHELL -c COMMAND runner -- ARGUMENTS
shift 2; command=$2; shift 3; [ "$1" = -- ] && shift
exec /bin/bash -c "$command" "$@"
"""
CONFIG = """#!/bin/bash
echo "$@" > config.args; env > config.env; : > .runner
"""
RUN = """#!/bin/bash
session=$(ps -o sid= -p $$ | tr -d ' ')
env > run.env; ps -o args -s "$session" > run.ps
for process in $(ps -o pid= -s "$session"); do cat /proc/$process/environ; done > run.environs 2>/dev/null
exit 3
"""
FILES = {".runner": b'{"agentName":"runner-fra-small-1"}', ".credentials": bytes(range(256))}
JIT = base64.b64encode(
    json.dumps({name: base64.b64encode(content).decode() for name, content in FILES.items()}).encode()
).decode()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A scratch folder that looks like the image's /home/runner, with the commands of the image on its PATH."""
    for name, text in {"bin/su": SU, "bin/chown": "#!/bin/bash\n", "config.sh": CONFIG, "run.sh": RUN}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return tmp_path


def start(
    image: Path,
    credential: Credential,
    lifecycle: Lifecycle = Lifecycle.REUSABLE,
    jit: str = JIT,
    *,
    docker: bool = False,
) -> Start:
    """What the container is given."""
    return bootstrap.start(
        credential,
        name="runner-fra-small-1",
        scope="acme/api",
        labels=("koyeb-fra-small", "linux"),
        web_url="https://github.com",
        controller="default",
        docker=docker,
        lifecycle=lifecycle,
        registration_token="SECRET-registration",
        jit=jit,
        github_token="SECRET-pat",
        folder=str(image),
    )


def run(image: Path, given: Start, **pool: str) -> str:
    """Run the container, with a pool's own variables, until it has said that the runner ended; gives that line."""
    env = {**dict(given.env), **pool, "PATH": f"{image}/bin:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [*given.entrypoint, *given.args], env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()
    return line


@pytest.mark.parametrize(
    ("credential", "lifecycle"),
    [
        (Credential.REGISTRATION_TOKEN, Lifecycle.REUSABLE),
        (Credential.REGISTRATION_TOKEN, Lifecycle.EPHEMERAL),
        (Credential.JIT, Lifecycle.EPHEMERAL),
    ],
)
def test_a_job_sees_no_secret(image: Path, credential: Credential, lifecycle: Lifecycle) -> None:
    """No argument and no environment of any process of the container holds a credential, not even the first shell's."""
    assert (
        run(image, start(image, credential, lifecycle)) == 'krs-runner-ended {"name":"runner-fra-small-1","exit":3}\n'
    )
    environs = (image / "run.environs").read_text()
    assert environs.count(f"KRS_FOLDER={image}") >= 1, "the first shell was not looked at"
    seen = (image / "run.env").read_text() + (image / "run.ps").read_text() + environs
    assert "SECRET" not in seen
    assert JIT not in seen
    assert "KRS_" not in (image / "run.env").read_text()


def test_a_jit_configuration_becomes_the_files_it_holds(image: Path) -> None:
    """The listener finds what it would have written itself, byte for byte, readable by its user alone."""
    run(image, start(image, Credential.JIT, Lifecycle.EPHEMERAL))
    for name, content in FILES.items():
        assert (image / name).read_bytes() == content
        assert (image / name).stat().st_mode & 0o077 == 0
    assert not (image / "config.args").exists()


@pytest.mark.parametrize(
    "jit",
    ["", "?", base64.b64encode(b"[1]").decode(), base64.b64encode(b'{"../x": "YQ=="}').decode()],
)
def test_a_jit_configuration_of_another_form_starts_nothing(image: Path, jit: str) -> None:
    """The line says so; no runner starts, no file lands outside its folder."""
    assert '"exit":66' in run(image, start(image, Credential.JIT, Lifecycle.EPHEMERAL, jit=jit))
    assert not (image / "run.env").exists()
    assert not (image.parent / "x").exists()


def test_it_registers_with_exactly_its_labels(image: Path) -> None:
    """One label more and it would take other people's jobs; the token travels by environment, not as an argument."""
    run(image, start(image, Credential.REGISTRATION_TOKEN, Lifecycle.EPHEMERAL))
    args = (image / "config.args").read_text().split()
    assert args[args.index("--labels") + 1] == "koyeb-fra-small,linux"
    assert {"--unattended", "--no-default-labels", "--ephemeral"} <= set(args)
    assert args[args.index("--url") + 1] == "https://github.com/acme/api"
    assert "ACTIONS_RUNNER_INPUT_TOKEN=SECRET-registration" in (image / "config.env").read_text()


def test_the_variables_of_a_pool_reach_registration_and_jobs(image: Path) -> None:
    """A proxy is needed by both; what the image or the pool sets is kept, what krs needs for itself is not."""
    pool = {"HTTP_PROXY": "http://proxy:3128", "ODD": 'it\'s "odd" $HOME', "LANG": "de_DE.UTF-8"}
    run(image, start(image, Credential.REGISTRATION_TOKEN), **pool)
    for name in ("config.env", "run.env"):
        seen = (image / name).read_text().splitlines()
        assert {f"{key}={value}" for key, value in pool.items()} <= set(seen)
        assert {f"HOME={image}", "USER=runner"} <= set(seen)
        assert not [line for line in seen if line.startswith("KRS_")]


def stub(image: Path, name: str, text: str) -> None:
    """Another command of the image."""
    path = image / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def test_with_docker_the_daemon_listens_on_the_unix_socket_alone(image: Path) -> None:
    """And knows no credential; the job is told where it is. Without docker none is started."""
    stub(image, "bin/sleep", 'if [ "$1" = infinity ]; then exec /bin/sleep 60; fi')
    stub(image, "bin/dockerd-entrypoint.sh", f'echo "$@" > {image}/dockerd.args; env > {image}/dockerd.env')
    run(image, start(image, Credential.REGISTRATION_TOKEN))
    assert not (image / "dockerd.args").exists()
    (image / ".krs-started").unlink()
    (image / ".runner").unlink()
    run(image, start(image, Credential.REGISTRATION_TOKEN, docker=True))
    assert (image / "dockerd.args").read_text() == "dockerd --host=unix:///var/run/docker.sock\n"
    assert "SECRET" not in (image / "dockerd.env").read_text()
    assert "DOCKER_HOST=unix:///var/run/docker.sock\n" in (image / "run.env").read_text()


def test_an_image_without_the_user_gets_one(image: Path) -> None:
    """Any image with actions/runner in a folder will do."""
    stub(image, "bin/id", "exit 1")
    stub(image, "bin/useradd", f'echo "$@" > {image}/useradd.args')
    run(image, start(image, Credential.REGISTRATION_TOKEN))
    assert (image / "useradd.args").read_text() == "runner\n"


@pytest.mark.parametrize("code", [0, 1, 137])
def test_how_the_runner_ended_is_said(image: Path, code: int) -> None:
    """Its exit code, in one line that is JSON after the first word."""
    stub(image, "run.sh", f"exit {code}")
    word, _, rest = run(image, start(image, Credential.REGISTRATION_TOKEN)).partition(" ")
    assert (word, json.loads(rest)) == ("krs-runner-ended", {"name": "runner-fra-small-1", "exit": code})


def test_a_restarted_container_never_registers_again(image: Path) -> None:
    """The second start finds the marks of the first, says so, and runs nothing."""
    given = start(image, Credential.REGISTRATION_TOKEN)
    run(image, given)
    (image / "config.args").unlink()
    (image / "run.env").unlink()
    assert '"exit":64' in run(image, given)
    assert not (image / "config.args").exists()
    assert not (image / "run.env").exists()


def test_a_registration_that_fails_is_said(image: Path) -> None:
    """config.sh fails: no runner is started, and the line tells."""
    (image / "config.sh").write_text("#!/bin/bash\nexit 1\n")
    assert '"exit":65' in run(image, start(image, Credential.REGISTRATION_TOKEN))
    assert not (image / "run.env").exists()


def test_the_go_programs_way_is_its_environment_and_no_script() -> None:
    """github-token leaves the image its own entrypoint and gives it the three variables that it wants."""
    given = start(Path("/home/runner"), Credential.GITHUB_TOKEN)
    assert (given.entrypoint, given.args) == ((), ())
    env = dict(given.env)
    assert env["REPO_URL"] == "https://github.com/acme/api"
    assert env["RUNNER_LABELS"] == "koyeb-fra-small,linux"
    assert (env["GITHUB_TOKEN"], env["DISABLE_DOCKER_DAEMON"]) == ("SECRET-pat", "true")
    assert "SECRET" not in repr(given)


def test_the_script_is_sound_shell(tmp_path: Path) -> None:
    """Shellcheck finds nothing."""
    checker = shutil.which("shellcheck") or str(Path(sysconfig.get_path("scripts")) / "shellcheck")
    if not Path(checker).exists():
        pytest.skip("shellcheck is not installed")
    script = tmp_path / "start.sh"
    script.write_text("#!/bin/bash\n" + bootstrap.SCRIPT)
    result = subprocess.run([checker, "-s", "bash", str(script)], capture_output=True, text=True, check=False)
    assert result.stdout == ""

"""How a runner's container starts: the values it is given, and the script that uses them. Pure.

Values come by environment, never inside the script's text. The script runs as root in the container. It begins by
replacing itself with a shell that got its credential by a pipe, so that not even root finds one in /proc/1/environ;
then it registers the runner, and starts it as user `runner` with the environment of the image and of its pool, less
all that is krs's own: no credential is in the arguments or the environment of any process. A container that Koyeb
restarts finds no secret that still works: it never registers twice, says so, and waits to be deleted.

A just-in-time configuration is unpacked here, by root, into the files that the listener itself would write before it
reads them (`Runner.Listener/Runner.cs` of actions/runner). Given by environment, as GitHub documents it, it would stay
in /proc/PID/environ of run.sh and of the listener for as long as the job runs. The price: the form of the blob, base64
of a JSON object of names and base64 contents, is not documented; another form is no start (exit 66), never a leak.
What no script can hide are the runner's own files of credentials, which belong to the job's user while it runs.
"""

import msgspec

from krs.core.vocabulary import Credential, Lifecycle

JIT, REGISTRATION = "KRS_JIT_CONFIG", "KRS_REGISTRATION_TOKEN"
CREDENTIALS = frozenset({JIT, REGISTRATION, "GITHUB_TOKEN"})
"""The variables that hold a credential: a just-in-time configuration, a registration token, a token of ours."""
FOLDER = "/home/runner"
"""Where the image koyeb/github-runner keeps actions/runner."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a container is started with; an empty entrypoint leaves the image its own."""

    entrypoint: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        """The variables' names alone: a value may be a credential."""
        return f"Start(env={[key for key, _ in self.env]})"


SCRIPT = r"""
set -u
if [ -n "${KRS_REGISTRATION_TOKEN+set}${KRS_JIT_CONFIG+set}" ]; then
  exec env -u KRS_REGISTRATION_TOKEN -u KRS_JIT_CONFIG /bin/bash -c "$BASH_EXECUTION_STRING" \
    <<< "${KRS_REGISTRATION_TOKEN-}:${KRS_JIT_CONFIG-}"
fi
cd "$KRS_FOLDER" || exit 1
IFS=: read -r token jit
exec < /dev/null
ended() {
  printf 'krs-runner-ended {"name":"%s","exit":%d}\n' "$KRS_NAME" "$1"
  sleep infinity & wait
}
trap 'exit 143' TERM
as_runner() { su -s /bin/bash -c "cd '$KRS_FOLDER' && exec env $clean \"\$0\" \"\$@\"" runner -- "$@"; }
unpack() {
  local text name value pair='"([A-Za-z0-9._-]+)"[[:space:]]*:[[:space:]]*"([^"]*)"' files=0
  text=$(printf %s "$jit" | base64 -d) || return 1
  while [[ $text =~ $pair ]]; do
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    text=${text#*"${BASH_REMATCH[0]}"}
    value=${value//'\/'/'/'} value=${value//'\u002'[bB]/+} value=${value//'\u002'[fF]/'/'} value=${value//'\u003'[dD]/=}
    (umask 077; printf %s "$value" | base64 -d > "$name") || return 1
    files=$((files + 1))
  done
  [ "$files" -gt 0 ] && [ -s .runner ]
}
id runner > /dev/null 2>&1 || useradd runner
clean="HOME='$KRS_FOLDER' USER=runner LOGNAME=runner PATH='$PATH'"
for name in "${!KRS_@}"; do clean="-u $name $clean"; done
export LANG="${LANG-C.UTF-8}"
if [ -e .krs-started ] || [ -e .runner ]; then ended 64; fi
if [ "${KRS_DOCKER-}" = true ]; then
  dockerd-entrypoint.sh dockerd --host=unix:///var/run/docker.sock >/var/log/dockerd.log 2>&1 &
  for _ in $(seq 60); do [ -S /var/run/docker.sock ] && break; sleep 1; done
  chown runner:runner /var/run/docker.sock 2>/dev/null
  clean="$clean DOCKER_HOST=unix:///var/run/docker.sock"
fi
if ! : > .krs-started; then ended 73; fi
if [ "${KRS_CREDENTIAL-}" = jit ]; then
  unpack 2>/dev/null || ended 66
fi
chown -R runner:runner . 2>/dev/null
if [ "${KRS_CREDENTIAL-}" != jit ]; then
  set -- --unattended --url "$REPO_URL" --name "$KRS_NAME" --labels "$RUNNER_LABELS" --no-default-labels
  [ "${KRS_LIFECYCLE-}" = ephemeral ] && set -- "$@" --ephemeral
  if ! printf %s "$token" | as_runner /bin/bash -c \
    'IFS= read -r ACTIONS_RUNNER_INPUT_TOKEN; export ACTIONS_RUNNER_INPUT_TOKEN; exec ./config.sh "$@"' config "$@"
  then ended 65; fi
fi
token=; jit=
as_runner ./run.sh &
wait $!
ended $?
""".strip()


def start(
    credential: Credential,
    *,
    name: str,
    scope: str,
    labels: tuple[str, ...],
    web_url: str,
    controller: str,
    docker: bool,
    lifecycle: Lifecycle,
    registration_token: str | None = None,
    jit: str | None = None,
    github_token: str | None = None,
    folder: str = FOLDER,
) -> Start:
    """What to start a runner's container with. The credential's value is the one of the three that fits it.

    REPO_URL, RUNNER_LABELS and KRS_CONTROLLER stay in plain, so that a daemon with a fresh disk can adopt the runner.
    """
    known = (("REPO_URL", f"{web_url}/{scope}"), ("RUNNER_LABELS", ",".join(labels)), ("KRS_CONTROLLER", controller))
    if credential is Credential.GITHUB_TOKEN:
        docker_env = () if docker else (("DISABLE_DOCKER_DAEMON", "true"),)
        return Start(entrypoint=(), args=(), env=(*known, ("GITHUB_TOKEN", github_token or ""), *docker_env))
    secret = (JIT, jit) if credential is Credential.JIT else (REGISTRATION, registration_token)
    return Start(
        entrypoint=("/bin/bash", "-c"),
        args=(SCRIPT,),
        env=(
            *known,
            ("KRS_NAME", name),
            ("KRS_FOLDER", folder),
            ("KRS_DOCKER", "true" if docker else "false"),
            ("KRS_CREDENTIAL", credential.value),
            ("KRS_LIFECYCLE", lifecycle.value),
            (secret[0], secret[1] or ""),
        ),
    )

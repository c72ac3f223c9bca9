"""A kubectl for tests of scripts: answers from objects in a file, writes down what is applied, executes here.

The file is named by FAKE_CLUSTER and holds ``{"objects": {kind: [state, …]}, "errors": {…}, "server_port": n}``. A
kind's states are lists of objects; each `get` of the kind takes the next, and the last stays. ``errors`` maps the
beginning of a command, such as "get pods", to what kubectl says when it fails. `exec` runs the command on this machine,
with the port 5000 of the pod replaced by that of a real server.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

_STEP = re.compile(
    r"""\.(?P<name>(?:\\.|[\w/-])+) | \['(?P<quoted>[^']+)'\] | \[(?P<index>\d+|\*)\]
    | \[\?\(@\.(?P<field>\w+)==(?P<value>"[^"]*"|true|false)\)\]""",
    re.VERBOSE,
)


def find(value: Any, path: str) -> list[Any]:
    """Return what a JSONPath finds, of those parts of the language that kubectl has and our scripts use."""
    found, rest = [value], path
    while rest:
        step = _STEP.match(rest)
        assert step is not None, f"this kubectl does not know {rest!r} in {path!r}"
        rest = rest[step.end() :]
        name = step["quoted"] or (step["name"] and step["name"].replace("\\", ""))
        if name is not None:
            found = [each[name] for each in found if isinstance(each, dict) and name in each]
        elif step["index"] == "*":
            found = [item for each in found for item in each]
        elif step["index"] is not None:
            found = [each[int(step["index"])] for each in found if len(each) > int(step["index"])]
        else:
            wanted = json.loads(step["value"])
            found = [item for each in found for item in each if item.get(step["field"]) == wanted]
    return found


def render(value: Any, template: str) -> str:
    """Return what `kubectl -o jsonpath=template` prints of an object."""
    ranged = re.search(r"\{range ([^}]*)\}(.*?)\{end\}", template)
    if ranged is not None:
        inner = "".join(render(item, ranged[2]) for item in find(value, ranged[1]))
        return render(value, template[: ranged.start()]) + inner + render(value, template[ranged.end() :])

    def fill(match: re.Match[str]) -> str:
        if match[1].startswith('"'):
            return str(json.loads(match[1]))
        return " ".join(str(each).lower() if isinstance(each, bool) else str(each) for each in find(value, match[1]))

    return re.sub(r"""\{("[^"]*"|(?:[^{}"]|"[^"]*")*)\}""", fill, template)


def fail(message: str) -> NoReturn:
    sys.stderr.write(message + "\n")
    sys.exit(1)


def next_state(folder: Path, kind: str, states: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    counter = folder / f"{kind}.count"
    seen = int(counter.read_text()) if counter.exists() else 0
    counter.write_text(str(seen + 1))
    return states[min(seen, len(states) - 1)]


def get(folder: Path, cluster: dict[str, Any], arguments: list[str]) -> str:
    kind = arguments[0].partition(".")[0]
    output = arguments[arguments.index("-o") + 1]
    if kind not in cluster["objects"]:
        fail(f'error: the server doesn\'t have a resource type "{kind}"')
    objects = next_state(folder, kind, cluster["objects"][kind])
    if len(arguments) > 1 and not arguments[1].startswith("-"):
        named = [each for each in objects if each["metadata"]["name"] == arguments[1]]
        if not named:
            fail(f'Error from server (NotFound): {kind} "{arguments[1]}" not found')
        answer = named[0]
    else:
        if "-l" in arguments:
            wanted = dict(term.split("=") for term in arguments[arguments.index("-l") + 1].split(","))
            objects = [each for each in objects if wanted.items() <= each["metadata"].get("labels", {}).items()]
        answer = {"kind": "List", "items": objects}
    if output == "name":
        return f"{kind}/{answer['metadata']['name']}\n"
    return render(answer, output.removeprefix("jsonpath="))


def main() -> None:
    path = Path(os.environ["FAKE_CLUSTER"])
    cluster = json.loads(path.read_text())
    arguments = sys.argv[1:]
    with (path.parent / "calls").open("a") as calls:
        calls.write(" ".join(arguments) + "\n")
    assert arguments[0] == "--namespace"
    assert arguments[2] == "--request-timeout"
    command = arguments[4:]
    for beginning, message in cluster["errors"].items():
        if " ".join(command).startswith(beginning):
            fail(message)
    if command[0] == "get":
        sys.stdout.write(get(path.parent, cluster, command[1:]))
    elif command[0] == "apply":
        text = sys.stdin.read()
        (path.parent / "applied").open("a").write("---\n" + text)
        kind = re.search(r"^kind: (\w+)$", text, re.MULTILINE)
        assert kind is not None
        print(f"{kind[1].lower()} applied")
    elif command[0] == "exec":
        inner = [part.replace(":5000", f":{cluster['server_port']}") for part in command[3:]]
        assert inner[0] == "python"
        sys.exit(subprocess.run([sys.executable, *inner[1:]], check=False).returncode)
    else:
        fail(f'error: unknown command "{command[0]}" for "kubectl"')


if __name__ == "__main__":
    main()

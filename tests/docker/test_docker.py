"""The container does what the README's first command does, as a user without rights."""

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions and what they are given, continued lines joined."""
    text = (ROOT / "docker" / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines)]


def given_to(word: str) -> list[str]:
    return [rest for w, rest in instructions() if w == word]


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))


def readme_command() -> str:
    """Return the first line of the README's first shell block."""
    return (ROOT / "README.md").read_text("utf-8").split("```sh\n", 1)[1].split("\n", 1)[0]


def test_image_builds_and_starts_with_the_readmes_command() -> None:
    install = given_to("RUN")[-1].replace(" --no-cache-dir", "")
    start = " ".join(json.loads(given_to("CMD")[-1]))
    assert f"{install} && {start}" == readme_command()


def test_image_installs_and_runs_as_a_user_without_rights() -> None:
    words = [word for word, _ in instructions()]
    (user,) = given_to("USER")
    assert user not in ("root", "0")
    assert f"useradd --create-home {user}" in given_to("RUN")[0]
    assert words.index("USER") < words.index("COPY")


def test_image_copies_what_the_package_is_built_from() -> None:
    copied = {name for given in given_to("COPY") for name in given.split()[1:-1]}
    assert copied == {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "web", "simpar"}
    assert all((ROOT / name).exists() for name in copied)
    kept = (ROOT / "docker" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert copied == {line[1:] for line in kept if line.startswith("!")}


def test_compose_builds_this_image_and_keeps_its_runs() -> None:
    demo = compose()["services"]["demo"]
    build = demo["build"]
    assert (ROOT / "docker" / build["context"] / build["dockerfile"]).resolve() == ROOT / "docker" / "Dockerfile"
    volume, folder = demo["volumes"][0].split(":")
    assert volume in compose()["volumes"]
    assert f"SIMPAR_RUNS={folder}" in given_to("ENV")[0]
    assert folder in given_to("RUN")[0]


def test_compose_gives_ranks_shared_memory_and_no_rights() -> None:
    demo = compose()["services"]["demo"]
    assert demo["shm_size"] == "1gb"
    assert demo["cap_drop"] == ["ALL"]

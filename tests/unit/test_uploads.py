"""What leaves the checkout to be built holds no secret."""

import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def ignored(names: list[str], tmp_path: Path) -> set[str]:
    """Those of the names that `.gcloudignore` keeps back, by git's own reading of it."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    listed = subprocess.run(
        [
            *("git", "-C", tmp_path, "ls-files", "--others", "--ignored"),
            f"--exclude-from={PROJECT / '.gcloudignore'}",
        ],
        text=True,
        capture_output=True,
        check=True,
    )
    return set(listed.stdout.splitlines())


def test_no_settings_keys_or_data_are_uploaded(tmp_path):
    private = ["cloud.env", ".env", "var/postgres/data/base", "kalshi.dump", "key.pem"]

    assert ignored(private, tmp_path) == {*private}


def test_all_that_the_image_is_made_of_is_uploaded(tmp_path):
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    wanted = [line[1:] for line in lines if line.startswith("!")]
    folders = [f"{name}/deep/file.py" for name in wanted if (PROJECT / name).is_dir()]
    files = [name for name in wanted if (PROJECT / name).is_file()]

    assert len(folders) + len(files) == len(wanted)
    assert ignored([*folders, *files, "Dockerfile"], tmp_path) == set()

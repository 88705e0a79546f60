"""What a guide's page says, run and compared: for the suites that follow the guides."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs/guides"


def blocks(guide, language):
    text = (GUIDES / guide).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def write_profile(server, home):
    """What `keystead init` leaves in a user's home."""
    profile = home / ".config/keystead/profile.toml"
    profile.parent.mkdir(parents=True)
    profile.touch(mode=0o600)
    names = ("endpoint", "account", "access_key_id", "secret_access_key", "root_public_key")
    profile.write_text("".join(f'{name} = "{getattr(server, name)}"\n' for name in names))


def output(arguments, **options):
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=300, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def likeness(line):
    """A line of the page as an answer has it: other ids and numbers, and anything for …."""
    parts = re.split(r"([0-9a-f]{16,}|AKIA[A-Z2-7]+|[0-9]+|…)", line)
    other = {"…": ".*"}
    for at in range(1, len(parts), 2):
        parts[at - 1] = re.escape(parts[at - 1])
        parts[at] = other.get(parts[at], r"[0-9A-Za-z]+")
    parts[-1] = re.escape(parts[-1])
    return re.compile("".join(parts))


def unlike(pages, answer):
    """The lines of the pages that the answer has not."""
    lines = [line for page in pages for line in page.splitlines() if line.strip(" …")]
    assert len(lines) > 4
    answers = answer.splitlines()
    return [line for line in lines if not any(map(likeness(line).fullmatch, answers))]

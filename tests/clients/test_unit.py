"""The systemd unit: what it promises, and that systemd takes it."""

import pathlib
import shutil
import subprocess

import pytest

UNIT = pathlib.Path(__file__).parents[2] / "dist/systemd/keystead.service"

HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "MemoryDenyWriteExecute": "yes",
    "LimitCORE": "0", "PrivateTmp": "yes", "PrivateDevices": "yes", "ProtectHome": "yes",
    "CapabilityBoundingSet": "", "RestrictNamespaces": "yes", "UMask": "0077",
}


def settings():
    lines = [line.strip() for line in UNIT.read_text().splitlines()]
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    found = {}
    for name, _, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def test_the_unit_is_hardened_and_takes_its_passphrase_as_a_credential():
    found = settings()
    assert {name: found[name] for name in HARDENED} == {
        name: [value] for name, value in HARDENED.items()}
    assert found["Type"] == ["notify"] and found["Restart"] == ["on-failure"]
    assert "KEYSTEAD__INSTANCE__PASSPHRASE=credential:passphrase" in found["Environment"]
    assert found["LoadCredentialEncrypted"][0].startswith("passphrase:")
    # What a restart does not mend: docs/reference/exit-codes.md.
    assert found["RestartPreventExitStatus"] == ["2 4 5 7"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd")
def test_systemd_takes_the_unit():
    line = ["systemd-analyze", "verify", "--man=no", str(UNIT)]
    said = subprocess.run(line, capture_output=True, text=True, check=False).stderr.splitlines()
    absent = "keystead.service: Command /usr/bin/keystead is not executable: No such file"
    assert [line for line in said if not line.startswith(absent)] == []
    line = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(UNIT)]
    rated = subprocess.run(line, capture_output=True, text=True, check=False)
    assert rated.returncode == 0, rated.stdout + rated.stderr

"""`/metrics` read by a real parser of OpenMetrics, and the alert rules held against it."""

import pathlib
import re
import urllib.request

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

RULES = pathlib.Path(__file__).parents[2] / "dist/prometheus/keystead.rules.yml"


def scrape(server):
    with urllib.request.urlopen(server.metrics + "/metrics") as answer:
        kind = answer.headers["content-type"]
        return kind, answer.read().decode()


@pytest.fixture(scope="module")
def families(server, kms, key):
    for _ in range(3):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"counted")
    with pytest.raises(Exception, match="NotFoundException"):
        kms.describe_key(KeyId="00000000-0000-0000-0000-000000000000")
    _, text = scrape(server)
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(families, name, sample, **labels):
    found = [one.value for one in families[name].samples
             if one.name == sample and labels.items() <= one.labels.items()]
    assert len(found) == 1, (sample, labels, found)
    return found[0]


def test_the_parser_of_the_format_s_own_makers_takes_the_text(server):
    kind, text = scrape(server)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    names = [family.name for family in text_string_to_metric_families(text)]
    assert len(names) == len(set(names)) > 30


def test_requests_are_counted_and_timed(families):
    of = {"front": "aws", "operation": "Encrypt"}
    count = value(families, "keystead_requests", "keystead_requests_total", **of, outcome="ok")
    assert count >= 3
    timed = value(families, "keystead_request_duration_seconds",
                  "keystead_request_duration_seconds_count", **of)
    assert timed >= count
    buckets = [(float(one.labels["le"]), one.value)
               for one in families["keystead_request_duration_seconds"].samples
               if one.name.endswith("_bucket") and of.items() <= one.labels.items()]
    assert buckets == sorted(buckets) and buckets[-1] == (float("inf"), timed)
    missing = value(families, "keystead_requests", "keystead_requests_total", front="aws",
                    operation="DescribeKey", outcome="not_found")
    assert missing >= 1


def test_the_node_tells_its_vaults_its_keys_and_itself(families):
    assert value(families, "keystead_vaults", "keystead_vaults") == 3
    vaults = {one.labels["vault"] for one in families["keystead_vault_state"].samples}
    assert len(vaults) == 3 and all(re.fullmatch("vlt_[0-9a-f]{32}", vault) for vault in vaults)
    assert value(families, "process_resident_memory_bytes", "process_resident_memory_bytes") > 1e6
    assert value(families, "keystead_arena_used_bytes", "keystead_arena_used_bytes") > 0
    assert value(families, "keystead_journal_sync_duration_seconds",
                 "keystead_journal_sync_duration_seconds_count") > 0


def test_no_label_is_a_name_or_an_address(server, families, key):
    labels = {text for family in families.values() for one in family.samples
              for text in one.labels.values()}
    for secret in (server.access_key_id, server.account, key["KeyId"], "127.0.0.1",
                   str(server.home)):
        assert not any(secret in text for text in labels), secret
    assert len(labels) < 400


def test_every_rule_reads_and_names_metrics_that_are_served(families):
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"]
             for rule in group["rules"]]
    served = set(families) | {one.name for family in families.values() for one in family.samples}
    assert len(rules) > 15
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert {"summary", "description", "runbook"} == set(rule["annotations"])
        assert re.fullmatch(r"\d+[mh]", rule["for"])
        named = set(re.findall(r"\b(?:keystead|process)_[a-z_]+\b", rule["expr"]))
        # Of some there is nothing yet to count on a node that is well.
        assert named - served <= {"keystead_kit_proven_timestamp_seconds"}, rule["alert"]
        assert named or "up{" in rule["expr"], rule["alert"]

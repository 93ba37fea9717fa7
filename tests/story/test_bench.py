"""`althing bench` as a user runs it: figures as a table or JSON, errors in words, and Ctrl-C."""

import json
import signal
import subprocess
import time

from server import binary, clean_environment, free_port


def command(port: int, *arguments: str) -> list[str]:
    return [binary(), "bench", *arguments, "--address", f"127.0.0.1:{port}"]


def bench(server, *arguments: str, port: int | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(port or server.mqtt, *arguments), env=clean_environment(server.folder),
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_pairs_are_measured(server):
    pid = str(server.process.pid)
    done = bench(server, "pair", "--json", "--seconds", "1", "--clients", "5", "--qos", "1", "--pid", pid)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "no progress where there is no terminal"
    report = json.loads(done.stdout)
    assert (report["scenario"], report["qos"], report["clients"]) == ("pair", 1, 5)
    assert report["seconds"] >= 1
    assert report["messages"] > 5
    assert report["bytes"] == report["messages"] * 256
    assert abs(report["messages_per_second"] - report["messages"] / report["seconds"]) < 1 + report["messages"] / 100
    assert 0 < report["latency_p50_us"] <= report["latency_p95_us"] <= report["latency_p99_us"] <= report["latency_max_us"]
    assert report["broker_cpu_us_per_message"] > 0
    assert report["broker_rss_kib"] > 1000


def test_the_table_has_the_names_of_the_json(server):
    arguments = ["fan-out", "--seconds", "0.5", "--clients", "20"]
    table = {line.split()[0] for line in bench(server, *arguments).stdout.splitlines()}
    assert table == set(json.loads(bench(server, *arguments, "--json").stdout))


def test_shadows_are_measured_by_their_answers(server):
    topic = "$aws/things/bench{i}/shadow/update"
    done = bench(
        server, "echo", "--json", "--seconds", "1", "--clients", "2", "--window", "2",
        "--topic", topic, "--await", f"{topic}/accepted", "--body", '{"state":{"reported":{"seq":{seq}}}}',
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["messages"] > 2


def test_a_broker_that_is_not_there_is_told_in_one_line(server):
    port = free_port()
    done = bench(server, "pair", port=port)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert f"cannot connect to 127.0.0.1:{port}" in done.stderr and "is the broker running there?" in done.stderr


def test_a_client_without_tls_at_the_tls_port_is_told(server):
    done = bench(server, "pair", "--stall", "5", port=server.mqtts)
    assert done.returncode == 1
    assert "CONN" in done.stderr and "panicked" not in done.stderr


def test_a_wrong_command_line_ends_with_2(server):
    done = bench(server, "pair", "--cert", "x.pem")
    assert done.returncode == 2
    assert "--key" in done.stderr


def test_ctrl_c_prints_what_was_measured(server):
    arguments = command(server.mqtt, "pair", "--json", "--clients", "2", "--seconds", "60", "--warm-up", "0.1")
    process = subprocess.Popen(
        arguments, env=clean_environment(server.folder), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["ended"] == "stopped before its time"
    assert 0 < report["seconds"] < 30 and report["messages"] > 0

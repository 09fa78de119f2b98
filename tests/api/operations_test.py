#!/usr/bin/env python3
"""What watches and steers a node: /health, /metrics, /peers."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
sys.path.insert(0, os.path.dirname(__file__))
from axl_testing import TestCase, main, make_key, partial_id, until  # noqa: E402
from prometheus_text import Metrics  # noqa: E402


def metrics(node):
    answer = node.api.get("/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer
    return Metrics(answer.body.decode())


def peers(node, query=""):
    return {peer["public_key"]: peer for peer in node.api.get("/peers" + query).json()["peers"]}


def ping(node, key):
    return node.api.request("POST", f"/peers/{getattr(key, 'hex', key)}/ping")


def change(node, method, uri):
    return node.api.request(method, "/peers", body=f'{{"uri":"{uri}"}}')


class Health(TestCase):
    def test_it_tells_version_uptime_and_links(self):
        first, second = self.line(2)
        health = second.api.get("/health")
        self.assertEqual(health.status, 200)
        self.assertEqual(health.json()["status"], "ok")
        self.assertEqual(health.json()["version"], second.api.topology()["version"])
        self.assertEqual(health.json()["peers_up"], 1)
        first.stop()
        until(lambda: second.api.get("/health").json()["peers_up"] == 0, "the lost link shows")
        head = second.api.request("HEAD", "/health")
        self.assertEqual((head.status, head.body), (200, b""))

    def test_the_rules_of_the_api_hold(self):
        token = "0123456789abcdef-token"
        axl = self.axld(settings={"api_token": token})
        for method, path in (("GET", "/health"), ("GET", "/metrics"), ("GET", "/peers"), ("POST", "/peers"),
                             ("DELETE", "/peers"), ("GET", f"/peers/{axl.key.hex}"), ("POST", f"/peers/{axl.key.hex}/ping")):
            self.assertEqual(axl.api.request(method, path).status, 401, path)
            given = {"X-Axl-Token": token}
            self.assertEqual(axl.api.request(method, path, headers={**given, "Origin": "https://x.example"}).status, 403, path)
            self.assertEqual(axl.api.request(method, path, headers={**given, "Host": "x.example"}).status, 403, path)
        for path, method, allow in (("/health", "POST", "GET, HEAD"), ("/metrics", "DELETE", "GET, HEAD"),
                                    ("/peers", "PUT", "GET, HEAD, POST, DELETE"), ("/peers/x", "DELETE", "GET, HEAD"),
                                    ("/peers/x/ping", "GET", "POST")):
            answer = axl.api.request(method, path, headers={"X-Axl-Token": token})
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, allow), path)


class MetricsText(TestCase):
    def test_counters_follow_what_happens(self):
        first, second = self.line(2)
        before = metrics(second)
        self.assert_works(first, second)
        first.api.send(second.key, b"unread")
        first.api.get(f"/mcp/{second.key.hex}/nothing")
        after = until(lambda: (now := metrics(second)) and now("axl_receive_queue_messages") == 1 and now, "a message waits")
        self.assertEqual(after("axl_messages_accepted_total") - before("axl_messages_accepted_total"), 2)
        self.assertEqual(after("axl_receive_queue_topic_messages", topic=""), 1)
        self.assertEqual(after("axl_links", direction="outbound"), 1)
        self.assertEqual(after("axl_configured_peers"), 1)
        self.assertEqual(metrics(first)("axl_links", direction="inbound"), 1)
        for name in "axl_link_received_bytes_total", "axl_link_sent_bytes_total":
            self.assertGreater(after(name, direction="outbound"), before(name, direction="outbound"))
            self.assertEqual(after(name, direction="inbound"), 0)
        for name in "axl_session_received_bytes_total", "axl_session_sent_packets_total", "process_cpu_seconds_total":
            self.assertGreaterEqual(after(name), before(name))
        self.assertEqual(after("axl_http_requests_total", api="peer", route="/messages", code="2xx"), 2)
        self.assertEqual(after("axl_http_requests_total", api="peer", route="/mcp/", code="4xx"), 1)
        self.assertGreaterEqual(after("axl_http_requests_total", api="local", route="/recv", code="2xx"), 1)
        self.assertEqual(after("axl_tree_nodes"), 2)
        self.assertGreater(after("axl_peer_connections_accepted_total", port="http"), 0)
        self.assertGreater(after("process_open_fds"), 5)
        self.assertEqual(metrics(first)("axl_sessions"), 1)

    def test_bytes_of_ended_links_stay_counted(self):
        first, second = self.line(2)
        self.assert_works(first, second)
        counted = metrics(second)("axl_link_received_bytes_total", direction="outbound")
        first.stop()
        until(lambda: metrics(second)("axl_links", direction="outbound") == 0, "the link is gone")
        self.assertGreaterEqual(metrics(second)("axl_link_received_bytes_total", direction="outbound"), counted)

    def test_peers_make_no_series(self):
        first, second = self.line(2)
        until(lambda: first.api.send(second.key, b"x").status == 200, "a message passes")
        size = len(metrics(second).samples)
        for number in range(50):
            first.api.request("POST", "/send", b"x", {"X-Destination-Peer-Id": second.key.hex, "X-Axl-Topic": f"t{number}"})
            first.api.get(f"/mcp/{second.key.hex}/service{number}")
            first.api.get(f"/a2a/{second.key.hex}/path{number}")
        self.assertEqual(metrics(second)("axl_receive_queue_messages"), 51)
        self.assertEqual(len(metrics(second).samples), size)
        # Who reads here makes them, and only so many.
        for number in range(100):
            second.api.get(f"/recv?topic=mine{number}")
        self.assertEqual(len(metrics(second).label_values("axl_receive_queue_topic_messages", "topic")), 65)

    def test_services_are_counted_by_name(self):
        first = self.axld(listen=["tcp://127.0.0.1:0"], settings={
            "services": {'od"d': {"url": "http://127.0.0.1:1/mcp"}}})
        second = self.axld(peers=[first.uri("tcp")])
        second.wait_for_peer(first.key)
        answer = until(lambda: (got := second.api.request("POST", f"/mcp/{first.key.hex}/od%22d", b"{}")).status == 502 and
                       b"service" in got.body and got, "the service is asked")
        self.assertIn("Failed to reach the service", answer.text)
        now = metrics(first)
        self.assertGreaterEqual(now("axl_service_requests_total", service='od"d'), 1)
        self.assertEqual(now("axl_service_failures_total", service='od"d'), now("axl_service_requests_total", service='od"d'))
        self.assertEqual(now("axl_service_in_flight", service='od"d'), 0)
        self.assertEqual(now("axl_service_healthy", service='od"d'), 0)


class Peers(TestCase):
    def test_the_list_shows_links_and_sessions(self):
        first, middle, last = self.line(3)
        self.assertEqual(set(peers(middle)), {first.key.hex, last.key.hex})
        neighbour = until(lambda: (peer := peers(middle)[first.key.hex])["latency_ms"] is not None and peer, "a latency is known")
        self.assertEqual((neighbour["link"], neighbour["address"], neighbour["old"]), (True, first.key.address, False))
        self.assertEqual(neighbour["coords"], first.api.topology()["our_coords"])
        self.assertNotIn(last.key.hex, peers(first))
        self.assertEqual(first.api.get(f"/peers/{last.key.hex}").status, 404)
        self.assert_works(first, last)
        found = first.api.get(f"/peers/{last.key.hex}")
        self.assertEqual(found.status, 200)
        self.assertEqual(found.json(), peers(first)[last.key.hex] | {"session": found.json()["session"]})
        self.assertEqual((found.json()["link"], found.json()["path"], found.json()["latency_ms"]), (False, True, None))
        self.assertGreater(found.json()["session"]["tx_bytes"], 0)
        self.assertEqual(found.json()["coords"], last.api.topology()["our_coords"])
        self.assertEqual(first.api.get(f"/peers/{partial_id(last.key.public)}").json()["public_key"], last.key.hex)
        page = first.api.get("/peers?limit=1").json()
        self.assertEqual(page["count"], 1)
        rest = first.api.get(f"/peers?limit=1&after={page['next']}").json()
        self.assertEqual({page["peers"][0]["public_key"], rest["peers"][0]["public_key"]}, set(peers(first)))
        self.assertIsNone(rest["next"])

    def test_a_ping_reaches_over_hops(self):
        first, middle, last = self.line(3)
        for key in middle.key, last.key, partial_id(last.key.public), first.key:
            answer = ping(first, key)
            self.assertEqual(answer.status, 200, answer)
            self.assertGreaterEqual(answer.json()["latency_ms"], 0)
            self.assertLess(answer.json()["latency_ms"], 10_000)
        known = first.api.get(f"/peers/{last.key.hex}").json()
        self.assertIsNotNone(known["latency_ms"])
        self.assertEqual(first.api.get(f"/peers/{first.key.hex}").json()["link"], False)

    def test_a_ping_to_nobody_ends_in_time(self):
        axl = self.axld(settings={"dial_timeout_secs": 1})
        begun = time.monotonic()
        answer = ping(axl, make_key())
        self.assertEqual((answer.status, answer.text), (502, "Failed to reach peer: operation timed out\n"))
        self.assertGreaterEqual(time.monotonic() - begun, 1)
        wrong = "00" * 31 + "01"
        self.assertEqual(ping(axl, wrong).status, 502)
        self.assertEqual(ping(axl, "zz").status, 400)

    def test_a_node_that_has_gone_does_not_answer(self):
        first, second = self.line(2, settings={"dial_timeout_secs": 2})
        self.assertEqual(ping(first, second.key).status, 200)
        second.process.freeze()  # not ended: the link stands for a while
        try:
            answer = ping(first, second.key)
            self.assertEqual((answer.status, answer.text), (504, "no response from peer: i/o timeout\n"))
        finally:
            second.process.thaw()

    def test_links_come_and_go_while_the_node_runs(self):
        first = self.axld(listen=["tcp://127.0.0.1:0"])
        second = self.axld()
        uri = first.uri("tcp")
        self.assertEqual(change(second, "DELETE", uri).status, 404)
        added = change(second, "POST", uri + "?priority=3")
        self.assertEqual((added.status, added.json()), (201, {"uri": uri}))
        second.wait_for_peer(first.key)
        self.assertEqual(change(second, "POST", uri).status, 409)
        self.assert_works(first, second)
        self.assertEqual(second.api.request("DELETE", f"/peers?uri={uri}").status, 204)
        until(lambda: not second.api.topology()["peers"], "the link has ended")
        until(lambda: not first.api.topology()["peers"], "the other end knows")
        self.assertEqual(change(second, "DELETE", uri).status, 404)
        self.assertEqual(second.api.request("POST", f"/peers?uri={uri}").status, 201)
        second.wait_for_peer(first.key)

    def test_what_cannot_be_dialled_is_refused_with_a_reason(self):
        axl = self.axld()
        for uri in "nonsense", "tls://", "tls://host", "tls://host:99999", "quic://host:1", "tls://host:1?priority=x":
            answer = change(axl, "POST", uri)
            self.assertEqual(answer.status, 400, uri)
            self.assertTrue(answer.text.startswith("Invalid peer URI: ") and len(answer.text) > 20, answer.text)
        self.assertEqual(axl.api.topology()["peers"], [])


if __name__ == "__main__":
    main(namespaces="preferred")

"""The table of MCP clients and servers (bridge, section 8.2), and which checks each pair can pass at all.

What a pair cannot do it cannot do without a mesh either; `mcp_direct_test.py` shows that the rest works there."""

# Every pair: requests, answers, errors, headers, many at once, large results.
PLAIN = ["tools", "echo", "error", "headers", "many", "big"]
STREAMED = ["progress", "beside"]  # where answers are SSE
ASKED = ["sampling", "elicitation"]  # where the server has a way to ask
LIVE = ["announce", "cancel"]  # where a session, or an open answer, stands between the two

# name: SDK, arguments
SERVERS = {
    "1.30 stateful SSE": (1, []),
    "1.30 stateful JSON": (1, ["--json"]),
    "1.30 stateless SSE": (1, ["--stateless"]),
    "1.30 stateless JSON": (1, ["--stateless", "--json"]),
    "2.3 default": (2, []),
    "2.3 JSON": (2, ["--json"]),
    "2.3 stateless JSON": (2, ["--stateless", "--json"]),
}
# name: SDK, mode
CLIENTS = {
    "mcp 1.30": (1, "legacy"),
    "mcp 2.3 auto": (2, "auto"),
    "mcp 2.3 legacy": (2, "legacy"),
    "mcp 2.3 pinned": (2, "2026-07-28"),
}
LEGACY = {
    "1.30 stateful SSE": PLAIN + STREAMED + ASKED + LIVE,
    "1.30 stateful JSON": PLAIN + LIVE,
    "1.30 stateless SSE": PLAIN + STREAMED,
    "1.30 stateless JSON": PLAIN,
    "2.3 default": PLAIN + STREAMED + ASKED + LIVE,
    "2.3 JSON": PLAIN + LIVE,
    "2.3 stateless JSON": PLAIN,
}
# Revision 2026-07-28 asks by results and announces on subscriptions/listen, so sessions are no condition.
MODERN = {
    "2.3 default": PLAIN + STREAMED + ASKED + LIVE,
    "2.3 JSON": PLAIN + ASKED + ["announce"],
    "2.3 stateless JSON": PLAIN + ASKED + ["announce"],
}


def cells():
    """(server, client, checks, protocol) of every pair."""
    for server, legacy in LEGACY.items():
        for client, (_, mode) in CLIENTS.items():
            modern = mode == "2026-07-28" or (mode == "auto" and server in MODERN)
            if modern and server not in MODERN:
                continue  # a server of before cannot be talked to in this revision
            yield server, client, (MODERN if modern else LEGACY)[server], "2026-07-28" if modern else "2025-11-25"

#!/usr/bin/env python3
"""Who may use the local API: token, addresses, web pages."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import Api, TestCase, main  # noqa: E402

TOKEN = "0123456789abcdef-token"


class Token(TestCase):
    def test_every_request_carries_it(self):
        axl = self.axld(settings={"api_token": TOKEN})
        for path in "/topology", "/recv", "/outbox", "/mcp/x/y":
            self.assertEqual(axl.api.get(path).status, 401, path)
        self.assertEqual(axl.api.get("/topology", **{"X-Axl-Token": TOKEN + "x"}).status, 401)
        self.assertEqual(axl.api.get("/topology", **{"X-Axl-Token": TOKEN}).status, 200)

    def test_a_file_with_it_is_for_this_user_only(self):
        path = os.path.join(self.folder, "token")
        with open(path, "w", encoding="ascii") as file:
            file.write(TOKEN + "\n")
        os.chmod(path, 0o644)
        axl = self.axld(settings={"api_token_file": path}, start=False)
        with self.assertRaises(AssertionError):
            axl.start()
        self.assertNotEqual(axl.process.child.returncode, 0)
        os.chmod(path, 0o600)
        axl.start()
        self.assertEqual(axl.api.get("/topology").status, 401)
        self.assertEqual(axl.api.get("/topology", **{"X-Axl-Token": TOKEN}).status, 200)

    def test_beyond_loopback_it_is_needed(self):
        axl = self.axld(settings={"bridge_addr": "0.0.0.0"}, start=False)
        with self.assertRaises(AssertionError):
            axl.start()
        axl.config["api_token"] = TOKEN
        axl.start()
        api = Api("127.0.0.1", axl.api.port)
        self.assertEqual(api.get("/topology", **{"X-Axl-Token": TOKEN}).status, 200)


class Pages(TestCase):
    def test_only_listed_origins(self):
        axl = self.axld(settings={"allowed_origins": ["https://good.example"]})
        bad = axl.api.get("/topology", Origin="https://bad.example")
        self.assertEqual((bad.status, bad.headers["Access-Control-Allow-Origin"]), (403, None))
        self.assertEqual(axl.api.get("/topology", Origin=f"http://127.0.0.1:{axl.api.port}").status, 403)
        good = axl.api.get("/topology", Origin="https://good.example")
        self.assertEqual((good.status, good.headers["Access-Control-Allow-Origin"]), (200, "https://good.example"))
        preflight = axl.api.request("OPTIONS", "/send", headers={"Origin": "https://good.example",
                                                                 "Access-Control-Request-Method": "POST"})
        self.assertEqual(preflight.status, 204)
        self.assertIn("POST", preflight.headers["Access-Control-Allow-Methods"])

    def test_no_page_and_no_foreign_name(self):
        axl = self.axld()
        for path in f"/mcp/{axl.key.hex}/x", f"/a2a/{axl.key.hex}":
            for headers in {"Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Dest": "script"}, {"Sec-Fetch-Site": "cross-site"}:
                self.assertEqual(axl.api.get(path, **headers).status, 403, (path, headers))
        self.assertEqual(axl.api.get("/topology", Host="evil.example").status, 403)
        port = int(axl.process.wait_for_line(r"MCP Router URL: http://127.0.0.1:(\d+)/route")[1])
        self.assertEqual(Api("127.0.0.1", port).get("/services", Host="evil.example").status, 403)


if __name__ == "__main__":
    main(namespaces="preferred")

// An MCP server of the official TypeScript SDK on a free port of 127.0.0.1: sessions, SSE answers, a GET stream.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

const gates = new Map(); // name: [promise, resolve]
function gate(name) {
  if (!gates.has(name)) {
    let open;
    gates.set(name, [new Promise((resolve) => (open = resolve)), () => open()]);
  }
  return gates.get(name);
}

const text = (value) => ({ content: [{ type: "text", text: value }] });

function makeServer() {
  const server = new McpServer({ name: "axl-test-ts", version: "1" });
  server.registerTool("echo", { inputSchema: { text: z.string() } }, async (given) => text(given.text));
  server.registerTool("release", { inputSchema: { gate: z.string() } }, async (given) => {
    gate(given.gate)[1]();
    return text(given.gate);
  });
  // Reports progress, and goes on only when another call has said that the report has come.
  server.registerTool("count", { inputSchema: { gate: z.string(), steps: z.number() } }, async (given, extra) => {
    for (let step = 1; step <= given.steps; ++step) {
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken: extra._meta.progressToken, progress: step, total: given.steps },
      });
      await gate(`${given.gate} ${step}`)[0];
    }
    return text(`${given.steps} steps`);
  });
  server.registerTool("ask_model", { inputSchema: { question: z.string() } }, async (given) => {
    const messages = [{ role: "user", content: { type: "text", text: given.question } }];
    return text((await server.server.createMessage({ messages, maxTokens: 10 })).content.text);
  });
  return server;
}

const transports = new Map();
const http = createServer(async (request, response) => {
  let transport = transports.get(request.headers["mcp-session-id"]);
  if (!transport) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => transports.set(id, transport),
    });
    await makeServer().connect(transport);
  }
  await transport.handleRequest(request, response);
});
http.listen(0, "127.0.0.1", () => console.log(`Listening on 127.0.0.1:${http.address().port}`));
process.on("SIGTERM", () => process.exit(0));

// The checks with the official TypeScript SDK's client, against node/server.mjs or servers/mcp_server.py, which names the
// steps of `count` by their number of releases. Prints a line of JSON per check.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [url, kind] = process.argv.slice(2);

function equal(value, expected, what) {
  if (value !== expected) throw new Error(`${what}: ${String(value).slice(0, 200)} instead of ${String(expected).slice(0, 200)}`);
}
async function call(client, name, given, onprogress) {
  const result = await client.callTool({ name, arguments: given }, undefined, { onprogress });
  return result.content[0].text;
}

const checks = {
  async tools(client) {
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    equal(names.includes("echo") && names.includes("count"), true, "the tools");
  },
  async echo(client) {
    for (const value of ["plain", "<&> \u2028 äöü", "x".repeat(100000)]) equal(await call(client, "echo", { text: value }), value, "the echo");
  },
  async progress(client) {
    const gate = `ts-${process.pid}-${Date.now()}`;
    const seen = [];
    const result = await call(client, "count", { gate, steps: 3 }, (progress) => {
      seen.push(progress.progress);
      void call(client, "release", { gate: kind === "ts" ? `${gate} ${progress.progress}` : gate });
    });
    equal(result, "3 steps", "the result");
    equal(seen.join(), "1,2,3", "the reports");
  },
  async sampling(client) {
    equal(await call(client, "ask_model", { question: "two plus two?" }), "model: two plus two?", "the model's answer");
  },
  async many(client) {
    const all = Array.from({ length: 100 }, (_, number) => call(client, "echo", { text: String(number) }));
    (await Promise.all(all)).forEach((value, number) => equal(value, String(number), "an echo"));
  },
};

let failed = false;
async function run(name, action) {
  try {
    await action();
    console.log(JSON.stringify({ check: name, ok: true }));
  } catch (error) {
    failed = true;
    console.log(JSON.stringify({ check: name, ok: false, detail: String(error) }));
  }
}

const client = new Client({ name: "axl-test", version: "1" }, { capabilities: { sampling: {} } });
client.setRequestHandler(CreateMessageRequestSchema, async (request) => ({
  role: "assistant",
  model: "test",
  content: { type: "text", text: `model: ${request.params.messages[0].content.text}` },
}));
const transport = new StreamableHTTPClientTransport(new URL(url));
await run("connect", () => client.connect(transport));
if (!failed) {
  for (const [name, check] of Object.entries(checks)) await run(name, () => check(client));
  await run("terminate", () => transport.terminateSession());
  await run("close", () => client.close());
}
process.exit(failed ? 1 : 0);

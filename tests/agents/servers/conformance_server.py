#!/usr/bin/env python3
"""An MCP server of the official 1.x SDK with everything that the official conformance runner asks a server for.

The names and schemas of its tools, prompts and resources are the runner's; the low-level server, as a schema must leave
it exactly as it is written here."""

import base64
import contextlib
import json
import re
import struct
import zlib

import anyio
import recorder as record_module
import serve
from mcp import types
from mcp.server.fastmcp.server import StreamableHTTPASGIApp
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp_events import MemoryEvents
from starlette.applications import Starlette
from starlette.routing import Route

STRING = {"type": "string"}


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# One red pixel, and silence of no length.
PNG = (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) +
       _chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00")) + _chunk(b"IEND", b""))
WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data\0\0\0\0"

server = Server("axl-conformance", version="1")


def text(value):
    return types.TextContent(type="text", text=value)


def image():
    return types.ImageContent(type="image", data=base64.b64encode(PNG).decode(), mimeType="image/png")


def embedded(uri, kind, value):
    return types.EmbeddedResource(type="resource", resource=types.TextResourceContents(uri=uri, mimeType=kind, text=value))


async def simple_text(_ctx, _given):
    return [text("This is a simple text response for testing.")]


async def image_content(_ctx, _given):
    return [image()]


async def audio_content(_ctx, _given):
    return [types.AudioContent(type="audio", data=base64.b64encode(WAV).decode(), mimeType="audio/wav")]


async def embedded_resource(_ctx, _given):
    return [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


async def mixed_content(_ctx, _given):
    return [text("Multiple content types test:"), image(),
            embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')]


async def logging(ctx, _given):
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)
    return [text("logged")]


async def error(_ctx, _given):
    raise ValueError("This tool intentionally returns an error for testing")


async def progress(ctx, _given):
    if ctx.meta and ctx.meta.progressToken is not None:
        for done in (0, 50, 100):
            await ctx.session.send_progress_notification(ctx.meta.progressToken, done, 100, related_request_id=str(ctx.request_id))
    return [text("done")]


async def sampling(ctx, given):
    message = types.SamplingMessage(role="user", content=text(given["prompt"]))
    result = await ctx.session.create_message([message], max_tokens=100, related_request_id=ctx.request_id)
    return [text(f"LLM response: {result.content.text}")]


async def ask(ctx, message, properties, required=()):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    result = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
    return [text(f"Elicitation completed: action={result.action}, content={json.dumps(result.content)}")]


async def elicitation(ctx, given):
    return await ask(ctx, given["message"], {"username": {**STRING, "description": "User's response"},
                                             "email": {**STRING, "description": "User's email address"}}, ["username", "email"])


async def defaults(ctx, _given):
    return await ask(ctx, "Defaults", {"name": {**STRING, "default": "John Doe"}, "age": {"type": "integer", "default": 30},
                                       "score": {"type": "number", "default": 95.5},
                                       "status": {**STRING, "enum": ["active", "inactive", "pending"], "default": "active"},
                                       "verified": {"type": "boolean", "default": True}})


async def enums(ctx, _given):
    options = ["option1", "option2", "option3"]
    titled = [{"const": f"value{number}", "title": f"{word} Option"} for number, word in enumerate(("First", "Second", "Third"), 1)]
    return await ask(ctx, "Enums", {"untitledSingle": {**STRING, "enum": options}, "titledSingle": {**STRING, "oneOf": titled},
                                    "legacyEnum": {**STRING, "enum": ["opt1", "opt2", "opt3"],
                                                   "enumNames": ["Option One", "Option Two", "Option Three"]},
                                    "untitledMulti": {"type": "array", "items": {**STRING, "enum": options}},
                                    "titledMulti": {"type": "array", "items": {"anyOf": titled}}})


async def reconnection(ctx, _given):
    """Ends its own stream; the answer is for the client to come back for."""
    if ctx.close_sse_stream:
        await ctx.close_sse_stream()
    await anyio.sleep(0.1)
    return [text("reconnected")]


NO_ARGUMENTS = {"type": "object", "properties": {}}
# name: what it does, its input schema
TOOLS = {
    "test_simple_text": (simple_text, NO_ARGUMENTS),
    "test_image_content": (image_content, NO_ARGUMENTS),
    "test_audio_content": (audio_content, NO_ARGUMENTS),
    "test_embedded_resource": (embedded_resource, NO_ARGUMENTS),
    "test_multiple_content_types": (mixed_content, NO_ARGUMENTS),
    "test_tool_with_logging": (logging, NO_ARGUMENTS),
    "test_error_handling": (error, NO_ARGUMENTS),
    "test_tool_with_progress": (progress, NO_ARGUMENTS),
    "test_sampling": (sampling, {"type": "object", "properties": {"prompt": STRING}, "required": ["prompt"]}),
    "test_elicitation": (elicitation, {"type": "object", "properties": {"message": STRING}, "required": ["message"]}),
    "test_elicitation_sep1034_defaults": (defaults, NO_ARGUMENTS),
    "test_elicitation_sep1330_enums": (enums, NO_ARGUMENTS),
    "test_reconnection": (reconnection, NO_ARGUMENTS),
    "json_schema_2020_12_tool": (simple_text, {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "$defs": {"address": {"type": "object", "properties": {"street": STRING, "city": STRING}}},
        "properties": {"name": STRING, "address": {"$ref": "#/$defs/address"}}, "additionalProperties": False}),
}
PROMPTS = {"test_simple_prompt": [], "test_prompt_with_arguments": ["arg1", "arg2"],
           "test_prompt_with_embedded_resource": ["resourceUri"], "test_prompt_with_image": []}


@server.list_tools()
async def list_tools():
    return [types.Tool(name=name, description=f"The runner's {name}", inputSchema=schema) for name, (_, schema) in TOOLS.items()]


@server.call_tool()
async def call_tool(name, given):
    return await TOOLS[name][0](server.request_context, given)


@server.list_resources()
async def list_resources():
    return [types.Resource(uri=f"test://{name}", name=name, description=f"The runner's {name}", mimeType=kind)
            for name, kind in (("static-text", "text/plain"), ("static-binary", "image/png"), ("watched-resource", "text/plain"))]


@server.list_resource_templates()
async def list_resource_templates():
    return [types.ResourceTemplate(uriTemplate="test://template/{id}/data", name="template", mimeType="application/json")]


@server.read_resource()
async def read_resource(uri):
    if str(uri) == "test://static-binary":
        return [ReadResourceContents(PNG, "image/png")]
    if template := re.fullmatch(r"test://template/([^/]+)/data", str(uri)):
        found = {"id": template[1], "templateTest": True, "data": f"Data for ID: {template[1]}"}
        return [ReadResourceContents(json.dumps(found), "application/json")]
    return [ReadResourceContents("This is the content of the static text resource.", "text/plain")]


@server.subscribe_resource()
async def subscribe(_uri):
    pass


@server.unsubscribe_resource()
async def unsubscribe(_uri):
    pass


@server.list_prompts()
async def list_prompts():
    return [types.Prompt(name=name, description=f"The runner's {name}",
                         arguments=[types.PromptArgument(name=one, description=one, required=True) for one in arguments])
            for name, arguments in PROMPTS.items()]


@server.get_prompt()
async def get_prompt(name, given):
    if name == "test_prompt_with_arguments":
        parts = [text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")]
    elif name == "test_prompt_with_embedded_resource":
        parts = [embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing."),
                 text("Please process the embedded resource above.")]
    elif name == "test_prompt_with_image":
        parts = [image(), text("Please analyze the image above.")]
    else:
        parts = [text("This is a simple prompt for testing.")]
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=part) for part in parts])


@server.completion()
async def complete(_reference, argument, _context):
    words = [word for word in ("paris", "park", "party") if word.startswith(argument.value)]
    return types.Completion(values=words, total=len(words), hasMore=False)


@server.set_logging_level()
async def set_logging_level(_level):
    pass


def main():
    security = TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=["127.0.0.1:*", "localhost:*"],
                                         allowed_origins=["http://127.0.0.1:*", "http://localhost:*"])
    manager = StreamableHTTPSessionManager(server, event_store=MemoryEvents(), retry_interval=200, security_settings=security)

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        async with manager.run():
            yield

    sock, _ = serve.bind()
    routes = [Route("/mcp", endpoint=StreamableHTTPASGIApp(manager))]
    serve.serve(record_module.Recorder(Starlette(routes=routes, lifespan=lifespan)), sock)


if __name__ == "__main__":
    main()

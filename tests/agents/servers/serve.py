"""Runs an ASGI application on a free port of 127.0.0.1 and says which."""

import socket

import uvicorn


def bind(port=0):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock, sock.getsockname()[1]


def serve(app, sock):
    sock.listen(2048)
    print(f"Listening on 127.0.0.1:{sock.getsockname()[1]}", flush=True)
    # An open stream would hold up the end of the process.
    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)).run(sockets=[sock])

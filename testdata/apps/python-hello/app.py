import os
import platform
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GREETING = "Hello from Slipway!"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        pages = {"/": GREETING, "/version": platform.python_version()}
        text = pages.get(self.path)
        body = ((text or "not found") + "\n").encode()
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# The first process of a container gets no default action for SIGTERM.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
port = int(os.environ.get("PORT", "8000"))
print(f"listening on port {port}", flush=True)
ThreadingHTTPServer(("", port), Handler).serve_forever()

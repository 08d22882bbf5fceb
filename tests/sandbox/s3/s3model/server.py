"""The store and its control side over HTTP/1.1, one thread a connection."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote

from s3model import signature
from s3model.signature import Refusal
from s3model.store import Fault

HANG_SECONDS = 3600
BODY_MAX = 1024 * 1024


class Server(ThreadingHTTPServer):
    """A listener; `tls` wraps each connection, in its own thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, handler, world, tls=None):
        self.world = world
        self._tls = tls
        super().__init__(address, handler)

    def finish_request(self, request, client_address):
        """Shake hands where a slow client stops nobody else."""
        if self._tls is None:
            self.RequestHandlerClass(request, client_address, self)
            return
        with self._tls.wrap_socket(request, server_side=True) as secured:
            self.RequestHandlerClass(secured, client_address, self)

    def handle_error(self, request, client_address):
        """A client that leaves is no error of the model."""


class Handler(BaseHTTPRequestHandler):
    """What both sides share."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Write nothing: the control side lists the calls."""

    def read_body(self):
        """Return the body of the request."""
        return self.rfile.read(min(int(self.headers.get("content-length") or 0), BODY_MAX))

    def answer(self, status, body=b"", headers=()):
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(body)


class StoreHandler(Handler):
    """The S3 API, as far as a shared object needs it."""

    def answer_error(self, status, code, headers=()):
        """Send an error in the form of S3. The message repeats what no client should show."""
        if "json" in self.headers.get("accept", ""):  # As Ceph does.
            text = json.dumps({"Code": code})
            self.answer(status, text.encode(), [("Content-Type", "application/json"), *headers])
            return
        text = ('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>%s'
                "</Message><RequestId>1</RequestId></Error>"
                % (code, self.headers.get("authorization", "")))
        self.answer(status, text.encode(), [("Content-Type", "application/xml"), *headers])

    def apply(self, body):
        """Do what the request wants; return (status, body, headers)."""
        world = self.server.world
        store = world.store
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        signature.check(self.command, path, query, headers, body, world.key_id, world.secret,
                        store.region, time.time() + store.clock_skew_seconds)
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        if store.no_bucket or bucket != world.bucket:
            raise Refusal(404, "NoSuchBucket")
        if not key:
            return self.describe_bucket(store, query)
        if self.command == "GET":
            status, data = store.get(key, headers.get("if-none-match", ""))
        elif self.command == "PUT":
            status, data = store.put(key, body, headers.get("if-match", ""),
                                     headers.get("if-none-match", ""))
        else:
            return (*store.delete(key), [])
        shown = [("ETag", '"%s"' % store.etag_of(data))]
        return status, data if self.command == "GET" else b"", shown

    def describe_bucket(self, store, query):
        """Answer GET ?versioning, the only call about the bucket itself."""
        if query != "versioning=" or store.versioning == "none":
            raise Refusal(501, "NotImplemented")
        status = "<Status>%s</Status>" % store.versioning if store.versioning else ""
        text = "<VersioningConfiguration>%s</VersioningConfiguration>" % status
        return 200, text.encode(), [("Content-Type", "application/xml")]

    def handle_call(self):
        """Answer one request, or misbehave."""
        body = self.read_body()
        store = self.server.world.store
        time.sleep(store.delay_seconds)
        with store.lock:
            fault = store.fault_for(self.command)
            result, refusal = None, None
            if fault is None or fault.do.startswith("apply-"):
                try:
                    result = self.apply(body)
                except Refusal as error:
                    refusal = error
            store.calls.append({
                "method": self.command, "path": self.path, "bytes": len(body),
                "if-match": self.headers.get("if-match", ""),
                "if-none-match": self.headers.get("if-none-match", ""),
                "status": result[0] if result else refusal.status if refusal else 0})
        if fault is not None:
            self.misbehave(fault)
        elif refusal is not None:
            self.answer_error(refusal.status, refusal.code)
        else:
            self.answer(*result)

    def misbehave(self, fault):
        """End the call as the fault says, after it was done or not."""
        what = fault.do.removeprefix("apply-")
        if what == "status":
            self.answer_error(fault.status, fault.code, fault.headers.items())
        elif what == "garble":
            self.answer(fault.status, b"<html>log in</html>", [("Content-Type", "text/html")])
        elif what == "hang":
            time.sleep(HANG_SECONDS)
        else:
            self.close_connection = True

    do_GET = do_PUT = do_DELETE = handle_call


class ControlHandler(Handler):
    """What tests ask and change; a store has no such part."""

    def handle_call(self):
        """Answer one request."""
        path, _, query = self.path.partition("?")
        body = self.read_body()
        store = self.server.world.store
        with store.lock:
            try:
                value = self.act(store, self.command + " " + path,
                                 parse_qs(query).get("key", [""])[0], body)
            except (ValueError, TypeError, KeyError) as error:
                self.answer(400, str(error).encode())
                return
        self.answer(200, json.dumps(value).encode(), [("Content-Type", "application/json")])

    @staticmethod
    def act(store, call, key, body):
        """Do one thing; return what to answer."""
        if call == "POST /knobs":
            store.set(json.loads(body))
        elif call == "DELETE /knobs":
            store.reset()
        elif call == "POST /faults":
            store.faults.append(Fault(**json.loads(body)))
        elif call == "GET /calls":
            return store.calls
        elif call == "DELETE /calls":
            store.calls.clear()
        elif call == "GET /object":
            return store.objects[key].decode("latin-1")
        elif call == "PUT /object":
            store.objects[key] = body
        elif call == "DELETE /object":
            store.objects.pop(key, None)
        else:
            raise ValueError("no such control: " + call)
        return {}

    do_GET = do_POST = do_PUT = do_DELETE = handle_call

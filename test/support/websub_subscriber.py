"""A WebSub subscriber in Python's standard library alone: finds hub and topic in the headers of a feed, subscribes with a secret, confirms its
intent, and prints a line of JSON for each thing that happens. Arguments: the feed's address, the secret, and (for tests) what to put in place of
the public address of hub and feed."""

import hashlib
import hmac
import http.server
import json
import re
import sys
import threading
import urllib.parse
import urllib.request

feed, secret, public, actual = sys.argv[1:5]


def say(**what):
    print(json.dumps(what), flush=True)


class Callback(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        agreed = query["hub.mode"] == ["subscribe"] and query["hub.topic"] == [topic]
        self.answer(200 if agreed else 404, query["hub.challenge"][0].encode() if agreed else b"")
        say(event="question", agreed=agreed, lease=query["hub.lease_seconds"][0])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        method, _, given = (self.headers["X-Hub-Signature"] or "").partition("=")
        valid = bool(given) and hmac.compare_digest(given, hmac.new(secret.encode(), body, method).hexdigest())
        self.answer(204)
        say(event="distribution", valid=valid, type=self.headers["Content-Type"], sha256=hashlib.sha256(body).hexdigest())


with urllib.request.urlopen(feed) as response:
    links = {rel: url for url, rel in re.findall(r'<([^>]+)>;\s*rel="?(\w+)"?', response.headers["Link"])}
topic = links["self"]
server = http.server.ThreadingHTTPServer(("127.0.3.1", 0), Callback)
threading.Thread(target=server.serve_forever).start()
form = {
    "hub.mode": "subscribe",
    "hub.topic": topic,
    "hub.callback": f"http://127.0.3.1:{server.server_port}/callback",
    "hub.secret": secret,
}
with urllib.request.urlopen(links["hub"].replace(public, actual), urllib.parse.urlencode(form).encode()) as response:
    say(event="subscribed", status=response.status)

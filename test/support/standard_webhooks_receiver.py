"""A partner's receiver that knows nothing of us but Standard Webhooks: signatures are checked by the library `standardwebhooks` of PyPI alone. A line on
standard input is one more secret. A line of JSON is printed for each delivery: which of the secrets, in their order, verify it, and whether the
library takes it with a byte more (`forged`), or under another id (`renamed`)."""

import http.server
import json
import sys
import threading

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secrets = []


def say(**what):
    print(json.dumps(what), flush=True)


def verifies(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
        return True
    except WebhookVerificationError:
        return False


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = dict(self.headers.items())
        known = list(secrets)
        verified = [verifies(secret, body, headers) for secret in known]
        self.send_response(204 if any(verified) else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()
        event = json.loads(body)
        say(
            type=event["type"],
            article=event["data"].get("article", {}).get("id"),
            verified=verified,
            forged=any(verifies(secret, body + b" ", headers) for secret in known),
            renamed=any(verifies(secret, body, {**headers, "webhook-id": "another"}) for secret in known),
        )


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
say(port=server.server_port)
for line in sys.stdin:
    secrets.append(line.strip())
    say(secrets=len(secrets))

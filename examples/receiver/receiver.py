"""A partner's receiver: checks the signature, then keeps the newest version of each article. Needs Python 3.8 and nothing else.
PARTNER_SECRET=whsec_… PORT=9000 python3 receiver.py"""
import base64, hashlib, hmac, json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

secret = os.environ.get("PARTNER_SECRET", "")
key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
held, lock = {}, Lock()  # article id -> place; a real receiver keeps this in the same transaction as the article

def is_genuine(headers, body):
    sent_at, signatures = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "").split(" ")
    if not key or len(sent_at) != 10 or not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > 300:
        return False
    signed = f"{headers.get('webhook-id', '')}.{sent_at}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(one.encode(), expected.encode()) for one in signatures)

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        genuine = is_genuine(self.headers, body)
        if genuine:
            self.keep(json.loads(body))
        self.send_response(204 if genuine else 401)  # 204 also for what is ignored: it has arrived
        self.end_headers()

    def keep(self, event):
        if "article" not in event.get("data", {}):  # a test (newswire.test), or what is newer than this receiver
            return
        article_id, version = event["data"]["article"]["id"], event["data"]["article"]["version"]
        taken_back = event["type"] == "article.retracted"
        place = 2 * version + taken_back  # what you alone may no longer have is taken back under the version that you hold
        with lock:
            newer = place > held.get(article_id, 0)
            held[article_id] = max(place, held.get(article_id, 0))
        word = "ignore" if not newer else "take down" if taken_back else "show"
        print(f"{word} {article_id} v{version}", flush=True)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 9000))), Receiver)
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()

"""A service whose requests need an access token: python3 app.py, then http://127.0.0.1:8010/"""

import json
import os
from wsgiref.simple_server import make_server

from verifier import Refused, start_verifier

verifier = start_verifier(
    os.environ["TOKENPAIR_ISSUER"],
    os.environ["TOKENPAIR_AUDIENCE"],
    os.environ["TOKENPAIR_FEED_CREDENTIAL"],
    max_staleness=float(os.environ.get("TOKENPAIR_MAX_STALENESS", "10")),
    url=os.environ.get("TOKENPAIR_URL"),
)


def app(environ, start_response):
    try:
        claims = verifier.authenticate(environ.get("HTTP_AUTHORIZATION"))
        status, headers, body = "200 OK", {}, {"user": claims["user_id"]}
    except Refused as refused:
        status = {401: "401 Unauthorized", 503: "503 Service Unavailable"}[refused.status]
        headers, body = refused.headers(), refused.body()
    headers = {"Content-Type": "application/json", **headers}
    start_response(status, list(headers.items()))
    return [json.dumps(body).encode()]


if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8010")), app) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()

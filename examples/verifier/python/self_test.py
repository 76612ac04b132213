"""Checks this verifier with the vectors: python3 self_test.py [path of vectors.json]"""

import json
import sys
from pathlib import Path

from revocations import InvalidFrame, Instant, Response, Revocations, fingerprint, parse_frame, take_frames
from verifier import Keys, Refused, Verifier, read_bearer

folder = Path(__file__).resolve().parent
path = Path(sys.argv[1]) if len(sys.argv) > 1 else folder / "../../../docs/verifier/vectors.json"
vectors = json.loads(path.read_text(encoding="utf-8"))
config = vectors["configuration"]
keys = Keys.parse(vectors["keys"]["body"].encode())
failures = 0
count = 0


def check(section, name, actual, expected):
    global count, failures
    count += 1
    if actual != expected:
        failures += 1
        print(f"{section}: {name}: got {actual!r}, expected {expected!r}")


def load(*frames):
    """Returns a table that consists of these frames, at the time 0."""
    revocations, response = Revocations(), Response(Instant(0, 0))
    for text in frames:
        frame, _ = parse_frame(bytes.fromhex(text))
        revocations.apply(frame, response.freshness(frame, Instant(2**53, 2**53)))
    return revocations


def create(revocations, **changes):
    c = {**config, **changes}
    profile = c["accessTokenProfile"]
    return Verifier(c["issuer"], c["audience"], revocations, c["leeway"], c["clockTolerance"], profile)


def verify(verifier, token, now, stale=False):
    """Returns (status, message, claims)."""
    instant = Instant(*(time + (10_001 if stale else 0) for time in verifier.revocations.fresh_at))
    try:
        return 200, None, verifier.verify(token, now, instant)
    except Refused as refused:
        return refused.status, refused.message if refused.status == 401 else None, None


def to_record(key, until, value):
    return {"fingerprint": key.hex(), "until": until, "value": value}


check("keys", "version", keys.version, vectors["keys"]["version"])

for v in vectors["authorization"]:
    try:
        actual = read_bearer(v["header"])
    except Refused as refused:
        actual = refused.code
    check("authorization", v["header"], actual, v.get("token") or v["code"])

empty = next(v["table"] for v in vectors["answers"] if v["name"] == "everything is right")
for v in vectors["tokens"]:
    changes = v.get("configuration", {})
    if any(name.endswith("Claim") for name in changes):
        continue  # This verifier knows the usual names only.
    verifier = create(load(empty), **changes)
    verifier.keys = keys
    status, message, claims = verify(verifier, v["token"], config["now"])
    if v["result"] == "refuse":
        check("tokens", v["name"], (status, message), (401, v["message"]))
    else:
        names = {"userId": "user_id", "sessionId": "sid", "tokenId": "jti"}
        names.update({"userEpoch": "ue", "globalEpoch": "ge", "expiresAt": "exp"})
        actual = {name: claims and claims[claim] for name, claim in names.items()}
        check("tokens", v["name"], (status, actual), (200, v["claims"]))

for v in vectors["fingerprints"]:
    check("fingerprints", v["text"], fingerprint(v["text"]).hex(), v["fingerprint"])

for v in vectors["frames"]:
    try:
        parsed = parse_frame(bytes.fromhex(v["hex"]))
    except InvalidFrame:
        check("frames", v["name"], "invalid", v["result"])
        continue
    if parsed is None:
        check("frames", v["name"], "incomplete", v["result"])
        continue
    frame = parsed[0]
    check("frames", v["name"], "frame", v["result"])
    header = {name: getattr(frame, name) for name in ("full", "confirm", "count", "age", "t", "held", "cursor")}
    header["keyVersion"] = frame.key_version
    records = [to_record(*record) for record in frame.records]
    check("frames", v["name"], (header, records), (v.get("header"), v.get("records")))

for v in vectors["tables"]:
    revocations = load(*v["frames"])
    if "now" in v:
        revocations.forget(v["now"], config["leeway"])
    table = [to_record(key, until, value) for key, (value, until) in sorted(revocations.table.items())]
    check("tables", v["name"], table, v["table"])

for v in vectors["responses"]:
    if v["request"] != "stream":
        continue  # This verifier uses streams only.
    revocations, response = load(v["before"]) if v["before"] else Revocations(), Response(Instant(0, 0))
    buffer, frames = bytearray.fromhex(v["hex"]), 0
    try:
        for frame in take_frames(buffer):
            revocations.apply(frame, response.freshness(frame, Instant(2**53, 2**53)))
            frames += 1
        failed = frames == 0 or len(buffer) > 0
    except InvalidFrame:
        failed = True
    table = [to_record(key, until, value) for key, (value, until) in sorted(revocations.table.items())]
    check("responses", v["name"], (failed, table), (v["failed"], v["table"]))

for v in vectors["keySets"]:
    try:
        kids = sorted(Keys.parse(v["body"].encode()).by_kid)
    except (ValueError, KeyError, TypeError):
        kids = []
    check("keySets", v["name"], kids, v["kids"])

for v in vectors["verdicts"]:
    check("verdicts", v["name"], load(v["table"]).is_revoked(v["claims"]), v["revoked"])
    verifier = create(load(v["table"]))
    verifier.keys = keys
    status, _, _ = verify(verifier, v["token"], config["now"])
    check("verdicts", v["name"], status, 401 if v["revoked"] else 200)

for v in vectors["freshness"]:
    revocations, response = Revocations(v["maxStaleness"]), None
    for i, step in enumerate(v["steps"]):
        now, name = Instant(step["at"], step.get("wall", step["at"])), f"{v['name']}, step {i}"
        if step["event"] == "request":
            response, cursor = revocations.begin(now), revocations.cursor
            # Some vectors begin in the middle.
            revocations.cursor = cursor or "00"
            check("freshness", name, i > 1 and cursor is None, step.get("withoutCursor", False))
        elif step["event"] == "check":
            check("freshness", name, revocations.is_stale(now), step["stale"])
        else:
            frame, _ = parse_frame(bytes.fromhex(empty))
            frame.full, frame.t, frame.age, frame.held = step["full"], step["t"], step["age"], step["held"]
            frame.key_version = name
            replaces = revocations.apply(frame, response.freshness(frame, now))
            actual = (revocations.fresh_at.mono, replaces, revocations.key_version == name)
            check("freshness", name, actual, (step["freshAt"], step["replaces"], step["namesKeys"]))

for v in vectors["keyVersions"]:
    verifier = create(Revocations(v["maxStaleness"]))
    for i, step in enumerate(v["steps"]):
        if step["event"] == "keys":
            verifier.note_keys(Keys(step["version"], {kid: ("ES256", None) for kid in step["kids"]}), step["at"])
        elif step["event"] == "frame":
            verifier.revocations.key_version = step["keyVersion"]
            verifier.note_frame(step["at"])
        elif step["event"] == "check":
            try:
                verifier.revocations.fresh_at = Instant(step["at"], step["at"])
                verifier.find_key(step["kid"], verifier.revocations.fresh_at)
                status = 200
            except Refused as refused:
                status = refused.status
            actual = (status, verifier.needs_keys())
            check("keyVersions", f"{v['name']}, step {i}", actual, (step["status"], step["read"]))

for v in vectors["answers"]:
    verifier = create(load(v["table"]))
    verifier.keys = None if v["keys"] == "none" else keys
    status, message, _ = verify(verifier, v["token"], config["now"], v["stale"])
    check("answers", v["name"], (status, message), (v["status"], v.get("message")))

print(f"{count - failures} passed, {failures} failed")
sys.exit(1 if failures else 0)

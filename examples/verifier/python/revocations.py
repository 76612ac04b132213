"""Reads tokenpair's revocation feed. Standard library only. The specification is docs/verifier/README.md."""

import hashlib
import http.client
import math
import random
import secrets
import ssl
import struct
import threading
import time
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

HEADER = struct.Struct(">4sIIIQ4sI32s")
RECORD = struct.Struct(">8sII")
MAX_RECORDS = 2**26
FULL, CONFIRM = 1, 2
MEDIA_TYPE = "application/vnd.tokenpair.revocations"


class InvalidFrame(Exception):
    """The bytes aren't a frame: the connection must be dropped."""


class Frame:
    """A frame of the feed."""

    def __init__(self, header, records):
        _, flags, self.count, self.age, self.t, key_version, self.held, cursor = header
        self.full = bool(flags & FULL)
        self.confirm = bool(flags & CONFIRM)
        self.key_version = key_version.hex()
        self.cursor = cursor.hex()
        self.records = records


def parse_frame(data):
    """Returns (frame, bytes used), or None if more bytes must come."""
    if not b"TPR1".startswith(bytes(data[:4])):
        raise InvalidFrame("wrong magic number")
    if len(data) < HEADER.size:
        return None
    header = HEADER.unpack_from(data)
    count = header[2]
    if count > MAX_RECORDS or header[4] >= 2**53:
        raise InvalidFrame("too large a number")
    end = HEADER.size + RECORD.size * count
    if len(data) < end:
        return None
    return Frame(header, list(RECORD.iter_unpack(bytes(data[HEADER.size : end])))), end


def take_frames(buffer):
    """Removes the frames that are complete from a bytearray, and yields them."""
    while buffer and (parsed := parse_frame(buffer)):
        frame, used = parsed
        del buffer[:used]
        yield frame


def fingerprint(text):
    return hashlib.sha256(text.encode()).digest()[:8]


class Instant(NamedTuple):
    """The time in milliseconds: by the monotonic clock, which may stop while the machine is suspended, and by the wall clock."""

    mono: float
    wall: float

    @classmethod
    def now(cls):
        return cls(time.monotonic() * 1000, time.time() * 1000)

    def ahead(self):
        return self.wall - self.mono


NEVER = Instant(-math.inf, -math.inf)


class Response:
    """One response of the feed: turns the times of its frames into times of our clocks."""

    def __init__(self, start):
        self.start = start
        self.first = None

    def freshness(self, frame, arrival):
        self.first = self.first or frame
        passed = self.first.held + frame.t - self.first.t
        return Instant(*(min(start + passed, now) - frame.age for start, now in zip(self.start, arrival)))

    def has_drifted(self, now):
        """Returns whether a clock was set since the request, or the machine was suspended."""
        return abs(now.ahead() - self.start.ahead()) > 1000


class Revocations:
    """The table, and how fresh it is. One thread applies frames, and any thread looks tokens up."""

    def __init__(self, max_staleness_ms=10_000):
        self.max_staleness_ms = max_staleness_ms
        self.table = {}
        self.fresh_at = NEVER
        self.key_version = None
        self.cursor = None
        # By how much the wall clock has been ahead at most: it changes if the clock is set.
        self.furthest = -math.inf

    def begin(self, now):
        """Begins a request. If the wall clock was set back, records may have been forgotten too early: all are read again."""
        if now.ahead() < self.furthest - 30_000:
            self.fresh_at, self.cursor, self.furthest = NEVER, None, now.ahead()
        self.furthest = max(self.furthest, now.ahead())
        return Response(now)

    def apply(self, frame, freshness):
        """Applies a frame. Returns whether it replaced the table."""
        if self.cursor is None and not frame.full:
            raise InvalidFrame("the feed began in the middle")
        newest = freshness.mono >= self.fresh_at.mono
        replaces = frame.full and newest
        if replaces:
            self.table = {key: (value, until) for key, until, value in frame.records}
        else:
            for key, until, value in frame.records:
                known_value, known_until = self.table.get(key, (0, 0))
                self.table[key] = (max(value, known_value), max(until, known_until))
        # Only now: a thread that sees the new time must see the new table.
        if newest:
            self.fresh_at = freshness
            self.key_version = frame.key_version
        self.cursor = frame.cursor
        return replaces

    def is_stale(self, now):
        age, wall_age = now.mono - self.fresh_at.mono, now.wall - self.fresh_at.wall
        return max(age, wall_age) > self.max_staleness_ms or wall_age < age - 30_000

    def is_revoked(self, claims):
        def value(text):
            return self.table.get(fingerprint(text), (0, 0))[0]

        user = value("u:" + claims["user_id"])
        return (
            value("s:" + claims["sid"]) > 0
            or value("t:" + claims["jti"]) > 0
            or value("a:") > claims["ge"]
            or (user > claims["ue"] and value("x:" + claims["sid"]) < user)
        )

    def forget(self, now, leeway):
        """Drops the records of tokens that have expired. `now` and `leeway` are seconds."""
        # A new table: other threads may be reading the old one.
        self.table = {key: entry for key, entry in self.table.items() if now < entry[1] + leeway + 60}


class FeedReader(threading.Thread):
    """Keeps a table up to date by a stream. `on_frame` is called after each frame."""

    def __init__(self, url, credential, revocations, leeway=30, on_frame=lambda frame: None, on_error=print):
        super().__init__(daemon=True, name="tokenpair feed")
        self.url = urlsplit(url)
        self.headers = {"Authorization": f"Bearer {credential}"}
        self.revocations = revocations
        self.leeway = leeway
        self.on_frame = on_frame
        self.on_error = on_error
        self.reader = secrets.token_hex(16)
        self.backoff = 1.0
        self.forgotten_at = time.monotonic()
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            pause = 0
            try:
                pause = self.read_stream()
            except (OSError, http.client.HTTPException, InvalidFrame) as error:
                self.on_error(f"feed: {error!r}")
            self.stopped.wait(max(pause, random.uniform(0.2, self.backoff)))
            self.backoff = min(self.backoff * 2, 5.0)

    def stop(self):
        self.stopped.set()

    def connect(self):
        timeout = self.revocations.max_staleness_ms / 1000
        if self.url.scheme == "https":
            return http.client.HTTPSConnection(self.url.netloc, timeout=timeout, context=ssl.create_default_context())
        return http.client.HTTPConnection(self.url.netloc, timeout=timeout)

    def read_stream(self):
        """Reads until the stream ends. Returns for how many seconds the server wants us to wait."""
        response = self.revocations.begin(Instant.now())
        query = {"stream": 1, "reader": self.reader, "lease": self.revocations.max_staleness_ms}
        if self.revocations.cursor is not None:
            query["after"] = self.revocations.cursor
        connection = self.connect()
        try:
            connection.request("GET", f"{self.url.path}?{urlencode(query)}", headers=self.headers)
            answer = connection.getresponse()
            if answer.status != 200 or answer.headers.get_content_type() != MEDIA_TYPE:
                self.on_error(f"feed: {answer.status} {answer.reason}")
                retry_after = answer.headers.get("Retry-After", "")
                return int(retry_after) if retry_after.isdigit() else 0
            buffer = bytearray()
            while not self.stopped.is_set():
                part = answer.read1(65536)
                if not part:
                    if buffer:
                        raise InvalidFrame("the feed ended within a frame")
                    return 0
                now = Instant.now()
                if response.has_drifted(now):
                    raise OSError("a clock was set, or this machine was suspended")
                buffer += part
                for frame in take_frames(buffer):
                    self.apply(frame, response.freshness(frame, now))
            return 0
        finally:
            connection.close()

    def apply(self, frame, freshness):
        self.revocations.apply(frame, freshness)
        self.backoff = 1.0
        if frame.confirm:
            threading.Thread(target=self.acknowledge, args=(frame.cursor,), daemon=True).start()
        if time.monotonic() - self.forgotten_at > 60:
            self.forgotten_at = time.monotonic()
            self.revocations.forget(time.time(), self.leeway)
        self.on_frame(frame)

    def acknowledge(self, cursor):
        try:
            connection = self.connect()
            query = urlencode({"after": cursor, "reader": self.reader})
            connection.request("POST", f"{self.url.path}?{query}", headers=self.headers)
            connection.getresponse().read()
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            self.on_error(f"acknowledgement: {error!r}")

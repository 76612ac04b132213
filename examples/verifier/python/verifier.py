"""Verifies tokenpair's access tokens with PyJWT and the revocation feed. The specification is docs/verifier/README.md."""

import base64
import hashlib
import json
import re
import threading
import time
import urllib.request

import jwt

from revocations import FeedReader, Instant, Revocations

INVALID = "Token is invalid"
# The type and curve of the key for each algorithm. The second is None for RSA.
ALGORITHMS = {
    **{"ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "ES512": ("EC", "P-521"), "EdDSA": ("OKP", "Ed25519")},
    **{f"{kind}{bits}": ("RSA", None) for kind in ("RS", "PS") for bits in (256, 384, 512)},
}
REFUSED_PARAMETERS = ("crit", "b64", "jku", "jwk", "x5u", "x5c")
NO_USER = "Token contained no recognizable user identification"


class Refused(Exception):
    """Why a request is refused: the status, and the body of the response."""

    def __init__(self, status, message, code="token_not_valid"):
        super().__init__(message)
        self.status, self.message, self.code = status, message, code

    def headers(self):
        if self.status == 503:
            return {"Retry-After": "1"}
        error = ', error="invalid_token"' if self.code == "token_not_valid" else ""
        return {"WWW-Authenticate": f'Bearer realm="api"{error}'}

    def body(self):
        if self.code != "token_not_valid" or self.message == NO_USER:
            return {"detail": self.message, "code": self.code}
        message = {"token_class": "AccessToken", "token_type": "access", "message": self.message}
        return {"detail": "Given token not valid for any token type", "code": self.code, "messages": [message]}


def unavailable():
    return Refused(503, "Service temporarily unavailable.", "unavailable")


def read_bearer(header):
    """Returns the token of the header `Authorization`, which may be None."""
    scheme, *rest = re.split("[ \t]+", (header or "").strip(" \t"))
    if scheme.lower() != "bearer":
        raise Refused(401, "Authentication credentials were not provided.", "not_authenticated")
    if len(rest) != 1:
        message = "Authorization header must contain two space-delimited values"
        raise Refused(401, message, "bad_authorization_header")
    return rest[0]


class Keys:
    """The keys of one JWK Set: the algorithm and the key for each `kid`."""

    def __init__(self, version, by_kid):
        self.version, self.by_kid = version, by_kid

    @classmethod
    def parse(cls, body):
        by_kid = {}
        jwks = [jwk for jwk in json.loads(body)["keys"] if isinstance(jwk, dict) and is_text(jwk.get("kid"))]
        kids = [jwk["kid"] for jwk in jwks]
        for jwk in jwks:
            key = parse_key(jwk)
            # Of two keys with one name, neither is used.
            if key is not None and kids.count(jwk["kid"]) == 1:
                by_kid[jwk["kid"]] = (jwk["alg"], key)
        if not by_kid:
            raise ValueError("the issuer publishes no key that can be used")
        return cls(hashlib.sha256(body).hexdigest()[:8], by_kid)


def parse_key(jwk):
    """Returns the key of a JWK, or None if it can't be used."""
    form = (jwk.get("kty"), None if jwk.get("kty") == "RSA" else jwk.get("crv"))
    if jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("alg"), str) or ALGORITHMS.get(jwk["alg"]) != form:
        return None
    try:
        # Without `d`, it is the public key.
        names = ("kty", "crv", "x", "y", "n", "e", "alg")
        key = jwt.PyJWK({name: value for name, value in jwk.items() if name in names}).key
        return None if form[0] == "RSA" and key.key_size < 2048 else key
    except (ValueError, TypeError, KeyError, jwt.PyJWTError):
        return None


class Verifier:
    def __init__(self, issuer, audience, revocations, leeway=30, clock_tolerance=60, profile="default"):
        self.issuer, self.audience = issuer, audience
        self.leeway, self.clock_tolerance = leeway, clock_tolerance
        self.types = {"jwt", "at+jwt"} if profile == "rfc9068" else {"jwt"}
        self.revocations = revocations
        self.keys = None
        # Since when the frames have named other keys: milliseconds.
        self.differs_since = None

    def authenticate(self, authorization):
        """Returns the claims of a request's token. Raises Refused."""
        now = Instant.now()
        return self.verify(read_bearer(authorization), int(now.wall / 1000), now)

    def verify(self, token, now, instant):
        """Returns the claims of a token that is valid now. Raises Refused."""
        try:
            claims = self.verify_signature(token, instant)
            check_claims(claims, self, now)
        except (ValueError, RecursionError, jwt.PyJWTError) as error:
            raise Refused(401, INVALID) from error
        if self.revocations.is_stale(instant):
            raise unavailable()
        if self.revocations.is_revoked(claims):
            raise Refused(401, "Token is blacklisted")
        return claims

    def verify_signature(self, token, instant):
        parts = token.split(".")
        require(len(token) <= 8192 and len(parts) == 3 and all(parts))
        header = parse_object(decode(parts[0]))
        require(not any(name in header for name in REFUSED_PARAMETERS))
        typ = header.get("typ", "JWT")
        require(isinstance(typ, str) and typ.lower() in self.types)
        alg, key = self.find_key(header.get("kid"), instant)
        require(header.get("alg") == alg)
        decode(parts[2])
        # PyJWT checks the signature only: it is less strict about the claims.
        jwt.api_jws.decode(token, key, algorithms=[alg])
        return parse_object(decode(parts[1]))

    def find_key(self, kid, instant):
        require(is_text(kid))
        keys, differs_since = self.keys, self.differs_since
        if differs_since is not None and instant.mono - differs_since > self.revocations.max_staleness_ms:
            raise unavailable()
        if keys is not None and kid in keys.by_kid:
            return keys.by_kid[kid]
        # An unknown key may be a new one, unless we know that we have them all.
        raise unavailable() if self.needs_keys() or self.revocations.is_stale(instant) else Refused(401, INVALID)

    def needs_keys(self):
        """Returns whether the keys must be read."""
        frame_version = self.revocations.key_version
        return self.keys is None or (frame_version is not None and frame_version != self.keys.version)

    def note_keys(self, keys, now_ms):
        # Keys that the frames name aren't replaced by those of a node that is behind.
        if self.keys is None or self.needs_keys() or self.revocations.key_version in (None, keys.version):
            self.keys = keys
        self.note_frame(now_ms)

    def note_frame(self, now_ms):
        if not self.needs_keys():
            self.differs_since = None
        elif self.differs_since is None and self.keys is not None:
            self.differs_since = now_ms


def check_claims(claims, verifier, now):
    latest = now + verifier.clock_tolerance
    for name in ("iat", "nbf", "exp"):
        if name in claims:
            require(is_count(claims[name], 2**53))
    require("iat" in claims and claims["iat"] <= latest and claims.get("nbf", 0) <= latest)
    require("exp" not in claims or now < claims["exp"] + verifier.leeway, "Token is expired")
    audiences = claims.get("aud")
    audiences = audiences if isinstance(audiences, list) else [audiences]
    require(claims.get("iss") == verifier.issuer and all(isinstance(text, str) for text in audiences))
    require(verifier.audience in audiences)
    require("exp" in claims, "Token has no 'exp' claim")
    require("jti" in claims, "Token has no id")
    require("token_type" in claims, "Token has no type")
    require(is_text(claims["token_type"]))
    require(claims["token_type"] == "access", "Token has wrong type")
    require("user_id" in claims, NO_USER)
    require(all(is_text(claims.get(name)) for name in ("user_id", "sid", "jti")))
    require(is_count(claims.get("ue"), 2**31) and is_count(claims.get("ge"), 2**32))


def require(condition, message=INVALID):
    if not condition:
        raise Refused(401, message)


def is_count(value, limit):
    # True is an int.
    return type(value) is int and 0 <= value < limit


def is_text(value):
    # Strings of JSON may have NUL or half of a surrogate pair, ids of users don't.
    return isinstance(value, str) and re.fullmatch("[^\0\ud800-\udfff]+", value) is not None


def decode(part):
    """Decodes canonical base64url: its bytes must have no other text."""
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    require(base64.urlsafe_b64encode(data).rstrip(b"=").decode() == part)
    return data


def parse_object(data):
    """Parses a JSON object in which no name occurs twice."""
    value = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse_constant)
    require(isinstance(value, dict))
    return value


def unique(pairs):
    members = dict(pairs)
    require(len(members) == len(pairs))
    return members


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


class KeyReader(threading.Thread):
    """Keeps a verifier's keys up to date."""

    def __init__(self, url, verifier, on_error=print):
        super().__init__(daemon=True, name="tokenpair keys")
        self.url, self.verifier, self.on_error = url, verifier, on_error
        self.wanted = threading.Event()
        self.named = None

    def run(self):
        delay = 1
        while True:
            self.wanted.clear()
            is_read = self.read()
            if is_read and not self.verifier.needs_keys():
                delay = 1
                self.wanted.wait(3600)
            else:
                self.wanted.wait(delay)
                delay = 1 if is_read else min(delay * 2, 30)

    def read(self):
        try:
            request = urllib.request.Request(self.url, headers={"Cache-Control": "no-cache"})
            with urllib.request.urlopen(request, timeout=5) as response:
                self.verifier.note_keys(Keys.parse(response.read()), time.monotonic() * 1000)
            return True
        except (OSError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
            self.on_error(f"keys: {error!r}")
            return False

    def on_frame(self, frame):
        self.verifier.note_frame(time.monotonic() * 1000)
        # Once for each version: until it can be read, `run` decides when to try again.
        if self.verifier.needs_keys() and frame.key_version != self.named:
            self.wanted.set()
        self.named = frame.key_version


def start_verifier(issuer, audience, credential, max_staleness=10, url=None, **options):
    """Starts the threads that read keys and revocations. Until both are there, `authenticate` raises a 503."""
    base = (url or issuer).rstrip("/")
    verifier = Verifier(issuer, audience, Revocations(round(max_staleness * 1000)), **options)
    keys = KeyReader(f"{base}/.well-known/jwks.json", verifier)
    feed = f"{base}/api/auth/revocations/"
    FeedReader(feed, credential, verifier.revocations, leeway=verifier.leeway, on_frame=keys.on_frame).start()
    keys.start()
    return verifier

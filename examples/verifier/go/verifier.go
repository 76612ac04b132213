// Package verifier verifies tokenpair's access tokens with the standard library alone. The specification is
// docs/verifier/README.md.
package verifier

import (
	"encoding/json"
	"math"
	"strings"
	"sync/atomic"
	"time"
)

// Claims are the claims of an access token.
type Claims struct {
	UserID, SessionID, TokenID string
	UserEpoch, GlobalEpoch     uint32
	ExpiresAt                  int64
	// All of them, also the application's.
	Payload map[string]json.RawMessage
}

// Config says whose tokens are accepted.
type Config struct {
	Issuer, Audience string
	// Where the issuer is reached, if not at Issuer.
	URL string
	// The credential with the scope feed.
	Credential string
	// Whether the issuer's accessTokenProfile is rfc9068.
	RFC9068 bool
	// Default: 10 s, 30 s, 60 s. A negative Leeway is none.
	MaxStaleness, Leeway, ClockTolerance time.Duration
}

// A Refusal is the response to a request whose token isn't accepted.
type Refusal struct {
	Status        int
	Code, Message string
}

func (r *Refusal) Error() string { return r.Message }

const (
	notValid = "token_not_valid"
	noUser   = "Token contained no recognizable user identification"
)

var unavailable = &Refusal{503, "unavailable", "Service temporarily unavailable."}

func refuse(message string) *Refusal { return &Refusal{401, notValid, message} }

// Verifier verifies access tokens.
type Verifier struct {
	config Config
	keys   atomic.Pointer[keySet]
	// Since when the frames have named other keys; never if they don't.
	differsSince atomic.Int64
	table        *table
	begin        time.Time
	wanted       chan struct{}
}

// New creates a verifier that refuses everything until Run has read keys and revocations.
func New(config Config) *Verifier {
	setDefault(&config.MaxStaleness, 10*time.Second)
	setDefault(&config.Leeway, 30*time.Second)
	setDefault(&config.ClockTolerance, 60*time.Second)
	if config.URL == "" {
		config.URL = config.Issuer
	}
	config.URL = strings.TrimRight(config.URL, "/")
	v := &Verifier{config: config, table: newTable(config.MaxStaleness), begin: time.Now(), wanted: make(chan struct{}, 1)}
	v.differsSince.Store(never)
	return v
}

// never is a time that hasn't come.
const never = math.MaxInt64

func setDefault(setting *time.Duration, value time.Duration) {
	if *setting == 0 {
		*setting = value
	}
}

// now returns milliseconds since the verifier's start, and the wall clock.
func (v *Verifier) now() instant {
	now := time.Now()
	return instant{now.Sub(v.begin).Milliseconds(), now.UnixMilli()}
}

// Authenticate returns the claims of the token in an Authorization header. The error is a *Refusal.
func (v *Verifier) Authenticate(authorization string) (*Claims, error) {
	token, refusal := readBearer(authorization)
	if refusal != nil {
		return nil, refusal
	}
	now := v.now()
	claims, refusal := v.verify(token, now.wall/1000, now)
	if refusal != nil {
		return nil, refusal
	}
	return claims, nil
}

func readBearer(header string) (string, *Refusal) {
	fields := strings.FieldsFunc(header, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(fields) == 0 || !strings.EqualFold(fields[0], "Bearer") {
		return "", &Refusal{401, "not_authenticated", "Authentication credentials were not provided."}
	}
	if len(fields) != 2 {
		return "", &Refusal{401, "bad_authorization_header", "Authorization header must contain two space-delimited values"}
	}
	return fields[1], nil
}

// verify does steps 2 to 7. seconds is the wall clock.
func (v *Verifier) verify(token string, seconds int64, now instant) (*Claims, *Refusal) {
	parsed, err := parseJWS(token)
	if err != nil || !v.isHeaderAllowed(parsed.header) {
		return nil, refuse("Token is invalid")
	}
	var kid, alg string
	if !readText(parsed.header["kid"], &kid) || !readText(parsed.header["alg"], &alg) {
		return nil, refuse("Token is invalid")
	}
	key, refusal := v.findKey(kid, now)
	if refusal != nil {
		return nil, refusal
	}
	if alg != key.alg || !key.verify(parsed.signed, parsed.signature) {
		return nil, refuse("Token is invalid")
	}
	payload, err := parseObject(parsed.payload)
	if err != nil {
		return nil, refuse("Token is invalid")
	}
	claims, refusal := v.checkClaims(payload, seconds)
	if refusal != nil {
		return nil, refusal
	}
	stale, revoked := v.table.verdict(claims, now)
	if stale {
		return nil, unavailable
	}
	if revoked {
		return nil, refuse("Token is blacklisted")
	}
	return claims, nil
}

func (v *Verifier) isHeaderAllowed(header map[string]json.RawMessage) bool {
	for _, name := range []string{"crit", "b64", "jku", "jwk", "x5u", "x5c"} {
		if _, found := header[name]; found {
			return false
		}
	}
	raw, found := header["typ"]
	if !found {
		return true
	}
	var typ string
	if !readText(raw, &typ) {
		return false
	}
	return strings.EqualFold(typ, "JWT") || v.config.RFC9068 && strings.EqualFold(typ, "at+jwt")
}

// findKey returns a 503 if an unknown key may be a new one.
func (v *Verifier) findKey(kid string, now instant) (verifyingKey, *Refusal) {
	keys := v.keys.Load()
	if since := v.differsSince.Load(); keys == nil || since != never && now.mono-since > v.table.maxStaleness {
		return verifyingKey{}, unavailable
	}
	if key, found := keys.byKid[kid]; found {
		return key, nil
	}
	if !v.table.isCurrent(keys.version, now) {
		return verifyingKey{}, unavailable
	}
	return verifyingKey{}, refuse("Token is invalid")
}

// needsKeys returns whether the keys must be read.
func (v *Verifier) needsKeys() bool {
	keys := v.keys.Load()
	return keys == nil || v.table.differs(keys.version)
}

func (v *Verifier) noteKeys(keys *keySet, now int64) {
	// Keys that the frames name aren't replaced by those of a node that is behind.
	if v.needsKeys() || !v.table.differs(keys.version) {
		v.keys.Store(keys)
	}
	v.noteFrame(now)
}

// noteFrame returns whether the keys must be read.
func (v *Verifier) noteFrame(now int64) bool {
	needsKeys := v.needsKeys()
	if !needsKeys {
		v.differsSince.Store(never)
	} else if v.keys.Load() != nil {
		v.differsSince.CompareAndSwap(never, now)
	}
	return needsKeys
}

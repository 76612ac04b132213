package verifier

import (
	"crypto/sha256"
	"math"
	"sync"
	"time"
)

func fingerprintOf(text string) fingerprint {
	var f fingerprint
	hash := sha256.Sum256([]byte(text))
	copy(f[:], hash[:])
	return f
}

// An instant is a time in milliseconds: by the monotonic clock, which may stop while the machine is suspended, and by the wall
// clock.
type instant struct{ mono, wall int64 }

// ahead changes if the wall clock is set, or the machine was suspended.
func (i instant) ahead() int64 { return i.wall - i.mono }

var longAgo = instant{math.MinInt64 / 2, math.MinInt64 / 2}

// table holds the revocations, and how fresh they are.
type table struct {
	mutex        sync.RWMutex
	entries      map[fingerprint]entry
	freshAt      instant
	furthest     int64 // by how much the wall clock was ahead of the monotonic one at most
	keyVersion   uint32
	hasFrame     bool
	cursor       string
	maxStaleness int64
}

func newTable(maxStaleness time.Duration) *table {
	return &table{
		entries:      map[fingerprint]entry{},
		freshAt:      longAgo,
		furthest:     math.MinInt64 / 2,
		maxStaleness: maxStaleness.Milliseconds(),
	}
}

// begin begins a request. If the wall clock was set back, records may have been forgotten too early: all are read again.
func (t *table) begin(now instant) response {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if now.ahead() < t.furthest-30_000 {
		t.freshAt, t.cursor, t.furthest = longAgo, "", now.ahead()
	}
	t.furthest = max(t.furthest, now.ahead())
	return response{start: now}
}

// apply adds a frame. It returns whether the frame has replaced the table.
func (t *table) apply(f *frame, freshness instant) (replaces bool, err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.cursor == "" && !f.full {
		return false, errInvalidFrame // The feed began in the middle.
	}
	isNewest := freshness.mono >= t.freshAt.mono
	replaces = f.full && isNewest
	if replaces {
		t.entries = make(map[fingerprint]entry, len(f.records))
	}
	for _, r := range f.records {
		known := t.entries[r.fingerprint]
		if r.until > known.until {
			known.until = r.until
		}
		if r.value > known.value {
			known.value = r.value
		}
		t.entries[r.fingerprint] = known
	}
	if isNewest {
		t.freshAt, t.keyVersion, t.hasFrame = freshness, f.keyVersion, true
	}
	t.cursor = f.cursor
	return replaces, nil
}

// isCurrent returns whether the table is fresh, and its last frame had this version of the keys.
func (t *table) isCurrent(keyVersion uint32, now instant) bool {
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	return t.hasFrame && t.keyVersion == keyVersion && !t.isStale(now)
}

// differs returns whether the last frame had another version of the keys.
func (t *table) differs(keyVersion uint32) bool {
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	return t.hasFrame && t.keyVersion != keyVersion
}

// isStale needs the lock.
func (t *table) isStale(now instant) bool {
	age, wallAge := now.mono-t.freshAt.mono, now.wall-t.freshAt.wall
	return max(age, wallAge) > t.maxStaleness || wallAge < age-30_000
}

// verdict returns whether the table is stale or, if it isn't, whether it revokes a token.
func (t *table) verdict(c *Claims, now instant) (stale, revoked bool) {
	session, token, user := fingerprintOf("s:"+c.SessionID), fingerprintOf("t:"+c.TokenID), fingerprintOf("u:"+c.UserID)
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	if t.isStale(now) {
		return true, false
	}
	epoch := t.entries[user].value
	return false, t.entries[session].value > 0 ||
		t.entries[token].value > 0 ||
		t.entries[everything].value > c.GlobalEpoch ||
		epoch > c.UserEpoch && t.entries[fingerprintOf("x:"+c.SessionID)].value < epoch
}

var everything = fingerprintOf("a:")

// forget drops the records of tokens that have expired.
func (t *table) forget(now time.Time, leeway time.Duration) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for key, e := range t.entries {
		if now.Unix() >= int64(e.until)+int64(leeway.Seconds())+60 {
			delete(t.entries, key)
		}
	}
}

// response turns the times of a response's frames into times of our clocks.
type response struct {
	start instant
	first *frame
}

func (r *response) freshness(f *frame, arrival instant) instant {
	if r.first == nil {
		r.first = f
	}
	passed := int64(r.first.held) + int64(f.t) - int64(r.first.t)
	measure := func(start, arrival int64) int64 { return -max(-(start+passed), -arrival) - int64(f.age) }
	return instant{measure(r.start.mono, arrival.mono), measure(r.start.wall, arrival.wall)}
}

// hasDrifted returns whether a clock was set since the request, or the machine was suspended.
func (r *response) hasDrifted(now instant) bool {
	drift := now.ahead() - r.start.ahead()
	return max(drift, -drift) > 1000
}

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

// table holds the revocations, and how fresh they are. Times are milliseconds on the monotonic clock.
type table struct {
	mutex        sync.RWMutex
	entries      map[fingerprint]entry
	freshAt      int64
	keyVersion   uint32
	hasFrame     bool
	cursor       string
	maxStaleness int64
}

func newTable(maxStaleness time.Duration) *table {
	return &table{
		entries:      map[fingerprint]entry{},
		freshAt:      math.MinInt64 / 2,
		maxStaleness: maxStaleness.Milliseconds(),
	}
}

// apply adds a frame. It returns whether the frame has replaced the table.
func (t *table) apply(f *frame, freshness int64) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	replaces := f.full && freshness >= t.freshAt
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
	if freshness > t.freshAt {
		t.freshAt = freshness
	}
	t.keyVersion, t.hasFrame, t.cursor = f.keyVersion, true, f.cursor
	return replaces
}

// isCurrent returns whether the table is fresh, and its last frame had this version of the keys.
func (t *table) isCurrent(keyVersion uint32, now int64) bool {
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
func (t *table) isStale(now int64) bool { return now-t.freshAt > t.maxStaleness }

// verdict returns whether the table is stale or, if it isn't, whether it revokes a token.
func (t *table) verdict(c *Claims, now int64) (stale, revoked bool) {
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

// response turns the times of a response's frames into times of our clock.
type response struct {
	start   int64
	base    int64
	hasBase bool
}

func (r *response) freshness(f *frame, arrival int64) int64 {
	if !r.hasBase {
		r.base, r.hasBase = r.start+int64(f.held)-int64(f.t), true
	}
	made := r.base + int64(f.t)
	if made > arrival {
		made = arrival
	}
	return made - int64(f.age)
}

package verifier

// Checks this verifier with the vectors: go test. VECTORS is the path of vectors.json.

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"sort"
	"strconv"
	"testing"
	"time"
)

type configuration struct {
	Issuer, Audience, AccessTokenProfile string
	UserIdClaim                          string
	Leeway, ClockTolerance               *int64
	Now                                  int64
}

type vectorRecord struct {
	Fingerprint  string
	Until, Value uint32
}

type vectorHeader struct {
	Full, Confirm bool
	Count, Age    uint32
	T             uint64
	KeyVersion    string
	Held          uint32
	Cursor        string
}

type step struct {
	Event, Version, KeyVersion, Kid string
	At, FreshAt                     int64
	Wall                            *int64
	WithoutCursor, NamesKeys        bool
	T                               uint64
	Age, Held                       uint32
	Full, Replaces, Stale, Read     bool
	Kids                            []string
	Status                          int
}

type vectorFile struct {
	Configuration configuration
	Keys          struct{ Body, Version string }
	Authorization []struct {
		Header      *string
		Token, Code string
	}
	Tokens []struct {
		Name, Token, Result, Message, Alg string
		Configuration                     configuration
		Claims                            struct {
			UserID, SessionID, TokenID string
			UserEpoch, GlobalEpoch     uint32
			ExpiresAt                  int64
		}
	}
	Fingerprints []struct{ Text, Fingerprint string }
	Frames       []struct {
		Name, Hex, Result string
		Header            vectorHeader
		Records           []vectorRecord
	}
	KeySets []struct {
		Name, Body string
		Kids       []string
	}
	Responses []struct {
		Name, Request, Hex string
		Before             *string
		Failed             bool
		Table              []vectorRecord
	}
	Tables []struct {
		Name   string
		Frames []string
		Now    int64
		Table  []vectorRecord
	}
	Verdicts []struct {
		Name, Table, Token string
		Claims             struct {
			Sid, Jti string
			UserID   string `json:"user_id"`
			Ue, Ge   uint32
		}
		Revoked bool
	}
	Freshness []struct {
		Name         string
		MaxStaleness int64
		Steps        []step
	}
	KeyVersions []struct {
		Name  string
		Steps []step
	}
	Answers []struct {
		Name, Keys, Table, Token, Message string
		Stale                             bool
		Status                            int
	}
}

var vectors = load()

func load() (v vectorFile) {
	path := os.Getenv("VECTORS")
	if path == "" {
		path = "../../../docs/verifier/vectors.json"
	}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil {
		panic(err)
	}
	return v
}

// empty is a full frame without records, with the version of the keys.
var empty = vectors.Answers[0].Table

func parse(t *testing.T, text string) *frame {
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFrame(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// end is later than every frame.
var end = instant{math.MaxInt64 / 2, math.MaxInt64 / 2}

// fill applies frames of a response to a request at the time 0.
func fill(t *testing.T, table *table, frames ...string) {
	times := response{}
	for _, text := range frames {
		f := parse(t, text)
		if _, err := table.apply(f, times.freshness(f, end)); err != nil {
			t.Fatal(err)
		}
	}
}

func create(t *testing.T, changes configuration, frames ...string) *Verifier {
	c := vectors.Configuration
	leeway := *c.Leeway
	if changes.Leeway != nil {
		leeway = *changes.Leeway
	}
	if leeway == 0 {
		leeway = -1
	}
	v := New(Config{
		Issuer: c.Issuer, Audience: c.Audience, RFC9068: changes.AccessTokenProfile == "rfc9068",
		Leeway: time.Duration(leeway) * time.Second, ClockTolerance: time.Duration(*c.ClockTolerance) * time.Second,
	})
	keys, err := parseKeys([]byte(vectors.Keys.Body))
	if err != nil {
		t.Fatal(err)
	}
	v.keys.Store(keys)
	fill(t, v.table, frames...)
	return v
}

func check(t *testing.T, name string, actual, expected any) {
	t.Helper()
	if !reflect.DeepEqual(actual, expected) {
		t.Errorf("%s: got %+v, expected %+v", name, actual, expected)
	}
}

// statusOf returns the status, and the message of a 401.
func statusOf(refusal *Refusal) (int, string) {
	if refusal == nil {
		return 200, ""
	}
	if refusal.Status == 503 {
		return 503, ""
	}
	return refusal.Status, refusal.Message
}

func TestKeys(t *testing.T) {
	check(t, "version", fmt.Sprintf("%08x", create(t, configuration{}).keys.Load().version), vectors.Keys.Version)
}

func TestAuthorization(t *testing.T) {
	for _, vector := range vectors.Authorization {
		header := ""
		if vector.Header != nil {
			header = *vector.Header
		}
		token, refusal := readBearer(header)
		check(t, header, token, vector.Token)
		if refusal != nil {
			check(t, header, refusal.Code, vector.Code)
		}
	}
}

func TestTokens(t *testing.T) {
	for _, vector := range vectors.Tokens {
		if !knows(vector.Alg) || vector.Configuration.UserIdClaim != "" {
			continue // This verifier knows three algorithms, and the usual names of claims.
		}
		v := create(t, vector.Configuration, empty)
		claims, refusal := v.verify(vector.Token, vectors.Configuration.Now, v.table.freshAt)
		status, message := statusOf(refusal)
		if vector.Result == "refuse" {
			check(t, vector.Name, []any{status, message}, []any{401, vector.Message})
			continue
		}
		check(t, vector.Name, status, 200)
		if claims != nil {
			w := vector.Claims
			expected := &Claims{w.UserID, w.SessionID, w.TokenID, w.UserEpoch, w.GlobalEpoch, w.ExpiresAt, claims.Payload}
			check(t, vector.Name, claims, expected)
		}
	}
}

func knows(alg string) bool { return alg == "" || alg == "EdDSA" || alg == "RS256" }

func TestKeySets(t *testing.T) {
	for _, vector := range vectors.KeySets {
		kids := []string{}
		if set, err := parseKeys([]byte(vector.Body)); err == nil {
			for kid := range set.byKid {
				kids = append(kids, kid)
			}
		}
		sort.Strings(kids)
		check(t, vector.Name, kids, vector.Kids)
	}
}

func toRecords(table *table) []vectorRecord {
	records := []vectorRecord{}
	for key, e := range table.entries {
		records = append(records, vectorRecord{fmt.Sprintf("%x", key), e.until, e.value})
	}
	sort.Slice(records, func(i, j int) bool { return records[i].Fingerprint < records[j].Fingerprint })
	return records
}

func TestResponses(t *testing.T) {
	for _, vector := range vectors.Responses {
		if vector.Request != "stream" {
			continue // This verifier uses streams only.
		}
		table, times := newTable(10*time.Second), response{}
		if vector.Before != nil {
			fill(t, table, *vector.Before)
		}
		data, _ := hex.DecodeString(vector.Hex)
		body, frames := bytes.NewReader(data), 0
		f, err := readFrame(body)
		for ; err == nil; f, err = readFrame(body) {
			if _, err = table.apply(f, times.freshness(f, end)); err != nil {
				break
			}
			frames++
		}
		check(t, vector.Name, err != io.EOF || frames == 0, vector.Failed)
		check(t, vector.Name, toRecords(table), vector.Table)
	}
}

func TestFingerprints(t *testing.T) {
	for _, vector := range vectors.Fingerprints {
		check(t, vector.Text, fmt.Sprintf("%x", fingerprintOf(vector.Text)), vector.Fingerprint)
	}
}

func TestFrames(t *testing.T) {
	for _, vector := range vectors.Frames {
		data, _ := hex.DecodeString(vector.Hex)
		f, err := readFrame(bytes.NewReader(data))
		switch {
		case errors.Is(err, errInvalidFrame):
			check(t, vector.Name, "invalid", vector.Result)
		case err != nil:
			check(t, vector.Name, "incomplete", vector.Result)
		default:
			check(t, vector.Name, "frame", vector.Result)
			version := fmt.Sprintf("%08x", f.keyVersion)
			header := vectorHeader{f.full, f.confirm, uint32(len(f.records)), f.age, f.t, version, f.held, f.cursor}
			check(t, vector.Name, header, vector.Header)
			records := []vectorRecord{}
			for _, r := range f.records {
				records = append(records, vectorRecord{fmt.Sprintf("%x", r.fingerprint), r.until, r.value})
			}
			check(t, vector.Name, records, vector.Records)
		}
	}
}

func TestTables(t *testing.T) {
	for _, vector := range vectors.Tables {
		table := newTable(10 * time.Second)
		fill(t, table, vector.Frames...)
		if vector.Now != 0 {
			table.forget(time.Unix(vector.Now, 0), 30*time.Second)
		}
		check(t, vector.Name, toRecords(table), vector.Table)
	}
}

func TestVerdicts(t *testing.T) {
	for _, vector := range vectors.Verdicts {
		v := create(t, configuration{}, vector.Table)
		c := vector.Claims
		claims := &Claims{UserID: c.UserID, SessionID: c.Sid, TokenID: c.Jti, UserEpoch: c.Ue, GlobalEpoch: c.Ge}
		_, revoked := v.table.verdict(claims, v.table.freshAt)
		check(t, vector.Name, revoked, vector.Revoked)
		_, refusal := v.verify(vector.Token, vectors.Configuration.Now, v.table.freshAt)
		check(t, vector.Name, refusal != nil, vector.Revoked)
	}
}

func TestFreshness(t *testing.T) {
	for _, vector := range vectors.Freshness {
		table, times := newTable(time.Duration(vector.MaxStaleness)*time.Millisecond), response{}
		for i, s := range vector.Steps {
			name, now := fmt.Sprintf("%s, step %d", vector.Name, i), instant{s.At, s.At}
			if s.Wall != nil {
				now.wall = *s.Wall
			}
			switch s.Event {
			case "request":
				times = table.begin(now)
				check(t, name, i > 1 && table.cursor == "", s.WithoutCursor)
				table.cursor = "00" // Some vectors begin in the middle.
			case "check":
				check(t, name, table.isStale(now), s.Stale)
			default:
				f := &frame{full: s.Full, t: s.T, age: s.Age, held: s.Held, keyVersion: uint32(i + 1), cursor: "00"}
				replaces, _ := table.apply(f, times.freshness(f, now))
				actual := []any{table.freshAt.mono, replaces, table.keyVersion == f.keyVersion}
				check(t, name, actual, []any{s.FreshAt, s.Replaces, s.NamesKeys})
			}
		}
	}
}

func TestKeyVersions(t *testing.T) {
	number := func(text string) uint32 {
		value, _ := strconv.ParseUint(text, 16, 32)
		return uint32(value)
	}
	for _, vector := range vectors.KeyVersions {
		v := New(Config{})
		for i, s := range vector.Steps {
			switch s.Event {
			case "keys":
				set := &keySet{number(s.Version), map[string]verifyingKey{}}
				for _, kid := range s.Kids {
					set.byKid[kid] = verifyingKey{}
				}
				v.noteKeys(set, s.At)
			case "frame":
				v.table.apply(&frame{full: true, keyVersion: number(s.KeyVersion)}, instant{s.At, s.At})
				v.noteFrame(s.At)
			case "check":
				v.table.freshAt = instant{s.At, s.At}
				_, refusal := v.findKey(s.Kid, v.table.freshAt)
				status, _ := statusOf(refusal)
				name := fmt.Sprintf("%s, step %d", vector.Name, i)
				check(t, name, []any{status, v.needsKeys()}, []any{s.Status, s.Read})
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, vector := range vectors.Answers {
		v := create(t, configuration{}, vector.Table)
		if vector.Keys == "none" {
			v.keys.Store(nil)
		}
		now := v.table.freshAt
		if vector.Stale {
			now.mono += 10_001
		}
		_, refusal := v.verify(vector.Token, vectors.Configuration.Now, now)
		status, message := statusOf(refusal)
		check(t, vector.Name, []any{status, message}, []any{vector.Status, vector.Message})
	}
}

package verifier

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Run keeps keys and revocations up to date until ctx is done. Errors go to report.
func (v *Verifier) Run(ctx context.Context, report func(error)) {
	go v.readKeys(ctx, report)
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		panic(err)
	}
	reader := &feedReader{v, hex.EncodeToString(id[:]), &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, report, 0}
	backoff := time.Second
	for ctx.Err() == nil {
		frames, pause, err := reader.stream(ctx)
		if err != nil {
			report(err)
		}
		if frames > 0 {
			backoff = time.Second
		}
		if random := randomPause(backoff); random > pause {
			pause = random
		}
		sleep(ctx, pause)
		if backoff *= 2; backoff > 5*time.Second {
			backoff = 5 * time.Second
		}
	}
}

type feedReader struct {
	v      *Verifier
	id     string
	client *http.Client
	report func(error)
	named  uint32 // the version of the keys in the last frame
}

var errClock = errors.New("a clock was set, or this machine was suspended")

func (r *feedReader) request(ctx context.Context, method string, query url.Values) (*http.Response, error) {
	query.Set("reader", r.id)
	query.Set("lease", strconv.FormatInt(r.v.config.MaxStaleness.Milliseconds(), 10))
	address := r.v.config.URL + "/api/auth/revocations/?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+r.v.config.Credential)
	// A proxy that compresses holds frames back.
	request.Header.Set("Accept-Encoding", "identity")
	return r.client.Do(request)
}

// stream reads until the response ends, or has delivered no byte for MaxStaleness.
func (r *feedReader) stream(ctx context.Context) (frames int, pause time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timeout := time.AfterFunc(r.v.config.MaxStaleness, cancel)
	defer timeout.Stop()

	times := r.v.table.begin(r.v.now())
	query := url.Values{"stream": {"1"}}
	if r.v.table.cursor != "" {
		query.Set("after", r.v.table.cursor)
	}
	answer, err := r.request(ctx, http.MethodGet, query)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != mediaType {
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return 0, time.Duration(seconds) * time.Second, fmt.Errorf("feed: %s", answer.Status)
	}
	body := bufio.NewReaderSize(watched{answer.Body, func() { timeout.Reset(r.v.config.MaxStaleness) }}, 65536)
	lastForgotten := r.v.now().mono
	for ; ; frames++ {
		f, err := readFrame(body)
		if err == io.EOF {
			return frames, 0, nil
		}
		if err != nil {
			return frames, 0, fmt.Errorf("feed: %w", err)
		}
		now := r.v.now()
		if times.hasDrifted(now) {
			return frames, 0, errClock
		}
		if _, err := r.v.table.apply(f, times.freshness(f, now)); err != nil {
			return frames, 0, fmt.Errorf("feed: %w", err)
		}
		if f.confirm {
			go r.acknowledge(f.cursor)
		}
		// Once for each version: until it can be read, readKeys decides when to try again.
		isNamed := f.keyVersion == r.named
		r.named = f.keyVersion
		if r.v.noteFrame(now.mono) && !isNamed {
			select {
			case r.v.wanted <- struct{}{}:
			default:
			}
		}
		if now.mono-lastForgotten > 60_000 {
			lastForgotten = now.mono
			r.v.table.forget(time.Now(), r.v.config.Leeway)
		}
	}
}

func (r *feedReader) acknowledge(cursor string) {
	ctx, cancel := context.WithTimeout(context.Background(), r.v.config.MaxStaleness)
	defer cancel()
	answer, err := r.request(ctx, http.MethodPost, url.Values{"after": {cursor}})
	if err != nil {
		r.report(fmt.Errorf("acknowledgement: %w", err))
		return
	}
	answer.Body.Close()
}

// watched calls onBytes when bytes arrive.
type watched struct {
	io.Reader
	onBytes func()
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.onBytes()
	}
	return n, err
}

// readKeys reads the JWK Set at the start, when the frames name another version, and once an hour.
func (v *Verifier) readKeys(ctx context.Context, report func(error)) {
	client := &http.Client{Timeout: 5 * time.Second}
	delay := time.Second
	for ctx.Err() == nil {
		err := v.readKeysOnce(ctx, client)
		if err != nil {
			report(fmt.Errorf("keys: %w", err))
		}
		if err != nil || v.needsKeys() {
			select {
			case <-v.wanted:
			case <-time.After(delay):
			case <-ctx.Done():
			}
			if delay *= 2; err == nil {
				delay = time.Second
			} else if delay > 30*time.Second {
				delay = 30 * time.Second
			}
			continue
		}
		delay = time.Second
		select {
		case <-v.wanted:
		case <-time.After(time.Hour):
		case <-ctx.Done():
		}
	}
}

func (v *Verifier) readKeysOnce(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.config.URL+"/.well-known/jwks.json", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Cache-Control", "no-cache")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return err
	}
	keys, err := parseKeys(body)
	if err == nil {
		v.noteKeys(keys, v.now().mono)
	}
	return err
}

// randomPause returns a time between 0.2 s and limit.
func randomPause(limit time.Duration) time.Duration {
	least := 200 * time.Millisecond
	n, err := rand.Int(rand.Reader, big.NewInt(int64(limit-least)))
	if err != nil {
		return limit
	}
	return least + time.Duration(n.Int64())
}

func sleep(ctx context.Context, pause time.Duration) {
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
}

package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	// keysEvery is how often an issuer is asked for its keys at most: a key that it has begun to
	// sign with is known after so long at the latest.
	keysEvery = 10 * time.Second

	// issuerAnswer is the most that is read of what an issuer answers, in bytes.
	issuerAnswer = 1 << 20
)

var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256}

// keySet is the keys of an issuer, which is asked for them when a token comes that none of those
// that are known has signed. Whatever tokens come, it is asked once in keysEvery at most; all who
// need the answer share it, an error too.
type keySet struct {
	uri    string
	client *http.Client
	life   context.Context //nolint:containedctx // of questions, which several share
	end    context.CancelFunc

	mu     sync.Mutex     // guards the block below
	asking sync.WaitGroup // not added to once closed
	last   *keyAnswer     // nil before the first question
	keys   []jose.JSONWebKey
	closed bool
}

// keyAnswer is the answer to a question for keys.
type keyAnswer struct {
	asked time.Time
	done  chan struct{} // closed when there is an answer
	keys  []jose.JSONWebKey
	err   error
}

var _ oidc.KeySet = (*keySet)(nil)

func newKeySet(uri string, client *http.Client) *keySet {
	s := &keySet{uri: uri, client: client}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// close ends a question that is under way. There is no other one: requests may still come.
func (s *keySet) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.asking.Wait()
}

var (
	errSignature = errors.New("service: no key of the issuer's has signed the token")
	errShut      = errors.New("service: shut down")
)

// VerifySignature returns the payload of a token that the issuer has signed. That the issuer can't
// be asked is noted in ctx, since the verifier does not keep the error: see noteUnreachable.
func (s *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, algorithms) // a JWT has no other form (RFC 7519, 3)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	known := s.keys
	s.mu.Unlock()
	if payload, ok := verify(signed, known); ok {
		return payload, nil
	}
	keys, err := s.ask(ctx)
	if err != nil {
		noteUnreachable(ctx, err)
		return nil, err
	}
	if payload, ok := verify(signed, keys); ok {
		return payload, nil
	}
	return nil, errSignature
}

// verify reports whether one of the keys that the token names has signed it.
func verify(signed *jose.JSONWebSignature, keys []jose.JSONWebKey) (payload []byte, ok bool) {
	if len(signed.Signatures) != 1 {
		return nil, false
	}
	id := signed.Signatures[0].Header.KeyID
	for i := range keys {
		if id != "" && keys[i].KeyID != id {
			continue
		}
		if payload, err := signed.Verify(&keys[i]); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// ask returns the newest keys. It waits for an answer no longer than ctx does.
func (s *keySet) ask(ctx context.Context) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	a := s.last
	if a == nil || time.Since(a.asked) >= keysEvery {
		if s.closed {
			s.mu.Unlock()
			return nil, errShut
		}
		a = &keyAnswer{asked: time.Now(), done: make(chan struct{})}
		s.last = a
		s.asking.Go(func() { s.answer(a) })
	}
	s.mu.Unlock()
	select {
	case <-a.done:
		return a.keys, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// answer asks the issuer. What was known stays known if that fails.
func (s *keySet) answer(a *keyAnswer) {
	defer close(a.done)
	a.keys, a.err = s.fetch()
	if a.err != nil {
		a.err = fmt.Errorf("service: keys of the issuer: %w", a.err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = a.keys
}

func (s *keySet) fetch() ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(s.life, http.MethodGet, s.uri, nil)
	if err != nil {
		return nil, err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %d, must be 200", answer.StatusCode)
	}
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	return parseKeys(data)
}

func parseKeys(data []byte) ([]jose.JSONWebKey, error) {
	var set jose.JSONWebKeySet
	err := json.Unmarshal(data, &set)
	return set.Keys, err
}

// bounded is a transport that reads a part of an answer that is too long.
type bounded struct{ *http.Transport } // no http.RoundTripper, whose connections nobody can close

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, issuerAnswer), answer.Body}
	return answer, nil
}

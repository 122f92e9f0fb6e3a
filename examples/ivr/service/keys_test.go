package service_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
	"ivrqueue/internal/bounds"
)

// keyring is an issuer in memory: what it answers, and how often it was asked.
type keyring struct {
	asked atomic.Int32
	takes time.Duration

	mu   sync.Mutex // guards the block below
	body []byte
	err  error
}

// RoundTrip answers a question for keys.
func (k *keyring) RoundTrip(r *http.Request) (*http.Response, error) {
	k.asked.Add(1)
	select {
	case <-time.After(k.takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return nil, k.err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(k.body)), Request: r}, nil
}

// has sets the keys that it answers with, by their ids; or an error.
func (k *keyring) has(err error, keys map[string]*ecdsa.PrivateKey) {
	var set jose.JSONWebKeySet
	for id, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: id, Algorithm: "ES256", Use: "sig"})
	}
	body, _ := json.Marshal(set)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.body, k.err = body, err
}

// newKey makes the key with this number, the same in each process: what a fuzz target's coordinator
// has signed is valid in its workers.
func newKey(tb testing.TB, number byte) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{number}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

const issuerURL, audience = "https://issuer.example", "api://ivr"

// farAway is when tokens expire: those that a fuzz target has kept stay valid.
var farAway = time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)

// sign makes a token of the issuer's.
func sign(tb testing.TB, key *ecdsa.PrivateKey, id string) string {
	tb.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(object{
		"iss": issuerURL, "aud": audience, "exp": farAway.Unix(), "appid": "app",
	}).Serialize()
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// Whatever tokens come, an issuer is asked for its keys once in a while; those who come at once share
// the answer; a key that it begins to sign with is known after that while; and what is known works
// also when the issuer is away.
func TestAnIssuerIsAskedForItsKeysOnceInAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ring := &keyring{takes: time.Second}
		first, second := newKey(t, 1), newKey(t, 2)
		ring.has(nil, map[string]*ecdsa.PrivateKey{"1": first})
		v := service.NewVerifier(issuerURL, audience, issuerURL+"/keys", &http.Client{Transport: ring})
		defer v.Close()
		verify := func(token string) error {
			_, err := v.Verify(t.Context(), token)
			return err
		}
		wantAsked := func(what string, n int32) {
			t.Helper()
			if got := ring.asked.Swap(0); got != n {
				t.Errorf("%s: asked %d times, want %d", what, got, n)
			}
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := verify(sign(t, first, "1")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		wantAsked("at once", 1)
		for i := range 200 {
			if verify(sign(t, second, strings.Repeat("x", i))) == nil {
				t.Error("an unknown key has signed it")
			}
		}
		wantAsked("tokens with unknown key ids", 0)
		ring.has(nil, map[string]*ecdsa.PrivateKey{"1": first, "2": second})
		time.Sleep(service.KeysEvery)
		for range 10 {
			if err := verify(sign(t, second, "2")); err != nil {
				t.Errorf("a new key: %v", err)
			}
		}
		wantAsked("a new key", 1)

		ring.has(errors.New("connection refused"), nil)
		time.Sleep(service.KeysEvery)
		for range 10 {
			if err := verify(sign(t, first, "3")); !errors.Is(err, graph.ErrUnavailable) {
				t.Errorf("an unknown key, and the issuer is away: %v", err)
			}
			if err := verify(sign(t, first, "1")); err != nil {
				t.Errorf("a known key, and the issuer is away: %v", err)
			}
		}
		wantAsked("the issuer is away", 1)

		// Who does not wait does not end it for the others.
		ring.has(nil, map[string]*ecdsa.PrivateKey{"1": first})
		time.Sleep(service.KeysEvery)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := v.Verify(ctx, sign(t, first, "4")); !errors.Is(err, graph.ErrUnavailable) {
			t.Errorf("it waits for %v: %v", time.Millisecond, err)
		}
		if err := verify(sign(t, second, "2")); err != nil { // still known until there is an answer
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		if err := verify(sign(t, second, "2")); err == nil {
			t.Error("a key that the issuer has withdrawn is known")
		}
		wantAsked("without waiting", 1)

		v.Close()
		time.Sleep(service.KeysEvery)
		if err := verify(sign(t, first, "5")); !errors.Is(err, graph.ErrUnavailable) {
			t.Errorf("after its end: %v", err)
		}
		wantAsked("after its end", 0)
	})
}

// What an issuer answers is read up to a bound.
func TestAnIssuersAnswerIsBounded(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.extra = strings.Repeat("x", 2<<20)
	o := service.Options{Folder: t.TempDir(), Issuer: i.url, Audience: audience}
	if _, err := service.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "issuer "+i.url) || len(err.Error()) > 3<<20 {
		t.Errorf("got %.200v", err)
	}
}

// Whatever the token, to check it is bounded in memory and time, and only what the issuer has signed
// passes.
func FuzzToken(f *testing.F) {
	ring, key := new(keyring), newKey(f, 1)
	ring.has(nil, map[string]*ecdsa.PrivateKey{"1": key})
	v := service.NewVerifier(issuerURL, audience, issuerURL+"/keys", &http.Client{Transport: ring})
	f.Cleanup(v.Close)
	good := sign(f, key, "1")
	parts := strings.Split(good, ".")
	f.Add(good)
	f.Add(sign(f, newKey(f, 2), "1"))
	f.Add(sign(f, key, "unknown"))
	f.Add(parts[0] + "." + parts[1] + ".")
	f.Add("eyJhbGciOiJub25lIn0." + parts[1] + ".")
	f.Add(`{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`)
	f.Add("..")
	f.Add("")
	if _, err := v.Verify(f.Context(), good); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		var app graph.Application
		var err error
		got, took := bounds.Measure(func() {
			app, err = v.Verify(t.Context(), token)
		})
		if got > uint64(256<<10+50*len(token)) || took > 5*time.Second {
			t.Errorf("%d bytes and %v for a token of %d", got, took, len(token))
		}
		if err == nil && (app.ID != "app" || strings.Count(token, ".") != 2 || claims(token) != claims(good)) {
			t.Errorf("%q is %v's", token, app)
		}
	})
}

// claims returns what a token says, in whatever of its spellings: base64 has several.
func claims(token string) string {
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	return fmt.Sprintf("%s %v", text, err)
}

// Whatever an issuer says that its keys are, to read them is bounded in memory and time.
func FuzzKeys(f *testing.F) {
	ring := new(keyring)
	ring.has(nil, map[string]*ecdsa.PrivateKey{"1": newKey(f, 1), "2": newKey(f, 2)})
	f.Add(ring.body)
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"1","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`))
	f.Add([]byte(`{"keys":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var n int
		var err error
		got, took := bounds.Measure(func() {
			n, err = service.ParseKeys(data)
		})
		if got > uint64(256<<10+200*len(data)) || took > 5*time.Second {
			t.Errorf("%d bytes and %v for %d bytes", got, took, len(data))
		}
		if err == nil && n > len(data) {
			t.Errorf("%d keys in %d bytes", n, len(data))
		}
	})
}

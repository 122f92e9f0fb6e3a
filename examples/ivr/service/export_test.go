package service

import (
	"context"
	"net/http"
	"net/netip"
	"testing"

	"ivrqueue/graph"
)

// KeysEvery is how often an issuer is asked for its keys at most.
const KeysEvery = keysEvery

// TokenPause is how long a token that could not be had is not asked for again.
const TokenPause = tokenPause

// Verifier checks the tokens of an issuer.
type Verifier struct{ v *oidcVerifier }

// NewVerifier makes one that asks the client for keys at this address.
func NewVerifier(issuer, audience, keysURI string, client *http.Client) Verifier {
	return Verifier{newVerifier(issuer, audience, keysURI, client)}
}

// Verify returns the application of a token.
func (v Verifier) Verify(ctx context.Context, token string) (graph.Application, error) {
	return v.v.verify(ctx, token)
}

// Close ends a question that is under way.
func (v Verifier) Close() { v.v.close() }

// ParseKeys reads an issuer's keys, and returns how many there are.
func ParseKeys(data []byte) (int, error) {
	keys, err := parseKeys(data)
	return len(keys), err
}

// NewIssuer makes a development issuer, and returns what gets its tokens.
func NewIssuer(tb testing.TB, base string) func(testing.TB, string) string {
	tb.Helper()
	i, err := newIssuer(base)
	if err != nil {
		tb.Fatal(err)
	}
	return func(tb testing.TB, application string) string {
		tb.Helper()
		t, err := i.token(tb.Context(), application)
		if err != nil {
			tb.Error(err)
		}
		return t
	}
}

// NewCredentials returns what gets tokens with credentials, by a transport, or for nil by its own.
func NewCredentials(
	tb testing.TB, given ClientCredentials, by http.RoundTripper,
) func(context.Context, string) (string, error) {
	tb.Helper()
	c, err := newCredentials(given)
	if err != nil {
		tb.Fatal(err)
	}
	if by != nil {
		c.client.Transport = by
	}
	tb.Cleanup(c.close)
	return c.token
}

// Trunks returns the addresses whose calls have no share.
func (p *Phones) Trunks() []netip.Prefix { return p.trunks() }

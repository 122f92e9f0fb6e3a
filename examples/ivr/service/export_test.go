package service

import (
	"context"
	"net/http"

	"ivrqueue/graph"
)

// KeysEvery is how often an issuer is asked for its keys at most.
const KeysEvery = keysEvery

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

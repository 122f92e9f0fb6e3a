package service

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"

	"ivrqueue/graph"
)

var errToken = errors.New("service: unknown token")

// authority knows who comes with which token.
type authority struct {
	// By the token's hash, so that how long a look-up takes tells nothing of a token.
	known map[[sha256.Size]byte]graph.Application
	oidc  *oidcVerifier // nil if there is none
}

func newAuthority(tokens map[string]graph.Application, verifier *oidcVerifier) *authority {
	a := &authority{make(map[[sha256.Size]byte]graph.Application, len(tokens)), verifier}
	for token, app := range tokens {
		a.known[sha256.Sum256([]byte(token))] = app
	}
	return a
}

// authenticate says which application a request comes from.
func (a *authority) authenticate(r *http.Request) (graph.Application, error) {
	token, ok := bearer(r)
	if !ok {
		return graph.Application{}, errToken
	}
	if app, ok := a.known[sha256.Sum256([]byte(token))]; ok {
		return app, nil
	}
	if a.oidc != nil {
		return a.oidc.verify(r.Context(), token)
	}
	return graph.Application{}, errToken
}

// bearer returns the token of a request (RFC 6750, 2.1).
func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

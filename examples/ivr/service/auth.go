package service

import (
	"crypto/sha256"
	"errors"
	"net/http"

	"ivrqueue/graph"
)

var errToken = errors.New("service: unknown token")

// authority knows who comes with which token.
type authority struct {
	// By the token's hash, so that the time of a look-up reveals nothing of a token.
	known map[[sha256.Size]byte]graph.Application
	oidc  *oidcVerifier // nil if there is none
}

func newAuthority(tokens map[string]graph.Application) *authority {
	a := &authority{known: make(map[[sha256.Size]byte]graph.Application, len(tokens))}
	for token, app := range tokens {
		a.known[sha256.Sum256([]byte(token))] = app
	}
	return a
}

// authenticate says which application a request comes from.
func (a *authority) authenticate(r *http.Request) (graph.Application, error) {
	token, ok := graph.BearerToken(r)
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

// admit returns the application that makes a request for one of the helpers. Other requests it
// answers, and reports false: with 401 and these challenges, or with 503 if the issuer can't be
// asked whose token it is.
func (s *Service) admit(
	w http.ResponseWriter, r *http.Request, challenges ...string,
) (app graph.Application, ok bool) {
	app, err := s.authority.authenticate(r)
	switch {
	case err == nil:
		return app, true
	case errors.Is(err, graph.ErrUnavailable):
		unavailableNow(w, r)
	default:
		w.Header()["Www-Authenticate"] = challenges
		graph.WriteError(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken",
			"Access token is missing or wrong.")
	}
	return app, false
}

func unavailableNow(w http.ResponseWriter, r *http.Request) {
	graph.WriteError(w, r, http.StatusServiceUnavailable, "serviceNotAvailable",
		"The service is not available.")
}

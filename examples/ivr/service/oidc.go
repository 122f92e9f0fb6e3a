package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"ivrqueue/graph"
)

// oidcVerifier checks tokens that an OpenID Connect issuer has signed, with keys from its
// discovery.
type oidcVerifier struct {
	tokens *oidc.IDTokenVerifier
	keys   *keySet
	client *http.Client
}

// newOIDC asks the issuer for its configuration. ctx bounds that, not the verifier's life.
func newOIDC(ctx context.Context, issuer, audience string) (*oidcVerifier, error) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: bounded{new(http.Transport)}}
	keysURI, err := discoverKeys(ctx, issuer, client)
	if err != nil {
		client.CloseIdleConnections()
		return nil, fmt.Errorf("service: issuer %s: %w", issuer, err)
	}
	return newVerifier(issuer, audience, keysURI, client), nil
}

// discoverKeys asks an issuer where its keys are.
func discoverKeys(ctx context.Context, issuer string, client *http.Client) (string, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, client), issuer)
	if err != nil {
		return "", err
	}
	var found struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&found); err != nil {
		return "", err
	}
	if found.Keys == "" {
		return "", errors.New("its configuration has no jwks_uri")
	}
	return found.Keys, nil
}

func newVerifier(issuer, audience, keysURI string, client *http.Client) *oidcVerifier {
	keys := newKeySet(keysURI, client)
	config := &oidc.Config{ClientID: audience}
	for _, a := range algorithms {
		config.SupportedSigningAlgs = append(config.SupportedSigningAlgs, string(a))
	}
	return &oidcVerifier{oidc.NewVerifier(issuer, keys, config), keys, client}
}

type unreachableKey struct{}

// noteUnreachable notes that the issuer can't be asked for its keys: no fault of the client's.
func noteUnreachable(ctx context.Context, err error) {
	if noted, ok := ctx.Value(unreachableKey{}).(*error); ok {
		*noted = err
	}
}

// verify checks the token's signature, issuer, audience and time, and reads who it is for, as Entra
// ID writes it: appid (v1.0) or azp (v2.0), and the roles.
func (v *oidcVerifier) verify(ctx context.Context, raw string) (graph.Application, error) {
	var unreachable error
	token, err := v.tokens.Verify(context.WithValue(ctx, unreachableKey{}, &unreachable), raw)
	switch {
	case unreachable != nil:
		return graph.Application{}, fmt.Errorf("%w: %w", graph.ErrUnavailable, unreachable)
	case err != nil:
		return graph.Application{}, fmt.Errorf("%w: %w", errToken, err)
	}
	var claims struct {
		AppID string   `json:"appid"`
		AZP   string   `json:"azp"`
		Name  string   `json:"app_displayname"`
		Roles []string `json:"roles"`
	}
	if err := token.Claims(&claims); err != nil {
		return graph.Application{}, fmt.Errorf("%w: %w", errToken, err)
	}
	app := graph.Application{ID: claims.AppID, Name: claims.Name, Roles: claims.Roles}
	if app.ID == "" {
		app.ID = claims.AZP
	}
	if app.ID == "" {
		return graph.Application{}, fmt.Errorf("%w: it has neither appid nor azp", errToken)
	}
	return app, nil
}

func (v *oidcVerifier) close() {
	v.keys.close()
	v.client.CloseIdleConnections()
}

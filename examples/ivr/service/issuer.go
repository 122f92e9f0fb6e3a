package service

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
)

// An issuer signs the tokens that notifications come with, for development: bots check them as they
// check Microsoft's, against the keys that its OpenID configuration leads to. Its key is new with
// each start, so no token of it is of use elsewhere.
type issuer struct {
	url    string
	signer jose.Signer
	public jose.JSONWebKey
	made   *lru.Cache[string, signedToken] // by application
}

type signedToken struct {
	raw   string
	until time.Time // it is handed out
}

// How long the tokens of the development issuer are good, and how long one is handed out.
const (
	tokenLife  = time.Hour
	tokenReuse = 50 * time.Minute
)

// IssuerPath is where the development issuer is found, below the service.
const IssuerPath = "/dev/issuer"

// DevTenant is the tenant, tid, that tokens of the development issuer name.
var DevTenant = uuid.NewSHA1(uuid.NameSpaceOID, []byte("ivr tenant")).String()

func newIssuer(base string) (*issuer, error) {
	const bits, applications = 2048, 1000
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	private := jose.JSONWebKey{
		Key: key, KeyID: uuid.NewString(), Algorithm: string(jose.RS256), Use: "sig",
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private},
		new(jose.SignerOptions).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	made, err := lru.New[string, signedToken](applications)
	if err != nil {
		return nil, err
	}
	return &issuer{base + IssuerPath, signer, private.Public(), made}, nil
}

// token returns a token for an application: it is the audience, as with Microsoft's.
func (i *issuer) token(_ context.Context, application string) (string, error) {
	now := time.Now()
	if t, ok := i.made.Get(application); ok && now.Before(t.until) {
		return t.raw, nil
	}
	raw, err := jwt.Signed(i.signer).Claims(jwt.Claims{
		Issuer: i.url, Subject: i.url, Audience: jwt.Audience{application}, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
		Expiry: jwt.NewNumericDate(now.Add(tokenLife)),
	}).Claims(map[string]any{"tid": DevTenant}).Serialize()
	if err != nil {
		return "", fmt.Errorf("service: token: %w", err)
	}
	i.made.Add(application, signedToken{raw, now.Add(tokenReuse)})
	return raw, nil
}

// configuration is what OpenID Connect Discovery 1.0 has at .well-known/openid-configuration.
func (i *issuer) configuration(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer":                                i.url,
		"jwks_uri":                              i.url + "/keys",
		"id_token_signing_alg_values_supported": []string{string(jose.RS256)},
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
	})
}

// keys is the issuer's key set (RFC 7517).
func (i *issuer) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.public}})
}

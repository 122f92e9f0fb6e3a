package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"ivrqueue/graph"
)

const audience = "api://ivr"

// issuer is an OpenID Connect issuer that counts how often it is asked for its keys.
type issuer struct {
	server *httptest.Server
	key    *ecdsa.PrivateKey
	asked  atomic.Int32
}

func newIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	const about = "GET /.well-known/openid-configuration"
	mux.HandleFunc(about, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": i.server.URL, "jwks_uri": i.server.URL + "/keys",
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"},
		}})
	})
	i.server = httptest.NewServer(mux)
	return i, nil
}

// token signs a token that names this key.
func (i *issuer) token(id string) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: id},
	}, nil)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(map[string]any{
		"iss": i.server.URL, "aud": audience, "exp": time.Now().Add(time.Hour).Unix(),
		"appid": "evil", "roles": []string{graph.RoleInitiate},
	}).Serialize()
}

package service_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
)

// issuer is an OpenID Connect issuer with one key.
type issuer struct {
	url   string
	key   *rsa.PrivateKey
	extra string // in its configuration
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(object{
			"extra": i.extra, "issuer": i.url, "jwks_uri": i.url + "/keys", "authorization_endpoint": i.url + "/a", "token_endpoint": i.url + "/t",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"},
		}})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

// token signs claims, with changes.
func (i *issuer) token(t *testing.T, key any, alg jose.SignatureAlgorithm, change object) string {
	t.Helper()
	claims := object{
		"iss": i.url, "aud": "api://ivr", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"appid": "2891555a-92ff-42e6-80fa-6e1300c6b5c6", "roles": []string{graph.RoleInitiate},
	}
	for name, v := range change {
		if v == nil {
			delete(claims, name)
			continue
		}
		claims[name] = v
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTokensOfAnIssuerAreChecked(t *testing.T) {
	t.Parallel()
	i, foreign := newIssuer(t), newIssuer(t)
	r := start(t, func(o *service.Options) { o.Issuer, o.Audience = i.url, "api://ivr" })
	good := i.token(t, i.key, jose.RS256, nil)
	// The header {"alg":"none"}, the good claims, no signature.
	parts := []byte(good)
	first, second := -1, -1
	for n, c := range parts {
		if c == '.' && first < 0 {
			first = n
		} else if c == '.' {
			second = n
		}
	}
	none := "eyJhbGciOiJub25lIn0" + good[first:second] + "."
	for name, test := range map[string]struct {
		token string
		want  int
	}{
		"good":            {good, 201},
		"azp of v2.0":     {i.token(t, i.key, jose.RS256, object{"appid": nil, "azp": "x"}), 201},
		"wrong audience":  {i.token(t, i.key, jose.RS256, object{"aud": "api://other"}), 401},
		"wrong issuer":    {i.token(t, i.key, jose.RS256, object{"iss": foreign.url}), 401},
		"wrong key":       {i.token(t, foreign.key, jose.RS256, nil), 401},
		"expired":         {i.token(t, i.key, jose.RS256, object{"exp": time.Now().Add(-time.Hour).Unix()}), 401},
		"not yet":         {i.token(t, i.key, jose.RS256, object{"nbf": time.Now().Add(time.Hour).Unix()}), 401},
		"no application":  {i.token(t, i.key, jose.RS256, object{"appid": nil}), 401},
		"wrong algorithm": {i.token(t, []byte("0123456789abcdef0123456789abcdef"), jose.HS256, nil), 401},
		"none":            {none, 401},
		"cut off":         {good[:len(good)-4], 401},
		"changed":         {good[:first+3] + "x" + good[first+4:], 401},
		"no token at all": {"nonsense", 401},
		"no roles":        {i.token(t, i.key, jose.RS256, object{"roles": nil}), 403},
		"another role":    {i.token(t, i.key, jose.RS256, object{"roles": []string{"Calls.AccessMedia.All"}}), 403},
		"roles of a kind": {i.token(t, i.key, jose.RS256, object{"roles": graph.RoleInitiate}), 401},
		"by name":         {"bot", 201},
	} {
		if status, body := r.do("POST", "/v1.0/communications/calls", test.token, createBody(r.callback)); status != test.want {
			t.Errorf("%s: got %d, want %d: %s", name, status, test.want, body)
		}
	}
	a := r.must(201, "POST", "/v1.0/communications/calls", good, createBody(r.callback))
	id, _ := a["id"].(string)
	if status, _ := r.do("GET", "/v1.0/communications/calls/"+id, "bot", ""); status != 404 {
		t.Errorf("another application's call: got %d", status)
	}
}

// A service that can't be made leaves no connection to its issuer behind.
func TestAServiceThatCannotBeMadeLeavesNoConnection(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(configuration object, o *service.Options){
		"did not match":     func(c object, _ *service.Options) { c["issuer"] = "https://other.example" },
		"has no jwks_uri":   func(c object, _ *service.Options) { delete(c, "jwks_uri") },
		`Bots["demo"]`:      func(_ object, o *service.Options) { o.Bots = map[string]string{"demo": "ftp://x"} },
		"service: Phones: ": func(_ object, o *service.Options) { o.Phones = new(service.Phones) },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			configuration := object{}
			mux := http.NewServeMux()
			mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(configuration)
			})
			issuer := httptest.NewUnstartedServer(mux)
			var open atomic.Int32
			issuer.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					open.Add(1)
				case http.StateClosed:
					open.Add(-1)
				}
			}
			issuer.Start()
			t.Cleanup(issuer.Close)
			configuration["issuer"], configuration["jwks_uri"] = issuer.URL, issuer.URL+"/keys"
			o := service.Options{Folder: t.TempDir(), Issuer: issuer.URL, Audience: "api://ivr", Logger: slog.New(slog.DiscardHandler)}
			change(configuration, &o)
			if _, err := service.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v", err)
			}
			until(t, "no connection is open", func() bool { return open.Load() == 0 })
		})
	}
}

// An issuer that can't be asked for its keys is no fault of the client's.
func TestAnIssuerThatIsAwayIsNoFaultOfTheClients(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	gone := httptest.NewUnstartedServer(nil)
	var keys *httptest.Server
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(object{"issuer": keys.URL, "jwks_uri": "http://" + gone.Listener.Addr().String() + "/keys"})
	})
	keys = httptest.NewServer(mux)
	t.Cleanup(keys.Close)
	r := start(t, func(o *service.Options) { o.Issuer, o.Audience = keys.URL, "api://ivr" })
	gone.Close()
	token := i.token(t, i.key, jose.RS256, object{"iss": keys.URL})
	if status, body := r.do("POST", "/v1.0/communications/calls", token, createBody(r.callback)); status != 503 {
		t.Errorf("got %d: %s", status, body)
	}
	for _, helper := range []string{"/dev/inbox", service.InspectorPath} {
		if status, body := r.do("GET", helper, token, ""); status != 503 {
			t.Errorf("%s: got %d: %s", helper, status, body)
		}
	}
}

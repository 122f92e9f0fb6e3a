package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"
)

// ClientCredentials are those that the service gets a token with for its notifications (RFC 6749,
// 4.4).
type ClientCredentials struct {
	TokenURL         string // of the issuer's token endpoint
	ClientID, Secret string
	Scope            string // where it has {application}, the id of the bot's application is put
}

// check says what is missing.
func (c *ClientCredentials) check() error {
	u, err := url.Parse(c.TokenURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("service: CallbackTokens.TokenURL is %q, must be an absolute http or https URI",
			c.TokenURL)
	case c.ClientID == "":
		return errors.New("service: CallbackTokens.ClientID is empty")
	case c.Secret == "":
		return errors.New("service: CallbackTokens.Secret is empty")
	}
	return nil
}

const (
	tokenTime  = 10 * time.Second // of a question for a token
	tokenPause = time.Second      // between questions for a token that could not be had

	// tokenUnsaid is how long a token is used whose endpoint does not say how long it is good, as RFC
	// 6749, 5.1, lets it.
	tokenUnsaid = 5 * time.Minute
)

// credentials gets tokens for notifications from a token endpoint, and keeps each as long as it is
// good. All who need the same token share a question.
type credentials struct {
	given  ClientCredentials
	client *http.Client
	life   context.Context //nolint:containedctx // of questions, which several share
	end    context.CancelFunc
	group  singleflight.Group
	had    *lru.Cache[string, hadToken] // by scope

	mu     sync.Mutex // guards the block below
	closed bool
	asking sync.WaitGroup // not added to once closed
}

// hadToken is the last answer to a question.
type hadToken struct {
	token *oauth2.Token
	err   error
	at    time.Time
}

// good reports whether the answer can be used yet: a token that is valid, or an error of just now.
func (t hadToken) good() bool {
	age := time.Since(t.at)
	if t.err != nil {
		return age < tokenPause
	}
	return t.token.Valid() && (!t.token.Expiry.IsZero() || age < tokenUnsaid)
}

func (t hadToken) answer() (string, error) {
	if t.err != nil {
		return "", t.err
	}
	return t.token.AccessToken, nil
}

func newCredentials(given ClientCredentials) (*credentials, error) {
	const applications = 1000
	had, err := lru.New[string, hadToken](applications)
	if err != nil {
		return nil, err
	}
	c := &credentials{given: given, had: had, client: &http.Client{
		Timeout: tokenTime, Transport: bounded{new(http.Transport)},
		CheckRedirect: func(*http.Request, []*http.Request) error { // the secret goes nowhere else
			return http.ErrUseLastResponse
		},
	}}
	c.life, c.end = context.WithCancel(context.Background())
	return c, nil
}

// token returns a token for the callback of an application.
func (c *credentials) token(ctx context.Context, application string) (string, error) {
	scope := strings.ReplaceAll(c.given.Scope, "{application}", application)
	if t, ok := c.known(scope); ok {
		return t.answer()
	}
	answer := c.group.DoChan(scope, func() (any, error) { //nolint:contextcheck // several share it
		if t, ok := c.known(scope); ok { // meanwhile: the question that others shared was answered
			return t, nil
		}
		t := hadToken{}
		t.token, t.err = c.ask(scope)
		t.at = time.Now()
		c.had.Add(scope, t)
		return t, nil
	})
	select {
	case r := <-answer:
		return r.Val.(hadToken).answer()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// known returns the last answer, if it is good yet.
func (c *credentials) known(scope string) (hadToken, bool) {
	t, ok := c.had.Get(scope)
	return t, ok && t.good()
}

// ask asks the token endpoint. Its error has the endpoint's word for what is wrong, and no more of
// the answer, which may hold what it was asked with.
func (c *credentials) ask(scope string) (*oauth2.Token, error) {
	if !c.begin() {
		return nil, errShut
	}
	defer c.asking.Done()
	config := clientcredentials.Config{
		ClientID: c.given.ClientID, ClientSecret: c.given.Secret, TokenURL: c.given.TokenURL,
		Scopes: strings.Fields(scope),
	}
	t, err := config.Token(context.WithValue(c.life, oauth2.HTTPClient, c.client))
	if err == nil {
		return t, nil
	}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return nil, fmt.Errorf("service: the token endpoint answered %d %.100q",
			refused.Response.StatusCode, refused.ErrorCode)
	}
	return nil, fmt.Errorf("service: the token endpoint: %w", err)
}

// begin counts a question, unless it is too late for one.
func (c *credentials) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.asking.Add(1)
	return true
}

// close ends the questions that are under way.
func (c *credentials) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.asking.Wait()
	c.client.CloseIdleConnections()
}

package ari

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"
)

// MaxEvent is how long an event may be, in bytes: 64 KiB. A longer one is lost, and logged.
const MaxEvent = 64 << 10

// Bounds of the event stream.
const (
	maxMessage   = 16 << 20 // bytes of an event that is lost; a longer one ends the connection
	firstDelay   = 250 * time.Millisecond
	longestDelay = 10 * time.Second
)

// dial connects to the event stream.
func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	basic := base64.StdEncoding.EncodeToString([]byte(c.config.User + ":" + c.config.Password))
	ctx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, //nolint:bodyclose // it needs no closing, as its doc says
		strings.TrimRight(c.base.String(), "/")+"/events?app="+url.QueryEscape(c.config.App),
		&websocket.DialOptions{
			HTTPClient:   c.http,
			HTTPHeader:   http.Header{"Authorization": {"Basic " + basic}},
			Subprotocols: []string{"ari"},
		})
	switch {
	case err == nil:
		conn.SetReadLimit(maxMessage)
		return conn, nil
	case answer != nil && answer.StatusCode == http.StatusUnauthorized:
		return nil, errors.New("ari: events: 401: wrong user or password")
	case answer != nil && answer.StatusCode != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("ari: events: refused: %.100s", answer.Status)
	}
	return nil, fmt.Errorf("ari: events: %w", err)
}

// follow takes events until the client is closed, and connects again when the stream breaks.
func (c *Client) follow(ctx context.Context, conn *websocket.Conn) {
	defer c.close()
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval, delay.MaxInterval, delay.Multiplier = firstDelay, longestDelay, 2
	for {
		since := time.Now()
		err := c.read(ctx, conn)
		if ctx.Err() != nil {
			return
		}
		if time.Since(since) > longestDelay { // one that breaks at once is not asked at once
			delay.Reset()
		}
		if conn = c.reconnect(ctx, delay, err); conn == nil {
			return
		}
	}
}

// reconnect connects again, however often it takes. It returns nil when the client is closed.
func (c *Client) reconnect(
	ctx context.Context, delay *backoff.ExponentialBackOff, why error,
) *websocket.Conn {
	c.mu.Lock()
	c.stream = make(chan struct{})
	inProgress := len(c.jobs)
	c.mu.Unlock()
	down := time.Now()
	c.config.Log.Warn("ari: event stream is broken", slog.Any("error", why),
		slog.Int("in progress", inProgress))
	outage := time.AfterFunc(c.config.MaxOutage, func() {
		c.config.Log.Error("ari: event stream is away for too long",
			slog.Duration("max", c.config.MaxOutage), slog.Int("failed", c.fail(errDown)))
	})
	defer outage.Stop()
	for rest(ctx, delay.NextBackOff()) {
		conn, err := c.dial(ctx)
		if err != nil {
			c.config.Log.Warn("ari: cannot connect", slog.Any("error", err))
			continue
		}
		c.config.Log.Info("ari: event stream is back", slog.Duration("after", time.Since(down)))
		c.mu.Lock()
		close(c.stream)
		c.mu.Unlock()
		select {
		case c.back <- struct{}{}:
		default: // watch will come to it
		}
		return conn
	}
	return nil
}

// read takes events until the connection breaks, and returns why it did.
func (c *Client) read(ctx context.Context, conn *websocket.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	var ping sync.WaitGroup
	ping.Go(func() { c.ping(ctx, conn) })
	defer func() {
		cancel()
		_ = conn.CloseNow()
		ping.Wait()
	}()
	var message bytes.Buffer
	garbage := false
	for {
		if err := c.next(ctx, conn, &message); err != nil {
			return err
		}
		text := message.Bytes()
		if len(text) > MaxEvent { // if it was an end, a check will find it
			c.config.Log.Warn("ari: event lost, it is too long", slog.Int("max", MaxEvent))
			continue
		}
		e, ok := parse(text)
		if !ok {
			if !garbage { // once for a connection: there may be many
				c.config.Log.Warn("ari: what the server sends is no event",
					slog.String("text", string(text[:min(len(text), 100)])))
			}
			garbage = true
			continue
		}
		c.handle(ctx, e)
	}
}

// next reads the next message; of one that is too long a little more than may be. One that has
// begun must come to its end within the interval of checks.
func (c *Client) next(ctx context.Context, conn *websocket.Conn, message *bytes.Buffer) error {
	message.Reset()
	_, from, err := conn.Reader(ctx)
	if err != nil {
		return err
	}
	late := time.AfterFunc(c.config.CheckInterval, func() { _ = conn.CloseNow() })
	defer late.Stop()
	if _, err := message.ReadFrom(io.LimitReader(from, MaxEvent+1)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, from)
	return err
}

// ping ends the connection when the server is gone without a word.
func (c *Client) ping(ctx context.Context, conn *websocket.Conn) {
	for rest(ctx, c.config.CheckInterval) {
		ctx, cancel := context.WithTimeout(ctx, c.config.CheckInterval)
		err := conn.Ping(ctx)
		cancel()
		if err != nil {
			_ = conn.CloseNow()
			return
		}
	}
}

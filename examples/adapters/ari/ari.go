package ari

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"ivrqueue/queue"
	"ivrqueue/tone"
)

// Why operations fail that the server did not end.
var (
	errDown   = errors.New("ari: no event stream")
	errClosed = errors.New("ari: client is closed")
	errUnseen = errors.New("ari: ended unseen, nobody can tell how")
	errMute   = errors.New("ari: the server does not report its state")
)

// Client is one connection to the server, for all calls. Connect makes it, Close ends it. It is
// safe for concurrent use.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
	hang   context.CancelFunc
	work   sync.WaitGroup // the stream, the checks, and what they have asked for
	back   chan struct{}  // has a value when the stream is there again; of size 1: once is enough

	mu     sync.Mutex                // guards the block below
	jobs   map[string]*job           // by the operation's id, until the end was reported
	tones  map[string][]*tone.Stream // by channel
	stream chan struct{}             // closed while the event stream is there
	closed bool
}

// Connect opens the event stream, and returns when the server has accepted it, or with an error:
// the config is wrong, the server cannot be reached within Config.RequestTimeout, or refuses. ctx
// is for this first connection only. The client connects again by itself until Close.
func Connect(ctx context.Context, config Config) (*Client, error) {
	config, base, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{
		config: config, base: base,
		http: &http.Client{
			Transport: config.transport(),
			Timeout:   config.RequestTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // nobody else gets the password
			},
		},
		back:   make(chan struct{}, 1),
		jobs:   map[string]*job{},
		tones:  map[string][]*tone.Stream{},
		stream: make(chan struct{}),
	}
	conn, err := c.dial(ctx)
	if err != nil {
		c.http.CloseIdleConnections()
		return nil, err
	}
	close(c.stream)
	ctx, c.hang = context.WithCancel(context.WithoutCancel(ctx))
	c.work.Go(func() { c.follow(ctx, conn) })
	c.work.Go(func() { c.watch(ctx) })
	return c, nil
}

// Close ends the event stream, fails what is in progress, and waits until nothing of the client
// runs any more. What the server plays, it goes on to play.
func (c *Client) Close() {
	c.hang()
	c.work.Wait()
	c.http.CloseIdleConnections()
}

// Listen publishes the keys that are pressed on a channel, until stop is called. A key that is
// pressed while the event stream is away is lost. More than one stream may listen.
func (c *Client) Listen(channel string, to *tone.Stream) (stop func()) {
	if to == nil {
		return func() {}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tones[channel] = append(c.tones[channel], to)
	return sync.OnceFunc(func() { c.unlisten(channel, to) })
}

func (c *Client) unlisten(channel string, to *tone.Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := []*tone.Stream{}
	for i, s := range c.tones[channel] {
		if s == to {
			rest = append(rest, c.tones[channel][i+1:]...)
			break
		}
		rest = append(rest, s)
	}
	if c.tones[channel] = rest; len(rest) == 0 {
		delete(c.tones, channel)
	}
}

// Media returns the media of one channel, for one queue. It plays prompts of the schemes sound,
// recording, number, digits, characters and tone, and records.
func (c *Client) Media(channel string) queue.Media { return media{c, channel} }

// await waits until the event stream is there, as long as a request may take.
func (c *Client) await(ctx context.Context) error {
	c.mu.Lock()
	up := c.stream
	c.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, c.config.RequestTimeout, errDown)
	defer cancel()
	select {
	case <-up:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// connected reports whether the event stream is there.
func (c *Client) connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.stream:
		return true
	default:
		return false
	}
}

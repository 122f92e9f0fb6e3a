package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/internal/natsserver"
)

// startTime is how long a server of one's own may take until it is ready. It takes 10 ms.
const startTime = 10 * time.Second

// clientUser is the only client of a node's own server: the node.
const clientUser = "node"

// ownServer is the node's own NATS server.
type ownServer struct {
	*server.Server

	options *Options
	broken  atomic.Bool // something could not be written, so it is not the journal any more
}

// startServer starts the node's own NATS server. Its only client is inside the process; but a
// server that listens for no clients does not listen for other servers either, so it listens on a
// port of this machine, with a password that nobody knows.
func startServer(o *Options) (*ownServer, error) {
	host, port, err := splitAddress(o.Listen)
	if err != nil {
		return nil, err
	}
	opts := &server.Options{
		ServerName: o.Node, NoSigs: true, DisableJetStreamBanner: true,
		Host: "127.0.0.1", Port: server.RANDOM_PORT, Username: clientUser, Password: o.password,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxStore: o.MaxStore, SyncAlways: o.SyncAlways,
		// A stopped server is noticed in about 2 s.
		PingInterval: time.Second, MaxPingsOut: 2,
		LameDuckGracePeriod: time.Millisecond,              // its client has gone
		ConnectErrorReports: 60, ReconnectErrorReports: 60, // once a minute and server
	}
	if len(o.Peers) > 1 {
		opts.Cluster = server.ClusterOpts{
			Name: o.Cluster, Host: host, Port: port, TLSConfig: o.TLS, TLSTimeout: 5,
			PingInterval: time.Second, MaxPingsOut: 2, ConnectRetries: 1 << 30,
			NoAdvertise: true, // every node is given all addresses
		}
		if o.Secret != "" {
			opts.Cluster.Username, opts.Cluster.Password = o.Cluster, o.Secret
		}
		for name, address := range o.Peers {
			if name == o.Node {
				continue
			}
			route := &url.URL{Scheme: "nats-route", Host: address}
			if o.Secret != "" {
				route.User = url.UserPassword(o.Cluster, o.Secret)
			}
			opts.Routes = append(opts.Routes, route)
		}
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("cluster: the NATS server: %w", err)
	}
	own := &ownServer{Server: s, options: o}
	log := &serverLog{
		logger: o.Logger.With(slog.String("nats", o.Node)), failed: make(chan string, 1),
		said: make(map[string]time.Time), broken: func() { own.broken.Store(true) },
	}
	s.SetLoggerV2(log, false, false, false)
	go s.Start() // it returns when it has shut down, or can't start
	deadline := time.Now().Add(startTime)
	for !s.ReadyForConnections(50 * time.Millisecond) {
		select {
		case why := <-log.failed:
			natsserver.Stop(s)
			return nil, errors.New("cluster: the NATS server: " + why)
		default:
		}
		if time.Now().After(deadline) {
			natsserver.Stop(s)
			return nil, fmt.Errorf("cluster: the NATS server is not ready after %v", startTime)
		}
	}
	if !s.JetStreamEnabled() {
		natsserver.Stop(s)
		select {
		case why := <-log.failed:
			return nil, errors.New("cluster: the NATS server: " + why)
		default:
			return nil, errors.New("cluster: the NATS server has no JetStream; its log says why")
		}
	}
	return own, nil
}

// times and sizes of keep.
const (
	keepEvery = 2 * time.Second
	keepRoom  = 8 << 20 // bytes that must be free
)

// keeps reports whether the server keeps its part of the journal.
func (s *ownServer) keeps() bool { return !s.broken.Load() && s.JetStreamEnabled() }

// keep begins JetStream again, until ctx ends. When something can't be written, as on a full disk,
// the server turns it off, or a part of it: for good, also when there is room again.
func (s *ownServer) keep(ctx context.Context) {
	every := time.NewTicker(keepEvery)
	defer every.Stop()
	log := s.options.Logger
	for off, was := 0, true; ; {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		is := s.keeps()
		switch {
		case is && !was:
			log.Info("cluster: this node's server keeps its part of the journal again")
		case !is && was:
			log.Error("cluster: this node's server does not keep its part of the journal: its disk is " +
				"full, or can't be written; it goes on when there is room")
			_ = s.ShutdownJetStream() // what is left of it
		}
		if was = is; s.JetStreamConfig() != nil { // it is there, or the server shuts it down
			off = 0
		} else if off++; off > 1 && hasRoom(s.options.Dir) {
			s.revive()
			off = 0
		}
	}
}

// revive begins JetStream again. A reload of the server's options would, too, and cut the node off.
func (s *ownServer) revive() {
	s.broken.Store(false)
	o := s.options
	err := s.EnableJetStream(&server.JetStreamConfig{StoreDir: o.Dir, MaxStore: o.MaxStore})
	if err != nil {
		o.Logger.Warn("cluster: this node's server", slog.Any("error", err))
		_ = s.ShutdownJetStream() // of what had begun; it is tried again
	}
}

// hasRoom reports whether a disk has room. On a full one JetStream would be off again at once.
func hasRoom(dir string) bool {
	f, err := os.CreateTemp(dir, "room-")
	if err != nil {
		return false
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is tried again
	_, err = f.Write(make([]byte, keepRoom))
	return errors.Join(err, f.Close()) == nil
}

func splitAddress(address string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(p)
	}
	return host, port, err
}

// serverLog brings what a NATS server says to the logger of the node: what is wrong, once a minute,
// as a warning, and the rest for debugging.
type serverLog struct {
	logger *slog.Logger
	failed chan string // why it can't start
	broken func()      // something can't be written

	mu   sync.Mutex // guards everything below
	said map[string]time.Time
}

// saidFor is how long a warning is not repeated, and saidMost how many are remembered.
const (
	saidFor  = time.Minute
	saidMost = 256
)

func (l *serverLog) say(level slog.Level, format string, v []any) {
	l.logger.Log(context.Background(), level, "nats server",
		slog.String("said", fmt.Sprintf(format, v...)))
}

func (l *serverLog) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v) }
func (l *serverLog) Debugf(format string, v ...any)  { l.say(slog.LevelDebug, format, v) }
func (l *serverLog) Tracef(format string, v ...any)  { l.say(slog.LevelDebug, format, v) }
func (l *serverLog) Warnf(format string, v ...any)   { l.warn(format, v) }

func (l *serverLog) Errorf(format string, v ...any) {
	if strings.Contains(format, "ritical write error") { // the one sign that there is in all cases
		l.broken()
	}
	l.warn(format, v)
}

// warn says what is wrong. That others are not there yet, or not any more, is an event of the
// members.
func (l *serverLog) warn(format string, v []any) {
	level, text := slog.LevelWarn, fmt.Sprintf(format, v...)
	for _, usual := range []string{
		"Plaintext passwords", // of the node at its own server, made anew
		"(attempt 1)", "Waiting for routing", "JetStream has not established contact",
		"Stale Connection", "Error flushing", "connection reset", "Metalayer blocking snapshot",
	} {
		if strings.Contains(text, usual) {
			level = slog.LevelDebug
		}
	}
	if level == slog.LevelWarn && l.again(text) {
		level = slog.LevelDebug
	}
	l.say(level, "%s", []any{text})
}

// again reports whether the same was said lately.
func (l *serverLog) again(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if at, ok := l.said[text]; ok && now.Sub(at) < saidFor {
		return true
	}
	if len(l.said) >= saidMost {
		clear(l.said)
	}
	l.said[text] = now
	return false
}

func (l *serverLog) Fatalf(format string, v ...any) {
	l.say(slog.LevelError, format, v)
	select {
	case l.failed <- fmt.Sprintf(format, v...):
	default:
	}
}

// writeTime is how long a server that is not the node's own may take to read what is sent: up to a
// message, 1 MB as NATS is set up.
const writeTime = 2 * time.Second

// reconnectBuffer is how much is kept for a server while there is none, in bytes. The next one gets
// it at once; by then what others wait for is shown, or asked for, again.
const reconnectBuffer = 1 << 20

// dialer makes connections that are closed when something can't be written: a server that does not
// read is left, as one that does not answer is. All who send wait for it, and package nats forgets
// what it could not write, a subscription as well, but makes all of them again when it reconnects.
type dialer struct{}

// Dial is as [nats.CustomDialer] has it.
func (dialer) Dial(network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: nats.DefaultTimeout}
	conn, err := d.DialContext(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	return written{conn}, nil
}

// written is a connection that is closed when a write fails, or takes longer than [writeTime].
type written struct{ net.Conn }

func (c written) Write(p []byte) (n int, err error) {
	_ = c.SetWriteDeadline(time.Now().Add(writeTime)) // fails if the connection is closed
	n, err = c.Conn.Write(p)
	if err != nil {
		_ = c.Close()
	}
	return n, err
}

// connect connects to the node's own server, or to those that are there.
func connect(o *Options, own *ownServer) (*nats.Conn, error) {
	log := o.Logger.With(slog.String("node", o.Node))
	opts := []nats.Option{
		nats.Name("ivrqueue " + o.Node), nats.MaxReconnects(-1),
		nats.NoEcho(), // no node needs what it shows, writes or beats itself
		nats.ReconnectWait(100 * time.Millisecond), nats.PingInterval(time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if !c.IsClosed() {
				log.Warn("cluster: disconnected from NATS", slog.Any("error", err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("cluster: connected to NATS again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("cluster: NATS", slog.Any("error", err))
		}),
	}
	if own != nil {
		const patience = time.Minute // it is this process, which may be held up
		conn, err := nats.Connect("", append(opts, nats.InProcessServer(own.Server),
			nats.UserInfo(clientUser, o.password), nats.Timeout(patience))...)
		if err != nil {
			return nil, fmt.Errorf("cluster: the node's own NATS server: %w", err)
		}
		return conn, nil
	}
	opts = append(opts, nats.SetCustomDialer(dialer{}), nats.ReconnectBufSize(reconnectBuffer))
	if o.Credentials != "" {
		opts = append(opts, nats.UserCredentials(o.Credentials))
	}
	if o.TLS != nil {
		opts = append(opts, nats.Secure(o.TLS))
	}
	conn, err := nats.Connect(strings.Join(o.Servers, ","), opts...)
	if err != nil {
		hosts := make([]string, len(o.Servers))
		for i, s := range o.Servers { // without the passwords
			u, _ := url.Parse(s)
			hosts[i] = u.Host
		}
		return nil, fmt.Errorf("cluster: none of the NATS servers %q: %w", slices.Sorted(
			slices.Values(hosts)), err)
	}
	return conn, nil
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/journal"
	"ivrqueue/graph"
)

// away takes JetStream away, under load: the nodes are clients of a NATS server without it, and
// those that have it, three others in one cluster with that one, are all killed, or all stopped.
func away(ctx context.Context, c config, round int) (saw string, wrong []string, err error) {
	dir, err := os.MkdirTemp("", "failtest-nats-")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing is in it any more
	servers, address, err := startServers(dir, c.verbose)
	defer func() {
		for _, s := range servers {
			s.kill()
		}
	}()
	if err != nil {
		return "", nil, err
	}
	c.servers, c.netns = "nats://"+address, false
	t, err := newTest(c)
	if err != nil {
		return "", nil, err
	}
	defer t.close()
	if err := t.start(ctx); err != nil {
		return "", nil, err
	}
	pause(ctx, 4*time.Second)
	began := time.Now()
	l := t.startLoad(ctx, c.bots, 0)
	pause(ctx, 10*time.Second)

	gone := time.Now()
	how := "stopped"
	for _, s := range servers[1:] {
		if round%2 == 0 {
			how = "killed"
			s.kill()
		} else {
			s.signal(syscall.SIGSTOP)
		}
	}
	meanwhile, err := t.makeCalls(t.nodes[0], t.nodes[1:], 50) // they stay
	if err != nil {
		return "", nil, fmt.Errorf("calls without JetStream: %w", err)
	}
	pause(ctx, time.Until(gone.Add(c.away)))
	counts, awake, err := t.awayCounts()
	if err != nil {
		return "", nil, err
	}
	back := time.Now()
	for _, s := range servers[1:] {
		if round%2 != 0 {
			s.signal(syscall.SIGCONT)
		} else if err := s.start(); err != nil {
			return "", nil, err
		}
	}
	caught := t.until(ctx, time.Minute, "the journal has caught up", func() bool {
		for _, p := range t.nodes {
			s, err := p.stats()
			if err != nil || !s.Journal.Available || s.Journal.Waiting > 100 {
				return false
			}
		}
		return true
	})
	took := time.Since(back)
	pause(ctx, 5*time.Second)
	wrong = append(t.fenced(), l.finish()...)
	if caught != nil {
		return "", append(wrong, caught.Error()), nil
	}
	if awake > 0 {
		wrong = append(wrong, fmt.Sprintf("%d nodes say that the journal is available", awake))
	}
	if counts[2] == 0 {
		wrong = append(wrong, "no counter says that the journal is away")
	}
	for node, n := range l.sick {
		wrong = append(wrong, fmt.Sprintf("node %s: its health was %d times not 200", node, n))
	}
	during := func(what timed) latencies { return what.between(gone, back) }
	if n := len(during(l.told)); n == 0 {
		wrong = append(wrong, "nothing was told meanwhile")
	}
	missing, stale, err := t.compareJournal(ctx, address, meanwhile)
	if err != nil {
		return "", nil, err
	}
	if missing+stale > 0 {
		wrong = append(wrong, fmt.Sprintf("afterwards the journal lacks %d calls, and has %d that have "+
			"ended", missing, stale))
	}
	t.calls = 200
	r, err := t.roundWith(ctx, "kill", t.nodes[0], t.nodes[1:])
	if err != nil {
		return "", nil, err
	}
	if n := t.missing(meanwhile); n > 0 {
		wrong = append(wrong, fmt.Sprintf("a node was killed: of %d of the calls that were made "+
			"meanwhile not everything was told", n))
	}
	before := func(what timed) latencies { return what.between(began, gone) }
	return fmt.Sprintf("JetStream %s for %v: %s; meanwhile play p99 %.0f ms (before: %.0f), "+
		"cancel %.0f (%.0f), told %.0f (%.0f) after the answer, at most %.0f, 3 s later p99 %.0f; "+
		"unjournaled %d requests, %d deliveries; caught up %.1f s after it was back; "+
		"held up for %.1f s; then %v",
		how, c.away, l, ms(during(l.plays).at(99)), ms(before(l.plays).at(99)),
		ms(during(l.cancels).at(99)), ms(before(l.cancels).at(99)), ms(during(l.told).at(99)),
		ms(before(l.told).at(99)), ms(during(l.told).at(100)),
		ms(l.told.between(gone.Add(3*time.Second), back).at(99)), counts[0], counts[1],
		took.Seconds(), t.held.soFar().Seconds(), r), append(wrong, r.wrong...), nil
}

// awayCounts sums the counts of requests and deliveries that neither the other nodes nor the
// journal had in time, and of writes that have failed, and counts the nodes that have not noticed.
func (t *test) awayCounts() (counts [3]uint64, awake int, err error) {
	for _, p := range t.nodes {
		s, err := p.stats()
		if err != nil {
			return counts, 0, err
		}
		counts[0] += s.Unjournaled
		counts[1] += s.UnjournaledDeliveries
		counts[2] += s.Journal.Failed
		if s.Journal.Available {
			awake++
		}
	}
	return counts, awake, nil
}

// compareJournal counts the calls that should be in the journal and are not, and the others that
// are, as a node that joins would read it.
func (t *test) compareJournal(
	ctx context.Context, address string, calls []*call,
) (missing, stale int, err error) {
	conn, err := nats.Connect("nats://" + address)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	ledger, err := graph.NewLedger(0)
	if err != nil {
		return 0, 0, err
	}
	j, err := journal.Open(conn, journal.Options{
		Bucket: "ivrqueue_failtest", Node: "reader", Replicas: 3, Ledger: ledger,
		Holds: func(callid.Owner) bool { return false },
	})
	if err != nil {
		return 0, 0, err
	}
	defer j.Close()
	select {
	case <-j.Opened():
	case <-time.After(30 * time.Second):
		return 0, 0, errors.New("the journal can't be read")
	}
	same := func() bool {
		have := make(map[uuid.UUID]bool)
		for _, e := range j.Epochs() {
			for _, id := range j.Calls(e) {
				have[id] = true
			}
		}
		missing, stale = 0, len(have)
		for _, c := range calls {
			if have[c.id] {
				stale--
			} else {
				missing++
			}
		}
		return missing+stale == 0
	}
	_ = t.until(ctx, 10*time.Second, "the journal is as it should be", same) // it is counted
	return missing, stale, nil
}

// startServers starts a NATS server without JetStream, and three with it. It returns them in that
// order, and the address of the first.
func startServers(dir string, verbose bool) (all []*process, address string, err error) {
	host, ports, err := freePorts(8)
	if err != nil {
		return nil, "", err
	}
	var routes []string
	for _, port := range ports[4:] {
		routes = append(routes, net.JoinHostPort(host, port))
	}
	for i, name := range []string{"x", "j1", "j2", "j3"} {
		p := &process{name: name, command: "nats", verbose: verbose, args: []string{
			"-name", name, "-host", host, "-port", ports[i], "-cluster", ports[4+i],
			"-routes", strings.Join(routes, ","),
		}}
		if i > 0 {
			p.args = append(p.args, "-dir", filepath.Join(dir, name))
		}
		if err := p.start(); err != nil {
			return all, "", err
		}
		all = append(all, p)
	}
	address = net.JoinHostPort(host, ports[0])
	for range 100 {
		conn, err := net.Dial("tcp", address) //nolint:noctx // at once
		if err == nil {
			return all, address, conn.Close()
		}
		pause(context.Background(), 50*time.Millisecond)
	}
	return all, "", errors.New("the NATS servers do not start")
}

// runNATS is a NATS server as others run it.
func runNATS(args []string) int {
	o := &server.Options{NoSigs: true}
	flags := flag.NewFlagSet("nats", flag.ExitOnError)
	flags.StringVar(&o.ServerName, "name", "", "")
	flags.StringVar(&o.Host, "host", "", "")
	flags.IntVar(&o.Port, "port", 0, "")
	flags.StringVar(&o.StoreDir, "dir", "", "of JetStream; without it there is none")
	cluster := flags.String("cluster", "", "the port of the cluster")
	routes := flags.String("routes", "", "")
	_ = flags.Parse(args)
	port, err := strconv.Atoi(*cluster)
	if err != nil {
		return 1
	}
	o.JetStream = o.StoreDir != ""
	o.Cluster = server.ClusterOpts{Name: "failtest", Host: o.Host, Port: port}
	for address := range strings.SplitSeq(*routes, ",") {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: address})
	}
	s, err := server.NewServer(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s.ConfigureLogger()
	go s.Start()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	s.Shutdown()
	return 0
}

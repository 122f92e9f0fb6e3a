package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ivrqueue/cluster"
)

func parsePrefix(s string) ([]netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, errors.Join(errPrefix, err)
	}
	return []netip.Prefix{p}, nil
}

// process is a node of the test, or a NATS server, as a process.
type process struct {
	name    string
	command string // what it is: node or nats
	host    string // its address
	api     string
	args    []string
	space   string // its network namespace; empty: none of its own
	environ []string
	verbose bool

	cmd    *exec.Cmd
	exited chan struct{}
}

// start starts the process.
func (p *process) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{self, p.command}, p.args...)
	if p.space != "" {
		args = append([]string{"ip", "netns", "exec", p.space}, args...)
	}
	p.cmd = exec.Command(args[0], args[1:]...) //nolint:gosec,noctx // ours; it is killed
	p.cmd.Env = append(os.Environ(), p.environ...)
	if p.verbose {
		p.cmd.Stderr = os.Stderr
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.exited = make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // it is killed
		close(p.exited)
	}()
	return nil
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	<-p.exited
}

func (p *process) stats() (s cluster.Stats, err error) {
	a, err := p.get(context.Background(), "/cluster")
	if err != nil {
		return s, err
	}
	defer drainBody(a)
	return s, json.NewDecoder(a.Body).Decode(&s)
}

// health is the status of what the node answers about its health; 0 if it does not.
func (p *process) health(ctx context.Context) int {
	a, err := p.get(ctx, "/healthz")
	if err != nil {
		return 0
	}
	drainBody(a)
	return a.StatusCode
}

// get asks the node, and waits a second.
func (p *process) get(ctx context.Context, path string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.api+path, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		cancel()
		return nil, err
	}
	a.Body = closer{a.Body, cancel}
	return a, nil
}

// closer ends a request's time with its answer.
type closer struct {
	io.ReadCloser

	cancel context.CancelFunc
}

func (c closer) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}

// cluster of processes, on this machine's loopback or in network namespaces.
func newProcesses(c config, dir string) ([]*process, string, error) {
	names := []string{"a", "b", "c"}[:c.nodes]
	bots, network := "127.0.0.1", "127.0.0.0/8"
	host, ports, err := freePorts(2 * c.nodes)
	if err != nil {
		return nil, "", err
	}
	var ps []*process
	var peers []string
	for i, name := range names {
		p := &process{name: name, command: "node", host: host, environ: c.environ, verbose: c.verbose}
		if c.netns {
			p.host, p.space = fmt.Sprintf("%s.%d", subnet, 11+i), spaces+name
		}
		p.api = net.JoinHostPort(p.host, ports[2*i])
		peers = append(peers, name+"="+net.JoinHostPort(p.host, ports[2*i+1]))
		ps = append(ps, p)
	}
	if c.netns {
		bots, network = subnet+".1", subnet+".0/24"
		if err := makeNetwork(ps); err != nil {
			removeNetwork(ps)
			return nil, "", err
		}
	}
	for _, p := range ps {
		p.args = []string{
			"-name", p.name, "-peers", strings.Join(peers, ","), "-dir", filepath.Join(dir, p.name),
			"-addr", p.api, "-bots", network, "-servers", c.servers, "-drain", c.drain.String(),
		}
	}
	return ps, bots, nil
}

// freePorts returns ports that nobody listens on, and nobody else will: their host is this test's.
// On 127.0.0.1 a port that is free may be somebody else's when a node begins, or begins anew.
func freePorts(n int) (host string, ports []string, err error) {
	host = fmt.Sprintf("127.77.%d.%d", os.Getpid()>>8&255, os.Getpid()&255)
	for range n {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0")) //nolint:noctx // it is closed at once
		if err != nil {
			return "", nil, err
		}
		defer l.Close() //nolint:errcheck // nobody has connected
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return "", nil, err
		}
		ports = append(ports, port)
	}
	return host, ports, nil
}

// What is made for this test's network has its number in its name, so that several can run.
var (
	spaces = fmt.Sprintf("ft%d-", os.Getpid())
	bridge = fmt.Sprintf("ft%d", os.Getpid())
	subnet = fmt.Sprintf("10.77.%d", os.Getpid()%254+1)
)

// makeNetwork gives each node a network namespace, all on one bridge with the test.
func makeNetwork(ps []*process) error {
	commands := []string{
		"link add " + bridge + " type bridge", "addr add " + subnet + ".1/24 dev " + bridge,
		"link set " + bridge + " up",
	}
	for _, p := range ps {
		commands = append(commands,
			"netns add "+p.space,
			"link add "+p.space+" type veth peer name eth0 netns "+p.space,
			"link set "+p.space+" master "+bridge+" up",
			"-n "+p.space+" addr add "+p.host+"/24 dev eth0",
			"-n "+p.space+" link set eth0 up",
			"-n "+p.space+" link set lo up",
		)
	}
	for _, c := range commands {
		if err := ip(c); err != nil {
			return err
		}
	}
	return nil
}

func removeNetwork(ps []*process) {
	for _, p := range ps {
		_ = ip("netns del " + p.space) // it may not be there
	}
	_ = ip("link del " + bridge)
}

// cut takes a node away from the others, or brings it back: what it sends them is dropped, or what
// they send it, or both. The test stays reachable.
func cut(victim *process, ps []*process, fault string, away bool) error {
	verb := "del"
	if away {
		verb = "add"
	}
	var all error
	for _, p := range ps {
		if p == victim {
			continue
		}
		if fault != "deaf" {
			all = errors.Join(all, ip("-n "+victim.space+" route "+verb+" blackhole "+p.host+"/32"))
		}
		if fault != "mute" {
			all = errors.Join(all, ip("-n "+p.space+" route "+verb+" blackhole "+victim.host+"/32"))
		}
	}
	return all
}

func ip(args string) error {
	cmd := exec.Command("ip", strings.Fields(args)...) //nolint:gosec,noctx // ours; it takes no time
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", args, err, out)
	}
	return nil
}

func drainBody(r *http.Response) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
}

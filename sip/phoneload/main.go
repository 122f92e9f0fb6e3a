//go:build unix

// Command phoneload measures package sip from outside: it starts an IVR in a process of its own,
// and a bare sender, which does nothing but send as many packets, in another, calls the IVR, and
// looks at when packets come. Both are measured at once, so that the machine's noise is the same.
//
//	go run ./sip/phoneload                      # 200 calls for a minute, 200 cancels, 10,000 calls
//	go run ./sip/phoneload -calls 50 -for 10s -cancels 50 -churn 0
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "phoneload:", err)
		os.Exit(1)
	}
}

func run() error {
	role := flag.String("role", "", "what this process is; for its own use")
	calls := flag.Int("calls", 200, "so many calls at once")
	length := flag.Duration("for", time.Minute, "for so long")
	cancels := flag.Int("cancels", 200, "so many prompts that a key cancels")
	churn := flag.Int("churn", 10_000, "so many calls that come and go")
	flood := flag.Duration("flood", 10*time.Second, "beside INVITEs without end, for so long")
	invites := flag.Int("invites", 5000, "so many INVITEs a second are taken; for its own use")
	flag.Parse()
	switch *role {
	case "ivr":
		return ivr(*invites)
	case "bare":
		return bare()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	platform, address, err := startIVR(ctx, *invites)
	if err != nil {
		return err
	}
	defer platform.end()
	limited, limitedAddress, err := startIVR(ctx, 200) // as it is by default
	if err != nil {
		return err
	}
	defer limited.end()
	for _, measure := range []func() error{
		func() error { return measureGaps(ctx, platform, address, *calls, *length) },
		func() error { return measureCancels(platform, address, *cancels) },
		func() error { return measureFlood(ctx, limited, limitedAddress, *calls, *flood) },
		func() error { return measureChurn(ctx, platform, address, *churn) },
	} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

// startIVR starts an IVR that takes so many INVITEs a second, and returns where it listens.
func startIVR(ctx context.Context, invites int) (*process, netip.AddrPort, error) {
	p, err := start(ctx, "ivr", "-invites", strconv.Itoa(invites))
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	line, err := p.line()
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	address, err := netip.ParseAddrPort(line)
	return p, address, err
}

// process is another one of ours.
type process struct {
	run *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(ctx context.Context, role string, flags ...string) (*process, error) {
	p := &process{run: exec.CommandContext(ctx, os.Args[0], append(flags, "-role", role)...)}
	p.run.Stderr = os.Stderr
	in, err := p.run.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.run.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, p.run.Start()
}

// line returns what the process says next.
func (p *process) line() (string, error) {
	text, err := p.out.ReadString('\n')
	return strings.TrimSpace(text), err
}

// ask sends the process a command, and returns its answer.
func (p *process) ask(what string, answer any) error {
	if _, err := fmt.Fprintln(p.in, what); err != nil {
		return err
	}
	text, err := p.line()
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), answer)
}

// end has the process end, and waits for it.
func (p *process) end() {
	_ = p.in.Close()
	_ = p.run.Wait()
}

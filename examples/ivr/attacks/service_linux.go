package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// limit is how many bytes of data the service may have before the kernel gives it no more: an
// allocation that is far too large ends it there and then.
const limit = 1 << 30

// process is the service.
type process struct {
	url    string
	log    *log
	cmd    *exec.Cmd
	exited chan error
}

// start builds the service and starts it with these flags.
func start(ctx context.Context, folder string, flags ...string) (*process, error) {
	program := filepath.Join(folder, "ivr")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "ivrqueue/examples/ivr")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	limited := []string{
		"-c", `ulimit -d "$0" && exec "$@"`, strconv.Itoa(limit >> 10), program, "serve",
	}
	p := &process{log: new(log), exited: make(chan error, 1)}
	p.cmd = exec.CommandContext(ctx, "sh", append(limited, flags...)...)
	p.cmd.Env = append(os.Environ(), "GOMEMLIMIT="+strconv.Itoa(most*3/4))
	p.cmd.Stderr = p.log
	out, stdout, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = stdout
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, stdout.Close(), out.Close())
	}
	_ = stdout.Close() // the service has its own
	go func() { p.exited <- p.cmd.Wait() }()
	in := bufio.NewReader(out)
	line, err := in.ReadString('\n')
	go func() { // whatever else it says
		_, _ = io.Copy(io.Discard, in)
		_ = out.Close()
	}()
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "The API is at ")
	if err != nil || !ok {
		p.kill()
		return nil, fmt.Errorf("the service says %q, %w\n%s", line, err, p.log.tail())
	}
	p.url = url
	return p, nil
}

// peak returns the most memory that the service has had since forget, in bytes, and whether it is
// alive.
func (p *process) peak() (bytes int, alive bool) {
	select {
	case err := <-p.exited:
		p.exited <- err
		return 0, false
	default:
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(kib), " kB"))
			return n << 10, err == nil
		}
	}
	return 0, false
}

// forget makes peak begin anew. Where the kernel does not let us, peak is that of the whole life.
func (p *process) forget() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// end asks the service to end, as a supervisor does.
func (p *process) end() error {
	const patience = 30 * time.Second
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-p.exited:
		p.exited <- nil
		return err
	case <-time.After(patience):
		return fmt.Errorf("it goes on for more than %v", patience)
	}
}

// kill ends the service if it has not ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited               //nolint:errcheck // it was killed
}

// log is what the service logs.
type log struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

var _ io.Writer = (*log)(nil)

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// count returns how often something was logged.
func (l *log) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// tail returns what was logged last: how the service has ended, if it did not mean to.
func (l *log) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 2000
	s := l.text.String()
	if i := strings.Index(s, "fatal error: "); i >= 0 {
		return s[i:min(len(s), i+most)]
	}
	return s[max(0, len(s)-most):]
}

//go:build phones

package phonetest_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var phones atomic.Int32 // so many were started

// phone is a baresip without a user interface, controlled over TCP.
type phone struct {
	t      *testing.T
	folder string
	sip    uint16
	keys   net.Conn // where single keys are pressed

	conn   net.Conn
	events chan event

	mu      sync.Mutex
	answers chan event
}

// event is one of baresip's events.
type event struct {
	Event    bool   `json:"event"`
	Type     string `json:"type"`
	Param    string `json:"param"`
	Response bool   `json:"response"`
	OK       bool   `json:"ok"`
	Data     string `json:"data"`
}

// newPhone starts a baresip that says a tone of 440 Hz, with these lines added to its account.
func newPhone(t *testing.T, account string) *phone {
	t.Helper()
	folder := t.TempDir()
	p := &phone{
		t: t, folder: folder, sip: port(), events: make(chan event, 100),
		answers: make(chan event, 1),
	}
	control, keys, rtp := port(), port(), phonePorts+portsOfPhone*phones.Add(1)
	config := fmt.Sprintf(`
sip_listen 127.0.0.1:%d
audio_player aubridge,nobody
audio_source aufile,%s/tone.wav
audio_alert aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
jitter_buffer_delay 5-50
rtp_ports %d-%d
snd_path %s
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module cons.so
cons_listen 127.0.0.1:%d
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%d
`, p.sip, folder, rtp, rtp+portsOfPhone-2, folder, keys, control)
	line := fmt.Sprintf("<sip:phone@127.0.0.1:%d>;regint=0;%s\n", p.sip, account)
	tone := string(wav(sine(440, 60)))
	for name, text := range map[string]string{
		"config": config, "accounts": line, "contacts": "", "tone.wav": tone,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "baresip", "-f", folder)
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	run.Stdout, run.Stderr = log, log
	if err := run.Start(); err != nil {
		t.Fatalf("%v: install the package baresip", err)
	}
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("baresip:\n%s", text)
		}
	})
	p.conn = dial(t, "tcp", control)
	p.keys = dial(t, "tcp", keys)
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read()
	}()
	t.Cleanup(func() {
		p.conn.Close()
		p.keys.Close()
		<-read
	})
	return p
}

// dial connects as soon as somebody listens.
func dial(t *testing.T, network string, port uint16) net.Conn {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), network, fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return conn
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// read takes what baresip sends: netstrings of JSON.
func (p *phone) read() {
	r := bufio.NewReader(p.conn)
	for {
		size, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil {
			return
		}
		body := make([]byte, n+1) // with its comma
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var e event
		if json.Unmarshal(body[:n], &e) != nil {
			continue
		}
		if e.Response {
			p.answers <- e
			continue
		}
		select {
		case p.events <- e:
		default:
		}
	}
}

// command has baresip do something, such as "dial" with a URI, and returns what it prints.
func (p *phone) command(name, params string) string {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := json.Marshal(map[string]string{"command": name, "params": params})
	if _, err := fmt.Fprintf(p.conn, "%d:%s,", len(body), body); err != nil {
		p.t.Fatal(err)
	}
	select {
	case e := <-p.answers:
		if !e.OK {
			p.t.Fatal(errors.New("baresip: " + name + ": " + e.Data))
		}
		return e.Data
	case <-time.After(patience):
		p.t.Fatalf("baresip has not answered %q", name)
	}
	return ""
}

// received returns how many packets of audio the telephone has got.
func (p *phone) received() int {
	p.t.Helper()
	text := p.command("audio_debug", "")
	_, count, counts := strings.Cut(text, "rcvd=")
	if !counts { // before the first
		return 0
	}
	n, err := strconv.Atoi(count[:max(0, strings.IndexFunc(count, func(r rune) bool { return r < '0' || r > '9' }))])
	if err != nil {
		p.t.Fatalf("baresip counts no packets: %s", text)
	}
	return n
}

// press presses a key of the telephone.
func (p *phone) press(keys string) {
	p.t.Helper()
	for _, k := range []byte(keys) {
		if _, err := p.keys.Write([]byte{k}); err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(250 * time.Millisecond) // it is held down for a while
	}
}

// await waits for an event, such as CALL_CLOSED.
func (p *phone) await(kind string) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-p.events:
			if e.Type == kind {
				return
			}
		case <-deadline:
			p.t.Fatalf("baresip has sent no %s in %v", kind, patience)
		}
	}
}

// heard returns what the telephone has heard, once the call is over.
func (p *phone) heard() []int16 {
	p.t.Helper()
	names, _ := filepath.Glob(filepath.Join(p.folder, "dump-*-dec.wav"))
	if len(names) == 0 {
		p.t.Fatal("baresip has recorded nothing")
	}
	return readWAV(p.t, names[len(names)-1])
}

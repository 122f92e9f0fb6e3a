//go:build phones

package main_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ivrqueue/media"
)

// The lines of docs/phones.md work with a softphone: baresip, without a face. It says a tone, hears
// the prompts, presses a key, and is called. Install the package baresip.
func TestTheLinesAboutTelephonesWorkWithASoftphone(t *testing.T) {
	const document = "../../docs/phones.md"
	at, api, phone := freeAddress(t), freeAddress(t), freeAddress(t)
	command := strings.NewReplacer("127.0.0.1:5060", at, "127.0.0.1:8080", api,
		"127.0.0.1:5070", phone).Replace(linesOf(t, document, "phones"))
	command = strings.TrimPrefix(strings.TrimSpace(command), "go run ./examples/ivr serve ")
	s := serve(t, append(strings.Fields(command), "-addr", api)...)
	b := newBaresip(t, phone)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	var stdout, stderr bytes.Buffer
	run := func(mark string, meanwhile func()) {
		t.Helper()
		shell := shellFor(t, t.TempDir(), linesOf(t, document, mark), s.url)
		shell.Stdout, shell.Stderr = &stdout, &stderr
		if err := shell.Start(); err != nil {
			t.Fatal(err)
		}
		over := make(chan error, 1)
		go func() { over <- shell.Wait() }()
		meanwhile()
		select {
		case err := <-over:
			if err != nil || stderr.Len() > 0 {
				t.Fatalf("%s: %v: %s\n%s\n%s", mark, err, &stderr, &stdout, s.log)
			}
		case <-ctx.Done():
			t.Fatalf("%s: it goes on for too long\n%s", mark, s.log)
		}
	}
	run("incoming", func() {
		b.press("d sip:100@" + at + "\n")
		s.waitFor(ctx, t, "kind=playPrompt")
		b.press("5")
	})
	if !strings.Contains(stdout.String(), `"tone":"tone5"`) {
		t.Errorf("no notification of the key:\n%s", &stdout)
	}
	run("outgoing", func() {
		s.waitFor(ctx, t, "call goes out")
		time.Sleep(time.Second) // real time is meant: it rings, which baresip does not say at its keyboard
		b.press("a")            // it is answered
	})
	if code, _ := s.end(); code != 0 {
		t.Errorf("exit status %d\n%s", code, s.log)
	}
	if heard := b.heard(t); len(heard) < 2 {
		t.Errorf("%d calls were heard, want 2", len(heard))
	} else {
		for i, samples := range heard {
			if loud := heardFor(samples); loud < time.Second/2 {
				t.Errorf("of call %d %v were heard", i, loud)
			} else {
				t.Logf("of call %d %v were heard", i, loud)
			}
		}
	}
}

// waitFor waits until something was logged.
func (s *serving) waitFor(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(s.log.String(), text) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never logged: %s\n%s", text, s.log)
		}
	}
}

// heardFor returns for how long something was heard.
func heardFor(samples []int16) time.Duration {
	n := 0
	for _, s := range samples {
		if s > 300 || s < -300 {
			n++
		}
	}
	return time.Duration(n) * time.Second / media.Rate
}

// baresip is a softphone whose keyboard is a socket.
type baresip struct {
	folder string
	keys   net.Conn
}

func newBaresip(t *testing.T, at string) *baresip {
	t.Helper()
	b := &baresip{folder: t.TempDir()}
	_ = freeAddress(t) // it listens for TLS beside its port
	keyboard := freeAddress(t)
	config := fmt.Sprintf(`
sip_listen %s
audio_player aubridge,nobody
audio_source aufile,%[2]s/tone.wav
audio_alert aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
jitter_buffer_delay 1-5
rtp_ports 31000-31998
snd_path %[2]s
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module cons.so
cons_listen %[3]s
module_tmp account.so
module_app menu.so
`, at, b.folder, keyboard)
	for name, text := range map[string]string{
		"config": config, "accounts": "<sip:me@" + at + ">;regint=0\n", "contacts": "",
		"tone.wav": toneOfTelephone(time.Minute),
	} {
		if err := os.WriteFile(filepath.Join(b.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "baresip", "-f", b.folder)
	var log bytes.Buffer
	run.Stdout, run.Stderr = &log, &log
	if err := run.Start(); err != nil {
		t.Fatalf("%v: install the package baresip", err)
	}
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		if t.Failed() {
			t.Logf("baresip:\n%s", &log)
		}
	})
	deadline := time.Now().Add(10 * time.Second)
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", keyboard)
		if err == nil {
			b.keys = conn
			t.Cleanup(func() { _ = conn.Close() })
			return b
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// toneOfTelephone is a WAV file of 400 Hz, with 8,000 samples a second, as baresip wants it.
func toneOfTelephone(d time.Duration) string {
	const rate = 8000
	size := 2 * int(d.Seconds()*rate)
	file := []byte("RIFF")
	file = binary.LittleEndian.AppendUint32(file, uint32(36+size))
	file = append(file, "WAVEfmt "...)
	for _, v := range []uint32{16, 1 | 1<<16, rate, 2 * rate, 2 | 16<<16} {
		file = binary.LittleEndian.AppendUint32(file, v)
	}
	file = append(file, "data"...)
	file = binary.LittleEndian.AppendUint32(file, uint32(size))
	for i := range size / 2 {
		file = binary.LittleEndian.AppendUint16(file, uint16(int16(8000*(1-i/10%2*2))))
	}
	return string(file)
}

// press types on its keyboard.
func (b *baresip) press(keys string) { _, _ = b.keys.Write([]byte(keys)) }

// heard returns what was heard of each call.
func (b *baresip) heard(t *testing.T) (all [][]int16) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(b.folder, "dump-*-dec.wav"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// Who is killed leaves a header that is wrong.
		_, pcm, _ := bytes.Cut(data, []byte("data"))
		samples := make([]int16, 0, len(pcm))
		for i := 4; i+1 < len(pcm); i += 2 {
			v := int16(uint16(pcm[i]) | uint16(pcm[i+1])<<8)
			samples = append(samples, v, v) // 8 kHz as 16
		}
		all = append(all, samples)
	}
	return all
}

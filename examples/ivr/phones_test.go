package main_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ivr "ivrqueue/examples/ivr"
	"ivrqueue/media"
	"ivrqueue/sip"
)

func TestTheFlagsOfTelephonesAreChecked(t *testing.T) {
	t.Parallel()
	const see = "Run it with -h to learn its flags.\n"
	for _, test := range []struct {
		args, want string
		code       int
	}{
		{"-sip localhost:5060", `-sip is "localhost:5060", must be an IPv4 address and a port`, 2},
		{"-sip 127.0.0.1", `-sip is "127.0.0.1", must be an IPv4 address and a port`, 2},
		{"-sip [::1]:5060", `-sip is "[::1]:5060", must be an IPv4 address and a port`, 2},
		{"-sip 127.0.0.1:0 -sip-host x", `-sip-host is "x", must be an IPv4 address`, 2},
		{"-sip 127.0.0.1:0 -sip-host ::1", `-sip-host is "::1", must be an IPv4 address`, 2},
		{"-sip 127.0.0.1:0 -rtp-ports 1", `-rtp-ports is "1", must be two even numbers, in order`, 2},
		{"-sip 127.0.0.1:0 -rtp-ports 4-2", `-rtp-ports is "4-2", must be two even numbers`, 2},
		{"-sip 127.0.0.1:0 -rtp-ports 3-4", `-rtp-ports is "3-4", must be two even numbers`, 2},
		{"-sip 127.0.0.1:0 -rtp-ports 2-70000", `-rtp-ports is "2-70000", must be two even`, 2},
		{"-number 1=dev", "-sip-host, -rtp-ports, -number, -trunk and -trunk-from need -sip", 2},
		{"-trunk-from 192.0.2.7", "-sip-host, -rtp-ports, -number, -trunk and -trunk-from need -sip", 2},
		{"-sip 127.0.0.1:0 -trunk-from 2001:db8::1", "ivr: service: Phones: sip: Trunks are [2001:db8::1/128], must be of IPv4", 1},
		{"-trunk sip:x", "-sip-host, -rtp-ports, -number, -trunk and -trunk-from need -sip", 2},
		{"-sip 127.0.0.1:0 -number 1", `invalid value "1" for flag -number: must be as in NUMBER=APPLICATION`, 2},
		{"-sip 127.0.0.1:0 -number 1=a -number 1=b", `invalid value "1=b" for flag -number: this number was given before`, 2},
		{"-sip 127.0.0.1:0 -number 1=dev", `ivr: service: Phones.Numbers["1"] is "dev", whose bot is not among Bots`, 1},
		{"-sip 127.0.0.1:0 -number 1=x", `ivr: service: Phones.Numbers["1"] is "x", must be the name or the id`, 1},
		{"-sip 127.0.0.1:0 -trunk x", `ivr: service: Phones.Trunk is "x", must be as in sip:192.0.2.7:5060`, 1},
		{"-sip 192.0.2.1:5060", "ivr: service: Phones: sip: listen udp4 192.0.2.1:5060", 1},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"serve", "-dev", "-addr", "127.0.0.1:0"}, strings.Fields(test.args)...)
		code := ivr.Run(t.Context(), args, &stdout, &stderr)
		got := stderr.String()
		if code == 1 { // behind what is logged
			got = got[max(0, strings.Index(got, "ivr: ")):]
		}
		if code != test.code || !strings.HasPrefix(got, test.want) ||
			code == 2 && !strings.HasSuffix(got, see) || stdout.Len() > 0 {
			t.Errorf("%s: got %d, %q, %q", test.args, code, got, &stdout)
		}
	}
}

func TestTheAddressForTelephonesIsPrinted(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"-sip 127.0.0.1:PORT":                       "sip:NUMBER@127.0.0.1:PORT\n",
		"-sip 127.0.0.1:PORT -sip-host 203.0.113.5": "sip:NUMBER@203.0.113.5:PORT\n",
		"-sip 0.0.0.0:PORT":                         "sip:NUMBER@HOST:PORT, HOST being an address",
		"-sip 0.0.0.0:PORT -sip-host 203.0.113.5":   "sip:NUMBER@203.0.113.5:PORT\n",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // it ends after its notifications
		_, port, _ := net.SplitHostPort(freeAddress(t))
		flags, want = strings.ReplaceAll(flags, "PORT", port), strings.ReplaceAll(want, "PORT", port)
		args := append([]string{"serve", "-token", "x", "-addr", "127.0.0.1:0"}, strings.Fields(flags)...)
		var stdout, stderr bytes.Buffer
		code := ivr.Run(ctx, args, &stdout, &stderr)
		if code != 0 || !strings.Contains(stdout.String(), "Telephones call "+want) {
			t.Errorf("%s: got %d, %q\n%s", flags, code, &stdout, &stderr)
		}
	}
}

// What the README adds to its line that starts the service is taken, and what one needs is printed.
func TestTheFlagsOfTheReadmeForTelephonesAreTaken(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, flags, _ := strings.Cut(string(readme), "`-sip ")
	flags, _, ok := strings.Cut("-sip "+flags, "`")
	if !ok {
		t.Fatal("the README has no -sip")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	at := freeAddress(t)
	args := append([]string{"serve", "-dev", "-token", "demo=Calls.Initiate.All", "-addr", "127.0.0.1:0"},
		strings.Fields(strings.Replace(flags, "127.0.0.1:5060", at, 1))...)
	var stdout, stderr bytes.Buffer
	code := ivr.Run(ctx, args, &stdout, &stderr)
	if want := "Telephones call sip:NUMBER@" + at + "\nThe number 100 is of the application demo\n"; code != 0 ||
		!strings.Contains(stdout.String(), want) {
		t.Errorf("%q: got %d, %q\n%s", args, code, &stdout, &stderr)
	}
}

// The program is called by a telephone: the bot answers, plays, and hangs up.
func TestATelephoneCallsTheProgram(t *testing.T) {
	t.Parallel()
	notifications := make(chan string, 100)
	bot := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		notifications <- string(body)
	}))
	t.Cleanup(bot.Close)
	at := freeAddress(t)
	s := serve(t, "-dev", "-sip", at, "-number", "100=dev", "-bot", "dev="+bot.URL)
	telephone := listen(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := telephone.NewCall(ctx, sip.Target{To: "sip:100@" + at})
	if err != nil {
		t.Fatal(err)
	}
	dialed := make(chan error, 1)
	go func() { dialed <- c.Dial(ctx) }()
	_, id, _ := strings.Cut(<-notifications, "/communications/calls/")
	id = id[:36]
	post := func(action string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost,
			s.url+"/v1.0/communications/calls/"+id+"/"+action, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Content-Type", "application/json")
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.Body.Close()
		if w.StatusCode != http.StatusAccepted {
			t.Fatalf("%s: got %d\n%s", action, w.StatusCode, s.log)
		}
	}
	post("answer")
	if err := <-dialed; err != nil {
		t.Fatal(err)
	}
	s.wantAllTold(t)
	select {
	case <-c.Done():
	case <-ctx.Done():
		t.Error("the telephone was not hung up")
	}
}

// The lines of docs/phones.md work as printed, but for the ports: a telephone calls and is recorded,
// and is called.
func TestTheLinesAboutTelephonesWork(t *testing.T) {
	t.Parallel()
	const document = "../../docs/phones.md"
	command, ok := strings.CutPrefix(strings.TrimSpace(linesOf(t, document, "phones")),
		"go run ./examples/ivr serve ")
	if !ok {
		t.Fatal("the document does not start the service")
	}
	calls := make(chan *sip.Call, 1)
	telephone := listen(t, func(c *sip.Call) {
		_ = c.Ring()
		_ = c.Answer()
		calls <- c
	})
	at, api := freeAddress(t), freeAddress(t)
	command = strings.NewReplacer("127.0.0.1:5060", at, "127.0.0.1:8080", api,
		"127.0.0.1:5070", telephone.Addr().String()).Replace(command)
	s := serve(t, append(strings.Fields(command), "-addr", api)...)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	var stdout, stderr bytes.Buffer
	shell := shellFor(t, t.TempDir(), linesOf(t, document, "incoming"), s.url)
	shell.Stdout, shell.Stderr = &stdout, &stderr
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := telephone.NewCall(ctx, sip.Target{To: "sip:100@" + at})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Dial(ctx); err != nil {
		t.Fatal(err)
	}
	go speak(c)
	if err := shell.Wait(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s\n%s\n%s", err, &stderr, &stdout, s.log)
	}
	<-c.Done()
	if c.End() != sip.PeerHungUp {
		t.Errorf("the call that came in ended: %v", c.End())
	}

	shell = shellFor(t, t.TempDir(), linesOf(t, document, "outgoing"), s.url)
	shell.Stdout, shell.Stderr = &stdout, &stderr
	if err := shell.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s\n%s\n%s", err, &stderr, &stdout, s.log)
	}
	c = <-calls
	<-c.Done()
	if c.End() != sip.PeerHungUp || c.To().User != "me" || c.From().User != "100" {
		t.Errorf("the call of %+v to %+v ended: %v", c.From(), c.To(), c.End())
	}
	s.wantAllTold(t)
}

// speak says a loud tone until the call ends, with a pause of 3 s in each 6.
func speak(c *sip.Call) {
	tick := time.NewTicker(media.FrameTime)
	defer tick.Stop()
	frame := make([]int16, sip.Codec.FrameSamples())
	for n := 0; ; n++ {
		for i := range frame {
			frame[i] = int16(12000 * (1 - i%2*2))
		}
		select {
		case at := <-tick.C:
			if n%300 < 150 {
				_ = c.Line().WriteFrame(at, frame)
			}
		case <-c.Done():
			return
		}
	}
}

func listen(t *testing.T, incoming func(*sip.Call)) *sip.Agent {
	t.Helper()
	a, err := sip.Listen(sip.Options{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"), Logger: slog.New(slog.DiscardHandler),
		Incoming: incoming, Ports: sip.Ports{First: 30000, Last: 30998},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = a.Shutdown(ctx)
	})
	return a
}

// addresses counts up, from anywhere: another process may do the same.
var (
	addresses     atomic.Uint32
	addressesFrom = rand.Uint32N(1 << 16)
)

// freeAddress returns an address of this machine that nobody else takes: of those that no system gives
// sockets by itself.
func freeAddress(t *testing.T) string {
	t.Helper()
	const first, last = 20000, 21999
	for range last - first + 1 {
		port := first + int((addressesFrom+addresses.Add(1))%(last-first+1))
		udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		at := udp.LocalAddr().String()
		_ = udp.Close()
		tcp, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at)
		if err != nil {
			continue
		}
		_ = tcp.Close()
		return at
	}
	t.Fatalf("no port is free from %d to %d", first, last)
	return ""
}

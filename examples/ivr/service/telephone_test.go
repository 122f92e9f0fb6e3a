package service_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
	"ivrqueue/media"
	"ivrqueue/sip"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// handset is a telephone: a SIP user agent, and a socket of its own for what is heard and said, so
// that a test sees every packet.
type handset struct {
	tb    testing.TB
	agent *sip.Agent
	calls chan *sip.Call // that came in

	audio *net.UDPConn
	to    netip.AddrPort // of the service's audio
	sent  uint32         // packets
	heard chan []int16   // frames in which something is heard
}

// newHandset makes one. What comes in is handed to answer, or, for nil, to the channel calls.
func newHandset(tb testing.TB, answer func(*sip.Call)) *handset {
	tb.Helper()
	h := &handset{tb: tb, calls: make(chan *sip.Call, 10), heard: make(chan []int16, 1000)}
	if answer == nil {
		answer = func(c *sip.Call) { h.calls <- c }
	}
	var err error
	h.agent, err = sip.Listen(sip.Options{
		Listen: netip.AddrPortFrom(loopback, 0), User: "alice", Incoming: answer,
		Ports: evenPort(tb), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = h.agent.Shutdown(ctx)
	})
	return h
}

// ports counts up, from anywhere: another process may do the same.
var (
	ports     atomic.Uint32
	portsFrom = rand.Uint32N(1 << 16)
)

// evenPort returns an even port that nobody else takes: of those that no system gives sockets by
// itself, and no test gives to an agent as one of many. Until the end of the test the odd one above it
// is held, so that another process that does the same takes another.
func evenPort(tb testing.TB) sip.Ports {
	tb.Helper()
	const first, last = 22000, 25998
	for range (last-first)/2 + 1 {
		port := uint16(first + 2*((portsFrom+ports.Add(1))%((last-first)/2+1)))
		held, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port) + 1})
		if err != nil {
			continue
		}
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)})
		if err != nil {
			_ = held.Close()
			continue
		}
		_ = conn.Close()
		tb.Cleanup(func() { _ = held.Close() })
		return sip.Ports{First: port, Last: port}
	}
	tb.Fatalf("no port is free from %d to %d", first, last)
	return sip.Ports{}
}

// call has the handset ring at a number of the service.
func (h *handset) call(r *rig, number string) (*sip.Call, <-chan error) {
	h.tb.Helper()
	c, err := h.agent.NewCall(h.tb.Context(), sip.Target{
		To: "sip:" + number + "@" + r.service.PhoneAddress().String(), From: "+15550199", Name: "Alice",
	})
	if err != nil {
		h.tb.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- c.Dial(context.Background()) }()
	return c, over
}

// listen has what is heard and said go over the handset's own socket.
func (h *handset) listen(service sip.Ports) {
	h.tb.Helper()
	var err error
	if h.audio, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		h.tb.Fatal(err)
	}
	h.to = netip.AddrPortFrom(loopback, service.First)
	over := make(chan struct{})
	h.tb.Cleanup(func() {
		_ = h.audio.Close()
		<-over
	})
	go func() {
		defer close(over)
		packet := make([]byte, 1500)
		for {
			n, _, err := h.audio.ReadFromUDPAddrPort(packet)
			if err != nil {
				return
			}
			const header = 12
			frame := media.PCMU.Decode(nil, packet[min(header, n):n])
			if slices.ContainsFunc(frame, func(v int16) bool { return v > 1000 }) {
				select {
				case h.heard <- frame:
				default: // nobody waits for so many
				}
			}
		}
	}()
	h.say(make([]int16, 160)) // so that the service knows where it is
}

// hears waits until so many frames were heard with a sample above a level.
func (h *handset) hears(frames int, level int16) {
	h.tb.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for frames > 0 {
		select {
		case frame := <-h.heard:
			if slices.Max(frame) > level {
				frames--
			}
		case <-deadline.C:
			h.tb.Fatal("it was not heard")
		}
	}
}

func (h *handset) packet(payloadType byte, timestamp uint32, payload []byte) {
	h.sent++
	header := []byte{0x80, payloadType}
	header = binary.BigEndian.AppendUint16(header, uint16(h.sent))
	header = binary.BigEndian.AppendUint32(header, timestamp)
	header = binary.BigEndian.AppendUint32(header, 4711)
	_, _ = h.audio.WriteToUDPAddrPort(append(header, payload...), h.to)
}

// say sends a frame.
func (h *handset) say(frame []int16) { h.packet(0, h.sent*160, media.PCMU.Encode(nil, frame)) }

// speak says a loud tone, in real time.
func (h *handset) speak(frames int) {
	frame := make([]int16, 160)
	for i := range frame {
		frame[i] = int16(12000 * (1 - i%2*2))
	}
	tick := time.NewTicker(media.FrameTime)
	defer tick.Stop()
	for range frames {
		<-tick.C
		h.say(frame)
	}
}

// wantEnd waits until a telephone's call has ended, and wants it to be so.
func wantEnd(tb testing.TB, c *sip.Call, why sip.End) {
	tb.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	select {
	case <-c.Done():
	case <-deadline.C:
		tb.Fatal("the telephone's call goes on")
	}
	if c.End() != why {
		tb.Errorf("got %v, want %v", c.End(), why)
	}
}

// press presses a key: 0 to 9, 10 is the star, 11 the pound (RFC 4733).
func (h *handset) press(event byte) {
	h.packet(101, h.sent*160, []byte{event, 10, 0, 160})
	h.packet(101, (h.sent-1)*160, []byte{event, 0x80 | 10, 1, 64})
}

// withPhones has telephones reach a service, whose bot takes the calls to 100, and it reach them by
// the handset. It returns the service's port of audio.
func withPhones(tb testing.TB, h *handset) (sip.Ports, func(*service.Options)) {
	tb.Helper()
	ports := evenPort(tb)
	return ports, func(o *service.Options) {
		o.Phones = &service.Phones{
			Listen: netip.AddrPortFrom(loopback, 0), Ports: ports,
			Numbers: map[string]string{"100": "bot"}, Trunk: "sip:" + h.agent.Addr().String(),
		}
	}
}

// dialable starts a service with telephones, one of which the trunk leads to. Its bots are not reached.
func dialable(t *testing.T, answer func(*sip.Call), change ...func(*service.Options)) (*rig, *handset) {
	t.Helper()
	h := newHandset(t, answer)
	_, phones := withPhones(t, h)
	return start(t, append([]func(*service.Options){phones, takesCalls("http://127.0.0.1:1/")}, change...)...), h
}

// telephoned starts a service with telephones, and has one call its bot.
func telephoned(t *testing.T, change ...func(*service.Options)) (
	r *rig, p *phone, c *sip.Call, dialed <-chan error,
) {
	t.Helper()
	h := newHandset(t, nil)
	_, phones := withPhones(t, h)
	announced := new(relay)
	r = start(t, append(change, phones, takesCalls(announced.serve(t)))...)
	announced.to.Store(r)
	c, dialed = h.call(r, "100")
	in := r.wait("comes in", func(res any) bool { return at(res, "state") == "incoming" })
	id, _ := in["id"].(string)
	return r, &phone{r, id}, c, dialed
}

func answerBody(callback string) string {
	return `{"callbackUri":"` + callback + `","acceptedModalities":["audio"],
		"mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig"}}`
}

func (p *phone) path() string { return "/v1.0/communications/calls/" + p.id }

// wantResult waits for the end of a call.
func (r *rig) wantResult(code, subcode int) {
	r.tb.Helper()
	over := r.wait("is over", func(res any) bool { return at(res, "state") == "terminated" })
	if at(over, "resultInfo", "code") != float64(code) ||
		at(over, "resultInfo", "subcode") != float64(subcode) {
		r.tb.Errorf("got %v, want %d/%d", over["resultInfo"], code, subcode)
	}
}

func wantDialed(t *testing.T, dialed <-chan error) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	select {
	case err := <-dialed:
		if err != nil {
			t.Fatal(err)
		}
	case <-deadline.C:
		t.Fatal("nobody has answered")
	}
}

// A telephone calls, hears, presses keys, is recorded, and hangs up.
func TestATelephoneTalksToABot(t *testing.T) {
	t.Parallel()
	h := newHandset(t, nil)
	ports, phones := withPhones(t, h)
	announced := new(relay)
	r := start(t, phones, takesCalls(announced.serve(t)))
	announced.to.Store(r)
	r.file("a.wav", sine(400, time.Minute))
	loud := sine(400, 100*time.Millisecond)
	for i := range loud {
		loud[i] *= 3
	}
	r.file("b.wav", loud)
	c, dialed := h.call(r, "100")
	in := r.wait("comes in", func(res any) bool { return at(res, "state") == "incoming" })
	if caller := at(in, "source", "identity", "phone"); at(in, "direction") != "incoming" ||
		at(caller, "id") != "+15550199" || at(caller, "displayName") != "Alice" {
		t.Errorf("got %v", in)
	}
	id, _ := in["id"].(string)
	p := &phone{r, id}
	r.must(202, "POST", p.path()+"/answer", "bot", answerBody(r.callback))
	wantDialed(t, dialed)
	r.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	h.listen(ports)
	p.act("subscribeToTone", `{"clientContext":"keys"}`)

	music := p.play("file:a.wav", false)
	h.hears(10, 1000)
	h.press(5)
	r.wait("a key", func(res any) bool { return at(res, "toneInfo", "tone") == "tone5" })
	p.act("cancelMediaProcessing", `{}`)
	r.wantEnd(music, 400, 8508)

	record := p.act("recordResponse", `{"playBeep":false,"stopTones":["#"],`+patient+`,
		"prompts":[`+promptOf("file:b.wav")+`]}`)
	h.hears(3, 15000)
	r.pass(200 * time.Millisecond) // the prompt is over
	h.speak(50)
	h.press(6) // behind what was said: it has come with that
	r.wait("another key", func(res any) bool { return at(res, "toneInfo", "tone") == "tone6" })
	r.pass(600 * time.Millisecond)
	h.press(11)
	end := r.wantEnd(record, 200, 8514)
	location, _ := end["recordingLocation"].(string)
	token, _ := end["recordingAccessToken"].(string)
	status, wav := r.do("GET", location, token, "")
	if status != 200 || !strings.HasPrefix(location, r.url) || len(trim(decode(t, wav))) < media.Rate/4 {
		t.Errorf("the recording at %s: %d, %d bytes", location, status, len(wav))
	}
	page{r, "bot"}.follow("events", func(e object) bool { // it shows the call, with the carrier's name for it
		calls, _ := e["calls"].([]any)
		return slices.ContainsFunc(calls, func(shown any) bool {
			return strings.Contains(fmt.Sprint(at(shown, "labels")), "SIP Call-ID "+c.ID())
		})
	})
	if err := c.HangUp(t.Context()); err != nil {
		t.Error(err)
	}
	r.wantResult(200, 540000)
	if key := keyName.FindString(r.logs.String()); key != "" {
		t.Errorf("the log names a key: %q", key)
	}
	states, _ := r.notified(id)
	want := []string{
		"incoming", "establishing", "established", "established active", "terminated",
	}
	if !slices.Equal(states, want) {
		t.Errorf("got %q, want %q", states, want)
	}
	r.logs.wait(t, c.ID())
}

func promptOf(uri string) string {
	return `{"@odata.type":"#microsoft.graph.mediaPrompt",
		"mediaInfo":{"@odata.type":"#microsoft.graph.mediaInfo","uri":"` + uri + `"}}`
}

// What a telephone hears of what the bot decides, and the bot of what the telephone does.
func TestWhatABotDoesWithATelephonesCall(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		do            func(t *testing.T, r *rig, p *phone, c *sip.Call)
		dialed        string // the error of whom has called
		code, subcode int
	}{
		{"busy", func(_ *testing.T, r *rig, p *phone, _ *sip.Call) {
			r.must(202, "POST", p.path()+"/reject", "bot", `{"reason":"busy"}`)
		}, "486", 200, 10550},
		{"forbidden", func(_ *testing.T, r *rig, p *phone, _ *sip.Call) {
			r.must(202, "POST", p.path()+"/reject", "bot", `{"reason":"forbidden"}`)
		}, "403", 200, 10550},
		{"rejected", func(_ *testing.T, r *rig, p *phone, _ *sip.Call) {
			r.must(202, "POST", p.path()+"/reject", "bot", `{"reason":"none"}`)
		}, "603", 200, 10550},
		{"hung up", func(_ *testing.T, r *rig, p *phone, _ *sip.Call) {
			r.must(204, "DELETE", p.path(), "bot", "")
		}, "603", 200, 5001},
		{"redirected", func(_ *testing.T, r *rig, p *phone, _ *sip.Call) {
			r.must(202, "POST", p.path()+"/redirect", "bot",
				`{"targets":[{"identity":{"phone":{"id":"+15550142"}}}]}`)
		}, "302", 200, 5001},
		{"given up", func(t *testing.T, _ *rig, _ *phone, c *sip.Call) {
			t.Helper()
			_ = c.HangUp(t.Context())
		}, "487", 487, 540487},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, p, c, dialed := telephoned(t)
			test.do(t, r, p, c)
			if err := <-dialed; err == nil || !strings.Contains(err.Error(), test.dialed) {
				t.Errorf("got %v, want %s", err, test.dialed)
			}
			r.wantResult(test.code, test.subcode)
			if status, _ := r.do("POST", p.path()+"/answer", "bot", `{}`); status != 404 {
				t.Errorf("an answer after that: got %d", status)
			}
		})
	}
}

func TestATelephoneThatIsNotAnsweredGetsA480(t *testing.T) {
	t.Parallel()
	r, _, _, dialed := telephoned(t, func(o *service.Options) {
		o.Graph = append(o.Graph, graph.WithAnswerTimeout(50*time.Millisecond))
	})
	if err := <-dialed; err == nil || !strings.Contains(err.Error(), "480") {
		t.Errorf("got %v", err)
	}
	r.wantResult(408, 10057)
}

func TestAnUnassignedNumberIsNotFound(t *testing.T) {
	t.Parallel()
	r, h := dialable(t, nil)
	_, dialed := h.call(r, "101")
	if err := <-dialed; err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
	r.logs.wait(t, "nobody has the number")
}

// dial has the bot call a telephone.
func (r *rig) dial(change ...string) *phone {
	r.tb.Helper()
	body := strings.NewReplacer(change...).Replace(createBody(r.callback))
	a := r.must(201, "POST", "/v1.0/communications/calls", "bot", body)
	id, _ := a["id"].(string)
	return &phone{r, id}
}

// A bot calls a telephone, which rings, answers, hears, and is hung up on.
func TestABotCallsATelephone(t *testing.T) {
	t.Parallel()
	h := newHandset(t, nil)
	ports, phones := withPhones(t, h)
	r := start(t, phones, takesCalls("http://127.0.0.1:1/"))
	r.file("a.wav", sine(400, 500*time.Millisecond))
	p := r.dial()
	c := <-h.calls
	if c.To().User != "+12345678901" || c.From().User != "100" {
		t.Errorf("got a call from %+v to %+v", c.From(), c.To())
	}
	if err := c.Ring(); err != nil {
		t.Fatal(err)
	}
	r.wait("rings", func(res any) bool { return at(res, "state") == "ringing" })
	if status, _ := r.do("POST", p.path()+"/playPrompt", "bot", playBody("file:a.wav", false)); status != 409 {
		t.Errorf("a play before the answer: got %d", status)
	}
	if err := c.Answer(); err != nil {
		t.Fatal(err)
	}
	r.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	h.listen(ports)
	music := p.play("file:a.wav", true) // until the service knows where the handset listens
	h.hears(20, 1000)
	p.act("cancelMediaProcessing", `{}`)
	r.wantEnd(music, 400, 8508)
	r.wantEnd(p.play("file:a.wav", false), 200, 0)
	r.must(204, "DELETE", p.path(), "bot", "")
	wantEnd(t, c, sip.PeerHungUp)
	r.wantResult(200, 5001)
	states, _ := r.notified()
	want := []string{
		"establishing", "ringing", "established", "established active", "terminating active", "terminated",
	}
	if !slices.Equal(states, want) {
		t.Errorf("got %q, want %q", states, want)
	}
	r.logs.wait(t, c.ID())
}

func TestACallToATelephoneThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		answer        func(c *sip.Call)
		code, subcode int
	}{
		{"busy", func(c *sip.Call) { _ = c.Reject(486) }, 486, 560486},
		{"declined", func(c *sip.Call) { _ = c.Reject(603) }, 603, 560603},
		{"not found", func(c *sip.Call) { _ = c.Reject(404) }, 404, 560404},
		{"away", func(c *sip.Call) { _ = c.Reject(480) }, 480, 560480},
		{"moved", func(c *sip.Call) { _ = c.Redirect("sip:bob@192.0.2.9") }, 302, 560302},
		{"rings on", func(c *sip.Call) { _ = c.Ring() }, 480, 560480},
		{"hangs up", func(c *sip.Call) {
			_ = c.Answer()
			<-c.Established()
			_ = c.HangUp(context.Background())
		}, 200, 560000},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, _ := dialable(t, test.answer)
			patience := "60"
			if test.name == "rings on" {
				patience = "2"
			}
			r.dial(`"requestedModalities"`, `"ringingTimeoutInSeconds":`+patience+`,"requestedModalities"`)
			r.wantResult(test.code, test.subcode)
		})
	}
}

func TestABotThatHangsUpWhileItRingsTakesTheCallBack(t *testing.T) {
	t.Parallel()
	r, h := dialable(t, nil)
	p := r.dial()
	c := <-h.calls
	_ = c.Ring()
	r.wait("rings", func(res any) bool { return at(res, "state") == "ringing" })
	r.must(204, "DELETE", p.path(), "bot", "")
	wantEnd(t, c, sip.Cancelled)
	r.wantResult(200, 5001)
}

func TestWhatIsNoTelephoneIsRefused(t *testing.T) {
	t.Parallel()
	r, h := dialable(t, nil)
	for target, want := range map[string]string{
		`{"identity":{"phone":{"id":""}}}`:                                "targets[0].identity.phone.id",
		`{"identity":{"phone":{"id":"1@evil.example"}}}`:                  "targets[0].identity.phone.id",
		`{"identity":{"phone":{"id":"1;maddr=192.0.2.1"}}}`:               "targets[0].identity.phone.id",
		`{"identity":{"phone":{"id":"1\r\nVia: x"}}}`:                     "targets[0].identity.phone.id",
		`{"identity":{"phone":{"id":7}}}`:                                 "targets",
		`{"identity":{"phone":{"id":"` + strings.Repeat("1", 65) + `"}}}`: "targets[0].identity.phone.id",
	} {
		body := strings.Replace(createBody(r.callback), `{"identity":{"phone":{"id":"+12345678901"}}}`, target, 1)
		if status, text := r.do("POST", "/v1.0/communications/calls", "bot", body); status != 400 ||
			!bytes.Contains(text, []byte(want)) {
			t.Errorf("%s: got %d: %s", target, status, text)
		}
	}
	user := strings.Replace(createBody(r.callback), `"phone"`, `"user"`, 1)
	r.must(201, "POST", "/v1.0/communications/calls", "bot", user) // one who is played
	r.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	select {
	case c := <-h.calls:
		t.Errorf("the telephone was called: %v", c.To())
	default:
	}
}

func TestWhatIsATrunk(t *testing.T) {
	t.Parallel()
	named := netip.MustParsePrefix("203.0.113.0/24")
	tests := []struct {
		trunk string
		from  []netip.Prefix
		want  string
	}{
		{"", nil, "[]"},
		{"sip:192.0.2.7", nil, "[192.0.2.7/32]"},
		{"sip:192.0.2.7:5060", []netip.Prefix{named}, "[203.0.113.0/24 192.0.2.7/32]"},
		{"sip:sip.carrier.example:5060", []netip.Prefix{named}, "[203.0.113.0/24]"},
	}
	for _, tt := range tests {
		p := service.Phones{Trunk: tt.trunk, TrunkFrom: tt.from}
		if got := fmt.Sprint(p.Trunks()); got != tt.want {
			t.Errorf("%q and %v: got %s, want %s", tt.trunk, tt.from, got, tt.want)
		}
	}
}

func TestWithoutATrunkTelephonesCannotBeCalled(t *testing.T) {
	t.Parallel()
	r, _ := dialable(t, nil, func(o *service.Options) { o.Phones.Trunk = "" })
	if status, text := r.do("POST", "/v1.0/communications/calls", "bot", createBody(r.callback)); status != 400 ||
		!bytes.Contains(text, []byte("there is no trunk")) {
		t.Errorf("got %d: %s", status, text)
	}
}

// A shutdown hangs up telephones, ringing ones too, and leaves nothing.
func TestAShutdownHangsUpTelephones(t *testing.T) {
	t.Parallel()
	r, p, c, dialed := telephoned(t)
	r.must(202, "POST", p.path()+"/answer", "bot", answerBody(r.callback))
	wantDialed(t, dialed)
	r.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.service.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	wantEnd(t, c, sip.PeerHungUp)
}

// Many telephones call at once. Each is answered, and hangs up or is hung up.
func TestManyTelephonesCallAtOnce(t *testing.T) {
	t.Parallel()
	const many = 40
	announced := new(relay)
	r := start(t, takesCalls(announced.serve(t)), func(o *service.Options) {
		o.Phones = &service.Phones{
			Listen: netip.AddrPortFrom(loopback, 0), Numbers: map[string]string{"100": "bot"},
			Ports: sip.Ports{First: 26000, Last: 27998},
		}
	})
	announced.to.Store(r)
	telephone, err := sip.Listen(sip.Options{
		Listen: netip.AddrPortFrom(loopback, 0), Ports: sip.Ports{First: 30000, Last: 31998},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = telephone.Shutdown(context.Background()) })
	h := &handset{tb: t, agent: telephone}
	var calls []*sip.Call
	var dialed []<-chan error
	for range many {
		c, over := h.call(r, "100")
		calls, dialed = append(calls, c), append(dialed, over)
	}
	seen := make(map[string]bool)
	for len(seen) < many {
		in := r.wait("another one comes in", func(res any) bool {
			id, _ := at(res, "id").(string)
			return at(res, "state") == "incoming" && !seen[id]
		})
		id, _ := in["id"].(string)
		seen[id] = true
		r.must(202, "POST", "/v1.0/communications/calls/"+id+"/answer", "bot", answerBody(r.callback))
	}
	for _, over := range dialed {
		wantDialed(t, over)
	}
	i := 0
	for id := range seen {
		if i++; i%2 == 0 {
			r.must(204, "DELETE", "/v1.0/communications/calls/"+id, "bot", "")
		}
	}
	for _, c := range calls {
		if err := c.HangUp(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for id := range seen {
		r.wait("is over", func(res any) bool {
			return at(res, "id") == id && at(res, "state") == "terminated"
		})
	}
}

func TestPhonesAreChecked(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(o *service.Options){
		"Listen is":               func(o *service.Options) { o.Phones.Listen = netip.AddrPort{} },
		"Host is":                 func(o *service.Options) { o.Phones.Host = netip.IPv6Loopback() },
		"Ports are":               func(o *service.Options) { o.Phones.Ports = sip.Ports{First: 1, Last: 3} },
		`Numbers has "1 2"`:       func(o *service.Options) { o.Phones.Numbers["1 2"] = "bot" },
		`Numbers has ""`:          func(o *service.Options) { o.Phones.Numbers[""] = "bot" },
		`Numbers["1"] is "x"`:     func(o *service.Options) { o.Phones.Numbers["1"] = "x" },
		`not among Bots`:          func(o *service.Options) { o.Phones.Numbers["1"] = "other" },
		`Trunk is "192.0.2.1"`:    func(o *service.Options) { o.Phones.Trunk = "192.0.2.1" },
		`Trunk is "sip:"`:         func(o *service.Options) { o.Phones.Trunk = "sip:" },
		`Trunk is "sip:a@b"`:      func(o *service.Options) { o.Phones.Trunk = "sip:a@b" },
		`Trunk is "sip:b:0"`:      func(o *service.Options) { o.Phones.Trunk = "sip:b:0" },
		`Trunk is "sip:b:99999"`:  func(o *service.Options) { o.Phones.Trunk = "sip:b:99999" },
		`Trunk is "sip:b;x=y"`:    func(o *service.Options) { o.Phones.Trunk = "sip:b;x=y" },
		`Trunk is "sip:b\r\nX: y`: func(o *service.Options) { o.Phones.Trunk = "sip:b\r\nX: y" },
	} {
		o := service.Options{
			Folder: t.TempDir(), Dev: true, Logger: slog.New(slog.DiscardHandler),
			Tokens: map[string]graph.Application{
				"bot": service.Application("bot"), "other": service.Application("other"),
			},
			Bots: map[string]string{"bot": "http://127.0.0.1:1/"},
			Phones: &service.Phones{
				Listen: netip.AddrPortFrom(loopback, 0), Numbers: map[string]string{"100": "bot"},
			},
		}
		spoil(&o)
		if _, err := service.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	taken := newHandset(t, nil).agent.Addr()
	o := service.Options{
		Folder: t.TempDir(), Logger: slog.New(slog.DiscardHandler), Phones: &service.Phones{Listen: taken},
	}
	if _, err := service.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "Phones") {
		t.Errorf("a port that is taken: got %v", err)
	}
}

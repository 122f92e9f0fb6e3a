package sip_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	message "github.com/emiago/sipgo/sip"

	"ivrqueue/sip"
)

// peer is the other end by hand: it sends what the test says, right or wrong.
type peer struct {
	t      *testing.T
	socket *socket
	agent  netip.AddrPort
	callID string
	tag    string // of the agent, once it has sent it
	branch int
	final  int // the last final response to an INVITE
	start  time.Time
}

// newPeer returns a peer of an agent that is made with o.
func newPeer(t *testing.T, o sip.Options) (*peer, *sip.Agent, *wire) {
	t.Helper()
	n := newWire()
	o.Listen, o.Logger = netip.AddrPortFrom(hostB, 5060), quiet
	a := listen(t, o.WithNetwork(n))
	return peerOf(t, n, a, 5060), a, n
}

// peerOf returns another peer of an agent.
func peerOf(t *testing.T, n *wire, a *sip.Agent, port uint16) *peer {
	t.Helper()
	s, err := n.listen(netip.AddrPortFrom(hostA, port))
	if err != nil {
		t.Fatal(err)
	}
	return &peer{
		t: t, socket: s, agent: a.Addr(), callID: fmt.Sprintf("call-%d", port), start: time.Now(),
	}
}

const (
	audioSDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
		"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	plainSDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
		"m=audio 4000 RTP/AVP 0\r\n"
	holdSDP = plainSDP + "a=sendonly\r\n"
	g729SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
		"m=audio 4000 RTP/AVP 18\r\n"
)

// request returns a request with these header lines. Its branch is new unless it is a CANCEL of the
// one before, or an ACK to its failure.
func (p *peer) request(method string, number int, body string, headers ...string) string {
	if method != "CANCEL" && (method != "ACK" || p.final < 300) {
		p.branch++
	}
	if body != "" && !strings.Contains(strings.Join(headers, "\n"), "Content-Type") {
		headers = append(headers, "Content-Type: application/sdp")
	}
	to := "<sip:ivr@192.0.2.2>"
	if p.tag != "" {
		to += ";tag=" + p.tag
	}
	at := p.socket.at
	lines := append([]string{
		method + " sip:ivr@192.0.2.2 SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP %v;branch=z9hG4bK%s%d", at, p.callID, p.branch),
		"From: <sip:alice@192.0.2.1>;tag=a", "To: " + to, "Call-ID: " + p.callID,
		fmt.Sprintf("CSeq: %d %s", number, method), fmt.Sprintf("Contact: <sip:alice@%v>", at),
		"Max-Forwards: 70", fmt.Sprintf("Content-Length: %d", len(body)),
	}, headers...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

func (p *peer) send(text string) {
	if _, err := p.socket.WriteToUDPAddrPort([]byte(text), p.agent); err != nil {
		p.t.Error(err)
	}
}

// got is a message with the time of its arrival since the peer's beginning.
type got struct {
	message.Message

	status int    // of a response
	method string // of a request, or of the response's
	after  time.Duration
}

// next returns the next message that comes within two minutes, but for 100 Trying.
func (p *peer) next() got {
	p.t.Helper()
	timer := time.NewTimer(2 * time.Minute)
	defer timer.Stop()
	for {
		select {
		case d := <-p.socket.in:
			m, err := message.ParseMessage(d.data)
			if err != nil {
				p.t.Fatal(err)
			}
			g := got{Message: m, after: d.at.Sub(p.start)}
			if number := m.CSeq(); number != nil { // else of a request that had none
				g.method = string(number.MethodName)
			}
			if r, ok := m.(*message.Response); ok {
				g.status = r.StatusCode
				if g.status < 300 && g.method == "INVITE" {
					p.tag = r.To().Params.GetOr("tag", p.tag)
				}
			}
			if g.status >= 200 && g.method == "INVITE" {
				p.final = g.status
			}
			if g.status != 100 {
				return g
			}
		case <-timer.C:
			p.t.Fatal("nothing has come for two minutes")
		}
	}
}

// wants fails the test if the next message is not a response to a method with a status, and
// returns it.
func (p *peer) wants(status int, method string) got {
	p.t.Helper()
	g := p.next()
	if g.status != status || g.method != method {
		p.t.Fatalf("got %d %s, want %d %s", g.status, g.method, status, method)
	}
	return g
}

// requested returns the next message, which is a request, and answers it.
func (p *peer) requested(method string, status int) got {
	p.t.Helper()
	g := p.next()
	r, ok := g.Message.(*message.Request)
	if !ok || g.method != method {
		p.t.Fatalf("got %d %s, want a request %s", g.status, g.method, method)
	}
	p.answer(r, status, "")
	return g
}

func (p *peer) answer(r *message.Request, status int, body string, headers ...string) {
	response := message.NewResponseFromRequest(r, status, "As asked", []byte(body))
	response.AppendHeader(message.NewHeader("Contact", fmt.Sprintf("<sip:alice@%v>", p.socket.at)))
	if body != "" {
		response.AppendHeader(message.NewHeader("Content-Type", "application/sdp"))
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		response.AppendHeader(message.NewHeader(name, value))
	}
	p.send(response.String())
}

// quiet fails the test if anything comes in some time.
func (p *peer) silent(d time.Duration) {
	p.t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case d := <-p.socket.in:
		p.t.Fatalf("got %q, want nothing", d.data)
	case <-timer.C:
	}
}

// established calls, and is answered.
func (p *peer) established(headers ...string) {
	p.t.Helper()
	p.send(p.request("INVITE", 1, plainSDP, headers...))
	p.wants(200, "INVITE")
	p.send(p.request("ACK", 1, ""))
}

// newCaller is a peer of an agent that answers. Its calls come to the channel.
func newCaller(t *testing.T) (*peer, <-chan *sip.Call) {
	t.Helper()
	calls := make(chan *sip.Call, 1)
	p, _, _ := newPeer(t, sip.Options{Incoming: answering(calls)})
	return p, calls
}

// answering is an Incoming that answers, and sends the calls to a channel.
func answering(calls chan<- *sip.Call) func(*sip.Call) {
	return func(c *sip.Call) {
		_ = c.Answer()
		calls <- c
	}
}

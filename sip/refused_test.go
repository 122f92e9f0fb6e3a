package sip_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/sip"
)

func TestWhatIsRefused(t *testing.T) {
	changed := func(method, body, from, to string) func(*peer) string {
		return func(p *peer) string { return strings.ReplaceAll(p.request(method, 1, body), from, to) }
	}
	with := func(method, body string, headers ...string) func(*peer) string {
		return func(p *peer) string { return p.request(method, 1, body, headers...) }
	}
	unknown := func(method, body string) func(*peer) string {
		return func(p *peer) string {
			p.tag = "nobody"
			return p.request(method, 1, body)
		}
	}
	tests := []struct {
		name    string
		request func(p *peer) string
		status  int
		header  string // "" or one that the response must have
	}{
		{"no codec in common", with("INVITE", g729SDP), 488, ""},
		{"no description", with("INVITE", "hello"), 488, ""},
		{"too short a session", with("INVITE", plainSDP, "Supported: timer", "Session-Expires: 60"), 422, "Min-SE: 90"},
		{"a call that there is not", unknown("BYE", ""), 481, ""},
		{"a re-INVITE of one", unknown("INVITE", plainSDP), 481, ""},
		{"nothing to cancel", with("CANCEL", ""), 481, ""},

		{"another version", changed("OPTIONS", "", " SIP/2.0\r\nVia", " SIP/3.0\r\nVia"), 505, ""},
		{"an INVITE of it", changed("INVITE", plainSDP, " SIP/2.0\r\nVia", " SIP/1.0\r\nVia"), 505, ""},
		{"a BYE of it", changed("BYE", "", " SIP/2.0\r\nVia", " SIP/20\r\nVia"), 505, ""},
		{"HTTP's scheme", changed("INVITE", plainSDP, "INVITE sip:", "INVITE http://"), 416, ""},
		{"a telephone's", changed("INVITE", plainSDP, "INVITE sip:ivr@192.0.2.2", "INVITE tel:+15550100"), 416, ""},
		{"one with TLS", changed("OPTIONS", "", "OPTIONS sip:", "OPTIONS sips:"), 416, ""},
		{"one that nobody knows", changed("OPTIONS", "", "OPTIONS sip:", "OPTIONS nobodyknows:"), 416, ""},

		{"a URI that is none", changed("OPTIONS", "", "OPTIONS sip:ivr@192.0.2.2", "OPTIONS *"), 400, ""},
		{"a port that is none", changed("INVITE", plainSDP, "sip:ivr@192.0.2.2 ", "sip:ivr@192.0.2.2:port "), 400, ""},
		{"two spaces", changed("OPTIONS", "", "OPTIONS sip", "OPTIONS  sip"), 400, ""},

		{"no From", changed("INVITE", plainSDP, "\r\nFrom: ", "\r\nUnused: "), 400, ""},
		{"no To", changed("INVITE", plainSDP, "\r\nTo: ", "\r\nUnused: "), 400, ""},
		{"no Call-ID", changed("OPTIONS", "", "\r\nCall-ID: ", "\r\nUnused: "), 400, ""},
		{"no CSeq", changed("BYE", "", "\r\nCSeq: ", "\r\nUnused: "), 400, ""},
		{"two Call-IDs", with("OPTIONS", "", "i: another"), 400, ""},
		{"two To", with("INVITE", plainSDP, "To: <sip:200@192.0.2.2>"), 400, ""},
		{"two lengths", with("INVITE", plainSDP, "l: 0"), 400, ""},
		{"another method in CSeq", changed("OPTIONS", "", "CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), 400, ""},
		{"too large a CSeq", changed("OPTIONS", "", "CSeq: 1 ", "CSeq: 2147483648 "), 400, ""},
		{"hops that are no number", changed("OPTIONS", "", "Forwards: 70", "Forwards: many"), 400, ""},
		{"a body that has more bytes", changed("INVITE", plainSDP, "Content-Length: ", "Content-Length: 9"), 400, ""},
		{"no Contact", changed("INVITE", plainSDP, "\r\nContact: ", "\r\nUnused: "), 400, ""},
		{"a Contact that is a page", changed("INVITE", plainSDP, "Contact: <sip:", "Contact: <http:"), 400, ""},

		{"another method", with("SUBSCRIBE", ""), 405, "Allow: INVITE, ACK"},
		{"one that nobody knows", with("DANCE", ""), 405, "Allow: INVITE, ACK"},
		{"extensions", with("INVITE", plainSDP, "Require: timer, 100rel", "Require: path"), 420, "Unsupported: 100rel, path\r\n"},
		{"one of OPTIONS", with("OPTIONS", "", "Require: 100rel"), 420, "Unsupported: 100rel\r\n"},
		{"one of BYE", with("BYE", "", "Require: 100rel"), 420, "Unsupported: 100rel\r\n"},
		{"another type", with("INVITE", "hello", "Content-Type: text/plain"), 415, "Accept: application/sdp\r\n"},
		{"several", with("INVITE", plainSDP, "Content-Type: multipart/mixed;boundary=x"), 415, "Accept: application/sdp\r\n"},
		{"no type", changed("INVITE", plainSDP, "\r\nContent-Type: ", "\r\nUnused: "), 400, ""},
		{"an encoding", with("INVITE", plainSDP, "e: gzip"), 415, "Accept-Encoding: identity\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, a, n := newPeer(t, sip.Options{Incoming: func(*sip.Call) { t.Error("a call came in") }})
				p.send(tt.request(p))
				g := p.next()
				text := g.String()
				if g.status != tt.status || !strings.HasPrefix(text, "SIP/2.0 ") || !strings.Contains(text, tt.header) {
					t.Errorf("got %q, want %d with %q", text, tt.status, tt.header)
				}
				synctest.Wait()
				if a.Calls() != 0 || n.bound() != 2 {
					t.Errorf("%d calls and %d sockets are left, want none and 2", a.Calls(), n.bound())
				}
			})
		})
	}
}

// What looks odd, and is to be taken all the same.
func TestWhatIsNotRefused(t *testing.T) {
	tests := []struct{ name, method, body, from, to string }{
		{"a version in small letters", "OPTIONS", "", " SIP/2.0\r\nVia", " sip/2.0\r\nVia"},
		{"the last hop: this is no proxy", "OPTIONS", "", "Forwards: 70", "Forwards: 0"}, // RFC 4475, 3.3.11
		{"no hops", "OPTIONS", "", "\r\nMax-Forwards: ", "\r\nUnused: "},
		{"who calls has a number alone", "OPTIONS", "", "From: <sip:alice@192.0.2.1>", "From: <tel:+15550100>"},
		{"a text in OPTIONS", "OPTIONS", "hello", "application/sdp", "text/plain"},
		{"a type in capitals", "INVITE", plainSDP, "application/sdp", "Application/SDP;charset=utf-8"},
		{"an encoding that is none", "INVITE", plainSDP, "\r\nMax-Forwards: ", "\r\nContent-Encoding: identity\r\nUnused: "},
		{"an extension that is known", "INVITE", plainSDP, "\r\nMax-Forwards: ", "\r\nRequire: timer\r\nUnused: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := newCaller(t)
				p.send(strings.ReplaceAll(p.request(tt.method, 1, tt.body), tt.from, tt.to))
				if text := p.wants(200, tt.method).String(); !strings.HasPrefix(text, "SIP/2.0 ") {
					t.Errorf("got %q, want our version", text)
				}
				if tt.method == "INVITE" {
					p.send(p.request("ACK", 1, ""))
				}
			})
		})
	}
}

// The stack answers an INVITE that nobody decides after 200 ms, by itself: nothing of the request may be
// changed any more by then.
func TestWhatTheStackAnswersHasOurVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := newPeer(t, sip.Options{Incoming: func(*sip.Call) {}})
		p.send(strings.Replace(p.request("INVITE", 1, plainSDP), " SIP/2.0", " sip/2.0", 1))
		d := <-p.socket.in
		if text := string(d.data); !strings.HasPrefix(text, "SIP/2.0 100 ") || d.at.Sub(p.start) != 200*time.Millisecond {
			t.Errorf("got %q after %v, want a 100 after 200 ms", text, d.at.Sub(p.start))
		}
	})
}

func TestWhatIsWrongAndHasNoAnswer(t *testing.T) {
	tests := []struct{ name, method, from, to string }{
		{"an ACK of another version", "ACK", " SIP/2.0\r\nVia", " SIP/3.0\r\nVia"},
		{"an ACK without From", "ACK", "\r\nFrom: ", "\r\nUnused: "},
		{"a response of another version", "OPTIONS", "OPTIONS sip:ivr@192.0.2.2 SIP/2.0", "SIP/3.0 200 OK"},
		{"a response without From", "OPTIONS", "OPTIONS sip:ivr@192.0.2.2 SIP/2.0\r\nVia: ", "SIP/2.0 200 OK\r\nUnused: "},
		{"no Via", "OPTIONS", "\r\nVia: ", "\r\nUnused: "},
		{"an ACK whose URI is none", "ACK", "ACK sip:ivr@192.0.2.2", "ACK *"},
		{"noise", "OPTIONS", "OPTIONS sip:ivr@192.0.2.2 SIP/2.0", "hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _, _ := newPeer(t, sip.Options{})
				p.send(strings.ReplaceAll(p.request(tt.method, 1, ""), tt.from, tt.to))
				p.silent(time.Minute)
			})
		})
	}
}

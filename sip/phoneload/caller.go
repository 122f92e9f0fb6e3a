//go:build unix

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/pion/rtp"
)

// caller is a telephone with one call: it notes when each packet of audio comes, and its
// timestamp.
type caller struct {
	signal, audio *net.UDPConn
	ivr           netip.AddrPort // of its SIP
	media         netip.AddrPort // of its RTP
	id, to        string
	header        rtp.Header

	mu   sync.Mutex
	came []arrival

	reading sync.WaitGroup
}

// arrival is a packet that has come.
type arrival struct {
	at    time.Time
	stamp uint32
}

func socket() (*net.UDPConn, error) {
	return net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
}

func address(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

// call calls, and returns when it is answered.
func call(ivr netip.AddrPort, id string) (*caller, error) {
	signal, err := socket()
	if err != nil {
		return nil, err
	}
	audio, err := socket()
	if err != nil {
		return nil, errors.Join(err, signal.Close())
	}
	c := &caller{signal: signal, audio: audio, ivr: ivr, id: id, to: "<sip:ivr@" + ivr.String() + ">"}
	c.header = rtp.Header{Version: 2, SSRC: 1}
	c.reading.Go(c.hear)
	description := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"+
		"c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\n", address(audio).Port())
	answer, err := c.request("INVITE", 1, description)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.to = answer.To().Value()
	_, port, _ := strings.Cut(string(answer.Body()), "m=audio ")
	var number uint16
	if _, err := fmt.Sscan(port, &number); err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.media = netip.AddrPortFrom(ivr.Addr(), number)
	return c, c.send("ACK", 1, "")
}

func (c *caller) send(method string, number int, body string) error {
	at := address(c.signal)
	kind := ""
	if body != "" {
		kind = "Content-Type: application/sdp\r\n"
	}
	_, err := fmt.Fprintf(writer{c.signal, c.ivr}, "%s sip:ivr@%v SIP/2.0\r\n"+
		"Via: SIP/2.0/UDP %v;branch=z9hG4bK%s%s%d\r\nFrom: <sip:load@%v>;tag=%s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:load@%v>\r\nMax-Forwards: 70\r\n"+
		"%sContent-Length: %d\r\n\r\n%s",
		method, c.ivr, at, c.id, method, number, at, c.id, c.to, c.id, number, method, at, kind,
		len(body), body)
	return err
}

// request sends a request and returns the final response; it sends it again as long as there is
// none.
func (c *caller) request(method string, number int, body string) (*sip.Response, error) {
	data := make([]byte, 2048)
	for range 20 {
		if err := c.send(method, number, body); err != nil {
			return nil, err
		}
		deadline := time.Now().Add(500 * time.Millisecond)
		for {
			if err := c.signal.SetReadDeadline(deadline); err != nil {
				return nil, err
			}
			n, err := c.signal.Read(data)
			if err != nil {
				break
			}
			m, err := sip.ParseMessage(data[:n])
			if err != nil {
				return nil, err
			}
			r, ok := m.(*sip.Response)
			switch {
			case !ok || r.IsProvisional() || r.CSeq().MethodName != sip.RequestMethod(method):
			case !r.IsSuccess():
				return nil, fmt.Errorf("%s: %d %q", method, r.StatusCode, r.Reason)
			default:
				return r, nil
			}
		}
	}
	return nil, fmt.Errorf("%s: no answer", method)
}

// hear notes when packets come.
func (c *caller) hear() {
	data := make([]byte, 2048)
	for {
		n, err := c.audio.Read(data)
		now := time.Now()
		if err != nil {
			return
		}
		if n > 100 {
			c.mu.Lock()
			c.came = append(c.came, arrival{now, binary.BigEndian.Uint32(data[4:])})
			c.mu.Unlock()
		}
	}
}

// since returns the packets that have come from a time on.
func (c *caller) since(t time.Time) []arrival {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, a := range c.came {
		if a.at.After(t) {
			return append([]arrival(nil), c.came[i:]...)
		}
	}
	return nil
}

// say sends the next packet of 20 ms.
func (c *caller) say(payloadType uint8, payload []byte) error {
	c.header.SequenceNumber++
	c.header.Timestamp += 160
	c.header.PayloadType = payloadType
	data, err := (&rtp.Packet{Header: c.header, Payload: payload}).Marshal()
	if err != nil {
		return err
	}
	_, err = c.audio.WriteToUDPAddrPort(data, c.media)
	return err
}

func (c *caller) hangUp() error {
	_, err := c.request("BYE", 2, "")
	return errors.Join(err, c.close())
}

func (c *caller) close() error {
	err := errors.Join(c.signal.Close(), c.audio.Close())
	c.reading.Wait()
	return err
}

// writer writes datagrams.
type writer struct {
	conn *net.UDPConn
	to   netip.AddrPort
}

func (w writer) Write(b []byte) (int, error) { return w.conn.WriteToUDPAddrPort(b, w.to) }

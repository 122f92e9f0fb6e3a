//go:build phones

package phonetest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/zaf/g711"
)

// Steps of a scenario of sipp's, which is the caller.
const (
	via     = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
	headers = `From: sipp <sip:sipp@[local_ip]:[local_port]>;tag=[pid]x[call_number]
To: <sip:ivr@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
`
	pcma = `v=0
o=sipp 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000
`
	g729 = `v=0
o=sipp 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 18
`
)

// again is of a message that belongs to the one of so many steps before, or repeats it.
func again(steps int) string {
	return strings.Replace(via, "[branch]", fmt.Sprintf("[branch-%d]", steps), 1)
}

// send is a request with this number and body. An extra is header lines.
func send(method string, number int, top, body string, extra ...string) string {
	kind := ""
	if body != "" && !strings.Contains(strings.Join(extra, ""), "Content-Type") {
		kind = "Content-Type: application/sdp\n"
	}
	return fmt.Sprintf("<send><![CDATA[\n\n%s sip:ivr@[remote_ip]:[remote_port] SIP/2.0\n%s%s"+
		"CSeq: %d %s\n%s%sContent-Length: [len]\n\n%s\n]]></send>",
		method, top, headers, number, method, kind, strings.Join(extra, ""), body)
}

// resent has a request sent again until it is answered, as telephones do. While sipp pauses it answers
// an answer that comes again with what it sent before, as fast as both ends can: the call may then be
// beyond the messages that it has in a second.
func resent(request string) string {
	return strings.Replace(request, "<send>", `<send retrans="500">`, 1)
}

func receive(status int) string {
	if status == 200 {
		return `<recv response="100" optional="true"/><recv response="180" optional="true"/>` +
			`<recv response="200"/>`
	}
	return fmt.Sprintf(`<recv response="100" optional="true"/><recv response="%d"/>`, status)
}

func pause(d time.Duration) string {
	return fmt.Sprintf(`<pause milliseconds="%d"/>`, d.Milliseconds())
}

func play(file string) string {
	return `<nop><action><exec play_pcap_audio="` + file + `"/></action></nop>`
}

// hungUp takes the BYE of the other end, and answers 200.
func hungUp() string {
	return `<recv request="BYE"/><send><![CDATA[` + "\n\nSIP/2.0 200 OK\n" +
		"[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>"
}

var (
	call1  = send("INVITE", 1, via, pcma) + receive(200) + send("ACK", 1, via, "")
	hangUp = send("BYE", 9, via, "") + receive(200)
)

// sipp starts a scenario; the function that it returns waits for its end, and fails the test if it
// was not followed.
func sipp(t *testing.T, i *ivr, steps ...string) (followed func()) {
	t.Helper()
	return sippWith(t, i, nil, steps...)
}

// sippWith is sipp with flags besides.
func sippWith(t *testing.T, i *ivr, flags []string, steps ...string) (followed func()) {
	t.Helper()
	folder := t.TempDir()
	scenario := filepath.Join(folder, "scenario.xml")
	text := `<?xml version="1.0" encoding="ISO-8859-1"?><scenario name="` + t.Name() + `">` +
		strings.Join(steps, "\n") + `</scenario>`
	if err := os.WriteFile(scenario, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	media := phonePorts + portsOfPhone*phones.Add(1)
	run := exec.CommandContext(t.Context(), "sipp", append(flags, "-sf", scenario, "-m", "1", "-i", "127.0.0.1", "-p", itoa(port()),
		"-mi", "127.0.0.1", "-mp", strconv.Itoa(int(media)), "-timeout", "100s", "-timeout_error",
		"-nostdin", "-trace_err", "-error_file", filepath.Join(folder, "errors"), i.agent.Addr().String())...)
	run.Dir = folder
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, &out
	if err := run.Start(); err != nil {
		t.Fatalf("%v: install the package sip-tester", err)
	}
	done := make(chan error, 1)
	go func() { done <- run.Wait() }()
	over := false
	wait := func() error {
		if over {
			return nil
		}
		over = true
		return <-done
	}
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = wait()
	})
	return func() {
		t.Helper()
		if err := wait(); err != nil {
			errors, _ := os.ReadFile(filepath.Join(folder, "errors"))
			t.Errorf("sipp: %v\n%s\n%s", err, errors, out.Bytes()[max(0, out.Len()-2000):])
		}
	}
}

// sent is an RTP packet with the time at which it is sent.
type sent struct {
	after       time.Duration
	payloadType uint8
	marker      bool
	timestamp   uint32
	payload     []byte
}

// capture writes packets to a file that sipp plays.
func capture(t *testing.T, packets []sent) string {
	t.Helper()
	var b bytes.Buffer
	le, be := binary.LittleEndian, binary.BigEndian
	_ = binary.Write(&b, le, []uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 65535, 1})
	for n, p := range packets {
		data, err := (&rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: p.payloadType, Marker: p.marker, SequenceNumber: uint16(n),
			Timestamp: p.timestamp, SSRC: 7,
		}, Payload: p.payload}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		size := uint32(14 + 20 + 8 + len(data))
		_ = binary.Write(&b, le, []uint32{
			uint32(p.after / time.Second), uint32(p.after % time.Second / time.Microsecond), size, size,
		})
		b.Write(append(make([]byte, 12), 8, 0)) // Ethernet, with IPv4
		ip := make([]byte, 20)
		ip[0], ip[8], ip[9] = 0x45, 64, 17
		be.PutUint16(ip[2:], uint16(28+len(data)))
		copy(ip[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
		b.Write(ip)
		_ = binary.Write(&b, be, []uint16{4000, 4000, uint16(8 + len(data)), 0})
		b.Write(data)
	}
	path := filepath.Join(t.TempDir(), "packets.pcap")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// audio are packets of samples in PCMA, each of so many.
func audio(samples []int16, size int) []sent {
	var packets []sent
	for at := 0; at+size <= len(samples); at += size {
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = g711.EncodeAlawFrame(samples[at+i])
		}
		packets = append(packets, sent{
			after:       time.Duration(at) * time.Second / rate,
			payloadType: 8, marker: at == 0, timestamp: uint32(at), payload: payload,
		})
	}
	return packets
}

// key are the packets of a key of 100 ms that is pressed at some time.
func key(at time.Duration, event byte) []sent {
	timestamp := uint32(at * rate / time.Second)
	var packets []sent
	for n := range 8 {
		length, flags := 160*min(n+1, 5), byte(10)
		if n >= 5 {
			flags |= 0x80 // the end, three times
		}
		packets = append(packets, sent{
			after:       at + time.Duration(min(n, 5))*20*time.Millisecond + time.Duration(n)*time.Millisecond,
			payloadType: 101, marker: n == 0, timestamp: timestamp,
			payload: []byte{event, flags, byte(length >> 8), byte(length)},
		})
	}
	return packets
}

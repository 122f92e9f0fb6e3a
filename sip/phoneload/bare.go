//go:build unix

package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// bare is the process that does nothing but send: to each address of its first line a packet of
// 172 bytes every 20 ms, with its time, until its input ends.
func bare() error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var to []netip.AddrPort
	if err := json.Unmarshal(line, &to); err != nil {
		return err
	}
	socks := make([]*net.UDPConn, len(to))
	for i := range socks {
		if socks[i], err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return err
		}
	}
	over := make(chan struct{})
	go func() {
		_, _ = in.ReadBytes('\n')
		close(over)
	}()
	packet := make([]byte, 172)
	began := time.Now()
	timer := time.NewTimer(0)
	const frame = 20 * time.Millisecond
	for next := began.Add(frame); ; next = next.Add(frame) {
		select {
		case <-over:
			text, err := json.Marshal(measured())
			fmt.Println(string(text))
			return err
		case <-timer.C:
		}
		binary.BigEndian.PutUint32(packet[4:], binary.BigEndian.Uint32(packet[4:])+frameSamples)
		for i, s := range socks {
			_, _ = s.WriteToUDPAddrPort(packet, to[i])
		}
		timer.Reset(time.Until(next))
	}
}

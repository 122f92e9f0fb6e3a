// Command phone takes calls of SIP telephones: ivr.go answers, plays, and ends the call's queue
// when the caller hangs up. Here the caller is in this program, on the loopback: alice.go. With
// another address to listen at it is any SIP telephone.
//
//	go run ./examples/phone
//
// It prints, beside what the agents log:
//
//	ivr: alice calls
//	alice: heard sound, then silence: maxSilence (200/8509)
//	ivr: the call has ended: peerHungUp
package main

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"time"

	"ivrqueue/media"
	"ivrqueue/sip"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	engine := media.NewEngine() // plays and records for all calls
	over := make(chan struct{})
	ivr, err := sip.Listen(sip.Options{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"), // 5060 is usual
		Incoming: func(c *sip.Call) {
			defer close(over)
			if err := serve(ctx, engine, c); err != nil {
				log.Print(err)
			}
			if err := c.HangUp(ctx); err != nil { // if it has not ended
				log.Print(err)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := alice(ctx, engine, fmt.Sprintf("sip:ivr@%v", ivr.Addr())); err != nil {
		log.Fatal(err)
	}
	<-over
	if err := ivr.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	cancel()
	engine.Close() // last: no call needs it any more
}

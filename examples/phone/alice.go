package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/sip"
)

// alice calls, listens until a second of silence comes after what she hears, and hangs up.
func alice(ctx context.Context, engine *media.Engine, uri string) (err error) {
	agent, err := sip.Listen(sip.Options{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, agent.Shutdown(ctx)) }() // hangs up, too
	call, err := agent.NewCall(ctx, sip.Target{To: uri, From: "alice"})
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "alice")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	m, err := engine.Media(media.Call{
		Codec: sip.Codec, Sink: call.Line(), Source: call.Line(), Prompts: beeps{}, Folder: folder,
	})
	if err != nil {
		return err
	}
	q, err := queue.New(call.ID(), m)
	if err != nil {
		return err
	}
	defer func() {
		q.Close(nil)
		<-q.Done()
	}()
	if err := call.Dial(ctx); err != nil {
		return err
	}
	heard, err := q.Enqueue(ctx, &operation.RecordResponse{
		NoBeep: true, MaxSilence: time.Second, MaxDuration: time.Minute,
	})
	if err != nil {
		return err
	}
	result, err := heard.Wait(ctx)
	if err != nil {
		return err
	}
	fmt.Println("alice: heard sound, then silence:", result.Reason)
	return call.HangUp(ctx)
}

// Command graphapi serves the Graph API beside a platform's own pages, and has a bot use it on the
// loopback: it creates a call, plays music in it, cancels that, and hangs up; each time it gets
// notifications. platform.go is what a platform brings, bot.go the bot.
//
//	go run ./examples/graphapi
//
// It prints:
//
//	bot: POST call 201 Created
//	notification: call established
//	bot: POST /playPrompt 200 OK
//	bot: POST /cancelMediaProcessing 200 OK
//	notification: playPromptOperation failed 400/8508
//	bot: DELETE call 204 No Content
//	notification: call terminating
//	notification: call terminated 200/5001
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"time"

	"ivrqueue/graph"
	"ivrqueue/webhook"
)

func main() {
	ctx := context.Background()
	notifier, err := webhook.New(webhook.WithLoopback()) // without: https to other machines only
	if err != nil {
		log.Fatal(err)
	}
	p := new(platform)
	p.handler, err = graph.New(graph.Platform{
		Authenticate: authenticate,
		CreateCall:   p.createCall,
		HangUp:       hangUp,
	}, graph.WithNotifier(notifier))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/graph/", p.handler) // knows /v1.0 and /beta below it
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()

	base := "http://" + listener.Addr().String()
	if err := bot(ctx, base+"/graph/v1.0/communications/calls"); err != nil {
		log.Fatal(err)
	}
	if err := p.handler.Shutdown(ctx); err != nil { // all notifications are delivered
		log.Print(err)
	}
	notifier.CloseIdleConnections()
	if err := server.Shutdown(ctx); err != nil {
		log.Print(err)
	}
}

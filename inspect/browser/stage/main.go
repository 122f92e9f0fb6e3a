// Command stage shows the inspector with calls that are played, not made: for its browser tests,
// its screenshots, and whoever changes its page.
//
//	go run ./inspect/browser/stage                       # one call after the other
//	go run ./inspect/browser/stage -calls 2000 -rate 100 # and so many besides, as busy as that
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ivrqueue/inspect"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "stage:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("stage", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8090", "listen on `HOST:PORT`")
	calls := flags.Int("calls", 0, "`N` calls live besides the ones that are played")
	rate := flags.Int("rate", 100, "they get `N` operations a second, all together")
	scenes := flags.Bool("scenes", true, "play the scenes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	h, err := inspect.New(inspect.WithKeyValues())
	if err != nil {
		return err
	}
	defer h.Close()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(inspect.DefaultPath, h)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	fmt.Printf("The calls are at http://%v%s\n", listener.Addr(), inspect.DefaultPath)
	s := &stage{handler: h}
	if *calls > 0 {
		go s.crowd(ctx, *calls, *rate)
	}
	if *scenes {
		go s.scenes(ctx)
	}
	go func() {
		<-ctx.Done()
		h.Close() // its streams would keep the server
		_ = server.Shutdown(context.WithoutCancel(ctx))
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

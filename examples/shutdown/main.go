// Command shutdown ends a service gracefully. At the first signal it takes no new calls and lets
// those that are there end by themselves, for a while; then it closes the others, and gives their
// media some time to report. A second signal ends the program at once.
//
//	go run ./examples/shutdown
//
// It prints:
//
//	closed 1 call: context canceled
//	goodbye.wav: completed, succeeded (200/0)
//	news.wav: failed, shutDown (500/8572)
//	calls left: 0
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

func main() {
	signalled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)

	var calls queue.Group // of the whole service
	goodbye, news := call(&calls, "goodbye.wav"), call(&calls, "news.wav")

	interrupt() // the signal; a service gets it from whoever runs it
	<-signalled.Done()
	stop() // a second signal is not ours: it ends the program

	grace, end := context.WithTimeout(context.Background(), 10*time.Second)
	go func() {
		<-goodbye.Done()
		end() // so that this program need not wait for the 10 s
	}()
	closed, err := calls.Shutdown(grace, operation.ShutDown)
	fmt.Printf("closed %d call: %v\n", closed, err)
	if err := calls.Drain(context.Background()); err != nil { // as long as the stop timeout, at most
		log.Fatal(err)
	}
	for _, op := range []*operation.Operation{goodbye, news} {
		result, _ := op.Result()
		fmt.Printf("%s: %v, %v\n", op.ClientContext(), op.Status(), result.Reason)
	}
	fmt.Println("calls left:", calls.Len())
}

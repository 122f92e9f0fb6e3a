// Command cluster makes several processes of a platform one service; here three nodes are in one
// process. A bot may talk to any of them, and when the node that has its call ends, another one
// sends it the notifications of the call's end. node.go is a node, start.go the cluster, bot.go the
// bot.
//
//	go run ./examples/cluster
//
// It prints, after some seconds:
//
//	a is asked for a call: 201 Created
//	notification: call established
//	b is asked to play in it: 200 OK
//	a ends
//	notification: playPromptOperation failed 500/9999
//	notification: call terminated 500/9999
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	err := run(ctx)
	cancel()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "cluster") // for what is kept of calls
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	nodes, err := startAll(ctx, dir, "a", "b", "c")
	defer func() { err = errors.Join(err, endAll(ctx, nodes)) }()
	if err != nil {
		return err
	}
	bot := newBot()
	defer bot.Close()
	a, b := nodes[0], nodes[1]

	call, err := bot.ask(ctx, a, "a is asked for a call", "", `{"callbackUri": "`+bot.URL+`"}`)
	if err != nil {
		return err
	}
	if err := bot.hear(ctx, 1); err != nil {
		return err
	}
	_, err = bot.ask(ctx, b, "b is asked to play in it", "/"+call+"/playPrompt",
		`{"prompts": [{"mediaInfo": {"uri": "https://cdn.contoso.com/music.wav"}}]}`)
	if err != nil {
		return err
	}

	nodes = nodes[1:]
	fmt.Println("a ends")
	if err := a.end(ctx); err != nil {
		return err
	}
	return bot.hear(ctx, 2)
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"ivrqueue/cluster"
)

// quiet leaves out of the log what a cluster says while it comes together, and apart.
var quiet = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))

// startAll starts the nodes of a cluster, and waits until they take calls.
func startAll(ctx context.Context, dir string, names ...string) (nodes []*node, err error) {
	peers := make(map[string]string)
	for _, name := range names {
		if peers[name], err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		n, err := startNode(cluster.Options{ //nolint:contextcheck // it lives until it is ended
			Cluster: "example", Node: name, Peers: peers, Dir: filepath.Join(dir, name),
			Logger: quiet,
		})
		if err != nil {
			return nodes, err
		}
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		if err := n.cluster.WaitReady(ctx); err != nil {
			return nodes, err
		}
		if err := n.cluster.WaitJournal(ctx); err != nil {
			return nodes, err
		}
	}
	return nodes, nil
}

// endAll ends nodes.
func endAll(ctx context.Context, nodes []*node) (err error) {
	for _, n := range nodes {
		err = errors.Join(err, n.end(ctx))
	}
	return err
}

// freeAddress returns an address at which nobody listens. Yours are known.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

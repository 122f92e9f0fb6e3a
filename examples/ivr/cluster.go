package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ivrqueue/cluster"
	"ivrqueue/examples/ivr/service"
)

// clusterOptions are the flags of a service that is a node of a cluster.
type clusterOptions struct {
	cluster.Options

	servers, names string
	secretFile     string
	drain          time.Duration
}

func (o *clusterOptions) define(flags *flag.FlagSet) {
	flags.StringVar(&o.Cluster, "cluster", "", "be a node of the cluster `NAME`")
	flags.StringVar(&o.Node, "node", "", "whose name is `ID`")
	flags.Func("peers", "whose servers meet at these addresses, as in `ID=HOST:PORT,ID=HOST:PORT`, "+
		"this one included: one node, or three and more", func(s string) error {
		o.Peers = make(map[string]string)
		for pair := range strings.SplitSeq(s, ",") {
			id, address, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if !ok || o.Peers[id] != "" {
				return errors.New("must be as in a=HOST:PORT,b=HOST:PORT,c=HOST:PORT, each ID once")
			}
			o.Peers[id] = address
		}
		return nil
	})
	flags.StringVar(&o.Dir, "journal", "", "whose part of the journal is in `DIR` (default: "+
		"ivr-NAME-ID in the folder for temporary files)")
	flags.StringVar(&o.secretFile, "cluster-secret-file", "", "the servers prove to each other that "+
		"they know what is in `FILE`; required unless all are on this machine")
	flags.StringVar(&o.servers, "nats", "", "use the NATS servers at `URL,URL` in the place of peers")
	flags.StringVar(&o.names, "nodes", "", "with -nats: the nodes are `ID,ID,ID`, this one included")
	flags.StringVar(&o.Credentials, "nats-creds", "", "with -nats: the credentials are in `FILE`")
	flags.DurationVar(&o.drain, "drain", 0, "after SIGINT or SIGTERM let calls go on for `TIME`, and "+
		"take no new ones meanwhile")
}

// apply completes the options.
func (o *clusterOptions) apply() error {
	if o.Cluster == "" {
		if o.Node != "" || o.Peers != nil || o.Dir != "" || o.secretFile != "" || o.servers != "" ||
			o.names != "" || o.Credentials != "" || o.drain != 0 {
			return errors.New("-node, -peers, -journal, -cluster-secret-file, -nats, -nodes, -nats-creds " +
				"and -drain need -cluster")
		}
		return nil
	}
	switch {
	case o.drain < 0:
		return fmt.Errorf("-drain is %v, must be 0 or more", o.drain)
	case o.servers == "" && o.names != "":
		return errors.New("-nodes needs -nats")
	}
	if o.servers != "" {
		o.Servers, o.Nodes = strings.Split(o.servers, ","), strings.Split(o.names, ",")
	} else if o.Dir == "" {
		o.Dir = filepath.Join(os.TempDir(), "ivr-"+o.Cluster+"-"+o.Node)
	}
	if o.secretFile != "" {
		secret, err := os.ReadFile(o.secretFile)
		if err != nil {
			return fmt.Errorf("-cluster-secret-file: %w", err)
		}
		o.Secret = strings.TrimSpace(string(secret))
	}
	return nil
}

// token is one for the application dev that all nodes know.
func (o *clusterOptions) token() string {
	mac := hmac.New(sha256.New, []byte(cmp.Or(o.Secret, o.Cluster)))
	_, _ = mac.Write([]byte("token of dev")) // never fails
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// clusterNode is the node that the service is; nil if it is none.
type clusterNode struct {
	*cluster.Node

	patience time.Duration // of draining
}

// join joins the cluster, if there is to be one.
func (o *clusterOptions) join(s *service.Options, log *slog.Logger) (*clusterNode, error) {
	if o.Cluster == "" {
		return nil, nil //nolint:nilnil // a nil node is none
	}
	o.Logger = log
	n, err := cluster.New(o.Options)
	if err != nil {
		return nil, err
	}
	s.Cluster = n
	return &clusterNode{n, o.drain}, nil
}

// begin returns what is to be served: the service, as a node if it is one.
func (n *clusterNode) begin(s *service.Service) (http.Handler, error) {
	if n == nil {
		return s, nil
	}
	front, err := n.Start(cluster.Platform{Graph: s.Graph(), HTTP: s, Fenced: s.Fenced})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", front)
	mux.Handle("GET /healthz", s) // without a lease too, as the next one: front would refuse them
	mux.Handle("GET /metrics", s)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if n.Health() != nil { // it drains, say, before it shuts down
			n.ServeHealth(w, r)
			return
		}
		s.ServeHTTP(w, r)
	})
	mux.Handle("GET /cluster", s.ForOperators(http.HandlerFunc(n.ServeStats)))
	return mux, nil
}

// drain has calls end by themselves, for as long as they may.
func (n *clusterNode) drain(ctx context.Context, s *service.Service) {
	if n == nil || n.patience == 0 {
		return
	}
	n.Drain()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.patience)
	defer cancel()
	s.Drain(ctx)
}

// leave leaves the cluster, within the deadline of a shutdown.
func (n *clusterNode) leave(ctx context.Context) error {
	if n == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline)
	defer cancel()
	return n.Close(ctx)
}

package cluster

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/member"
	"ivrqueue/internal/foreign"
)

// Options are what a node is made of. Every node of a cluster has the same but for Node, Listen,
// Dir and Logger.
//
// A node runs a NATS server of its own, inside the process, which is one of a cluster of them: that
// takes Peers and Dir. Or it is a client of servers that are there: that takes Nodes and Servers.
//
//nolint:recvcheck // a value is printed by String, and completed in place
type Options struct {
	// Cluster is the name of the cluster: 1 to 32 letters, digits, - and _. Clusters with other
	// names can share NATS servers.
	Cluster string

	// Node is the name of this node, in the same characters, at most 64.
	Node string

	// Peers are the addresses, host and port, where the servers of all nodes meet, this one
	// included, by name: one node, or three and more.
	Peers map[string]string

	// Listen is where this node's server listens for the others. Default: its address in Peers.
	Listen string

	// Dir is where the node's server keeps its part of the journal. It is made if it is missing, and
	// must be this node's alone.
	Dir string

	// SyncAlways has a request answered when the journal has what it changed, written through to the
	// disk: that survives that all nodes end at once, or lose power, and takes as long as the disk.
	// Default: it is answered when the other nodes have it in memory, the journal gets it within half
	// a second, and its disk within 2 minutes.
	SyncAlways bool

	// MaxStore bounds what the node's server keeps on the disk, in bytes. Default: 1 GiB.
	MaxStore int64

	// Secret is what servers prove to each other that they belong together, and TLS how they talk:
	// both sides show a certificate. One of them is required unless all addresses are of this machine.
	Secret string
	TLS    *tls.Config

	// Nodes are the names of all nodes, this one included, if Servers are given.
	Nodes []string

	// Servers are the URLs of NATS servers that are there, with JetStream, to be used in the place of
	// servers of one's own; TLS is the client's side then. Credentials is the path of a file with
	// a JWT and its key; or Servers have user and password in them.
	Servers     []string
	Credentials string

	// Replicas is how many servers keep the journal: 1, 3 or 5. Default: 1 for one node, else 3.
	Replicas int

	// Timing is how fast a death is noticed; see [member.WithTiming]. Default: its defaults.
	Timing member.Timing

	// Logger gets what an operator should know. Default: [slog.Default].
	Logger *slog.Logger

	password string // of the node, at its own server
}

// String names the node and its cluster. It leaves out the secret, and the URLs, which may have
// passwords in them; package encoding/json and the verb %#v do not.
func (o Options) String() string { return fmt.Sprintf("node %q of cluster %q", o.Node, o.Cluster) }

// LogValue returns what String does.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// DefaultMaxStore is of Options.
const DefaultMaxStore = 1 << 30

const maxClusterName = 32

// complete checks the options and fills in defaults. Its errors name what is wrong.
func (o *Options) complete() error {
	if !isName(o.Cluster, maxClusterName) {
		return fmt.Errorf("cluster: Cluster is %.80q, must be 1 to %d letters, digits, - or _",
			o.Cluster, maxClusterName)
	}
	var err error
	switch own, theirs := len(o.Peers) > 0, len(o.Servers) > 0; {
	case own == theirs:
		return errors.New("cluster: Peers or Servers must be given, and not both")
	case own:
		o.Nodes, err = o.completePeers()
	default:
		err = o.checkServers()
	}
	if err != nil {
		return err
	}
	if !slices.Contains(o.Nodes, o.Node) {
		return fmt.Errorf("cluster: Node is %.80q, must be one of %q", o.Node, o.Nodes)
	}
	switch n := len(o.Nodes); {
	case n == 2:
		return fmt.Errorf("cluster: two nodes, %q: must be one, or three and more: the loss of either "+
			"would be the loss of the majority", o.Nodes)
	case n > member.MaxNodes:
		return fmt.Errorf("cluster: %d nodes, must be at most %d", n, member.MaxNodes)
	}
	for i, name := range o.Nodes {
		switch {
		case !isName(name, 64):
			return fmt.Errorf("cluster: node %.80q must be 1 to 64 letters, digits, - or _", name)
		case slices.Contains(o.Nodes[:i], name):
			return fmt.Errorf("cluster: node %q is there twice", name)
		}
	}
	if err := callid.Check(o.Nodes); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	if o.Replicas == 0 {
		o.Replicas = min(3, len(o.Nodes))
	}
	if o.Replicas != 1 && o.Replicas != 3 && o.Replicas != 5 {
		return fmt.Errorf("cluster: Replicas is %d, must be 1, 3 or 5", o.Replicas)
	}
	if len(o.Peers) > 0 && o.Replicas > len(o.Nodes) {
		return fmt.Errorf("cluster: Replicas is %d, must be at most the number of nodes, %d",
			o.Replicas, len(o.Nodes))
	}
	if foreign.NoHandler(o.Logger) {
		return errors.New("cluster: Logger has no handler")
	}
	o.Logger = foreign.Logger(o.Logger)
	o.password = rand.Text()
	return nil
}

// completePeers checks what servers of one's own need, and returns the names of the nodes.
func (o *Options) completePeers() ([]string, error) {
	names := slices.Sorted(maps.Keys(o.Peers))
	if len(o.Nodes) > 0 || o.Credentials != "" {
		return nil, errors.New("cluster: Nodes and Credentials belong to Servers")
	}
	here := true
	for _, name := range names {
		local, err := checkAddress("Peers["+strconv.Quote(name)+"]", o.Peers[name])
		if err != nil {
			return nil, err
		}
		here = here && local
	}
	if o.Listen == "" {
		o.Listen = o.Peers[o.Node]
	} else {
		local, err := checkAddress("Listen", o.Listen)
		if err != nil {
			return nil, err
		}
		here = here && local
	}
	switch {
	case o.Dir == "":
		return nil, errors.New("cluster: Dir is empty, must be a folder for the journal")
	case o.MaxStore < 0:
		return nil, fmt.Errorf("cluster: MaxStore is %d, must be 0 (the default) or more", o.MaxStore)
	case !here && o.Secret == "" && o.TLS == nil && len(names) > 1:
		return nil, errors.New("cluster: Secret or TLS is required: whoever reaches the port of a " +
			"server could join")
	}
	if o.MaxStore == 0 {
		o.MaxStore = DefaultMaxStore
	}
	return names, nil
}

// checkAddress reports whether an address is of this machine.
func checkAddress(what, address string) (local bool, err error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || port == "0" {
		return false, fmt.Errorf("cluster: %s is %.80q, must be a host and a port", what, address)
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback(), nil
}

func (o *Options) checkServers() error {
	if o.Dir != "" || o.Listen != "" || o.Secret != "" || o.SyncAlways || o.MaxStore != 0 {
		return errors.New("cluster: Dir, Listen, Secret, SyncAlways and MaxStore belong to Peers")
	}
	for _, s := range o.Servers {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return errors.New("cluster: Servers: one is no URL of a NATS server, as nats://HOST:PORT")
		}
	}
	return nil
}

// isName reports whether s can be a part of a subject, and of a bucket's name.
func isName(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

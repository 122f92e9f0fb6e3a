package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/webhook"
)

// frontOptions are the flags of what lies between the service and the others: its address, TLS,
// proxies, and whom bots believe that it is.
type frontOptions struct {
	base       string
	cert, key  string
	proxies    []netip.Prefix
	callbacks  []netip.Prefix
	tokens     service.ClientCredentials
	secretFile string

	tls *tls.Config // nil without a certificate
}

func (o *frontOptions) define(flags *flag.FlagSet) {
	flags.StringVar(&o.base, "base-url", "", "clients find the service at `URL`, such as "+
		"https://media.example/ivr (default: what each request says)")
	flags.StringVar(&o.cert, "cert", "", "serve https with the certificate, and those up to its "+
		"authority, in the PEM `FILE`")
	flags.StringVar(&o.key, "key", "", "whose key is in the PEM `FILE`")
	flags.Func("trusted-proxy", "believe X-Forwarded-Proto and -Host, or Forwarded, of the proxies "+
		"in `CIDR`; may be repeated", intoPrefixes(&o.proxies))
	flags.Func("allow-callbacks", "let callbacks be in the network `CIDR`, with http too; may be "+
		"repeated (by default they are https on the public Internet)", intoPrefixes(&o.callbacks))
	flags.StringVar(&o.tokens.TokenURL, "callback-token-url", "", "notifications come with bearer "+
		"tokens from the OAuth 2.0 token endpoint `URL`")
	flags.StringVar(&o.tokens.ClientID, "callback-client-id", "", "for the client `ID`")
	flags.StringVar(&o.secretFile, "callback-secret-file", "", "whose secret is in `FILE`")
	flags.StringVar(&o.tokens.Scope, "callback-scope", "{application}/.default", "for the `SCOPE`, "+
		"where {application} is the id of the bot's application")
}

// intoPrefixes returns what reads a flag that is a network or one address.
func intoPrefixes(to *[]netip.Prefix) func(string) error {
	return func(s string) error {
		p, err := netip.ParsePrefix(s)
		if ip, e := netip.ParseAddr(s); e == nil && ip.Zone() == "" {
			p, err = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), nil
		}
		if err != nil {
			return errors.New("must be as in 172.17.0.0/16, or an IP address")
		}
		*to = append(*to, p.Masked())
		return nil
	}
}

// apply checks the flags, reads their files, and gives the service what is its.
func (o *frontOptions) apply(to *service.Options) error {
	to.BaseURL, to.TrustedProxies, to.AllowCallbacks = o.base, o.proxies, o.callbacks
	if (o.cert == "") != (o.key == "") {
		return errors.New("-cert and -key belong together")
	}
	if o.cert != "" {
		certificate, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return fmt.Errorf("-cert, -key: %w", err)
		}
		o.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		if to.Dev { // its inbox is a callback of its own
			trusted, err := trusting(certificate.Leaf)
			if err != nil {
				return err
			}
			to.Notifier = append(to.Notifier, webhook.WithTLS(trusted))
		}
	}
	if o.tokens.TokenURL == "" {
		if o.tokens.ClientID != "" || o.secretFile != "" {
			return errors.New("-callback-client-id and -callback-secret-file need -callback-token-url")
		}
		return nil
	}
	if o.secretFile == "" {
		return errors.New("-callback-token-url needs -callback-secret-file")
	}
	secret, err := os.ReadFile(o.secretFile)
	if err != nil {
		return fmt.Errorf("-callback-secret-file: %w", err)
	}
	o.tokens.Secret = string(bytes.TrimSpace(secret))
	to.CallbackTokens = &o.tokens
	return nil
}

// trusting returns a client's side of TLS that takes a server's own certificate, besides those of
// the authorities that the machine trusts.
func trusting(own *x509.Certificate) (*tls.Config, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	pool.AddCert(own)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// address returns where those on this machine find the service: an address that can be pasted.
func (o *frontOptions) address(listening net.Addr) string {
	scheme := "http"
	if o.tls != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(listening.String())
	if ip, e := netip.ParseAddr(host); err == nil && e == nil && ip.IsUnspecified() {
		return scheme + "://" + net.JoinHostPort("127.0.0.1", port) // "::" listens there too
	}
	return scheme + "://" + listening.String()
}

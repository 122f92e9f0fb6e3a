package webhook_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ivrqueue/egress"
	"ivrqueue/operation"
	"ivrqueue/webhook"
)

func TestCallbackAddressesAreChecked(t *testing.T) {
	t.Parallel()
	strict, err := webhook.New()
	if err != nil {
		t.Fatal(err)
	}
	open := newStrict(t, webhook.WithAddresses(egress.Addresses{Also: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}), webhook.WithLoopback())
	for _, test := range []struct {
		uri          string
		strict, open bool
	}{
		{"https://bot.contoso.com/c?x=y", true, true},
		{"https://203.0.113.7/c", false, false},
		{"https://8.8.8.8/c", true, true},
		{"https://[2606:4700::1111]:8443/c", true, true},
		{"https://10.0.0.1/", false, true},
		{"https://192.168.1.1/", false, false},
		{"https://172.31.0.1/", false, false},
		{"https://100.100.100.200/", false, false},
		{"https://169.254.169.254/", false, false},
		{"https://168.63.129.16/", false, false},
		{"https://0.0.0.0/", false, false},
		{"https://255.255.255.255/", false, false},
		{"https://224.0.0.1/", false, false},
		{"https://[fd00:ec2::254]/", false, false},
		{"https://[fe80::1%25eth0]/", false, false},
		{"https://[::]/", false, false},
		{"https://[64:ff9b::a00:1]/", false, false},
		{"https://[2002:a00:1::]/", false, false},
		{"https://[::ffff:192.168.0.1]/", false, false},
		{"https://127.0.0.1/", false, true},
		{"http://127.0.0.1:9/", false, true},
		{"http://[::1]/", false, true},
		{"http://localhost/", false, true},
		{"https://localhost/", false, true},
		{"http://bot.contoso.com/", false, false},
		{"http://8.8.8.8/", false, false},
		{"", false, false},
		{"/c", false, false},
		{"https:///c", false, false},
		{"https://:443/c", false, false},
		{"bot.contoso.com", false, false},
		{"ftp://8.8.8.8/", false, false},
		{"https://u@8.8.8.8/", false, false},
		{"https://a b/", false, false},
	} {
		for name, n := range map[string]*webhook.Notifier{"strict": strict, "open": open} {
			want := map[string]bool{"strict": test.strict, "open": test.open}[name]
			err := n.Check(test.uri)
			var field *operation.FieldError
			if (err == nil) != want || err != nil && (!errors.As(err, &field) || field.Field != "callbackUri") {
				t.Errorf("%s: %q: got %v", name, test.uri, err)
			}
			if err != nil && n.Deliver(t.Context(), webhook.Delivery{CallbackURI: test.uri}) == nil {
				t.Errorf("%s: %q was delivered", name, test.uri)
			}
		}
	}
}

// Plain http reaches the addresses that are named, and no others, whatever a name resolves to.
func TestPlainHTTPReachesNamedAddressesAlone(t *testing.T) {
	t.Parallel()
	container := webhook.WithAddresses(egress.Addresses{Also: []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("127.0.0.0/8")}})
	secure, plain := newStrict(t, container), newStrict(t, container, webhook.WithPlainHTTP())
	nothing := newStrict(t, webhook.WithPlainHTTP())
	for _, test := range []struct {
		uri                    string
		nothing, secure, plain bool
	}{
		{"http://172.17.0.1/", false, false, true},
		{"http://[::ffff:172.17.0.1]/", false, false, true},
		{"https://172.17.0.1/", false, true, true},
		{"http://172.18.0.1/", false, false, false},
		{"http://8.8.8.8/", false, false, false},
		{"http://127.0.0.1/", false, false, true},
		{"http://localhost/", false, false, true},
		{"https://localhost/", false, true, true},
		{"http://[::1]/", false, false, false},
		{"http://host.docker.internal/", false, false, true},
		{"https://host.docker.internal/", true, true, true},
		{"ftp://172.17.0.1/", false, false, false},
	} {
		for _, n := range []struct {
			*webhook.Notifier

			takes bool
		}{{nothing, test.nothing}, {secure, test.secure}, {plain, test.plain}} {
			if err := n.Check(test.uri); (err == nil) != n.takes {
				t.Errorf("%s: got %v, want it taken: %v", test.uri, err, n.takes)
			}
		}
	}

	reached := make(chan struct{}, 1)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	d := delivery()
	d.CallbackURI = "http://bot.contoso.com:" + port + "/callback"
	here := newStrict(t, container, webhook.WithPlainHTTP(), webhook.WithResolver(everythingIsHere(t)))
	if err := here.Deliver(t.Context(), d); err != nil {
		t.Error(err)
	}
	<-reached
	outside := newStrict(t, container, webhook.WithPlainHTTP(), webhook.WithResolver(everythingIs(t, 8, 8, 8, 8)),
		webhook.WithMaxElapsedTime(time.Millisecond))
	if err := outside.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), "8.8.8.8 is not allowed") {
		t.Errorf("got %v", err)
	}
}

// newStrict makes a Notifier as it is elsewhere, but for its patience with a machine that is busy.
func newStrict(t *testing.T, opts ...webhook.Option) *webhook.Notifier {
	t.Helper()
	n, err := webhook.New(append([]webhook.Option{webhook.WithAttemptTimeout(time.Minute)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.CloseIdleConnections)
	return n
}

// A name that resolves to a refused address passes the check of the URI, and is caught when it is
// connected to.
func TestANameThatResolvesToARefusedAddressIsNotConnectedTo(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 1)
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	defer s.Close()
	n := newStrict(t, webhook.WithMaxElapsedTime(time.Millisecond), webhook.WithResolver(everythingIsHere(t)))
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	d := delivery()
	d.CallbackURI = "https://bot.contoso.com:" + port + "/callback"
	if err := n.Check(d.CallbackURI); err != nil {
		t.Fatal(err)
	}
	if err := n.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), "is not allowed") {
		t.Errorf("got %v", err)
	}
	select {
	case <-reached:
		t.Error("it was reached")
	default:
	}
}

// everythingIsHere resolves every name to 127.0.0.1.
func everythingIsHere(t *testing.T) *net.Resolver {
	t.Helper()
	return everythingIs(t, 127, 0, 0, 1)
}

// everythingIs resolves every name to an address.
func everythingIs(t *testing.T, ip ...byte) *net.Resolver {
	t.Helper()
	dns, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dns.Close() })
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := dns.ReadFrom(query)
			if err != nil {
				return
			}
			end := 12 // of the question: a name, its type, its class
			for end < n && query[end] != 0 {
				end += 1 + int(query[end])
			}
			end += 5
			answer := slices.Clone(query[:end])
			answer[2], answer[3] = 0x84, 0 // an answer, authoritative
			answer[7], answer[11] = 0, 0   // with no records
			if query[end-3] == 1 {         // type A
				answer[7] = 1
				answer = append(append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4), ip...)
			}
			_, _ = dns.WriteTo(answer, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", dns.LocalAddr().String())
	}}
}
